use std::os::fd::AsFd;

use rustix::fs::{AtFlags, RenameFlags, renameat_with, unlinkat};
use rustix::io::Errno;

use super::job::Job;
use super::state::{alike, wanted};
use super::write::Write;
use crate::beneath::{Directories, NodeReader, list_entries, refusal};
use crate::model::{Entry, Result, TreePath};

/// A write exchanges a file with the new one and then looks at what came out: where that is somebody's save, it goes
/// back. A process that was killed in between left the save among what it had prepared, under the position of its job.
/// It goes back before the rest of that is cleared away.
pub(super) fn put_back(write: &Write, jobs: &[Job]) -> Result<()> {
    let left = match list_entries(write.root, &write.stage) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        left => left.map_err(|errno| refusal(format!("list {}", write.root.shown(&write.stage)), errno))?,
    };
    let places = Directories::on_same_device(write.root, TreePath::root());
    let mut saved = None;
    for entry in left {
        let position = entry.path.name().and_then(|name| std::str::from_utf8(name).ok()?.parse::<usize>().ok());
        let Some(job) = position.and_then(|position| jobs.get(position)) else { continue };
        let (Some(before), Some(after)) = (job.before, job.after.as_ref()) else { continue };
        let is_ours = |live: &Entry| wanted(after, live) && !alike(before, live);
        if job.removes() || alike(before, &entry) || !write.look(job.path)?.as_ref().is_some_and(is_ours) {
            continue;
        }
        write.touch();
        let full = write.full(job.path);
        let kept = write.area.kept_of(&full, before, 0);
        let exchanged = (|| {
            let (stage, parent) = (places.parent(&entry.path)?, places.parent(&full)?);
            let (staged, name) = (entry.path.name().unwrap_or_default(), full.name().unwrap_or_default());
            renameat_with(&stage, staged, &parent, name, RenameFlags::EXCHANGE)?;
            // A save that came in this moment is the later one.
            let out = NodeReader::new().read(stage.as_fd(), staged, entry.path.clone())?.entry;
            if !wanted(after, &out) {
                renameat_with(&stage, staged, &parent, name, RenameFlags::EXCHANGE)?;
            }
            // What is there now is not this run's to undo.
            match places
                .parent(&kept)
                .and_then(|area| unlinkat(area, kept.name().unwrap_or_default(), AtFlags::empty()))
            {
                Err(Errno::NOENT) => Ok(()),
                ended => ended,
            }
        })();
        exchanged.map_err(|errno| refusal(format!("give the save of {} back", write.shown(job.path)), errno))?;
        saved.get_or_insert(job.path);
    }
    match saved {
        None => Ok(()),
        Some(path) => Err(write.conflict(path, "somebody saved it while it was replaced, and their save is back")),
    }
}
