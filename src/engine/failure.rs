use super::actor::Actor;
use super::made::Made;
use super::notice::{Activity, Notice};
use super::worker::Done;
use crate::model::{Digest, Event, OnFailure, Pass, Problem, Retry, RunState, Selection, StepPolicy, TaskId};

/// How often the runbook has tried a task again, and the whole plan that was approved for it, if one was.
#[derive(Default)]
pub(super) struct Tries {
    count: u16,
    approved: Option<Digest>,
}

impl Actor {
    fn has_failed(&self, task: TaskId) -> bool {
        self.run.step(task).is_some_and(|step| step.kind.failed(self.status(task)))
    }

    fn policy_of(&self, task: TaskId) -> StepPolicy {
        self.run.step(task).map(|step| step.policy).unwrap_or_default()
    }

    /// The runbook's word on a failure: try again, stop the run, or neither.
    pub fn after_failure(&mut self, task: TaskId, was_approved: bool) {
        let Some(state) = self.run.tasks.get(task.index()).cloned() else { return };
        if !self.has_failed(task) || state.pass != Pass::Restore {
            return;
        }
        let policy = self.policy_of(task);
        if let Some(retry) = policy.retry.filter(|retry| self.tries_left(task, *retry) > 0) {
            let approved = state.digest().filter(|_| was_approved && self.run.selection(task) == Selection::all());
            return self.try_again_later(task, retry, approved);
        }
        if policy.on_failure == OnFailure::Stop && self.run.state == RunState::Going {
            let why = format!("{} failed, and its step says on_failure: stop", self.run.name(task));
            self.record(Event::Paused { by: crate::model::BY_RUNBOOK.to_owned(), why: Some(why) });
        }
    }

    fn tries_left(&self, task: TaskId, retry: Retry) -> u16 {
        retry.times.saturating_sub(self.tries.get(&task).map_or(0, |tries| tries.count))
    }

    fn try_again_later(&mut self, task: TaskId, retry: Retry, approved: Option<Digest>) {
        let tries = self.tries.entry(task).or_default();
        *tries = Tries { count: tries.count.saturating_add(1), approved };
        let words = format!("it failed; try {} of {} in {:?}", tries.count, retry.times, retry.wait());
        self.due.insert(task);
        self.publish(Notice::Activity { task, activity: Activity::Waiting(words) });
        let mailbox = self.setting.mailbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(retry.wait()).await;
            let _ = mailbox.send(Done::RetryDue { task });
        });
    }

    pub fn on_retry_due(&mut self, task: TaskId) {
        // Retried, skipped or left out by a person meanwhile, or the run goes on no more.
        if !self.due.remove(&task) || !self.has_failed(task) || self.run.state != RunState::Going {
            return;
        }
        let tried = self.tries.get(&task).map_or(0, |tries| tries.count);
        let times = self.policy_of(task).retry.map_or(tried, |retry| retry.times);
        self.record(Event::Retried { task, by: format!("the runbook, try {tried} of {times}") });
    }

    /// Who approved a plan with a retry has approved it for each try: another plan is reviewed like any other.
    pub fn is_approved_again(&self, task: TaskId, made: &Made) -> bool {
        self.tries.get(&task).is_some_and(|tries| tries.approved == Some(made.digest))
    }

    /// Of a failure that concerns every task of a component, unless the runbook tries again by itself.
    pub fn pause_unless_retried(&mut self, task: TaskId, problem: &Problem) {
        let retry = self.policy_of(task).retry;
        if retry.is_none_or(|retry| self.tries_left(task, retry) == 0) {
            self.pause_for(problem);
        }
    }
}
