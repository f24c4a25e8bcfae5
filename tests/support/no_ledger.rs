use rekindle::component::{Ledger, UndoRecord};
use rekindle::model::Result;

/// For writes that nobody will undo.
pub struct NoLedger;

impl Ledger for NoLedger {
    fn keep(&self, _: usize, _: &[UndoRecord]) -> Result<()> {
        Ok(())
    }

    fn progress(&self, _: usize, _: u64, _: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}
