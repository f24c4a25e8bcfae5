use std::sync::Arc;

use crate::model::{Problem, Progress, Recorded, Run, TaskId};

/// What a projection of a run receives, in order: the TUI, plain mode, JSON, a log.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The fold up to now; always the first notice.
    Snapshot(Arc<Run>),
    /// Durable already.
    Event(Arc<Recorded>),
    /// What goes on this moment; not in the journal, and the newest for a task replaces the former.
    Activity { task: TaskId, activity: Activity },
    /// A component's server is waited for, and why; without words it takes calls again. Not in the journal.
    BackOff { component: String, words: Option<String> },
    /// A line of a command's output.
    Output { task: TaskId, line: String },
    /// Nothing will happen without a command: every task is settled or waits for a person.
    Idle,
    /// To a watcher: whether a process holds the run. Without one nothing happens until it is resumed.
    Held(bool),
    /// The engine has stopped; with a problem, if it did not mean to (the journal cannot be written).
    Stopped { problem: Option<Problem> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity {
    Planning,
    Writing(Progress),
    ReadingBack(Progress),
    /// Why nothing happens, since when and until when.
    Waiting(String),
    /// As another process tells of it, in its words.
    Told(String),
    Idle,
}

impl Activity {
    /// The same words wherever it is told. They may hold what a system said: show them visibly.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Planning => Some("planning".to_owned()),
            Self::Writing(progress) => Some(format!("writing {}", progress.words())),
            Self::ReadingBack(progress) if progress.bytes == 0 => Some("reading back".to_owned()),
            Self::ReadingBack(progress) => Some(format!("reading back {}", progress.words())),
            Self::Waiting(words) | Self::Told(words) => Some(words.clone()),
            Self::Idle => None,
        }
    }
}
