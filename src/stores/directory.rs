use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use super::store_kind::nothing_is_sent;
use super::{Store, StoreKind};
use crate::beneath::{Beneath, DirTree, list_entries, refusal};
use crate::blocking::blocking;
use crate::declared::{Given, Opening, Wrong};
use crate::model::{Entry, Result, TargetIdentity, Tree, TreePath};

pub static STORE: StoreKind = StoreKind {
    name: "directory",
    about: "A directory that holds the backup as plain files.",
    keys: &[super::backed_up_owners::KEY],
    variants: "",
    check,
    sends: nothing_is_sent,
    open: |opening| Box::pin(open(opening)),
};

fn check(given: &Given<()>) -> Vec<Wrong> {
    let wrong = Wrong {
        at: vec!["owners".to_owned()],
        why: "a directory holds numbers of owners, no names".to_owned(),
        help: "leave 'owners' out: what it holds goes by number",
    };
    given.word("owners").filter(|by| *by == "names").map(|_| wrong).into_iter().collect()
}

async fn open(opening: &Opening<'_>) -> Result<Arc<dyn Store>> {
    let path = PathBuf::from(opening.given.text(STORE.name).cloned().unwrap_or_default());
    let open = move || Ok(Arc::new(DirectoryStore::open(&path)?) as Arc<dyn Store>);
    blocking("open a directory", open).await
}

/// A backup that lies in a directory as plain files.
pub struct DirectoryStore {
    path: PathBuf,
    handle: Arc<Beneath>,
}

impl DirectoryStore {
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), handle: Arc::new(Beneath::open(path)?) })
    }
}

impl Store for DirectoryStore {
    fn identity(&self) -> Result<TargetIdentity> {
        Beneath::open(&self.path)?.identity()
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>> {
        self.handle.entry(path)
    }

    fn children(&self, path: &TreePath) -> Result<Option<Vec<Entry>>> {
        match list_entries(&self.handle, path) {
            Ok(entries) => Ok(Some(entries)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(refusal(format!("list {}", self.handle.shown(path)), errno)),
        }
    }

    fn tree(&self, path: &TreePath) -> Result<Option<Arc<dyn Tree>>> {
        let there = self.handle.entry(path)?.is_some();
        Ok(there.then(|| Arc::new(DirTree::source(Arc::clone(&self.handle), path.clone())) as Arc<dyn Tree>))
    }
}
