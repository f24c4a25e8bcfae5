//! Documents: a directory of YAML or JSON files, one resource each, live or in a backup.
//!
#![doc = include_str!("README.md")]

mod adapter;
mod edit;
mod notation;
mod odd;
mod syntax;
#[cfg(test)]
mod tests;
mod wide;

pub use adapter::ADAPTER;
pub use syntax::YamlAndJson;

/// The kind of every resource here.
pub const KIND: &str = crate::component::DOCUMENT;
