use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write as _};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, Mode, OFlags, fchmod, openat, unlinkat};
use rustix::io::Errno;

use super::area::Area;
use super::survey::{Surveyed, names_change_in};
use super::write::Write;
use crate::beneath::{Beneath, list_entries, refusal};
use crate::crash::crash_point;
use crate::model::{Entry, Error, Result, TreePath};

/// Directories that their owner may not write to, made writable while names change in them. Root needs none of it.
pub(super) struct Unlocked<'a> {
    write: &'a Write<'a>,
    /// By path below the component's root: the mode that each has again at the end.
    former: Mutex<BTreeMap<TreePath, u32>>,
    /// Those that get a mode of their own from the change.
    changed: HashSet<TreePath>,
}

const MAY_CHANGE: u32 = 0o300;
/// No path is longer.
const LONGEST_MARK: u64 = 64 * 1024;

impl<'a> Unlocked<'a> {
    pub(super) fn open(write: &'a Write<'a>, surveyed: &[Surveyed]) -> Result<Self> {
        let mut unlocked = Self { write, former: Mutex::default(), changed: HashSet::new() };
        let own = rustix::process::geteuid();
        #[cfg(test)]
        let needs_none = own.is_root() && !super::tests::AS_USER.get();
        #[cfg(not(test))]
        let needs_none = own.is_root();
        if needs_none {
            return Ok(unlocked);
        }
        let kept = surveyed.iter().filter(|one| one.job.before_is_directory() && one.job.after_is_directory());
        unlocked.changed = kept.map(|one| write.full(one.job.path)).collect();
        for path in names_change_in(write, surveyed.iter()) {
            let Some(node) = write.node(&path)?.filter(|node| node.entry.is_directory()) else { continue };
            let mode = node.entry.meta.mode;
            // A mark without an end is that of a write that was killed.
            let former = unlocked.marked(&path)?.unwrap_or(mode);
            if node.entry.meta.uid != own.as_raw() || (former == mode && mode & MAY_CHANGE == MAY_CHANGE) {
                continue;
            }
            unlocked.mark(&path, former)?;
            unlocked.former.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), former);
            unlocked.set_mode(&path, mode | MAY_CHANGE)?;
            crash_point("files::unlocked");
        }
        Ok(unlocked)
    }

    /// Before a directory is looked at for the last time.
    pub(super) fn lock_again(&self, path: &TreePath) -> Result<()> {
        let full = self.write.full(path);
        let former = self.former.lock().unwrap_or_else(PoisonError::into_inner).remove(&full);
        former.map_or(Ok(()), |mode| self.end(&full, mode))
    }

    /// `is_written`: what the change gives a mode has it.
    pub(super) fn lock_all(&self, is_written: bool) -> Result<()> {
        let former = std::mem::take(&mut *self.former.lock().unwrap_or_else(PoisonError::into_inner));
        // Innermost first: to reach one, those around it must let through.
        former.iter().rev().try_for_each(|(path, mode)| match is_written && self.changed.contains(path) {
            true => self.unmark(path),
            false => self.end(path, *mode),
        })
    }

    fn end(&self, path: &TreePath, mode: u32) -> Result<()> {
        self.set_mode(path, mode)?;
        crash_point("files::locked_again");
        self.unmark(path)
    }

    fn set_mode(&self, path: &TreePath, mode: u32) -> Result<()> {
        set_mode(self.write.root, path, mode)
    }

    /// Says which mode the directory has again, should this process not live to see it.
    fn mark(&self, path: &TreePath, mode: u32) -> Result<()> {
        let marks = self.write.area.make(self.write.root, &self.write.area.unlocked())?;
        let mark = self.write.area.unlocked_of(path);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let text = [format!("{mode:o} ").as_bytes(), path.as_bytes()].concat();
        let written = openat(marks, mark.name().unwrap_or_default(), flags, Mode::RUSR | Mode::WUSR)
            .map_err(std::io::Error::from)
            .and_then(|file| std::fs::File::from(file).write_all(&text));
        written.map_err(|error| Error::io(doing(self.write.root, path), error))
    }

    fn marked(&self, path: &TreePath) -> Result<Option<u32>> {
        let mark = read_mark(self.write.root, &self.write.area.unlocked_of(path))?;
        Ok(mark.map(|(mode, _)| mode))
    }

    fn unmark(&self, path: &TreePath) -> Result<()> {
        remove_mark(self.write.root, &self.write.area.unlocked_of(path), path)
    }
}

/// Closes the directories again that a killed write of the trees at `keys` has left open. Nothing writes to them.
pub(super) fn lock_after(root: &Beneath, run: &str, keys: &[TreePath]) -> Result<()> {
    let marks = Area::of(run)?.unlocked();
    let found = match list_entries(root, &marks) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        found => found.map_err(|errno| refusal(format!("list {}", root.shown(&marks)), errno))?,
    };
    let own = rustix::process::geteuid().as_raw();
    let concerns = |path: &TreePath| keys.iter().any(|key| path.lies_in(key) || key.parent().as_ref() == Some(path));
    for mark in found {
        let Some((mode, Some(path))) = read_mark(root, &mark.path)? else { continue };
        if !concerns(&path) {
            continue;
        }
        let entry = root.entry(&path)?.filter(Entry::is_directory);
        // With another mode it is somebody else's doing.
        if entry.is_some_and(|entry| entry.meta.uid == own && entry.meta.mode == mode | MAY_CHANGE) {
            set_mode(root, &path, mode)?;
        }
        remove_mark(root, &mark.path, &path)?;
    }
    Ok(())
}

/// A mode, and the directory that is to have it: earlier versions did not write that down.
fn read_mark(root: &Beneath, mark: &TreePath) -> Result<Option<(u32, Option<TreePath>)>> {
    let file = match root.file(mark) {
        Ok(file) => std::fs::File::from(file),
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(errno) => return Err(refusal(format!("read {}", root.shown(mark)), errno)),
    };
    let mut text = Vec::new();
    let read = file.take(LONGEST_MARK).read_to_end(&mut text);
    read.map_err(|error| Error::io(format!("read {}", root.shown(mark)), error))?;
    let mut parts = text.splitn(2, |byte| *byte == b' ');
    let mode = parts.next().and_then(|mode| u32::from_str_radix(std::str::from_utf8(mode).ok()?, 8).ok());
    Ok(mode.map(|mode| (mode, parts.next().and_then(|path| TreePath::new(path).ok()))))
}

fn set_mode(root: &Beneath, path: &TreePath, mode: u32) -> Result<()> {
    let directory = root.directory_on_same_device(path);
    match directory.and_then(|directory| fchmod(directory, Mode::from_raw_mode(mode))) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(refusal(doing(root, path), errno)),
    }
}

fn remove_mark(root: &Beneath, mark: &TreePath, path: &TreePath) -> Result<()> {
    let gone = root.place(mark).and_then(|(parent, name)| unlinkat(parent, name, AtFlags::empty()));
    gone.map_err(|errno| refusal(doing(root, path), errno))
}

fn doing(root: &Beneath, path: &TreePath) -> String {
    format!("let its owner write to {}", root.shown(path))
}
