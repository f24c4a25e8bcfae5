use crate::model::{Digest, Known, Selection, TaskId};

/// What an operator, or a flag in their place, asks of a run. Each is answered: done and durable,
/// or refused with the reason.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Takes and leaves hunks of the plan in review; its digest changes with it.
    Decide {
        task: TaskId,
        selection: Selection,
    },
    /// Says yes to exactly the plan with this digest.
    Approve {
        task: TaskId,
        digest: Digest,
    },
    /// A person says that a `confirm` step is so; its probe, if any, must hold too.
    Confirm {
        task: TaskId,
        /// As the person saw it.
        question: String,
    },
    Skip {
        task: TaskId,
        why: String,
    },
    /// Reads the target of a task of UNKNOWN effect once more: it may tell now.
    LookAgain {
        task: TaskId,
    },
    /// Plans a failed, unknown, skipped or undone task anew, from what is live then.
    Retry {
        task: TaskId,
    },
    LeaveOut {
        set: String,
        owner: String,
        why: String,
    },
    /// Plans the way back from what was applied; the plan waits in review like any other.
    Undo {
        task: TaskId,
    },
    /// A person settles an UNKNOWN effect.
    Settle {
        task: TaskId,
        known: Known,
    },
    Pause,
    Continue,
    /// Nothing new is begun; what is being written ends first.
    Abort {
        why: String,
    },
    /// Ends the run for good: undo is no longer offered and what was kept for it is released.
    Close,
}
