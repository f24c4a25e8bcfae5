use std::io::Read;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::fs::{OFlags, ResolveFlags};

use super::handle::{open_beneath, regular};
use super::{Beneath, Directories, Walk, refusal};
use crate::model::{ContentSink, Entry, Result, Tree, TreePath};

/// A directory (or one file) beneath a handle as a tree: live, so two walks can differ.
pub struct DirTree {
    handle: Arc<Beneath>,
    base: TreePath,
}

/// Files that one thread takes at a time: neighbours share a directory.
const CLAIM: usize = 16;

impl DirTree {
    pub fn new(handle: Arc<Beneath>, base: TreePath) -> Self {
        Self { handle, base }
    }

    fn unreadable(&self, path: &TreePath) -> impl Fn(rustix::io::Errno) -> crate::model::Error {
        move |errno| refusal(format!("read {}", self.handle.shown(&self.base.append(path))), errno)
    }

    fn open_in(&self, directories: &Directories, path: &TreePath) -> Result<std::fs::File> {
        let opened = match path.name() {
            None => self.handle.file(&self.base),
            Some(name) => directories.parent(path).and_then(|directory| {
                let flags = OFlags::RDONLY | OFlags::NONBLOCK;
                regular(open_beneath(directory.as_fd(), name, flags, ResolveFlags::empty())?)
            }),
        };
        Ok(opened.map_err(self.unreadable(path))?.into())
    }
}

impl Tree for DirTree {
    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
        Ok(Box::new(Walk::new(&self.handle, self.base.clone())))
    }

    fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>> {
        let fd = self.handle.file(&self.base.append(path)).map_err(self.unreadable(path))?;
        Ok(Box::new(std::fs::File::from(fd)))
    }

    fn contents(&self, wanted: &[TreePath], parallel: usize, sink: &dyn ContentSink) -> Result<()> {
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let directories = Directories::new(&self.handle, self.base.clone());
        let work = || {
            while !stop.load(Ordering::Relaxed) {
                let from = next.fetch_add(CLAIM, Ordering::Relaxed);
                let Some(claimed) = wanted.get(from..wanted.len().min(from.saturating_add(CLAIM))) else { break };
                if claimed.is_empty() {
                    break;
                }
                for (index, path) in (from..).zip(claimed) {
                    let go_on = match self.open_in(&directories, path) {
                        Ok(mut file) => sink.content(index, Ok(&mut file)),
                        Err(error) => sink.content(index, Err(error)),
                    };
                    if !go_on {
                        stop.store(true, Ordering::Relaxed);
                        return;
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..parallel.clamp(1, 16) {
                scope.spawn(work);
            }
            work();
        });
        Ok(())
    }
}
