use std::borrow::Cow;

use super::{Digest, Event, Known, Pass, PlanFacts, Problem, Run, RunState, Selection, TaskId, TaskState, TaskStatus};
use crate::model::ErrorKind;

/// An undo that was asked for and has not come to its end.
#[derive(Clone, Debug)]
pub(super) struct UndoUnderWay {
    /// What the task was before it was asked for.
    pub task: TaskState,
    pub selection: Option<(Selection, Digest)>,
    pub plan: Option<PlanFacts>,
    /// A part of it may be written.
    pub torn: bool,
    /// The same before the last INTENT: what holds again if that changed nothing.
    pub was_torn: bool,
}

impl UndoUnderWay {
    pub fn of(task: TaskState, selection: Option<(Selection, Digest)>, plan: Option<PlanFacts>) -> Self {
        Self { task, selection, plan, torn: false, was_torn: false }
    }

    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::Intent { .. } => {
                self.was_torn = self.torn;
                self.torn = true;
            }
            Event::Outcome { problem: Some(_), known: Known::NotApplied, partial: false, .. } => {
                self.torn = self.was_torn;
            }
            _ => {}
        }
    }

    /// Why a task whose undo was let go is not as it was before.
    pub fn problem(why: &str) -> Problem {
        Problem {
            kind: ErrorKind::Cancelled,
            known: Known::Unknown,
            what: format!("its undo was let go after a part of it was written: {why}"),
            next: Some("undo it again; or skip it and retry it, which restores it again".to_owned()),
        }
    }
}

impl Run {
    /// Before anything else: `id` is still as it was.
    pub(super) fn fold_undo(&mut self, id: TaskId, event: &Event) {
        let Some(task) = self.tasks.get(id.index()) else { return };
        if matches!(event, Event::UndoAsked { .. }) {
            let goes_on = task.pass == Pass::Undo && matches!(task.status, TaskStatus::Failed | TaskStatus::Unknown);
            if !(goes_on && self.undos.contains_key(&id)) {
                let (selection, plan) = (self.selections.get(&id).cloned(), self.plans.get(&id).copied());
                let torn = self.undos.get(&id).is_some_and(|undo| undo.torn);
                self.undos.insert(id, UndoUnderWay { torn, ..UndoUnderWay::of(task.clone(), selection, plan) });
            }
        } else if task.pass == Pass::Undo
            && let Some(undo) = self.undos.get_mut(&id)
        {
            undo.fold(event);
        }
    }

    /// Whether a part of this task's undo may be written, and not all of it.
    pub fn is_half_undone(&self, id: TaskId) -> bool {
        let is_undone = |task: &TaskState| task.pass == Pass::Undo && task.status != TaskStatus::Undone;
        self.tasks.get(id.index()).is_some_and(is_undone) && self.undos.get(&id).is_some_and(|undo| undo.torn)
    }

    /// Whether its undo was asked for and has taken nothing back yet: it waits for its plan or for an approval.
    pub fn waits_to_be_undone(&self, id: TaskId) -> bool {
        let waits = |task: &TaskState| {
            task.pass == Pass::Undo && matches!(task.status, TaskStatus::Review | TaskStatus::Approved)
        };
        self.tasks.get(id.index()).is_some_and(waits) && !self.is_half_undone(id)
    }

    /// The run without undos that were asked for and have taken nothing back: a question is no deed.
    pub fn without_asked_undos(&self) -> Cow<'_, Self> {
        let waiting = [TaskStatus::Review, TaskStatus::Approved];
        if self.undos.is_empty() || waiting.iter().all(|status| self.count(*status) == 0) {
            return Cow::Borrowed(self);
        }
        let asked: Vec<TaskId> = self.undos.keys().copied().filter(|id| self.waits_to_be_undone(*id)).collect();
        let mut run = self.clone();
        asked.into_iter().for_each(|id| run.drop_undo(id, ""));
        Cow::Owned(run)
    }

    /// Whether all that a task restored, or found restored, should be there now. An undo that was asked for, or failed
    /// before its first effect, has taken nothing of it back.
    pub fn stands(&self, id: TaskId) -> bool {
        let well = |status| matches!(status, TaskStatus::Done | TaskStatus::Unchanged);
        let Some(task) = self.tasks.get(id.index()) else { return false };
        let is_untouched = || self.waits_to_be_undone(id) || task.status == TaskStatus::Failed;
        let before = || self.undos.get(&id).filter(|undo| !undo.torn).is_some_and(|undo| well(undo.task.status));
        match task.pass {
            Pass::Restore => well(task.status),
            Pass::Undo => is_untouched() && before(),
        }
    }

    /// Whether an undo of any of its writes to a component takes what was kept for it.
    pub fn has_kept_at(&self, component: &str) -> bool {
        let steps = self.header.steps.iter().enumerate();
        let steps = steps.filter(|(_, step)| step.component.as_deref() == Some(component));
        let mut tasks = steps.flat_map(|(step, _)| self.step_tasks(step)).map(TaskId);
        let has_kept = |task| self.standing(task).iter().any(|attempt| attempt.kept.is_some_and(|kept| kept > 0));
        self.state != RunState::Closed && tasks.any(has_kept)
    }

    /// What the undo of an undone task did not bring back, in words; nothing, where it brought all of it back.
    pub fn stays(&self, id: TaskId) -> &[String] {
        let is_undone = self.tasks.get(id.index()).is_some_and(|task| task.status == TaskStatus::Undone);
        self.stays.get(&id).filter(|_| is_undone).map_or(&[], Vec::as_slice)
    }

    /// How many tasks are undone, and not all of them was brought back.
    pub fn undone_in_part(&self) -> usize {
        self.stays.keys().filter(|id| !self.stays(**id).is_empty()).count()
    }
}
