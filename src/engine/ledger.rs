use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::sync::mpsc;

use super::context::Context;
use super::notice::Activity;
use super::undo::PreImage;
use super::worker::Done;
use crate::component::{Approved, Ledger, UndoRecord};
use crate::model::{Error, ErrorKind, HunkAt, NodeKind, Pass, Progress, ResourceId, Result, TaskId};

/// Passes a component's undo records on to `undo.db`, and its progress to whoever looks on.
pub(super) struct RunLedger {
    context: Arc<Context>,
    /// Of each change: whose it is, and how much there is to write.
    changes: Vec<Entry>,
    mailbox: mpsc::UnboundedSender<Done>,
}

struct Entry {
    task: TaskId,
    attempt: u16,
    pass: Pass,
    id: ResourceId,
    of_files: u64,
    of_bytes: u64,
    began: OnceLock<Instant>,
}

impl RunLedger {
    pub fn new(context: Arc<Context>, mailbox: mpsc::UnboundedSender<Done>) -> Self {
        Self { context, changes: Vec::new(), mailbox }
    }

    /// The next change of the write that this is the ledger of.
    pub fn add(&mut self, task: TaskId, attempt: u16, pass: Pass, approved: &Approved) {
        let (mut of_files, mut of_bytes) = (0, 0);
        for (at, hunk) in approved.change.hunks.iter().enumerate() {
            if let HunkAt::Node { after: Some(after), content: true, .. } = &hunk.at
                && let NodeKind::File { size, .. } = after.kind
                && approved.takes(at)
            {
                of_files += 1;
                of_bytes += size;
            }
        }
        let began = OnceLock::new();
        self.changes.push(Entry { task, attempt, pass, id: approved.change.id.clone(), of_files, of_bytes, began });
    }
}

impl Ledger for RunLedger {
    fn keep(&self, index: usize, records: &[UndoRecord]) -> Result<()> {
        let unknown = || Error::new(ErrorKind::Bug, "keep undo records", "they are for no change of this write");
        let entry = self.changes.get(index).ok_or_else(unknown)?;
        if entry.pass == Pass::Undo {
            return Ok(());
        }
        let record = PreImage::Tree { id: entry.id.clone(), records: records.to_vec() }.to_bytes()?;
        self.context.undo.keep(entry.task, entry.attempt, vec![record])
    }

    fn progress(&self, index: usize, files: u64, bytes: u64) {
        if let Some(Entry { task, of_files, of_bytes, began, .. }) = self.changes.get(index) {
            let elapsed = began.get_or_init(Instant::now).elapsed();
            let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            let progress = Progress { files, bytes, of_files: *of_files, of_bytes: *of_bytes, elapsed };
            let activity = Activity::Writing(progress);
            let _ = self.mailbox.send(Done::Activity { task: *task, activity });
        }
    }

    fn cancelled(&self) -> bool {
        *self.context.cancelled.borrow()
    }
}
