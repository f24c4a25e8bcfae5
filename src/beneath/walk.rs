use std::collections::{HashMap, HashSet, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{OFlags, RawDir, ResolveFlags};
use rustix::io::Errno;

use super::handle::open_beneath;
use super::stamps::Stamps;
use super::{Beneath, Node, NodeReader, RESERVED, refusal};
use crate::model::{Entry, Names, NodeKind, Result, TreePath};

/// Directories kept open at a time; those above are opened again on the way back.
const OPEN_LEVELS: usize = 64;

/// Walks a directory depth-first with sorted names. Holds one directory's names per level.
///
/// Does not descend into other file systems, but where it reads a source: what is mounted in a backup is a part of it. A
/// node that vanishes between being listed and being looked
/// at is left out; any other failure is an `Err` in its place, and the walk goes on beside it.
pub struct Walk<'a> {
    handle: &'a Beneath,
    base: TreePath,
    levels: Vec<Level>,
    /// The path of the innermost level; those above are its beginnings.
    at: Vec<u8>,
    reader: NodeReader,
    device: Option<(u32, u32)>,
    started: bool,
    names: Vec<u8>,
    stamps: Option<&'a Stamps>,
    names_met: LinkNames,
    tells: Option<&'a Met>,
}

/// What a walk tells beside its entries.
#[derive(Default)]
pub(super) struct Met {
    /// Left here at the end.
    pub names: Mutex<LinkNames>,
    /// Directories that it did not go into, for they lie on another device; each is here before its entry is handed over.
    pub ends: Mutex<HashSet<TreePath>>,
}

/// By link number: the names of each file that has several.
pub(super) type LinkNames = HashMap<u64, Names>;

struct Level {
    fd: Option<OwnedFd>,
    /// How much of the walk's path leads here: whoever keeps a home can make it very deep, so no level holds its own.
    length: usize,
    names: VecDeque<Box<[u8]>>,
}

impl<'a> Walk<'a> {
    pub fn new(handle: &'a Beneath, base: TreePath) -> Self {
        Self {
            handle,
            base,
            levels: Vec::new(),
            at: Vec::new(),
            reader: NodeReader::new(),
            device: None,
            started: false,
            names: Vec::with_capacity(64 * 1024),
            stamps: None,
            names_met: LinkNames::new(),
            tells: None,
        }
    }

    /// The same, which notes when each file was last touched.
    pub(super) fn noting(handle: &'a Beneath, base: TreePath, stamps: &'a Stamps) -> Self {
        Self { stamps: Some(stamps), ..Self::new(handle, base) }
    }

    /// The same, which tells what it met.
    pub(super) fn telling(mut self, met: &'a Met) -> Self {
        self.tells = Some(met);
        self
    }

    fn found(&mut self, node: Node) -> Entry {
        if let NodeKind::File { link: Some(link), .. } = node.entry.kind
            && self.tells.is_some()
        {
            self.names_met.entry(link).or_insert(Names { all: node.names, here: 0 }).here += 1;
        }
        if let (Some(stamps), NodeKind::File { .. }) = (self.stamps, &node.entry.kind) {
            stamps.note(&node.entry.path, node.stamp);
        }
        node.entry
    }

    fn start(&mut self) -> Option<Result<Entry>> {
        let base = self.base.clone();
        let read = self.handle.place(&base).and_then(|(directory, name)| {
            let node = self.reader.read(directory.as_fd(), name, TreePath::root())?;
            if node.entry.is_directory() {
                self.enter(directory.as_fd(), name, &node)?;
            }
            Ok(self.found(node))
        });
        match read {
            Ok(entry) => Some(Ok(entry)),
            Err(errno) => Some(Err(refusal(format!("read {}", self.handle.shown(&self.base)), errno))),
        }
    }

