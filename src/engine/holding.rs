use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::actor::Actor;
use super::context::Context;
use super::script::{Restore, Script};
use super::worker::Done;
use crate::model::{Error, ErrorKind, Event, Problem, Result, RunState, StepHeader, StepKind, TargetHolder, TaskId};

/// A target that does not answer in this time is not waited for: it is asked again before it is written.
const LOOK: Duration = Duration::from_secs(10);
/// The end of a run does not wait longer for a server that is gone: whoever comes next is told of this session.
const LETTING_GO: Duration = Duration::from_secs(10);

/// Which of the targets that these steps write are held by somebody else, and what to do about each. Writes nothing.
pub async fn held_by_others(
    steps: &[StepHeader],
    script: &dyn Script,
    holder: &TargetHolder,
) -> BTreeMap<String, Problem> {
    let written = |step: &&StepHeader| matches!(step.kind, StepKind::Restore | StepKind::Apply);
    let written: BTreeSet<_> = steps.iter().filter(written).filter_map(|step| step.component.as_deref()).collect();
    let mut held = BTreeMap::new();
    for (name, component) in script.components() {
        if !written.contains(name.as_str()) {
            continue;
        }
        match tokio::time::timeout(LOOK, component.is_free(holder)).await {
            Ok(Err(error)) if error.kind() == ErrorKind::Held => {
                held.insert(name, error.problem());
            }
            // What else hinders is told by the plan or the write that it hinders.
            Ok(Err(error)) => tracing::debug!(target: "engine", "{name}: {}", error.chain()),
            Err(_) => tracing::debug!(target: "engine", "{name}: nobody said whether it is free"),
            Ok(Ok(())) => {}
        }
    }
    held
}

/// The target is this session's from here on. Answers what must be on record.
pub(super) async fn hold(context: &Context, restore: &Restore) -> Result<Option<String>> {
    let pinned = &context.pinned;
    let _turn = pinned.calls.writing(&restore.component_name).await;
    restore.component.hold(&context.holder, context.takes_over).await
}

impl Actor {
    /// Before anything is planned. An operator who takes over has decided already.
    pub fn look_at_targets(&mut self) {
        if self.setting.context.takes_over {
            return;
        }
        self.looking = true;
        let (steps, script) = (self.run.header.steps.clone(), self.setting.script.clone());
        let (holder, mailbox) = (self.setting.context.holder.clone(), self.setting.mailbox.clone());
        let look = tokio::spawn(async move { held_by_others(&steps, &*script, &holder).await });
        tokio::spawn(async move {
            let held = look.await.unwrap_or_default();
            let _ = mailbox.send(Done::Looked { problems: held.into_values().collect() });
        });
    }

    pub fn on_looked(&mut self, problems: Vec<Problem>) {
        self.looking = false;
        problems.iter().for_each(|problem| self.pause_for(problem));
    }

    /// Nothing of them was begun: their approvals stand, and they are written once the run goes on.
    pub fn on_held(&mut self, tasks: Vec<TaskId>, problem: &Problem) {
        for task in tasks {
            self.in_flight.remove(&task);
            self.queue_write(task);
        }
        self.pause_for(problem);
    }

    /// Every other task of that system would fail alike, one by one.
    pub fn pause_for(&mut self, problem: &Problem) {
        let concerns_all = matches!(problem.kind, ErrorKind::LoggedOut | ErrorKind::Held);
        if !concerns_all || self.run.state != RunState::Going {
            return;
        }
        let next = problem.next.as_ref().filter(|_| problem.kind == ErrorKind::Held);
        let why = next.map_or_else(|| problem.what.clone(), |next| format!("{}; {next}", problem.what));
        self.record(Event::Paused { by: "rekindle".to_owned(), why: Some(why) });
    }

    /// Whoever comes next finds the targets free.
    pub async fn let_go(&self) {
        for (name, component) in self.setting.script.components() {
            let done = tokio::time::timeout(LETTING_GO, component.let_go()).await;
            let late = |_| Err(Error::new(ErrorKind::TimedOut, "let it go", "it did not answer in time"));
            if let Err(error) = done.unwrap_or_else(late) {
                tracing::warn!(target: "engine", "{name}: {}", error.chain());
            }
        }
    }
}
