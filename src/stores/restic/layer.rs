use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustic_core::{BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend};

/// How much of a tree pack is fetched at once over a network, and how much of such is kept.
const TREE_WINDOW: u32 = 2 * 1024 * 1024;
const TREE_WINDOWS: usize = 16;

/// Lies between rustic and the place where the repository is: lets nothing be written, turns an
/// unreadable folder into an error where rustic would see an empty one, and over a network answers
/// small reads out of ranges that were fetched at once.
#[derive(Debug)]
pub(super) struct Layer {
    inner: Arc<dyn WriteBackend>,
    /// The folder, where the repository is one.
    folder: Option<PathBuf>,
    held: Mutex<Vec<(u64, Window)>>,
    trees: Mutex<VecDeque<Window>>,
    next: AtomicU64,
    requests: AtomicU64,
}

/// Bytes of a pack from an offset on.
#[derive(Clone, Debug)]
struct Window {
    pack: Id,
    start: u32,
    bytes: Bytes,
}

impl Window {
    fn part(&self, pack: &Id, offset: u32, length: u32) -> Option<Bytes> {
        if self.pack != *pack {
            return None;
        }
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let to = from.checked_add(usize::try_from(length).ok()?)?;
        (to <= self.bytes.len()).then(|| self.bytes.slice(from..to))
    }
}

/// A range that is held in memory for as long as this lives.
#[derive(Debug)]
pub(super) struct Held {
    layer: Arc<Layer>,
    number: u64,
    pack: Id,
    start: u32,
    length: u32,
}

impl Held {
    pub(super) fn covers(&self, pack: Id, offset: u32, length: u32) -> bool {
        self.pack == pack
            && offset >= self.start
            && u64::from(offset) + u64::from(length) <= u64::from(self.start) + u64::from(self.length)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.layer.held.lock().unwrap_or_else(PoisonError::into_inner).retain(|(number, _)| *number != self.number);
    }
}

impl Layer {
    pub(super) fn new(inner: Arc<dyn WriteBackend>, folder: Option<PathBuf>) -> Self {
        Self {
            inner,
            folder,
            held: Mutex::default(),
            trees: Mutex::default(),
            next: AtomicU64::default(),
            requests: AtomicU64::default(),
        }
    }

    pub(super) fn is_remote(&self) -> bool {
        self.folder.is_none()
    }

    /// How many reads of packs went out to where the repository is.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn hold(self: &Arc<Self>, pack: Id, start: u32, length: u32) -> RusticResult<Held> {
        let bytes = self.fetch(&pack, false, start, length)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let window = Window { pack, start, bytes };
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push((number, window));
        Ok(Held { layer: Arc::clone(self), number, pack, start, length })
    }

    fn fetch(&self, pack: &Id, cacheable: bool, offset: u32, length: u32) -> RusticResult<Bytes> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let bytes = self.inner.read_partial(FileType::Pack, pack, cacheable, offset, length)?;
        if u32::try_from(bytes.len()).is_ok_and(|got| got == length) {
            return Ok(bytes);
        }
        let short = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        Err(RusticError::with_source(ErrorKind::Backend, "The pack ends before the range does.", short))
    }

    /// Trees are written children first, and a walk goes parents first: what is wanted next lies before.
    fn fetch_tree(&self, pack: &Id, offset: u32, length: u32) -> RusticResult<Bytes> {
        let end = offset.saturating_add(length);
        let start = end.saturating_sub(TREE_WINDOW.max(length));
        let window = Window { pack: *pack, start, bytes: self.fetch(pack, true, start, end - start)? };
        let part = window.part(pack, offset, length);
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.push_front(window);
        trees.truncate(TREE_WINDOWS);
        part.ok_or_else(|| RusticError::new(ErrorKind::Backend, "The pack ends before the range does."))
    }

    fn kept(&self, cacheable: bool, pack: &Id, offset: u32, length: u32) -> Option<Bytes> {
        if cacheable {
            let trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
            return trees.iter().find_map(|window| window.part(pack, offset, length));
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().find_map(|(_, window)| window.part(pack, offset, length))
    }
}

impl ReadBackend for Layer {
    fn location(&self) -> String {
        super::address::without_credentials(&self.inner.location())
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        if let Some(folder) = &self.folder
            && kind != FileType::Config
        {
            std::fs::read_dir(folder.join(kind.dirname())).map_err(|error| {
                RusticError::with_source(ErrorKind::Backend, "The folder `{folder}` cannot be listed.", error)
                    .attach_context("folder", kind.dirname())
            })?;
        }
        self.inner.list_with_size(kind)
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        self.inner.read_full(kind, id)
    }

    fn read_partial(&self, kind: FileType, id: &Id, cacheable: bool, offset: u32, length: u32) -> RusticResult<Bytes> {
        if kind != FileType::Pack {
            return self.inner.read_partial(kind, id, cacheable, offset, length);
        }
        if let Some(bytes) = self.kept(cacheable, id, offset, length) {
            return Ok(bytes);
        }
        if self.is_remote() && cacheable {
            return self.fetch_tree(id, offset, length);
        }
        self.fetch(id, cacheable, offset, length)
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        self.inner.warmup_path(kind, id)
    }
}

fn read_only() -> Box<RusticError> {
    RusticError::new(ErrorKind::AppendOnly, "A backup is only read.")
}

/// rustic asks for a backend that could write; this one never does.
impl WriteBackend for Layer {
    fn create(&self) -> RusticResult<()> {
        Err(read_only())
    }

    fn write_bytes(&self, _: FileType, _: &Id, _: bool, _: BytesList) -> RusticResult<()> {
        Err(read_only())
    }

    fn remove(&self, _: FileType, _: &Id, _: bool) -> RusticResult<()> {
        Err(read_only())
    }
}