    /// Lists a directory, if it belongs to the tree.
    fn enter(&mut self, parent: std::os::fd::BorrowedFd, name: &[u8], node: &Node) -> rustix::io::Result<()> {
        let device = (node.inode.0, node.inode.1);
        if self.stamps.is_none() && *self.device.get_or_insert(device) != device {
            if let Some(met) = self.tells {
                met.ends.lock().unwrap_or_else(PoisonError::into_inner).insert(node.entry.path.clone());
            }
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let fd = open_beneath(parent, name, flags, ResolveFlags::empty())?;
        let at_root = self.base.is_root() && node.entry.path.is_root();
        let names = list(&fd, &mut self.names, at_root)?;
        if let Some(far) = self.levels.len().checked_sub(OPEN_LEVELS).and_then(|far| self.levels.get_mut(far)) {
            far.fd = None;
        }
        self.at.clear();
        self.at.extend_from_slice(node.entry.path.as_bytes());
        self.levels.push(Level { fd: Some(fd), length: self.at.len(), names });
        Ok(())
    }

    fn step(&mut self, name: &[u8]) -> Result<Option<Entry>> {
        let Some(level) = self.levels.last_mut() else { return Ok(None) };
        self.at.truncate(level.length);
        let path = TreePath::child(&self.at, name)?;
        let (handle, base) = (self.handle, self.base.clone());
        let shown = |path: &TreePath| format!("read {}", handle.shown(&base.append(path)));
        let directory = match level.fd.take() {
            Some(fd) => fd,
            None => {
                let above = path.parent().unwrap_or_default();
                match self.handle.directory(&self.base.append(&above)) {
                    Ok(fd) => fd,
                    Err(Errno::NOENT) => return Ok(None),
                    Err(errno) => return Err(refusal(shown(&above), errno)),
                }
            }
        };
        let depth = self.levels.len();
        let read = self.reader.read(directory.as_fd(), name, path.clone());
        let answer = match read {
            Ok(node) if node.entry.is_directory() => match self.enter(directory.as_fd(), name, &node) {
                Ok(()) => Ok(Some(node.entry)),
                Err(Errno::NOENT) => Ok(None),
                Err(errno) => Err(refusal(shown(&path), errno)),
            },
            Ok(node) => Ok(Some(self.found(node))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(refusal(shown(&path), errno)),
        };
        if let Some(level) = self.levels.get_mut(depth - 1) {
            level.fd = Some(directory);
        }
        answer
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.started {
            self.started = true;
            return self.start();
        }
        loop {
            let Some(level) = self.levels.last_mut() else {
                if let Some(met) = self.tells.take() {
                    *met.names.lock().unwrap_or_else(PoisonError::into_inner) = std::mem::take(&mut self.names_met);
                }
                return None;
            };
            let Some(name) = level.names.pop_front() else {
                self.levels.pop();
                continue;
            };
            match self.step(&name) {
                Ok(None) => {}
                Ok(Some(entry)) => return Some(Ok(entry)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The names in a directory, sorted bytewise; at the root without the reserved one.
pub(super) fn list(fd: &OwnedFd, buffer: &mut Vec<u8>, at_root: bool) -> rustix::io::Result<VecDeque<Box<[u8]>>> {
    let mut names = Vec::new();
    buffer.clear();
    buffer.reserve(64 * 1024);
    let mut directory = RawDir::new(fd, buffer.spare_capacity_mut());
    while let Some(entry) = directory.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." && !(at_root && name == RESERVED) {
            names.push(Box::<[u8]>::from(name));
        }
    }
    names.sort_unstable();
    Ok(names.into())
}

/// The children of the directory at `path`, sorted bytewise, with full paths.
pub fn list_entries(handle: &Beneath, path: &TreePath) -> rustix::io::Result<Vec<Entry>> {
    let directory = handle.directory(path)?;
    let mut reader = NodeReader::new();
    let mut entries = Vec::new();
    for name in list(&directory, &mut Vec::new(), path.is_root())? {
        let child = path.join(&name).map_err(|_| Errno::INVAL)?;
        match reader.read(directory.as_fd(), &name, child) {
            Ok(node) => entries.push(node.entry),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(entries)
}
