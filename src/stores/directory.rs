use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use super::Store;
use crate::beneath::{Beneath, DirTree, list_entries, refusal};
use crate::model::{Entry, Result, TargetIdentity, Tree, TreePath};

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
