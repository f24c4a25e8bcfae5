use std::os::fd::AsFd;

use rustix::fs::{AtFlags, RenameFlags, renameat_with, unlinkat};
use rustix::io::Errno;

use super::state::{Seen, alike};
use super::survey::Surveyed;
use super::update::Update;
use crate::beneath::{Node, NodeReader};
use crate::component::UndoRecord;
use crate::crash::crash_point;
use crate::model::{Entry, Error, ErrorKind, NodeKind, Result, TreePath, visible};

/// Saves that may follow one another while one of them is given back.
const SAVES: u32 = 16;

impl Update<'_> {
    /// Puts a prepared node in its place.
    ///
    /// Where the former one stands there, the two change places in one step, and then what came out is looked at: a
    /// program that saved the file in the last moment gets its save back, whenever it saved.
    pub(super) fn put(&self, one: &Surveyed, name: &[u8], record: &UndoRecord) -> Result<()> {
        let path = one.job.path;
        self.write.touch();
        let stands = one.seen == Seen::Former && !one.job.removes();
        match (one.job.before.filter(|_| stands), &record.kept) {
            (None, _) => self.put_in(path, name),
            (Some(before), Some(kept)) if matches!(before.kind, NodeKind::File { .. }) => {
                if self.keeper.link(&self.places, path, before, kept)? {
                    self.exchange(one, before, name, Some(kept))
                } else {
                    self.put_in(path, name)
                }
            }
            (Some(before), Some(kept)) => {
                self.keeper.shift(&self.places, path, before, kept)?;
                self.put_in(path, name)
            }
            (Some(before), None) => self.exchange(one, before, name, None),
        }
    }

    /// The same with a kept node that cannot be prepared: it goes from where it is kept to its place.
    pub(super) fn put_kept(&self, one: &Surveyed, record: &UndoRecord) -> Result<()> {
        let (path, Some(entry)) = (one.job.path, &one.job.after) else { return Ok(()) };
        self.write.touch();
        let stands = one.seen == Seen::Former && !one.job.removes();
        let mut flags = RenameFlags::NOREPLACE;
        match (one.job.before.filter(|_| stands), &record.kept) {
            (None, _) => {}
            (Some(before), Some(kept)) => self.keeper.shift(&self.places, path, before, kept)?,
            // A symbolic link: its record holds all there is of it.
            (Some(before), None) => {
                self.still_stands(path, before)?;
                flags = RenameFlags::empty();
            }
        }
        let full = self.write.full(path);
        let parent = self.places.parent(&full).map_err(|errno| self.failed(path, errno))?;
        self.returning.put_back(entry, parent.as_fd(), full.name().unwrap_or(b"."), flags)
    }

    fn still_stands(&self, path: &TreePath, before: &Entry) -> Result<()> {
        let now = self.at(path, |parent, to| NodeReader::new().read(parent, to, path.clone()));
        if alike(&now.map_err(|errno| self.failed(path, errno))?.entry, before) {
            return Ok(());
        }
        Err(self.write.conflict(path, "it has changed since the plan was made"))
    }

    /// Where nothing stands.
    fn put_in(&self, path: &TreePath, name: &[u8]) -> Result<()> {
        crash_point("files::before_rename");
        self.rename(path, name, RenameFlags::NOREPLACE).map_err(|errno| match errno {
            Errno::EXIST => self.write.conflict(path, "something has appeared there since the plan was made"),
            errno => self.failed(path, errno),
        })?;
        crash_point("files::after_rename");
        Ok(())
    }

    fn exchange(&self, one: &Surveyed, before: &Entry, name: &[u8], kept: Option<&TreePath>) -> Result<()> {
        let path = one.job.path;
        crash_point("files::before_rename");
        match self.rename(path, name, RenameFlags::EXCHANGE) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => return self.replace(path, before, name, kept),
            Err(Errno::NOENT) => {
                self.let_go(kept)?;
                return Err(self.write.conflict(path, "it has gone since the plan was made"));
            }
            Err(errno) => return Err(self.failed(path, errno)),
        }
        crash_point("files::after_rename");
        let out = self.staged(path, name)?;
        let is_kept = kept.map(|kept| self.write.node(kept)).transpose()?.flatten();
        if alike(&out.entry, before) && is_kept.is_none_or(|kept| kept.inode == out.inode) {
            return unlinkat(&self.stage, name, AtFlags::empty()).map_err(|errno| self.failed(path, errno));
        }
        self.give_back(one, name)?;
        self.let_go(kept)?;
        Err(self.write.conflict(path, "it has changed since the plan was made"))
    }

    /// On a file system that cannot exchange two names: the former node goes first.
    fn replace(&self, path: &TreePath, before: &Entry, name: &[u8], kept: Option<&TreePath>) -> Result<()> {
        if let Some(kept) = kept {
            self.let_go(Some(kept))?;
            self.keeper.shift(&self.places, path, before, kept)?;
            return self.put_in(path, name);
        }
        // A symbolic link: its record holds all there is of it.
        self.still_stands(path, before)?;
        self.rename(path, name, RenameFlags::empty()).map_err(|errno| self.failed(path, errno))
    }

    /// What came out is somebody's save. The last save that is made while this goes on is what stands there at the end.
    fn give_back(&self, one: &Surveyed, name: &[u8]) -> Result<()> {
        let path = one.job.path;
        for _ in 0..SAVES {
            match self.rename(path, name, RenameFlags::EXCHANGE) {
                Ok(()) => {}
                // They removed the new one in its place: then theirs is the only one.
                Err(Errno::NOENT) => match self.rename(path, name, RenameFlags::NOREPLACE) {
                    Err(Errno::EXIST) => continue,
                    Err(errno) => return Err(self.set_aside(path, name, errno)),
                    Ok(()) => return Ok(()),
                },
                Err(errno) => return Err(self.set_aside(path, name, errno)),
            }
            let out = self.staged(path, name)?;
            if one.job.after.as_ref().is_some_and(|after| alike(&out.entry, after)) {
                return Ok(());
            }
        }
        Err(self.set_aside(path, name, Errno::BUSY))
    }

    /// The stage is cleared at the end, so a save that cannot go back is kept.
    fn set_aside(&self, path: &TreePath, name: &[u8], errno: Errno) -> Error {
        let place = self.write.area.saved_of(&self.write.full(path));
        let moved = self.places.parent(&place).and_then(|to| {
            renameat_with(&self.stage, name, to, place.name().unwrap_or_default(), RenameFlags::NOREPLACE)
        });
        let lies_in = match moved {
            Ok(()) => self.write.root.shown(&place),
            Err(_) => format!("{}/{}", self.write.root.shown(&self.write.stage), visible(name)),
        };
        let why = format!("somebody saved it meanwhile, and the save could not be put back: {errno}");
        Error::new(ErrorKind::Conflict, format!("write {}", self.write.shown(path)), why)
            .next(format!("take the save from {lies_in}, then review this task again"))
    }

    /// The path is not this run's to undo.
    fn let_go(&self, kept: Option<&TreePath>) -> Result<()> {
        let Some(kept) = kept else { return Ok(()) };
        let gone =
            self.places.parent(kept).and_then(|from| unlinkat(from, kept.name().unwrap_or_default(), AtFlags::empty()));
        match gone {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(self.failed(kept, errno)),
        }
    }

    fn rename(&self, path: &TreePath, name: &[u8], flags: RenameFlags) -> rustix::io::Result<()> {
        #[cfg(test)]
        if flags == RenameFlags::EXCHANGE && super::tests::EXCHANGES_NOT.get() {
            return Err(Errno::INVAL);
        }
        self.at(path, |parent, to| renameat_with(&self.stage, name, parent, to, flags))
    }

    fn staged(&self, path: &TreePath, name: &[u8]) -> Result<Node> {
        let read = NodeReader::new().read(self.stage.as_fd(), name, path.clone());
        read.map_err(|errno| self.failed(path, errno))
    }
}
