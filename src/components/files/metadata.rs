use std::collections::HashMap;
use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::state::Seen;
use super::survey::Surveyed;
use super::update::{BATCH_FILES, Update};
use crate::beneath::{Inode, Node, NodeReader};
use crate::component::UndoRecord;
use crate::crash::crash_point;
use crate::model::{Result, TreePath};

impl Update<'_> {
    /// Files first, then directories, deepest first: what happens in a directory changes its time. `made`: the
    /// directories that this write has made.
    pub(super) fn change_metadata(&self, surveyed: &[Surveyed], made: &HashMap<&TreePath, Inode>) -> Result<()> {
        let files = surveyed.iter().filter(|one| !one.job.after_is_directory() && one.metadata_alone());
        let directories = surveyed.iter().rev().filter(|one| one.job.after_is_directory());
        let all: Vec<&Surveyed> = files.chain(directories).filter(|one| needs_metadata(one)).collect();
        for batch in all.chunks(BATCH_FILES) {
            let changed = batch.iter().filter(|one| one.metadata_alone() && one.seen == Seen::Former);
            let records: Result<Vec<UndoRecord>> = changed.map(|one| self.record(one)).collect();
            self.write.keep(&records?)?;
            for one in batch {
                self.change_one(one, made.get(one.job.path))?;
            }
            crash_point("files::after_batch");
            self.write.progress(batch.len() as u64, 0);
        }
        Ok(())
    }

    /// Opened once, looked at and changed by that one handle: another user who may write to the directory can put another node
    /// under the name at any moment.
    fn change_one(&self, one: &Surveyed, made: Option<&Inode>) -> Result<()> {
        let Some(entry) = &one.job.after else { return Ok(()) };
        self.write.touch();
        self.at(one.job.path, |parent, name| {
            let fd = openat(parent, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
            let now = NodeReader::new().read_open(fd.as_fd(), entry.path.clone())?;
            if !is_ours(one, &now, made) {
                return Err(Errno::BUSY);
            }
            self.write.give(fd.as_fd(), entry, &now.entry.meta)
        })
        .map_err(|errno| match errno {
            Errno::BUSY => self.write.conflict(one.job.path, "it has changed since the plan was made"),
            errno => self.failed(one.job.path, errno),
        })?;
        self.write.wrote(entry, None, 0);
        Ok(())
    }
}

/// Whether what is open is what the survey found or this write made.
fn is_ours(one: &Surveyed, now: &Node, made: Option<&Inode>) -> bool {
    if let Some(made) = made {
        return *made == now.inode;
    }
    let is_same = one
        .live
        .as_ref()
        .is_some_and(|live| live.inode == now.inode && (now.entry.is_directory() || live.names == now.names));
    is_same && Seen::at(one.job, Some(&now.entry), false) != Seen::Foreign
}

fn needs_metadata(one: &Surveyed) -> bool {
    let pair = || one.job.after.as_ref().zip(one.live.as_ref());
    let has_all = || pair().is_some_and(|(after, live)| after.meta.has_same_attributes(&live.entry.meta));
    match one.seen {
        Seen::Wanted => one.job.after_is_directory() || !has_all(),
        _ => true,
    }
}
