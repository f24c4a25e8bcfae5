//! Documents: a directory of YAML or JSON files, one resource each, live or in a backup.
//!
#![doc = include_str!("README.md")]

mod adapter;
mod checker;
mod component;
mod edit;
mod folder;
mod links;
mod new_file;
mod odd;
mod owners;
mod probe;
mod source;
#[cfg(test)]
mod tests;
mod text;
mod wide;
mod writer;

pub use adapter::ADAPTER;
pub use component::{Documents, DocumentsConfig};
pub use source::DocumentsSource;

/// The kind of every resource here.
pub const KIND: &str = crate::component::DOCUMENT;
