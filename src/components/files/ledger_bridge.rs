use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::component::{Ledger, UndoRecord};
use crate::model::{Error, ErrorKind, Result};

/// A ledger for a thread that may outlive the caller of `write`: its calls are answered by the caller.
/// Once the caller is gone, every record is refused and the write stops.
pub(super) struct LedgerBridge(UnboundedSender<Call>);

enum Call {
    Keep(usize, Vec<UndoRecord>, SyncSender<Result<()>>),
    Progress(usize, u64, u64),
    Cancelled(SyncSender<bool>),
}

/// The caller's end.
pub(super) struct Answers(UnboundedReceiver<Call>);

pub(super) fn bridge() -> (LedgerBridge, Answers) {
    let (calls, answers) = unbounded_channel();
    (LedgerBridge(calls), Answers(answers))
}

impl Answers {
    /// Serves until the other end is dropped.
    pub(super) async fn serve(mut self, ledger: &dyn Ledger) {
        let threads = tokio::runtime::Handle::current().runtime_flavor();
        while let Some(call) = self.0.recv().await {
            match call {
                Call::Keep(index, records, reply) => {
                    // Durable on return, so it may wait for a disk.
                    let kept = if threads == tokio::runtime::RuntimeFlavor::MultiThread {
                        tokio::task::block_in_place(|| ledger.keep(index, &records))
                    } else {
                        ledger.keep(index, &records)
                    };
                    let _ = reply.send(kept);
                }
                Call::Progress(index, files, bytes) => ledger.progress(index, files, bytes),
                Call::Cancelled(reply) => {
                    let _ = reply.send(ledger.cancelled());
                }
            }
        }
    }
}

impl Ledger for LedgerBridge {
    fn keep(&self, index: usize, records: &[UndoRecord]) -> Result<()> {
        let gone =
            || Error::new(ErrorKind::Cancelled, "keep undo records", "the run that asked for this write has ended");
        let (reply, answer) = sync_channel(1);
        self.0.send(Call::Keep(index, records.to_vec(), reply)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }

    fn progress(&self, index: usize, files: u64, bytes: u64) {
        let _ = self.0.send(Call::Progress(index, files, bytes));
    }

    fn cancelled(&self) -> bool {
        let (reply, answer) = sync_channel(1);
        if self.0.send(Call::Cancelled(reply)).is_err() {
            return true;
        }
        answer.recv().unwrap_or(true)
    }
}
