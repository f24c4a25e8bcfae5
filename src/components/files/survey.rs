use std::collections::{HashMap, HashSet};
use std::os::fd::AsFd;

use rustix::io::Errno;

use super::compare::Comparison;
use super::job::{Job, directories_of};
use super::kept::Keeper;
use super::state::Seen;
use super::write::Write;
use crate::beneath::{Directories, Inode, Node, NodeReader, refusal};
use crate::model::{Error, ErrorKind, Result, TreePath};

/// A job with what stands at its place now.
pub(super) struct Surveyed<'a> {
    pub(super) job: &'a Job<'a>,
    /// Among the jobs of its change: names what is prepared for it.
    pub(super) position: usize,
    pub(super) seen: Seen,
    pub(super) live: Option<Node>,
    /// It has names that this change does not touch, so it is written anew instead of changed in place.
    pub(super) is_shared: bool,
}

impl Surveyed<'_> {
    pub(super) fn comes_anew(&self) -> bool {
        self.is_shared || self.job.comes_anew()
    }

    pub(super) fn metadata_alone(&self) -> bool {
        !self.is_shared && self.job.metadata_alone()
    }
}

/// Looks at every place before the first is touched: a place that is neither as the plan found it nor as
/// it wants it is a conflict, and nothing is written.
pub(super) fn survey<'a>(write: &Write, places: &Directories, jobs: &'a [Job<'a>]) -> Result<Vec<Surveyed<'a>>> {
    let keeper = Keeper::new(write);
    let replaced: HashSet<&TreePath> = jobs.iter().filter(|job| job.removes()).map(|job| job.path).collect();
    let mut reader = NodeReader::new();
    let mut surveyed = Vec::with_capacity(jobs.len());
    let mut doubtful = Vec::new();
    for (position, job) in jobs.iter().enumerate() {
        let live = look(write, places, &mut reader, job.path, &replaced)?;
        let kept = match (&live, job.before) {
            (None, Some(before)) if job.after.is_some() => keeper.holds(job.path, before)?,
            _ => false,
        };
        let seen = Seen::at(job, live.as_ref().map(|node| &node.entry), kept);
        match seen {
            Seen::Foreign => {
                if let (None, Some(before)) = (&live, job.before) {
                    keeper.give_back(places, job.path, before)?;
                }
                let now = live.as_ref().map_or("it is gone".to_owned(), |node| super::check::described(&node.entry));
                return Err(write.conflict(job.path, format!("it has changed since the plan was made: now {now}")));
            }
            Seen::Wanted if job.writes_content() => {
                let is_back = write.former().map_or(Ok(false), |former| former.is_back(job.path))?;
                if !is_back {
                    doubtful.push(job.path.clone());
                }
            }
            _ => {}
        }
        if let Some(node) = &live
            && seen != Seen::Wanted
            && node.is_locked
        {
            return Err(locked(write, job.path));
        }
        surveyed.push(Surveyed { job, position, seen, live, is_shared: false });
    }
    tell_shared(write, &mut surveyed)?;
    refuse_locked(write, places, &surveyed)?;
    Comparison::all_equal(write, &doubtful)?;
    Ok(surveyed)
}

/// The owner of a directory can give a file in it another name, or hold one that others see too.
fn tell_shared(write: &Write, surveyed: &mut [Surveyed]) -> Result<()> {
    let in_place = |one: &Surveyed| {
        let is_pending = one.job.metadata_alone() && matches!(one.seen, Seen::Former | Seen::Between);
        let node = one.live.as_ref().filter(|node| is_pending && !node.entry.is_directory() && node.names > 1);
        node.map(|node| (node.inode, node.names))
    };
    let mut changed: HashMap<Inode, u32> = HashMap::new();
    for (inode, _) in surveyed.iter().filter_map(in_place) {
        *changed.entry(inode).or_default() += 1;
    }
    for one in surveyed {
        let Some((inode, names)) = in_place(one) else { continue };
        if changed.get(&inode).is_some_and(|changed| *changed >= names) {
            continue;
        }
        if one.seen == Seen::Between {
            return Err(write.conflict(one.job.path, "it has got another name since an earlier try began to change it"));
        }
        one.is_shared = true;
    }
    Ok(())
}

/// The directories in which names come or go, below the component's root.
pub(super) fn names_change_in<'s>(write: &Write, of: impl Iterator<Item = &'s Surveyed<'s>>) -> Vec<TreePath> {
    directories_of(write.key, of.filter(|one| !one.metadata_alone()).map(|one| one.job.path))
}

fn refuse_locked(write: &Write, places: &Directories, surveyed: &[Surveyed]) -> Result<()> {
    let mut reader = NodeReader::new();
    for directory in names_change_in(write, surveyed.iter().filter(|one| one.seen != Seen::Wanted)) {
        // One that is not there yet, or that the plan itself makes, is looked at by other means.
        let node = places.get(&directory).and_then(|fd| reader.read_open(fd.as_fd(), directory.clone()));
        if node.is_ok_and(|node| node.is_locked) {
            let doing = format!("write in {}", write.root.shown(&directory));
            return Err(Error::new(ErrorKind::Denied, doing, LOCKED)
                .next("end that with `chattr -i -a`, or leave out what is in it, then retry this task"));
        }
    }
    Ok(())
}

pub(super) const LOCKED: &str = "it is immutable or append-only (`lsattr` shows it), so even root may not change it";

fn locked(write: &Write, path: &TreePath) -> Error {
    Error::new(ErrorKind::Denied, format!("write {}", write.shown(path)), LOCKED)
        .next("end that with `chattr -i -a`, or leave this file out, then retry this task")
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
