//! A tar archive: plain, or compressed with gzip or zstd; told apart by their first bytes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::index::Index;
use self::source::Source;
use self::tree::{Archive, TarTree};
use super::backed_up_owners::{KEY, owners_by};
use super::store_kind::nothing_is_sent;
use super::{BackedUpOwners, OwnersBy, Store, StoreKind};
use crate::blocking::blocking;
use crate::declared::{Opening, nothing_to_check};
use crate::model::{Entry, Result, TargetIdentity, Tree, TreePath};

mod attributes;
mod index;
mod member;
mod pax;
mod source;
#[cfg(test)]
mod tests;
mod tree;

pub static STORE: StoreKind = StoreKind {
    name: "tar",
    about: "A tar archive: plain, or compressed with gzip or zstd.",
    keys: &[KEY],
    variants: "plain, gz, zst",
    check: nothing_to_check,
    sends: nothing_is_sent,
    open: |opening| Box::pin(open(opening)),
};

async fn open(opening: &Opening<'_>) -> Result<Arc<dyn Store>> {
    let path = PathBuf::from(opening.given.text(STORE.name).cloned().unwrap_or_default());
    let owners = BackedUpOwners::new(owners_by(opening.given));
    let open = move || Ok(Arc::new(TarStore::open_with(&path, &owners)?) as Arc<dyn Store>);
    blocking("open an archive", open).await
}

/// An archive in GNU, ustar or pax form: read through once for its index, never unpacked as a whole.
///
/// A plain archive is read at any place at once. A compressed one is read forward: contents that are asked for
/// together cost one pass, single files asked for against the archive's order cost one pass each.
///
/// Extended attributes are those of `tar --xattrs` and of libarchive, ACLs also the text form of `tar --acls`: it names
/// users, who are looked up on this machine. What the archive does not record of a member is told by [`Tree::recorded`].
pub struct TarStore {
    archive: Arc<Archive>,
}

impl TarStore {
    /// Reads all headers, and with a compressed archive all of it.
    ///
    /// Errors: `NotFound`; `Invalid` not an archive, or broken headers; `Corrupt` truncated or damaged;
    /// `Refused` a name with `..`, a file behind a symbolic link, or over a bound (5 million members,
    /// names of 64 KiB, unpacking to a thousand times its size); `Unsupported` bzip2, xz.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, &BackedUpOwners::new(OwnersBy::default()))
    }

    /// The same with owners settled otherwise; also `Unreachable` where the name service does not answer.
    pub fn open_with(path: &Path, owners: &BackedUpOwners) -> Result<Self> {
        let source = Source::open(path)?;
        let index = Index::read(&source, owners)?;
        source.is_untouched()?;
        Ok(Self { archive: Arc::new(Archive::new(source, index)) })
    }
}

impl Store for TarStore {
    /// The file itself: where it lies, its size, when it was written and when it was last touched. Its bytes are not
    /// hashed: a touch makes another archive of it.
    fn identity(&self) -> Result<TargetIdentity> {
        let source = &self.archive.source;
        Ok(TargetIdentity {
            system: "tar archive".to_owned(),
            address: source.shown.clone(),
            id: source.id.clone().into(),
        })
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>> {
        Ok(self.archive.index.find(path).map(|item| item.entry.clone()))
    }

    fn children(&self, path: &TreePath) -> Result<Option<Vec<Entry>>> {
        let index = &self.archive.index;
        Ok(index.find(path).filter(|item| item.entry.is_directory()).map(|_| index.children(path)))
    }

    fn not_restored(&self, path: &TreePath) -> Vec<String> {
        self.archive.index.remarks(path)
    }

    fn tree(&self, path: &TreePath) -> Result<Option<Arc<dyn Tree>>> {
        Ok(self.archive.index.find(path).map(|_| {
            let tree = TarTree { archive: Arc::clone(&self.archive), base: path.clone() };
            Arc::new(tree) as Arc<dyn Tree>
        }))
    }
}
