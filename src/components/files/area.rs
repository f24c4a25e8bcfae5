use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, fchmod, fchown, fstat, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use crate::beneath::{Beneath, RESERVED, list_entries, refusal, remove_all};
use crate::crash::crash_point;
use crate::model::{Change, DigestBuilder, Entry, Error, ErrorKind, NodeKind, Result, TreePath, some_of};

/// `<root>/.rekindle/<run>`: where a run keeps and prepares files, on the target's own file system.
/// Open to nobody else: what lies there has not yet, or no longer, the owner it belongs to.
pub(super) struct Area {
    path: TreePath,
}

/// Longer names are cut; the hash before them keeps them apart.
const NAME_BYTES: usize = 160;
/// No run has this name, for those begin with a date.
const PROBE: &str = "probe";
/// Threads that may try something in the same moment.
const PROBES: u32 = 64;

impl Area {
    pub(super) fn path_of(run: &str) -> Result<TreePath> {
        TreePath::new(RESERVED)?.join(run)
    }

    /// It need not be there.
    pub(super) fn of(run: &str) -> Result<Self> {
        Ok(Self { path: Self::path_of(run)? })
    }

    /// In a root that cannot be opened, as one that is not mounted now, nobody can tell that it is gone.
    pub(super) fn is_there(&self, root: &Path) -> bool {
        Beneath::open(root).map_or(true, |root| !matches!(root.entry(&self.path), Ok(None)))
    }

    /// Makes the area where it is not there yet.
    pub(super) fn open(root: &Beneath, run: &str) -> Result<Self> {
        let area = Self::of(run)?;
        area.make(root, &TreePath::new(RESERVED)?)?;
        area.make(root, &area.path)?;
        area.make(root, &area.kept())?;
        area.make(root, &area.staged())?;
        Ok(area)
    }

    /// A file that has no name any more, to try things on. None where no run of this user has an area. Of a try that was
    /// killed the name is left: the next try removes it.
    pub(super) fn probe(root: &Beneath) -> Option<OwnedFd> {
        let area = root.directory_on_same_device(&TreePath::new(RESERVED).ok()?).ok()?;
        if fstat(&area).ok()?.st_uid != rustix::process::geteuid().as_raw() {
            return None;
        }
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for _ in 0..PROBES {
            match openat(&area, PROBE, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => {
                    crash_point("files::probe");
                    unlinkat(&area, PROBE, AtFlags::empty()).or_else(gone).ok()?;
                    return Some(file);
                }
                // A killed one's, or another thread's, who has it open and needs no name.
                Err(Errno::EXIST) => unlinkat(&area, PROBE, AtFlags::empty()).or_else(gone).ok()?,
                Err(_) => return None,
            }
        }
        None
    }

    /// Lets go of what a run keeps. The last run to be closed takes the whole area along.
    pub(super) fn release(root: &Beneath, run: &str) -> Result<()> {
        Self::clear(root, &Self::path_of(run)?)?;
        let reserved = TreePath::new(RESERVED)?;
        let doing = || format!("close the run below {}", root.shown(&TreePath::root()));
        let probe = root.place(&reserved.join(PROBE)?).and_then(|(area, name)| unlinkat(area, name, AtFlags::empty()));
        probe.or_else(gone).map_err(|errno| refusal(doing(), errno))?;
        match unlinkat(root, RESERVED, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
            Err(errno) => Err(refusal(doing(), errno)),
        }
    }

