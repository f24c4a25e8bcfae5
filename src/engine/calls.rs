use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::component::Component;

/// Holds calls to each component to its own limit, reads for plans apart from writes: a long write does not keep
/// the next plan from being made. What is no call (planning, the journal's commit) goes on beside them.
#[derive(Default)]
pub(super) struct Calls {
    of: BTreeMap<String, Turns>,
}

struct Turns {
    planning: Semaphore,
    writing: Semaphore,
}

impl Calls {
    pub fn of(components: &[(String, Arc<dyn Component>)]) -> Self {
        let turns = |parallel: usize| Turns { planning: Semaphore::new(parallel), writing: Semaphore::new(parallel) };
        let of = components.iter().map(|(name, component)| (name.clone(), turns(component.limits().parallel.max(1))));
        Self { of: of.collect() }
    }

    /// Waits for a turn, which ends with the answer. A component that is not known here has no limit.
    pub async fn planning(&self, component: &str) -> Option<SemaphorePermit<'_>> {
        self.of.get(component)?.planning.acquire().await.ok()
    }

    pub async fn writing(&self, component: &str) -> Option<SemaphorePermit<'_>> {
        self.of.get(component)?.writing.acquire().await.ok()
    }
}
