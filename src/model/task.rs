use serde::{Deserialize, Serialize};

use super::{
    Digest,
    event::{Counts, Pass},
};

/// A task's position in its run: steps in the runbook's order, owners in theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub u32);

impl TaskId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a task stands, as far as the journal knows. What is going on this moment
/// (planning, reading back) is told by progress notices and is not part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskStatus {
    /// For what it needs.
    #[default]
    Waiting,
    Ready,
    Unchanged,
    Review,
    Approved,
    /// An INTENT without an OUTCOME.
    Applying,
    Done,
    Failed,
    Unknown,
    Skipped,
    Undone,
}

impl TaskStatus {
    pub const ALL: [Self; 11] = [
        Self::Waiting,
        Self::Ready,
        Self::Unchanged,
        Self::Review,
        Self::Approved,
        Self::Applying,
        Self::Done,
        Self::Failed,
        Self::Unknown,
        Self::Skipped,
        Self::Undone,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Unchanged => "unchanged",
            Self::Review => "review",
            Self::Approved => "approved",
            Self::Applying => "applying",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
            Self::Undone => "undone",
        }
    }

    /// Nothing more will happen of itself, and what needs this task may go on.
    pub fn satisfies(self) -> bool {
        matches!(self, Self::Unchanged | Self::Done | Self::Skipped)
    }

    /// Nobody needs to look at it any more.
    pub fn is_settled(self) -> bool {
        self.satisfies() || self == Self::Undone
    }

    /// Nothing more will happen without a command.
    pub fn has_ended(self) -> bool {
        self.is_settled() || matches!(self, Self::Failed | Self::Unknown)
    }
}

/// Whose needs a task meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meets {
    #[default]
    Nothing,
    /// A part of it failed: restores into the same component can go on.
    SameComponent,
    All,
}

/// A task as the fold knows it. Small: a run may have a million.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskState {
    pub status: TaskStatus,
    pub pass: Pass,
    pub attempt: u16,
    /// Whether an applied change is there to be undone.
    pub undoable: bool,
    /// The same before the last INTENT: what holds again if that changed nothing.
    pub was_undoable: bool,
    /// It failed in part, and what needs it can go on, but waits while the rest is tried once more: it may need that.
    pub dependents_go_on: bool,
    /// As it is counted for the tasks that need this one.
    pub(super) meets: Meets,
    /// Apart, for most tasks of a large run have none yet.
    pub(super) planned: Option<Box<Planned>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Planned {
    digest: Option<Digest>,
    counts: Counts,
}

impl TaskState {
    pub fn meets(&self) -> Meets {
        use TaskStatus as S;
        let has_ended = matches!(self.status, S::Failed | S::Unknown);
        match self.status {
            status if status.satisfies() => Meets::All,
            _ if self.dependents_go_on && self.pass == Pass::Restore && has_ended => Meets::SameComponent,
            _ => Meets::Nothing,
        }
    }

    /// Of the plan that is in review, approved or was applied, with its selection.
    pub fn digest(&self) -> Option<Digest> {
        self.planned.as_ref()?.digest
    }

    /// Of that plan, or of the one before while another is made.
    pub fn counts(&self) -> Counts {
        self.planned.as_ref().map_or_else(Counts::default, |planned| planned.counts)
    }

    pub(super) fn plan_is(&mut self, digest: Digest, counts: Counts) {
        self.planned = Some(Box::new(Planned { digest: Some(digest), counts }));
    }

    /// Another plan is made.
    pub(super) fn forget_digest(&mut self) {
        if let Some(planned) = &mut self.planned {
            planned.digest = None;
        }
    }

    /// Whatever became of it since, what a task changed can be taken back: not while it is being written, and not
    /// twice at a time.
    pub fn can_be_undone(&self) -> bool {
        use TaskStatus as S;
        let asked = self.pass == Pass::Undo && matches!(self.status, S::Review | S::Approved);
        self.undoable && !asked && !matches!(self.status, S::Applying | S::Undone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_small_for_a_run_may_have_a_million() {
        assert!(size_of::<TaskState>() <= 16, "{} bytes", size_of::<TaskState>());
    }
}