    /// Whose areas are there, sorted; a name that no run has is none.
    pub(super) fn runs(root: &Beneath) -> Result<Vec<String>> {
        let area = TreePath::new(RESERVED)?;
        let entries = match list_entries(root, &area) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
            entries => entries.map_err(|errno| refusal(format!("list {}", root.shown(&area)), errno))?,
        };
        let directories = entries.iter().filter(|entry| entry.is_directory()).filter_map(|entry| entry.path.name());
        Ok(directories.filter_map(|name| Some(std::str::from_utf8(name).ok()?.to_owned())).collect())
    }

    pub(super) fn kept(&self) -> TreePath {
        self.path.append(&name(b"kept"))
    }

    pub(super) fn staged(&self) -> TreePath {
        self.path.append(&name(b"new"))
    }

    /// Where one change prepares what it writes. Another change of the same tree has another place.
    pub(super) fn stage_of(&self, key: &TreePath, change: &Change) -> TreePath {
        let mut digest = DigestBuilder::new("stage");
        digest.part(key.as_bytes()).digest(&change.before).digest(&change.after);
        self.staged().append(&tagged(&digest.finish().short(), key))
    }

    /// Where the former state of one path is kept; `copy` tells several such states apart.
    pub(super) fn kept_of(&self, full: &TreePath, before: &Entry, copy: u32) -> TreePath {
        let digest = DigestBuilder::new("kept").part(full.as_bytes()).digest(&before.fingerprint()).finish();
        let digits = digest.to_hex();
        let short = digits.get(..16).unwrap_or(&digits);
        let tag = if copy == 0 { short.to_owned() } else { format!("{short}-{copy}") };
        self.kept().append(&tagged(&tag, full))
    }

    /// Where a file goes that somebody saved while it was replaced, and that could not be put back.
    pub(super) fn saved_of(&self, full: &TreePath) -> TreePath {
        let digest = DigestBuilder::new("saved").part(full.as_bytes()).finish();
        self.kept().append(&tagged(&format!("saved-{}", digest.short()), full))
    }

    /// What says that a directory above a tree was made by this run, and goes with its undo.
    pub(super) fn made_of(&self, full: &TreePath) -> TreePath {
        let digest = DigestBuilder::new("made").part(full.as_bytes()).finish().to_hex();
        self.made().append(&tagged(digest.get(..32).unwrap_or(&digest), full))
    }

    /// What says which mode a directory has again that its owner is let into for the time of a write.
    pub(super) fn unlocked_of(&self, full: &TreePath) -> TreePath {
        let digest = DigestBuilder::new("unlocked").part(full.as_bytes()).finish().to_hex();
        self.unlocked().append(&tagged(digest.get(..32).unwrap_or(&digest), full))
    }

    pub(super) fn unlocked(&self) -> TreePath {
        self.path.append(&name(b"unlocked"))
    }

    pub(super) fn made(&self) -> TreePath {
        self.path.append(&name(b"made"))
    }

    /// Makes one directory of the area, empties none, refuses one that another user planted.
    pub(super) fn make(&self, root: &Beneath, path: &TreePath) -> Result<OwnedFd> {
        let failed = |errno| refusal(format!("prepare {}", root.shown(path)), errno);
        Self::refuse_foreign(root, path)?;
        let (parent, name) = root.place(path).map_err(failed)?;
        match mkdirat(&parent, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(errno)),
        }
        let fd = root.directory_on_same_device(path).map_err(failed)?;
        let stat = fstat(&fd).map_err(failed)?;
        let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
        if stat.st_uid != user.as_raw() {
            return Err(foreign(root, path, stat.st_uid));
        }
        // Groups and ACLs that the directory above hands down are taken off.
        if stat.st_gid != group.as_raw() {
            fchown(&fd, None, Some(group)).map_err(failed)?;
        }
        for acl in ["system.posix_acl_default", "system.posix_acl_access"] {
            match rustix::fs::fremovexattr(&fd, acl) {
                Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        if stat.st_mode & 0o7777 != 0o700 {
            fchmod(&fd, Mode::RWXU).map_err(failed)?;
        }
        Ok(fd)
    }

    /// Where the area is another user's, or cannot be made, nothing can be written.
    pub(super) fn usable(root: &Beneath) -> Result<()> {
        Self::refuse_foreign(root, &TreePath::new(RESERVED)?)
    }

    /// Looked at from outside: who may not open it is told whose it is.
    fn refuse_foreign(root: &Beneath, path: &TreePath) -> Result<()> {
        match root.entry(path)? {
            Some(entry) if !entry.is_directory() => {
                let is_link = matches!(entry.kind, NodeKind::Symlink { .. });
                let errno = if is_link { Errno::LOOP } else { Errno::NOTDIR };
                Err(refusal(format!("prepare {}", root.shown(path)), errno))
            }
            Some(entry) if entry.meta.uid != rustix::process::geteuid().as_raw() => {
                Err(foreign(root, path, entry.meta.uid))
            }
            _ => Ok(()),
        }
    }

    /// Removes a path of the area and all below it.
    pub(super) fn clear(root: &Beneath, path: &TreePath) -> Result<()> {
        let failed = |errno| refusal(format!("clear {}", root.shown(path)), errno);
        match root.place(path) {
            Ok((parent, name)) => remove_all(parent.as_fd(), name).map_err(failed),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(failed(errno)),
        }
    }
}

/// A user who restored here before has runs there that can still be undone.
fn foreign(root: &Beneath, path: &TreePath, user: u32) -> Error {
    let why = format!("it belongs to user {user}, not to the one who runs this");
    let error = Error::new(ErrorKind::Refused, format!("prepare {}", root.shown(path)), why);
    let runs = Area::runs(root).unwrap_or_default();
    match runs.is_empty() {
        true => error.next(format!(
            "if user {user} restored here, let them end their runs with `rekindle close`; else find out who put it there"
        )),
        false => error.next(format!(
            "it holds what user {user} needs to undo {}: let them end that with `rekindle close`, then retry this task",
            some_of(&runs, MOST_RUNS, ", ")
        )),
    }
}

/// More names than a line holds are counted instead.
const MOST_RUNS: usize = 4;

fn gone(errno: Errno) -> rustix::io::Result<()> {
    if errno == Errno::NOENT { Ok(()) } else { Err(errno) }
}

fn name(plain: &'static [u8]) -> TreePath {
    TreePath::new(plain).unwrap_or_default()
}

/// A name for machines first and for an operator's eyes second.
fn tagged(tag: &str, path: &TreePath) -> TreePath {
    let shown = path.name().unwrap_or(b"root");
    let cut = shown.get(..NAME_BYTES).unwrap_or(shown);
    TreePath::root().join([tag.as_bytes(), b"-", cut].concat()).unwrap_or_default()
}
