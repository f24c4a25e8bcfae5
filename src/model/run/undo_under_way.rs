use super::{Digest, Event, Known, PlanFacts, Problem, Selection, TaskState};
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
