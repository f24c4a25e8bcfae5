//! Questions that are asked before something happens, and what they accept as an answer.

mod approve;
mod demand;
mod help;
mod leaving;
mod reason;
mod render;

use crate::model::{Counts, Digest, TargetIdentity, TaskId};

pub use approve::{ask_approval, ask_approval_of, ask_approval_of_all};
pub use demand::Demand;
#[cfg(test)]
pub use help::lines as help_lines;
pub use leaving::{leaving, shell_command};
pub use reason::{of_aborting, of_skipping};
pub use render::{below, is_read_to_the_end, place, render};

/// Keys are deaf for this long after the first frame with a dialog: what was typed before it was
/// there does not answer it.
pub const DEAF_MS: u64 = 300;
const MAX_INPUT: usize = 200;

#[derive(Clone, Debug, PartialEq)]
pub struct Dialog {
    pub question: Question,
    /// When the first frame with it reached the terminal.
    pub drawn_at: Option<u64>,
    pub input: String,
    pub top: usize,
    /// Help is being searched: what is typed is not a key.
    pub is_searching: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    Approve(Approve),
    ApproveAll(ApproveAll),
    /// What to do about a failed task.
    Failure {
        task: TaskId,
    },
    Reason {
        verb: Verb,
    },
    Confirm {
        task: TaskId,
        /// As it is shown: this goes on record as confirmed.
        question: String,
    },
    Settle {
        task: TaskId,
    },
    Quit,
    /// Ending the run for good, which was chosen on leaving.
    Close(Demand),
    Help,
    /// What was done so far; no question at all.
    Summary,
}

/// All that an approval says yes to, as it was when the question was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Approve {
    pub task: TaskId,
    pub digest: Digest,
    pub name: String,
    pub target: TargetIdentity,
    /// What runs, where and with which environment, if it is a command.
    pub command: Vec<String>,
    pub source: TargetIdentity,
    pub counts: Counts,
    /// Of the hunks: creates, updates, deletes.
    pub by_op: [u32; 3],
    pub left_out: usize,
    pub warnings: usize,
    pub preview: crate::model::Preview,
    pub is_undo: bool,
    pub irreversible: Vec<String>,
    pub demand: Demand,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApproveAll {
    /// Each plan by its own digest.
    pub plans: Vec<(TaskId, Digest)>,
    /// Which plans these are, in words.
    pub which: String,
    pub targets: Vec<String>,
    pub counts: Counts,
    /// Resources that are created, updated, deleted.
    pub resources: [u32; 3],
    pub left_out: usize,
    /// Of the plans: opened in Review; equal to an opened one; neither.
    pub opened: usize,
    pub equal: usize,
    pub unseen: usize,
    pub opaque: usize,
    /// Of these, those that run a command.
    pub commands: usize,
    pub undos: usize,
    /// Equal plans: a few go first, the rest once those were read back.
    pub is_cohort: bool,
    pub demand: Demand,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    Skip(Vec<TaskId>),
    LeaveOut(Vec<(String, String)>),
    Abort,
}

impl Dialog {
    pub fn new(question: Question) -> Self {
        Self { question, drawn_at: None, input: String::new(), top: 0, is_searching: false }
    }

    /// Whether keys are heard at `at`.
    pub fn hears(&self, at: u64) -> bool {
        self.drawn_at.is_some_and(|drawn| at >= drawn.saturating_add(DEAF_MS))
    }

    /// Whether a text is typed into it.
    pub fn takes_text(&self) -> bool {
        match &self.question {
            Question::Approve(approve) => approve.demand.is_typed(),
            Question::ApproveAll(all) => all.demand.is_typed(),
            Question::Close(demand) => demand.is_typed(),
            Question::Reason { .. } | Question::Settle { .. } => true,
            Question::Help => self.is_searching,
            _ => false,
        }
    }

    /// Reasons may be pasted; confirmations must be typed.
    pub fn takes_paste(&self) -> bool {
        matches!(self.question, Question::Reason { .. })
    }

    pub fn push(&mut self, character: char) {
        if !character.is_control() && self.input.len() < MAX_INPUT {
            self.input.push(character);
        }
    }
}
