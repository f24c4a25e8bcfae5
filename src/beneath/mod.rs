//! Reading and writing beneath one directory handle: nothing here follows a symbolic link or leaves the
//! directory it was given, whoever changes the tree meanwhile.
//!
//! Paths are resolved by `openat2(2)` with `RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS`
//! (Linux 5.6). Extended attributes go through `/proc/self/fd`, because the kernel takes them relative to a
//! directory handle only since 6.13.

mod content;
mod dir_tree;
mod directories;
mod facts;
mod handle;
mod identity;
mod lost_facts;
mod metadata;
mod node;
mod refusal;
mod remove;
mod stamps;
mod steady_file;
mod walk;
mod write_right;
mod xattrs;

pub use content::{CopyError, copy_content};
pub use dir_tree::DirTree;
pub use directories::Directories;
pub use facts::kept_facts;
pub use handle::Beneath;
pub use lost_facts::{attribute_lost, attribute_words, time_lost};
pub use metadata::{modified_at, set_metadata};
pub use node::{Inode, Node, NodeReader};
pub use refusal::refusal;
pub use remove::remove_all;
pub use stamps::stamp_now;
pub use walk::{Walk, list_entries};
pub use write_right::WriteRight;

/// Where components keep what undo needs, at the root of a handle; never part of a tree.
pub const RESERVED: &[u8] = b".rekindle";

#[cfg(test)]
mod steady_tests;
#[cfg(test)]
mod tests;
