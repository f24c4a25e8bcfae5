//! Where bytes of a backup lie, seen as a read-only file tree. One file each.
//!
#![doc = include_str!("README.md")]

mod backed_up_owners;
pub mod directory;
mod links;
mod owners_by;
mod store_kind;

pub use backed_up_owners::{BackedUpOwners, NameOf, OwnerHere, Told};
pub use directory::DirectoryStore;
pub use links::followed;
pub use owners_by::OwnersBy;
pub use store_kind::StoreKind;

use std::sync::Arc;

use crate::model::{Entry, Error, ErrorKind, Result, TargetIdentity, Tree, TreePath};

pub mod restic;
mod suggest;
pub mod tar;

/// A read-only file tree: a directory, an archive, a snapshot. Methods block; callers give them a thread.
pub trait Store: Send + Sync {
    /// Which store and, where it has several, which snapshot of it, by id.
    fn identity(&self) -> Result<TargetIdentity>;

    /// The node at `path`, if there is one; the entry's own path is `path`.
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>>;

    /// The children of the directory at `path`, sorted bytewise; `None` where no directory is there.
    /// Entries carry their full paths.
    fn children(&self, path: &TreePath) -> Result<Option<Vec<Entry>>>;

    /// The tree below `path`, paths relative to it; `None` where nothing is there.
    fn tree(&self, path: &TreePath) -> Result<Option<Arc<dyn Tree>>>;

    /// What lies at and below `path` and cannot be restored, in words that begin with the node's path.
    fn not_restored(&self, path: &TreePath) -> Vec<String> {
        let _ = path;
        Vec::new()
    }

    /// Paths that are there and that someone may have meant by `path`, the likeliest first, a few at most;
    /// for the hint of an error.
    fn suggest(&self, path: &TreePath) -> Vec<TreePath> {
        suggest::suggest(self, &[], path)
    }
}

/// The error of asking a backup for what it does not hold: a backup without it is not a backup of nothing.
pub fn nothing_there(store: &dyn Store, path: &TreePath, wanted: &str) -> Error {
    let near: Vec<String> = store.suggest(path).iter().map(ToString::to_string).collect();
    let next = if near.is_empty() {
        "correct 'below' in the runbook, or choose another snapshot".to_owned()
    } else {
        format!("did you mean {}? correct 'below' in the runbook, or choose another snapshot", near.join(" or "))
    };
    Error::new(ErrorKind::NotFound, format!("read {path} in the backup"), format!("the backup has no {wanted} there"))
        .next(next)
}
