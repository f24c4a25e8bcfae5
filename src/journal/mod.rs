//! A run on disk: its folder, its lock, its events chained by hash, its sealed pre-images.
//!
//! `Run = fold(events)`: nothing else about a run is stored. One process writes ([`Journal`]), any number
//! read ([`ReadJournal`]), also while it is written.
//!
#![doc = include_str!("README.md")]

mod chain;
mod chunk;
mod database;
mod fold;
mod group_commit;
mod head_file;
mod header_check;
mod history;
#[allow(clippy::module_inception, reason = "a file carries the name of its type")]
mod journal;
mod kept_elsewhere;
mod keys;
mod load;
mod lock;
mod places;
mod plan_row;
mod present;
mod private_file;
mod read_journal;
mod run_folder;
mod salvage;
mod undo_check;
mod undo_store;

#[cfg(test)]
mod tests;

pub use fold::fold;
pub use group_commit::Done;
pub use journal::{Journal, Opened};
pub use keys::Keys;
pub use load::Finding;
pub use lock::{Holder, Lock};
pub use present::Present;
pub use read_journal::ReadJournal;
pub use run_folder::{RunFolder, StateFolder};
pub use undo_check::check_undo;
pub use undo_store::{KeptRecord, KeptRecords, UndoStore};
