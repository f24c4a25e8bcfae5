use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::component::{Approved, Checked, Component, Unit};
use crate::model::{Error, ErrorKind, Resource, Result};
use crate::reader::Wanted;

/// Holds calls to each component to its own limits: so many side by side, reads, checks and writes together, and so
/// many resources in one. What is no call (planning, the journal's commit) goes on beside them.
#[derive(Default)]
pub(super) struct Calls {
    of: BTreeMap<String, Turns>,
}

struct Turns {
    all: Semaphore,
    /// One less, where that leaves any: a long write does not keep the next plan from being made.
    writing: Semaphore,
    batch: usize,
    unit: Unit,
}

/// The right to make one call; ends with it.
pub(super) struct Turn<'c> {
    _writing: Option<SemaphorePermit<'c>>,
    _any: Option<SemaphorePermit<'c>>,
}

impl Calls {
    pub fn of(components: &[(String, Arc<dyn Component>)]) -> Self {
        let turns = |component: &dyn Component| {
            let limits = component.limits();
            let parallel = limits.parallel.max(1);
            let writing = Semaphore::new(parallel.saturating_sub(1).max(1));
            Turns { all: Semaphore::new(parallel), writing, batch: limits.batch.max(1), unit: limits.unit }
        };
        Self { of: components.iter().map(|(name, component)| (name.clone(), turns(&**component))).collect() }
    }

    /// Waits for a turn. A component that is not known here has no limit.
    pub async fn reading(&self, component: &str) -> Turn<'_> {
        let any = match self.of.get(component) {
            Some(turns) => turns.all.acquire().await.ok(),
            None => None,
        };
        Turn { _writing: None, _any: any }
    }

    pub async fn writing(&self, component: &str) -> Turn<'_> {
        let writing = match self.of.get(component) {
            Some(turns) => turns.writing.acquire().await.ok(),
            None => None,
        };
        Turn { _writing: writing, ..self.reading(component).await }
    }

    /// Resources of one call that reads.
    fn most_read(&self, component: &str) -> usize {
        self.of.get(component).map_or(usize::MAX, |turns| turns.batch)
    }

    /// Changes of one call that checks or writes.
    pub fn most_changes(&self, component: &str) -> usize {
        self.of.get(component).map_or(usize::MAX, |turns| match turns.unit {
            Unit::Change => turns.batch,
            Unit::Task => usize::MAX,
        })
    }

    pub async fn read(&self, name: &str, from: &dyn Component, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let mut answers = Vec::with_capacity(wanted.len());
        for part in wanted.chunks(self.most_read(name)) {
            let _turn = self.reading(name).await;
            answers.extend(one_each(from.read(part).await, part.len()));
        }
        answers
    }

    pub async fn check(&self, name: &str, with: &dyn Component, changes: &[Approved]) -> Vec<Result<Checked>> {
        let mut answers = Vec::with_capacity(changes.len());
        for part in changes.chunks(self.most_changes(name)) {
            let _turn = self.reading(name).await;
            answers.extend(one_each(with.check(part).await, part.len()));
        }
        answers
    }
}

/// A component that answers too little must not have its next answers taken for others'.
pub(super) fn one_each<T>(mut answers: Vec<Result<T>>, asked: usize) -> Vec<Result<T>> {
    let unanswered = || Error::new(ErrorKind::Bug, "ask a component", "it gave fewer answers than it was asked");
    answers.truncate(asked);
    answers.resize_with(asked, || Err(unanswered().known(crate::model::Known::Unknown)));
    answers
}
