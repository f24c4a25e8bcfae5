use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::syncfs;

use super::area::Area;
use super::config::FilesConfig;
use super::job::{self, Job};
use super::notes::Notes;
use super::{extract, saves, staging, update};
use crate::beneath::{Beneath, Node, NodeReader, RESERVED, refusal, set_metadata};
use crate::component::{Approved, Effect, Ledger, UndoRecord};
use crate::model::Privileges;
use crate::model::{Change, Digest, Entry, Error, ErrorKind, Former, HunkAt, Known, Meta, Result, Tree, TreePath};

/// One approved change while it is written.
pub(super) struct Write<'a> {
    pub(super) root: &'a Beneath,
    pub(super) area: &'a Area,
    pub(super) key: &'a TreePath,
    pub(super) change: &'a Change,
    /// Where it prepares what it writes.
    pub stage: TreePath,
    index: usize,
    ledger: &'a dyn Ledger,
    pub(super) desired: Option<&'a dyn Tree>,
    notes: &'a Notes,
    /// Set before the first effect on the live tree: an error before it changed nothing.
    touched: AtomicBool,
    files: AtomicU64,
    bytes: AtomicU64,
    contents: Mutex<Vec<(TreePath, Digest)>>,
    held: Mutex<Vec<(TreePath, Meta)>>,
}

/// Writes one change; blocks.
pub(super) fn write(config: &FilesConfig, approved: &Approved, index: usize, ledger: &dyn Ledger) -> Result<Effect> {
    let root = Beneath::open(Path::new(&config.root))?;
    let bits = job::privileges(config.setuid, approved);
    if bits == Privileges::Refuse {
        refuse_privileged(approved)?;
    }
    let notes = Notes::default();
    let key = &approved.change.id.key;
    not_reserved(&root, key)?;
    let area = Area::open(&root, &approved.run)?;
    let desired = approved.desired.as_ref().and_then(|resource| resource.tree()).map(|tree| &**tree);
    let jobs = Job::chosen(approved, bits, &notes);
    let write = Write {
        root: &root,
        area: &area,
        key,
        change: &approved.change,
        stage: area.stage_of(key, &approved.change),
        index,
        ledger,
        desired,
        notes: &notes,
        touched: AtomicBool::new(false),
        files: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        contents: Mutex::default(),
        held: Mutex::default(),
    };
    saves::put_back(&write, &jobs)?;
    Area::clear(&root, &write.stage)?;
    let absent = write.look(&TreePath::root())?.is_none();
    let whole = absent && jobs.first().is_some_and(|job| job.path.is_root() && job.before.is_none());
    let written = if whole { extract::extract(&write, &jobs) } else { update::update(&write, &jobs) };
    // What an error left half made goes; the error itself matters more than a failure to clear.
    let cleared = Area::clear(&root, &write.stage);
    let touched = write.touched.load(Ordering::SeqCst);
    match written.and(cleared) {
        Ok(()) => {
            let mut contents = write.contents.into_inner().unwrap_or_else(PoisonError::into_inner);
            contents.sort();
            let bytes = write.bytes.into_inner();
            let held = write.held.into_inner().unwrap_or_else(PoisonError::into_inner);
            let notes = notes.into_lines();
            Ok(Effect { bytes, contents, read_back: whole, notes, held, ..Effect::default() })
        }
        Err(error) => Err(error.known(if touched { Known::Unknown } else { Known::NotApplied })),
    }
}

fn refuse_privileged(approved: &Approved) -> Result<()> {
    for (position, hunk) in approved.change.hunks.iter().enumerate() {
        if let HunkAt::Node { path, after: Some(after), .. } = &hunk.at
            && approved.takes(position)
            && Privileges::are_in(after)
        {
            return Err(privileged(path));
        }
    }
    Ok(())
}

/// What lies in the area is rekindle's own.
pub(super) fn not_reserved(root: &Beneath, key: &TreePath) -> Result<()> {
    if !TreePath::new(RESERVED).is_ok_and(|reserved| key.lies_in(&reserved)) {
        return Ok(());
    }
    let why = "rekindle keeps there what an undo needs";
    Err(Error::new(ErrorKind::Refused, format!("write {}", root.shown(key)), why)
        .next("restore it to another place: change 'to' in the runbook"))
}

