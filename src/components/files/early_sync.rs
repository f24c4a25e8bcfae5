use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{Scope, ScopedJoinHandle};

use crossbeam_channel::{Sender, bounded};

use super::write::Write;
use crate::model::{Error, ErrorKind, Result};

/// Bytes between two beginnings.
const EVERY: u64 = 32 * 1024 * 1024;

/// Lets the disk begin while files are still being written: the sync that makes them durable then finds little left,
/// and a slow disk is not first idle and then waited for.
pub(super) struct EarlySync<'scope> {
    begin: Sender<()>,
    written: AtomicU64,
    thread: ScopedJoinHandle<'scope, Result<()>>,
}

impl<'scope> EarlySync<'scope> {
    pub(super) fn start<'env>(scope: &'scope Scope<'scope, 'env>, write: &'env Write<'env>) -> Self {
        let (begin, begun) = bounded::<()>(1);
        // The system tells of a lost write once: what this sync is told, the last one would not be.
        let thread = scope.spawn(move || begun.iter().try_for_each(|()| write.sync()));
        Self { begin, written: AtomicU64::new(0), thread }
    }

    pub(super) fn wrote(&self, bytes: u64) {
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before / EVERY != (before + bytes) / EVERY {
            // One that is under way takes these along, or the last one does.
            let _ = self.begin.try_send(());
        }
    }

    pub(super) fn end(self) -> Result<()> {
        drop(self.begin);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(Error::new(ErrorKind::Bug, "make files durable", "a syncing thread panicked")))
    }
}
