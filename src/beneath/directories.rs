use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use super::Beneath;
use crate::model::TreePath;

/// Open directories below a base, so that many files of one directory cost one path walk.
pub struct Directories<'a> {
    handle: &'a Beneath,
    base: TreePath,
    same_device: bool,
    open: Mutex<HashMap<TreePath, Arc<OwnedFd>>>,
}

/// Far from the usual 1,024 open files of a process, for several writers at once.
const AT_MOST: usize = 128;

impl<'a> Directories<'a> {
    pub fn new(handle: &'a Beneath, base: TreePath) -> Self {
        Self { handle, base, same_device: false, open: Mutex::default() }
    }

    /// Refuses with `EXDEV` to pass into a file system mounted beneath the handle: nothing could be renamed there.
    pub fn on_same_device(handle: &'a Beneath, base: TreePath) -> Self {
        Self { same_device: true, ..Self::new(handle, base) }
    }

    /// The directory at `path` below the base.
    pub fn get(&self, path: &TreePath) -> rustix::io::Result<Arc<OwnedFd>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fd) = open.get(path) {
            return Ok(Arc::clone(fd));
        }
        let full = self.base.append(path);
        let fd =
            if self.same_device { self.handle.directory_on_same_device(&full) } else { self.handle.directory(&full) };
        let fd = Arc::new(fd?);
        if open.len() >= AT_MOST {
            open.clear();
        }
        open.insert(path.clone(), Arc::clone(&fd));
        Ok(fd)
    }

    /// The directory that holds `path`; for the base itself, the one that holds the base.
    pub fn parent(&self, path: &TreePath) -> rustix::io::Result<Arc<OwnedFd>> {
        match path.parent() {
            Some(parent) => self.get(&parent),
            None => Ok(Arc::new(self.handle.place(&self.base)?.0)),
        }
    }

    /// Forgets all: what was renamed or removed meanwhile is looked up again.
    pub fn forget(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
