use std::process::ExitCode;

use crate::model::{Run, TaskStatus};

/// What a command's end says to a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Fine,
    Failed,
    /// Changes wait to be made.
    Pending,
}

impl Exit {
    /// Of a run that goes on no further without a decision.
    pub fn of(run: &Run) -> Self {
        if run.count(TaskStatus::Failed) + run.count(TaskStatus::Unknown) > 0 {
            return Self::Failed;
        }
        if run.is_complete() { Self::Fine } else { Self::Pending }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Pending => 2,
        })
    }
}