pub(super) fn privileged(path: &TreePath) -> Error {
    Error::new(
        ErrorKind::Refused,
        format!("write {path}"),
        "it has setuid or setgid bits or file capabilities, and this component refuses them",
    )
    .next("leave it out, or set `setuid: strip` or `setuid: keep` for this component")
}

impl<'a> Write<'a> {
    pub(super) fn full(&self, path: &TreePath) -> TreePath {
        self.key.append(path)
    }

    pub(super) fn shown(&self, path: &TreePath) -> String {
        self.root.shown(&self.full(path))
    }

    pub(super) fn look(&self, path: &TreePath) -> Result<Option<Entry>> {
        self.root.entry(&self.full(path))
    }

    /// What is at a path below the component's root.
    pub(super) fn node(&self, full: &TreePath) -> Result<Option<Node>> {
        let looked = self.root.node(full);
        looked.map_err(|errno| refusal(format!("look at {}", self.root.shown(full)), errno))
    }

    pub(super) fn desired(&self) -> Result<&'a dyn Tree> {
        self.desired.ok_or_else(|| {
            Error::new(ErrorKind::Bug, format!("write {}", self.shown(&TreePath::root())), "no source tree was given")
        })
    }

    pub(super) fn former(&self) -> Option<&'a dyn Former> {
        self.desired?.former()
    }

    /// The two that a small machine has are enough: the file system's own locks are the limit.
    pub(super) fn threads(&self) -> usize {
        std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 4))
    }

    pub(super) fn fresh(&self, mode: u32) -> Meta {
        staging::fresh(mode)
    }

    /// Gives an open node of the tree its metadata. What it cannot have is noted, and the read-back learns of it.
    pub(super) fn give(&self, fd: BorrowedFd, entry: &Entry, live: &Meta) -> rustix::io::Result<()> {
        if set_metadata(fd, entry, live, &mut |note| self.note(note))? {
            return Ok(());
        }
        let now = NodeReader::new().read_open(fd, entry.path.clone())?.entry;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push((now.path, now.meta));
        Ok(())
    }

    pub(super) fn note(&self, note: String) {
        self.notes.add(note);
    }

    pub(super) fn progress(&self, files: u64, bytes: u64) {
        self.ledger.progress(self.index, files, bytes);
    }

    pub(super) fn tell_read_back(&self, bytes: u64) {
        self.ledger.read_back(self.index, bytes);
    }

    /// An error once the operator wants this write to stop.
    pub(super) fn go_on(&self) -> Result<()> {
        if !self.ledger.cancelled() {
            return Ok(());
        }
        let doing = format!("write {}", self.shown(&TreePath::root()));
        Err(Error::new(ErrorKind::Cancelled, doing, "it was stopped on request")
            .next("retry this task to write the rest"))
    }

    pub(super) fn keep(&self, records: &[UndoRecord]) -> Result<()> {
        self.go_on()?;
        if records.is_empty() { Ok(()) } else { self.ledger.keep(self.index, records) }
    }

    pub(super) fn sync(&self) -> Result<()> {
        syncfs(self.root).map_err(|errno| refusal(format!("make {} durable", self.shown(&TreePath::root())), errno))
    }

    /// From here on an error no longer means that nothing changed.
    pub(super) fn touch(&self) {
        self.touched.store(true, Ordering::SeqCst);
    }

    pub(super) fn wrote(&self, entry: &Entry, hash: Option<Digest>, size: u64) {
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size, Ordering::Relaxed);
        if let Some(hash) = hash {
            self.contents.lock().unwrap_or_else(PoisonError::into_inner).push((entry.path.clone(), hash));
        }
    }

    pub(super) fn conflict(&self, path: &TreePath, why: impl Into<String>) -> Error {
        Error::new(ErrorKind::Conflict, format!("write {}", self.shown(path)), why)
            .next("review this task again: its plan was made from an older state")
    }
}
