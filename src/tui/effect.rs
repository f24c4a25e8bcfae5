use std::sync::Arc;

use crate::engine::Command;
use crate::model::{Proposal, TaskId};

/// What `update` asks of the outside; each is answered by a message, if at all.
#[derive(Clone, Debug)]
pub enum Effect {
    Command(Command),
    LoadProposal {
        generation: u64,
        task: TaskId,
    },
    LoadHistory {
        generation: u64,
        task: TaskId,
    },
    /// A field with what stands around it in its document.
    LoadFieldDiff {
        generation: u64,
        proposal: Arc<Proposal>,
        change: u32,
        hunk: u32,
    },
    LoadFileDiff {
        generation: u64,
        proposal: Arc<Proposal>,
        change: u32,
        hunk: u32,
        /// Those of a file that holds secrets too.
        secrets: bool,
    },
    /// The lines of these files, for a view of the whole plan.
    LoadWholeDiff {
        generation: u64,
        proposal: Arc<Proposal>,
        files: Vec<(u32, u32)>,
    },
    /// Look for `text` in the diffs of files that are not open.
    SearchFiles {
        generation: u64,
        proposal: Arc<Proposal>,
        text: String,
        files: Vec<(u32, u32)>,
    },
    /// A message after a short pause, so that a held-down key loads nothing on its way.
    Wake {
        generation: u64,
    },
    /// Show this text in the operator's own pager; the screen is given up meanwhile.
    View {
        text: String,
    },
    /// Hand this text to the terminal's clipboard.
    Copy {
        text: String,
    },
    /// Paint everything anew: another program wrote over the screen.
    Repaint,
    Suspend,
    /// Leave the screen.
    Leave,
}
