use std::sync::Arc;

use crate::engine::{Command, Notice};
use crate::model::{Problem, Proposal, Recorded, TaskId};

use super::file_search::Looked;
use super::keymap::Key;
use super::whole_diff::FileDiff;
use crate::diff::files::TextDiff;

/// What a mouse does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointing {
    Press,
    WheelUp,
    WheelDown,
}

/// Everything that can happen to the screen. Times are milliseconds of a clock that only goes forward.
#[derive(Clone, Debug)]
pub enum Msg {
    Key {
        key: Key,
        at: u64,
    },
    Paste {
        text: String,
        at: u64,
    },
    Pointed {
        column: u16,
        row: u16,
        what: Pointing,
        at: u64,
    },
    Resize {
        width: u16,
        height: u16,
    },
    /// A frame with the present model has reached the terminal.
    Drawn {
        at: u64,
    },
    /// The time that the notes on the screen asked for has come.
    Passed {
        at: u64,
    },
    Notice(Notice),
    /// The engine's answer to a command of this screen.
    Answered {
        command: Command,
        problem: Option<Problem>,
    },
    Proposal {
        generation: u64,
        task: TaskId,
        answer: Result<Arc<Proposal>, Problem>,
    },
    History {
        generation: u64,
        task: TaskId,
        answer: Result<Vec<Recorded>, Problem>,
    },
    FileDiff {
        generation: u64,
        change: u32,
        hunk: u32,
        diff: TextDiff,
    },
    /// Some of the files were looked into for `text`.
    WholeDiff {
        generation: u64,
        diffs: Vec<FileDiff>,
    },
    SearchedFiles {
        generation: u64,
        text: String,
        looked: Looked,
    },
    /// All that have said something in the log by now.
    Heard {
        voices: Vec<&'static str>,
    },
    /// A warning or an error was logged.
    Warned {
        text: String,
        /// Of more weight than what failed before it: the failure's cause is gone.
        is_news: bool,
    },
    /// The pause that [`super::effect::Effect::Wake`] asked for is over.
    Wake {
        generation: u64,
    },
}
