//! Directories of files: a home per user, a tree per service. A resource is a whole tree; its key is its
//! path below the component's root.
//!
//! What is replaced or removed is kept by rename or hard link in `<root>/.rekindle/<run>/kept` until the
//! run is closed; what is being written lies beside it until it is whole.
//!
#![doc = include_str!("README.md")]

mod adapter;
mod area;
mod capacity;
mod check;
mod compare;
mod component;
mod config;
mod early_sync;
mod extract;
mod failure;
mod former;
mod job;
mod kept;
mod ledger_bridge;
mod links;
mod lookalikes;
mod metadata;
mod mounts;
mod notes;
mod parents;
mod put;
mod returning;
mod saves;
mod source;
mod staging;
mod state;
mod survey;
mod unlocked;
mod update;
mod write;

pub use adapter::ADAPTER;
pub use component::{FilesComponent, keeps_run};
pub use config::FilesConfig;
pub use source::{FilesSource, TREE};

#[cfg(test)]
mod tests;
