use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use super::context::Context;
use super::notice::Activity;
use super::read_back::{contents, milliseconds};
use super::undo::PreImage;
use super::worker::Done;
use crate::component::{Approved, Ledger, UndoRecord};
use crate::model::{Error, ErrorKind, Known, Pass, Progress, ResourceId, Result, TaskId};

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
    written: Counter,
    read: Counter,
    reference: OnceLock<String>,
}

/// What was told so far, and since when.
#[derive(Default)]
struct Counter {
    files: AtomicU64,
    bytes: AtomicU64,
    began: OnceLock<Instant>,
}

impl Counter {
    fn add(&self, files: u64, bytes: u64) -> Progress {
        let elapsed = milliseconds(*self.began.get_or_init(Instant::now));
        Progress {
            files: self.files.fetch_add(files, Ordering::Relaxed) + files,
            bytes: self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes,
            elapsed,
            ..Progress::default()
        }
    }
}

impl RunLedger {
    pub fn new(context: Arc<Context>, mailbox: mpsc::UnboundedSender<Done>) -> Self {
        Self { context, changes: Vec::new(), mailbox }
    }

    /// The next change of the write that this is the ledger of.
    pub fn add(&mut self, task: TaskId, attempt: u16, pass: Pass, approved: &Approved) {
        let (of_files, of_bytes) = contents(approved);
        let id = approved.change.id.clone();
        let (written, read) = (Counter::default(), Counter::default());
        let reference = OnceLock::new();
        self.changes.push(Entry { task, attempt, pass, id, of_files, of_bytes, written, read, reference });
    }

    /// By what is found again what that change has begun.
    pub fn reference(&self, index: usize) -> Option<String> {
        self.changes.get(index)?.reference.get().cloned()
    }
}

#[async_trait]
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
        if let Some(Entry { task, of_files, of_bytes, written, .. }) = self.changes.get(index) {
            let progress = Progress { of_files: *of_files, of_bytes: *of_bytes, ..written.add(files, bytes) };
            let _ = self.mailbox.send(Done::Activity { task: *task, activity: Activity::Writing(progress) });
        }
    }

    fn read_back(&self, index: usize, bytes: u64) {
        if let Some(Entry { task, of_bytes, read, .. }) = self.changes.get(index) {
            let progress = Progress { of_bytes: *of_bytes, ..read.add(0, bytes) };
            let _ = self.mailbox.send(Done::Activity { task: *task, activity: Activity::ReadingBack(progress) });
        }
    }

    async fn under_way(&self, index: usize, reference: &str) -> Result<()> {
        let doing = "record by what the work is found again";
        let unknown = || Error::new(ErrorKind::Bug, doing, "it is for no change of this write");
        let Entry { task, id, reference: told, .. } = self.changes.get(index).ok_or_else(unknown)?;
        let _ = told.set(reference.to_owned());
        let (durable, is_durable) = oneshot::channel();
        let told = Done::UnderWay { task: *task, resource: id.clone(), reference: reference.to_owned(), durable };
        let lost = || Error::new(ErrorKind::Io, doing, "the journal cannot be written").known(Known::Unknown);
        self.mailbox.send(told).map_err(|_| lost())?;
        is_durable.await.map_err(|_| lost())
    }

    fn cancelled(&self) -> bool {
        *self.context.cancelled.borrow()
    }
}
