use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, RenameFlags, linkat, renameat_with, statx, unlinkat};
use rustix::io::Errno;

use super::state::alike;
use super::write::Write;
use crate::beneath::{Directories, NodeReader, refusal};
use crate::crash::crash_point;
use crate::model::{Entry, Error, ErrorKind, Former, NodeKind, Result, TreePath};

/// Brings kept nodes back in an undo: a node gets a second name where it is wanted, and loses the kept one when all is
/// durable. Where it cannot have a second name (it belongs to somebody else, or the file system has no links), it is moved
/// to its place by one rename. So a kill at any moment leaves it a name, and what comes back is the node itself: its bytes
/// are neither read nor copied, its owner and its other names are its own again, and a pipe, a socket or a device needs no
/// making.
pub(super) struct Returning<'a> {
    write: &'a Write<'a>,
    former: Option<&'a dyn Former>,
    places: Directories<'a>,
}

/// How a node comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// It has its second name.
    Linked,
    /// It can only be moved, by [`Returning::put_back`].
    Moves,
    /// None is kept: its bytes are copied.
    Copied,
}

impl<'a> Returning<'a> {
    pub(super) fn new(write: &'a Write<'a>) -> Self {
        let places = Directories::on_same_device(write.root, TreePath::root());
        Self { write, former: write.former(), places }
    }

    /// Gives the node that is kept for `entry` the name `name` in `to`, if it can have a second one.
    pub(super) fn link(&self, entry: &Entry, to: BorrowedFd, name: &[u8]) -> Result<Back> {
        let Some(kept) = self.kept(entry) else { return Ok(Back::Copied) };
        let failed = |errno| refusal(format!("bring {} back", self.write.shown(&entry.path)), errno);
        let from = match self.places.parent(&kept) {
            Ok(from) => from,
            Err(Errno::NOENT) => return self.copied(entry),
            Err(errno) => return Err(failed(errno)),
        };
        #[cfg(test)]
        if super::tests::LINKS_NOT.get() {
            return Ok(Back::Moves);
        }
        match linkat(&from, kept.name().unwrap_or_default(), to, name, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::NOENT) => return self.copied(entry),
            Err(Errno::OPNOTSUPP | Errno::MLINK | Errno::PERM) => return Ok(Back::Moves),
            Err(errno) => return Err(failed(errno)),
        }
        let node = NodeReader::new().read(to, name, entry.path.clone()).map_err(failed)?;
        if alike(&node.entry, entry) {
            return Ok(Back::Linked);
        }
        unlinkat(to, name, AtFlags::empty()).map_err(failed)?;
        Err(self.has_changed(entry))
    }

    /// Moves the node that is kept for `entry` to its place.
    pub(super) fn put_back(&self, entry: &Entry, to: BorrowedFd, name: &[u8], flags: RenameFlags) -> Result<()> {
        let failed = |errno| match errno {
            Errno::EXIST => self.write.conflict(&entry.path, "something has appeared there since the plan was made"),
            errno => refusal(format!("bring {} back", self.write.shown(&entry.path)), errno),
        };
        let Some(kept) = self.kept(entry) else { return Ok(()) };
        let (from, kept_name) = (self.places.parent(&kept).map_err(failed)?, kept.name().unwrap_or_default());
        let node = NodeReader::new().read(from.as_fd(), kept_name, entry.path.clone()).map_err(failed)?;
        if !alike(&node.entry, entry) {
            return Err(self.has_changed(entry));
        }
        crash_point("files::before_rename");
        renameat_with(&from, kept_name, to, name, flags).map_err(failed)?;
        crash_point("files::after_rename");
        Ok(())
    }

    fn has_changed(&self, entry: &Entry) -> Error {
        self.write.conflict(&entry.path, "what is kept of it has changed since the plan was made")
    }

    /// Takes the kept names of what is back in its place away.
    pub(super) fn finish<'e>(&self, entries: impl Iterator<Item = &'e Entry>) -> Result<()> {
        for (entry, kept) in entries.filter_map(|entry| Some((entry, self.kept(entry)?))) {
            let full = self.write.full(&entry.path);
            let ended = (|| {
                let (from, name) = (self.places.parent(&kept)?, kept.name().unwrap_or_default());
                if self.inode(&kept)? == self.inode(&full)? { unlinkat(&from, name, AtFlags::empty()) } else { Ok(()) }
            })();
            match ended {
                Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(errno) => {
                    return Err(refusal(format!("end what is kept of {}", self.write.shown(&entry.path)), errno));
                }
            }
        }
        Ok(())
    }

    /// Whether the file at `path` is kept, so that no bytes need to be read for it.
    pub(super) fn keeps(&self, path: &TreePath) -> bool {
        let kept = self.former.and_then(|former| former.kept(path));
        kept.is_some_and(|kept| self.inode(&kept).is_ok())
    }

    fn kept(&self, entry: &Entry) -> Option<TreePath> {
        if entry.is_directory() { None } else { self.former?.kept(&entry.path) }
    }

    fn copied(&self, entry: &Entry) -> Result<Back> {
        if matches!(entry.kind, NodeKind::Special { .. }) {
            let doing = format!("bring {} back", self.write.shown(&entry.path));
            let why = "what was kept of it is gone";
            return Err(Error::new(ErrorKind::Unsupported, doing, why).next("leave it out, and make it by hand"));
        }
        Ok(Back::Copied)
    }

    fn inode(&self, full: &TreePath) -> rustix::io::Result<(u32, u32, u64)> {
        let parent = self.places.parent(full)?;
        let flags = rustix::fs::StatxFlags::BASIC_STATS;
        let stat = statx(parent.as_fd(), full.name().unwrap_or(b"."), AtFlags::SYMLINK_NOFOLLOW, flags)?;
        Ok((stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino))
    }
}
