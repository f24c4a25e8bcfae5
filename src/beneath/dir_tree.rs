use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};

use rustix::fs::{Access, AtFlags, OFlags, ResolveFlags, accessat};
use rustix::io::Errno;

use super::facts::kept_facts;
use super::handle::{once_let_go, open_beneath, regular};
use super::stamps::Stamps;
use super::steady_file::SteadyFile;
use super::walk::Met;
use super::{Beneath, Directories, Walk, refusal};
use crate::model::{ContentSink, Entry, Names, RecordedFacts, Result, Tree, TreePath};

/// A directory (or one file) beneath a handle as a tree: live, so two walks can differ.
pub struct DirTree {
    handle: Arc<Beneath>,
    base: TreePath,
    /// For a tree to restore from: what the last walk found.
    stamps: Option<Stamps>,
    met: Met,
    /// What the file system keeps.
    facts: OnceLock<RecordedFacts>,
}

/// Files that one thread takes at a time: neighbours share a directory.
const CLAIM: usize = 16;

impl DirTree {
    pub fn new(handle: Arc<Beneath>, base: TreePath) -> Self {
        Self { handle, base, stamps: None, met: Met::default(), facts: OnceLock::new() }
    }

    /// One to restore from: a file that was touched after it was listed, or while it is read, is a conflict.
    pub fn source(handle: Arc<Beneath>, base: TreePath) -> Self {
        Self { stamps: Some(Stamps::default()), ..Self::new(handle, base) }
    }

    fn unreadable(&self, path: &TreePath) -> impl Fn(rustix::io::Errno) -> crate::model::Error {
        move |errno| refusal(format!("read {}", self.handle.shown(&self.base.append(path))), errno)
    }

    fn read(&self, path: &TreePath, fd: OwnedFd) -> Result<Box<dyn Read + Send>> {
        Ok(match &self.stamps {
            None => Box::new(std::fs::File::from(fd)),
            Some(stamps) => {
                let shown = self.handle.shown(&self.base.append(path));
                Box::new(SteadyFile::new(fd, stamps.of(path), shown)?)
            }
        })
    }

    fn open_in(&self, directories: &Directories, path: &TreePath) -> Result<Box<dyn Read + Send>> {
        let opened = match path.name() {
            None => self.handle.file(&self.base),
            Some(name) => directories.parent(path).and_then(|directory| {
                let flags = OFlags::RDONLY | OFlags::NONBLOCK;
                regular(once_let_go(|| open_beneath(directory.as_fd(), name, flags, ResolveFlags::empty()))?)
            }),
        };
        self.read(path, opened.map_err(self.unreadable(path))?)
    }
}

impl Tree for DirTree {
    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
        Ok(Box::new(match &self.stamps {
            None => Walk::new(&self.handle, self.base.clone()).telling(&self.met),
            Some(stamps) => Walk::noting(&self.handle, self.base.clone(), stamps),
        }))
    }

    fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>> {
        let fd = self.handle.file(&self.base.append(path)).map_err(self.unreadable(path))?;
        self.read(path, fd)
    }

    fn names(&self, link: u64) -> Option<Names> {
        self.met.names.lock().unwrap_or_else(PoisonError::into_inner).get(&link).copied()
    }

    fn ends_at(&self, path: &TreePath) -> bool {
        self.met.ends.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
    }

    fn recorded(&self, _: &TreePath) -> RecordedFacts {
        *self.facts.get_or_init(|| kept_facts(&self.handle, &self.base))
    }

    fn above(&self, levels: usize) -> Result<Option<Entry>> {
        self.base.above(levels).map_or(Ok(None), |path| self.handle.entry(&path))
    }

    fn bytes_without_holes(&self, path: &TreePath) -> Result<Option<u64>> {
        let file = self.handle.file(&self.base.append(path)).map_err(self.unreadable(path))?;
        let stat = rustix::fs::fstat(file).map_err(self.unreadable(path))?;
        // The kernel counts in blocks of 512 bytes, whatever the file system's own are.
        Ok(u64::try_from(stat.st_blocks).ok().map(|blocks| blocks.saturating_mul(512)))
    }

    fn stamp(&self, path: &TreePath) -> Option<u64> {
        self.stamps.as_ref()?.of(path)
    }

    /// Files of a backup that this user may not read. Root may read all.
    fn unreadable(&self, files: &[&TreePath]) -> Vec<(usize, String)> {
        if self.stamps.is_none() || rustix::process::geteuid().is_root() {
            return Vec::new();
        }
        let directories = Directories::new(&self.handle, self.base.clone());
        let is_denied = |path: &TreePath| {
            let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
            let tried = directories
                .parent(path)
                .and_then(|directory| accessat(&*directory, path.name().unwrap_or(b"."), Access::READ_OK, flags));
            matches!(tried, Err(Errno::ACCESS | Errno::PERM))
        };
        let denied = files.iter().enumerate().filter(|(_, path)| is_denied(path));
        denied.map(|(at, _)| (at, "permission denied".to_owned())).collect()
    }

    fn to_restore_from(&self) -> Option<Arc<dyn Tree>> {
        let source = || Self::source(Arc::clone(&self.handle), self.base.clone());
        self.stamps.is_none().then(|| Arc::new(source()) as Arc<dyn Tree>)
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
                        Ok(mut file) => sink.content(index, Ok(&mut *file)),
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
