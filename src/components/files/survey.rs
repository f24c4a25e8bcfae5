use std::collections::HashSet;
use std::os::fd::AsFd;

use rustix::io::Errno;

use super::compare::Comparison;
use super::job::Job;
use super::kept::Keeper;
use super::state::Seen;
use super::write::Write;
use crate::beneath::{Directories, Node, NodeReader, refusal};
use crate::model::{Result, TreePath};

/// A job with what stands at its place now.
pub(super) struct Surveyed<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) seen: Seen,
    pub(super) live: Option<Node>,
}

/// Looks at every place before the first is touched: a place that is neither as the plan found it nor as
/// it wants it is a conflict, and nothing is written.
pub(super) fn survey<'a>(write: &Write, places: &Directories, jobs: &'a [Job<'a>]) -> Result<Vec<Surveyed<'a>>> {
    let keeper = Keeper::new(write);
    let replaced: HashSet<&TreePath> = jobs.iter().filter(|job| job.removes()).map(|job| job.path).collect();
    let mut reader = NodeReader::new();
    let mut surveyed = Vec::with_capacity(jobs.len());
    let mut doubtful = Vec::new();
    for job in jobs {
        let live = look(write, places, &mut reader, job.path, &replaced)?;
        let kept = match (&live, job.before) {
            (None, Some(before)) if job.after.is_some() => keeper.holds(job.path, before)?,
            _ => false,
        };
        let seen = Seen::at(job, live.as_ref().map(|node| &node.entry), kept);
        match seen {
            Seen::Foreign => {
                let now = live.as_ref().map_or("it is gone".to_owned(), |node| super::check::described(&node.entry));
                return Err(write.conflict(job.path, format!("it has changed since the plan was made: now {now}")));
            }
            Seen::Wanted if job.writes_content() => doubtful.push(job.path.clone()),
            _ => {}
        }
        surveyed.push(Surveyed { job, seen, live });
    }
    Comparison::all_equal(write, &doubtful)?;
    Ok(surveyed)
}

fn look(
    write: &Write,
    places: &Directories,
    reader: &mut NodeReader,
    path: &TreePath,
    replaced: &HashSet<&TreePath>,
) -> Result<Option<Node>> {
    let full = write.full(path);
    let read = places
        .parent(&full)
        .and_then(|directory| reader.read(directory.as_fd(), full.name().unwrap_or(b"."), path.clone()));
    match read {
        Ok(node) => Ok(Some(node)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        // A link that the plan itself puts there or takes away.
        Err(Errno::LOOP) if below_any(path, replaced) => Ok(None),
        Err(errno) => Err(refusal(format!("look at {}", write.shown(path)), errno)),
    }
}

fn below_any(path: &TreePath, replaced: &HashSet<&TreePath>) -> bool {
    let mut above = path.parent();
    while let Some(ancestor) = above {
        if replaced.contains(&ancestor) {
            return true;
        }
        above = ancestor.parent();
    }
    false
}
