use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::mpsc;

use super::notice::Activity;
use super::worker::Done;
use crate::component::Approved;
use crate::model::{Digest, Error, HunkAt, NodeKind, Progress, Result, TaskId, Tree, TreePath};

/// In bytes: some tellings a second from a fast disk.
const TOLD_EVERY: u64 = 16 << 20;
/// Bytes read at once.
const READ: usize = 256 * 1024;

/// Tells how far the reading back of one task has come.
pub(super) struct ReadBack {
    told: Option<(TaskId, mpsc::UnboundedSender<Done>)>,
    of_bytes: u64,
    began: Instant,
    bytes: AtomicU64,
}

impl ReadBack {
    pub fn of(task: TaskId, approved: &[Approved], mailbox: mpsc::UnboundedSender<Done>) -> Self {
        let of_bytes = approved.iter().map(|approved| contents(approved).1).sum();
        Self { told: Some((task, mailbox)), of_bytes, began: Instant::now(), bytes: AtomicU64::new(0) }
    }

    /// Where nobody looks on.
    pub fn untold() -> Self {
        Self { told: None, of_bytes: 0, began: Instant::now(), bytes: AtomicU64::new(0) }
    }

    /// blake3 of one regular file's bytes. Called from any thread.
    pub fn digest(&self, tree: &Arc<dyn Tree>, path: &TreePath) -> Result<Digest> {
        let mut reader = tree.open(path)?;
        let (mut hasher, mut buffer, mut unsaid) = (blake3::Hasher::new(), vec![0; READ], 0);
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::io(format!("read {path}"), error)),
            };
            hasher.update(buffer.get(..count).unwrap_or_default());
            unsaid += count as u64;
            if unsaid >= TOLD_EVERY {
                self.tell(std::mem::take(&mut unsaid));
            }
        }
        self.bytes.fetch_add(unsaid, Ordering::Relaxed);
        Ok(Digest::from_bytes(*hasher.finalize().as_bytes()))
    }

    fn tell(&self, more: u64) {
        let bytes = self.bytes.fetch_add(more, Ordering::Relaxed) + more;
        let Some((task, mailbox)) = &self.told else { return };
        let progress =
            Progress { bytes, of_bytes: self.of_bytes, elapsed: milliseconds(self.began), ..Progress::default() };
        let _ = mailbox.send(Done::Activity { task: *task, activity: Activity::ReadingBack(progress) });
    }
}

/// Since `began`.
pub(super) fn milliseconds(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Files and bytes whose contents a change writes.
pub(super) fn contents(approved: &Approved) -> (u64, u64) {
    let (mut files, mut bytes) = (0, 0);
    for (at, hunk) in approved.change.hunks.iter().enumerate() {
        if let HunkAt::Node { after: Some(after), content: true, .. } = &hunk.at
            && let NodeKind::File { size, .. } = after.kind
            && approved.takes(at)
        {
            files += 1;
            bytes += size;
        }
    }
    (files, bytes)
}
