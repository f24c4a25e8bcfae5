use std::os::fd::AsFd;

use rustix::fs::{AtFlags, RenameFlags, linkat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::state::alike;
use super::write::Write;
use crate::beneath::{Directories, Node, NodeReader, refusal};
use crate::crash::crash_point;
use crate::model::{Entry, Result, TreePath};

/// More former states of one path than a run can come to.
const COPIES: u32 = 1_000;

/// Keeps former nodes in the run's area.
pub(super) struct Keeper<'a> {
    write: &'a Write<'a>,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(write: &'a Write<'a>) -> Self {
        Self { write }
    }

    /// Where `live` is or will be kept: an earlier state of the same path is never overwritten.
    pub(super) fn place_for(&self, live: &Node, path: &TreePath, before: &Entry) -> Result<TreePath> {
        let full = self.write.full(path);
        for copy in 0..COPIES {
            let place = self.write.area.kept_of(&full, before, copy);
            match self.write.node(&place)? {
                Some(node) if node.inode != live.inode => {}
                _ => return Ok(place),
            }
        }
        Err(self.write.conflict(path, "too many former states of it are kept in this run"))
    }

    /// Whether an earlier try has moved the former node away already.
    pub(super) fn holds(&self, path: &TreePath, before: &Entry) -> Result<bool> {
        let place = self.write.area.kept_of(&self.write.full(path), before, 0);
        Ok(self.write.node(&place)?.is_some_and(|node| alike(&node.entry, before)))
    }

    /// Gives a file a second name in the area, so that its place is never empty; where the file system
    /// has no links, moves it there. Answers whether it still stands in its place.
    pub(super) fn link(&self, places: &Directories, path: &TreePath, before: &Entry, kept: &TreePath) -> Result<bool> {
        let failed = |errno| refusal(format!("keep {}", self.write.shown(path)), errno);
        let full = self.write.full(path);
        let (Some(name), Some(kept_name)) = (full.name(), kept.name()) else { return Ok(true) };
        let from = places.parent(&full).map_err(failed)?;
        let to = places.parent(kept).map_err(failed)?;
        match linkat(&from, name, &to, kept_name, AtFlags::empty()) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(Errno::OPNOTSUPP | Errno::MLINK | Errno::PERM) => {
                self.shift(places, path, before, kept)?;
                return Ok(false);
            }
            Err(errno) => return Err(failed(errno)),
        }
        let now = NodeReader::new().read(to.as_fd(), kept_name, kept.clone()).map_err(failed)?;
        if !alike(&now.entry, before) {
            unlinkat(&to, kept_name, AtFlags::empty()).map_err(failed)?;
            return Err(self.write.conflict(path, "it has changed since the plan was made"));
        }
        Ok(true)
    }

    /// Somebody's save that an earlier try moved into the area, and did not come to give back: it goes back where nothing
    /// has come in its place.
    pub(super) fn give_back(&self, places: &Directories, path: &TreePath, before: &Entry) -> Result<()> {
        let full = self.write.full(path);
        let kept = self.write.area.kept_of(&full, before, 0);
        if self.write.node(&kept)?.is_none_or(|node| alike(&node.entry, before)) {
            return Ok(());
        }
        let moved = places.parent(&kept).and_then(|from| {
            let to = places.parent(&full)?;
            let (from_name, to_name) = (kept.name().unwrap_or_default(), full.name().unwrap_or_default());
            renameat_with(&from, from_name, &to, to_name, RenameFlags::NOREPLACE)
        });
        moved.map_err(|errno| refusal(format!("give {} back", self.write.shown(path)), errno))
    }

    /// Moves a node into the area, and back if it is not what the plan was made from.
    pub(super) fn shift(&self, places: &Directories, path: &TreePath, before: &Entry, kept: &TreePath) -> Result<()> {
        let failed = |errno| refusal(format!("keep {}", self.write.shown(path)), errno);
        let full = self.write.full(path);
        let (Some(name), Some(kept_name)) = (full.name(), kept.name()) else { return Ok(()) };
        let from = places.parent(&full).map_err(failed)?;
        let to = places.parent(kept).map_err(failed)?;
        renameat_with(&from, name, &to, kept_name, RenameFlags::NOREPLACE).map_err(failed)?;
        crash_point("files::after_shift");
        let now = NodeReader::new().read(to.as_fd(), kept_name, kept.clone()).map_err(failed)?;
        if !alike(&now.entry, before) {
            renameat_with(&to, kept_name, &from, name, RenameFlags::NOREPLACE).map_err(failed)?;
            return Err(self.write.conflict(path, "it has changed since the plan was made"));
        }
        Ok(())
    }
}
