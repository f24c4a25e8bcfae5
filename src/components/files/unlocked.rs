use std::collections::{BTreeMap, HashSet};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, Mode, OFlags, fchmod, openat, unlinkat};
use rustix::io::Errno;

use super::survey::Surveyed;
use super::write::Write;
use crate::beneath::refusal;
use crate::model::{Error, Result, TreePath};

/// Directories that their owner may not write to, made writable while names change in them. Root needs none of it.
pub(super) struct Unlocked<'a> {
    write: &'a Write<'a>,
    /// By path below the component's root: the mode that each has again at the end.
    former: Mutex<BTreeMap<TreePath, u32>>,
    /// Those that get a mode of their own from the change.
    changed: HashSet<TreePath>,
}

const MAY_CHANGE: u32 = 0o300;

impl<'a> Unlocked<'a> {
    pub(super) fn open(write: &'a Write<'a>, surveyed: &[Surveyed]) -> Result<Self> {
        let mut unlocked = Self { write, former: Mutex::default(), changed: HashSet::new() };
        let own = rustix::process::geteuid();
        if own.is_root() {
            return Ok(unlocked);
        }
        let kept = surveyed.iter().filter(|one| one.job.before_is_directory() && one.job.after_is_directory());
        unlocked.changed = kept.map(|one| write.full(one.job.path)).collect();
        let changes_names = |one: &&Surveyed| one.job.removes() || one.job.before.is_none() || one.comes_anew();
        let mut parents: Vec<TreePath> =
            surveyed.iter().filter(changes_names).filter_map(|one| write.full(one.job.path).parent()).collect();
        parents.sort();
        parents.dedup();
        for path in parents {
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
        self.unmark(path)
    }

    fn set_mode(&self, path: &TreePath, mode: u32) -> Result<()> {
        let directory = self.write.root.directory_on_same_device(path);
        match directory.and_then(|directory| fchmod(directory, Mode::from_raw_mode(mode))) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(self.failed(path, errno)),
        }
    }

    /// Says which mode the directory has again, should this process not live to see it.
    fn mark(&self, path: &TreePath, mode: u32) -> Result<()> {
        let marks = self.write.area.make(self.write.root, &self.write.area.unlocked())?;
        let mark = self.write.area.unlocked_of(path);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let written = openat(marks, mark.name().unwrap_or_default(), flags, Mode::RUSR | Mode::WUSR)
            .and_then(|file| rustix::io::write(file, format!("{mode:o}").as_bytes()));
        written.map(|_| ()).map_err(|errno| self.failed(path, errno))
    }

    fn marked(&self, path: &TreePath) -> Result<Option<u32>> {
        let mut text = [0; 8];
        let file = match self.write.root.file(&self.write.area.unlocked_of(path)) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(self.failed(path, errno)),
        };
        let length = rustix::io::read(file.as_fd(), &mut text).map_err(|errno| self.failed(path, errno))?;
        let text = text.get(..length).and_then(|text| std::str::from_utf8(text).ok());
        Ok(text.and_then(|text| u32::from_str_radix(text, 8).ok()))
    }

    fn unmark(&self, path: &TreePath) -> Result<()> {
        let mark = self.write.area.unlocked_of(path);
        let gone = self.write.root.place(&mark).and_then(|(parent, name)| unlinkat(parent, name, AtFlags::empty()));
        gone.map_err(|errno| self.failed(path, errno))
    }

    fn failed(&self, path: &TreePath, errno: Errno) -> Error {
        refusal(format!("let its owner write to {}", self.write.root.shown(path)), errno)
    }
}
