use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, linkat, openat, renameat_with, symlinkat, unlinkat};
use rustix::io::Errno;

use super::job::Job;
use super::kept::Keeper;
use super::links::Links;
use super::parents;
use super::returning::{Back, Returning};
use super::staging::Staging;
use super::state::{Seen, alike, wanted as as_written};
use super::survey::{Surveyed, survey};
use super::unlocked::Unlocked;
use super::write::Write;
use crate::beneath::{Directories, Inode, NodeReader, refusal};
use crate::component::UndoRecord;
use crate::crash::crash_point;
use crate::model::{Digest, Entry, NodeKind, Result, TreePath};

/// One batch of effects: its undo records are durable before the first of them.
pub(super) const BATCH_FILES: usize = 256;
const BATCH_BYTES: u64 = 32 * 1024 * 1024;

/// Changes an existing tree, file by file: what goes first, then directories, files, links, and last the
/// directories' own metadata.
pub(super) fn update(write: &Write, jobs: &[Job]) -> Result<()> {
    let places = Directories::on_same_device(write.root, TreePath::root());
    let surveyed = survey(write, &places, jobs)?;
    let stage = Arc::new(write.area.make(write.root, &write.stage)?);
    let unlocked = Unlocked::open(write, &surveyed)?;
    let (keeper, returning) = (Keeper::new(write), Returning::new(write));
    let update = Update { write, places, keeper, returning, stage, unlocked };
    let written = update.all(&surveyed);
    let locked = update.unlocked.lock_all(written.is_ok());
    written.and(locked)?;
    write.sync()?;
    update.returning.finish(jobs.iter().filter_map(|job| job.after.as_ref()))?;
    match jobs.first() {
        Some(job) if job.path.is_root() && job.after.is_none() => parents::unmake(write),
        _ => Ok(()),
    }
}

pub(super) struct Update<'a> {
    pub(super) write: &'a Write<'a>,
    pub(super) places: Directories<'a>,
    pub(super) keeper: Keeper<'a>,
    pub(super) returning: Returning<'a>,
    unlocked: Unlocked<'a>,
    pub(super) stage: Arc<OwnedFd>,
}

impl Update<'_> {
    fn all(&self, surveyed: &[Surveyed]) -> Result<()> {
        if self.removed_whole(surveyed)? {
            return Ok(());
        }
        self.remove(surveyed)?;
        let made = self.make_directories(surveyed)?;
        self.write_nodes(surveyed)?;
        self.change_metadata(surveyed, &made)
    }

    /// A tree that goes altogether goes by one rename, if the plan names all that is in it.
    fn removed_whole(&self, surveyed: &[Surveyed]) -> Result<bool> {
        let Some(Surveyed { job, live: Some(live), .. }) = surveyed.first() else { return Ok(false) };
        let Some(before) = job.before.filter(|before| job.path.is_root() && before.is_directory()) else {
            return Ok(false);
        };
        // One that its owner may not write to cannot be moved by them.
        let is_locked = before.meta.mode & 0o200 == 0 && !rustix::process::geteuid().is_root();
        if self.write.key.is_root()
            || is_locked
            || surveyed.iter().any(|one| one.job.after.is_some() || one.seen != Seen::Former)
        {
            return Ok(false);
        }
        let tree = crate::beneath::Walk::new(self.write.root, self.write.key.clone());
        let mut named = surveyed.iter();
        for entry in tree {
            let entry = entry?;
            if !named.next().is_some_and(|one| {
                one.job.before.is_some_and(|before| *one.job.path == entry.path && alike(before, &entry))
            }) {
                return Ok(false);
            }
        }
        if named.next().is_some() {
            return Ok(false);
        }
        let kept = self.keeper.place_for(live, job.path, before)?;
        self.write.keep(&[UndoRecord {
            path: TreePath::root(),
            before: Some(before.clone()),
            kept: Some(kept.clone()),
        }])?;
        self.write.touch();
        crash_point("files::before_rename");
        self.keeper.shift(&self.places, job.path, before, &kept)?;
        crash_point("files::after_rename");
        self.write.progress(surveyed.len() as u64, 0);
        for one in surveyed {
            self.write.wrote(one.job.before.unwrap_or(before), None, 0);
        }
        Ok(true)
    }

    /// Children before their directories.
    fn remove(&self, surveyed: &[Surveyed]) -> Result<()> {
        let going: Vec<&Surveyed> =
            surveyed.iter().rev().filter(|one| one.job.removes() && one.seen == Seen::Former).collect();
        for batch in going.chunks(BATCH_FILES) {
            let mut kept = Vec::with_capacity(batch.len());
            for one in batch {
                kept.push(self.record(one)?);
            }
            self.write.keep(&kept)?;
            for (one, record) in batch.iter().zip(&kept) {
                let Some(before) = one.job.before else { continue };
                self.write.touch();
                crash_point("files::before_rename");
                match &record.kept {
                    Some(kept) => self.keeper.shift(&self.places, one.job.path, before, kept)?,
                    None => self.remove_directory(one.job.path, before)?,
                }
                crash_point("files::after_rename");
                if one.job.after.is_none() {
                    self.write.wrote(before, None, 0);
                }
            }
            crash_point("files::after_batch");
            self.write.progress(batch.len() as u64, 0);
        }
        self.places.forget();
        Ok(())
    }

    fn remove_directory(&self, path: &TreePath, before: &Entry) -> Result<()> {
        self.unlocked.lock_again(path)?;
        self.at(path, |parent, name| {
            let now = NodeReader::new().read(parent, name, path.clone())?;
            // Its children went just before, so its time tells nothing.
            if alike(&now.entry, before) { unlinkat(parent, name, AtFlags::REMOVEDIR) } else { Err(Errno::BUSY) }
        })
        .map_err(|errno| match errno {
            Errno::NOTEMPTY | Errno::EXIST => {
                self.write.conflict(path, "it holds files that the plan does not name, ignored ones for example")
            }
            Errno::BUSY => self.write.conflict(path, "it has changed since the plan was made"),
            errno => self.failed(path, errno),
        })
    }

    /// Answers which directory it made at each path.
    fn make_directories<'s>(&self, surveyed: &[Surveyed<'s>]) -> Result<HashMap<&'s TreePath, Inode>> {
        let coming: Vec<&Surveyed> = surveyed
            .iter()
            .filter(|one| one.job.after_is_directory() && !one.job.before_is_directory())
            .filter(|one| matches!(one.seen, Seen::Former | Seen::Moved))
            .collect();
        let mut made = HashMap::with_capacity(coming.len());
        for batch in coming.chunks(BATCH_FILES) {
            let new = batch.iter().filter(|one| one.job.before.is_none());
            self.write.keep(&new.map(|one| absent(one.job.path)).collect::<Vec<_>>())?;
            for one in batch {
                let Some(entry) = &one.job.after else { continue };
                self.write.touch();
                let inode = parents::prepared(self.write, self.stage.as_fd(), entry)?;
                self.at(one.job.path, |parent, name| {
                    renameat_with(&self.stage, parents::NAME, parent, name, RenameFlags::NOREPLACE)
                })
                .map_err(|errno| match errno {
                    Errno::EXIST => self.write.conflict(one.job.path, "something has appeared there"),
                    errno => self.failed(one.job.path, errno),
                })?;
                made.insert(one.job.path, inode);
            }
        }
        Ok(made)
    }

    fn write_nodes(&self, surveyed: &[Surveyed]) -> Result<()> {
        let coming: Vec<&Surveyed> =
            surveyed.iter().filter(|one| matches!(one.seen, Seen::Former | Seen::Moved) && one.comes_anew()).collect();
        let is_copied = |job: &&Job| job.after_is_file() && !self.returning.keeps(job.path);
        let files: Vec<&Job> = coming.iter().map(|one| one.job).filter(is_copied).collect();
        let anchors = Links::anchors(self.write, &files)?;
        let links = Links::among(files.iter().copied(), anchors);
        let linked: HashMap<&TreePath, &TreePath> = links.linked.iter().map(|(entry, to)| (&entry.path, to)).collect();
        let (later, first): (Vec<&Surveyed>, Vec<&Surveyed>) =
            coming.into_iter().partition(|one| linked.contains_key(one.job.path));
        for batch in batches(&first) {
            self.write_batch(batch, &|_| None)?;
        }
        for batch in batches(&later) {
            self.write_batch(batch, &|path| linked.get(path).copied())?;
        }
        Ok(())
    }

    /// Prepares each node in the stage, makes all durable, writes down the former state, puts each in.
    fn write_batch<'l>(&self, batch: &[&Surveyed], link: &dyn Fn(&TreePath) -> Option<&'l TreePath>) -> Result<()> {
        let mut names: Vec<Vec<u8>> = Vec::with_capacity(batch.len());
        let mut files = Vec::new();
        let mut file_names = Vec::new();
        let mut moves = HashSet::new();
        for one in batch {
            let name = one.position.to_string().into_bytes();
            if let Some(entry) = &one.job.after {
                let back = self.returning.link(entry, self.stage.as_fd(), &name)?;
                match (&entry.kind, link(&entry.path)) {
                    _ if back == Back::Linked => {}
                    _ if back == Back::Moves => drop(moves.insert(&entry.path)),
                    (NodeKind::File { .. }, Some(to)) => self.link(entry, to, &name)?,
                    (NodeKind::File { .. }, None) => {
                        files.push(entry);
                        file_names.push(name.clone());
                    }
                    (NodeKind::Symlink { target }, _) => self.symlink(entry, target, &name)?,
                    _ => {}
                }
            }
            names.push(name);
        }
        let hashes = Staging::fill(self.write, &files, &|index| {
            Ok((Arc::clone(&self.stage), file_names.get(index).ok_or(Errno::INVAL)?.clone()))
        })?;
        self.write.sync()?;
        let mut records = Vec::with_capacity(batch.len());
        for one in batch {
            records.push(self.record(one)?);
        }
        let fresh = |one: &&Surveyed| one.seen == Seen::Former && !one.job.removes();
        let new: Vec<UndoRecord> =
            batch.iter().zip(&records).filter(|(one, _)| fresh(one)).map(|(_, record)| record.clone()).collect();
        self.write.keep(&new)?;
        self.places.forget();
        let mut hashes: HashMap<&TreePath, Digest> = files.iter().map(|entry| &entry.path).zip(hashes).collect();
        for ((one, name), record) in batch.iter().zip(&names).zip(&records) {
            match moves.contains(one.job.path) {
                true => self.put_kept(one, record)?,
                false => self.put(one, name, record)?,
            }
            if let Some(entry) = &one.job.after {
                let hash = hashes.remove(&entry.path);
                self.write.wrote(entry, hash, hash.map_or(0, |_| one.job.size()));
            }
        }
        crash_point("files::after_batch");
        Ok(())
    }

    fn link(&self, entry: &Entry, to: &TreePath, name: &[u8]) -> Result<()> {
        let linked = self.at(to, |parent, from| {
            linkat(parent, from, &self.stage, name, AtFlags::empty())?;
            NodeReader::new().read(self.stage.as_fd(), name, entry.path.clone())
        });
        // Somebody may have put another file under that name.
        if as_written(entry, &linked.map_err(|errno| self.failed(to, errno))?.entry) {
            return Ok(());
        }
        Err(self.write.conflict(to, "it has changed since the plan was made"))
    }

    fn symlink(&self, entry: &Entry, target: &[u8], name: &[u8]) -> Result<()> {
        let made = symlinkat(target, &self.stage, name).and_then(|()| {
            let fd = openat(&self.stage, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
            self.write.give(fd.as_fd(), entry, &self.write.fresh(0o777))
        });
        made.map_err(|errno| self.failed(&entry.path, errno))
    }

    /// What was there, and where its content will be kept if it is not only metadata that changes.
    pub(super) fn record(&self, one: &Surveyed) -> Result<UndoRecord> {
        let Some(before) = one.job.before else { return Ok(absent(one.job.path)) };
        let replaced = one.job.removes() || one.comes_anew();
        let kept = match (&before.kind, &one.live) {
            (NodeKind::Directory, _) => None,
            // The entry itself holds a link's target; a removed one is moved all the same.
            (NodeKind::Symlink { .. }, _) if !one.job.removes() => None,
            (_, Some(live)) if replaced => Some(self.keeper.place_for(live, one.job.path, before)?),
            _ => None,
        };
        Ok(UndoRecord { path: one.job.path.clone(), before: Some(before.clone()), kept })
    }

    pub(super) fn at<T>(
        &self,
        path: &TreePath,
        act: impl FnOnce(std::os::fd::BorrowedFd, &[u8]) -> rustix::io::Result<T>,
    ) -> rustix::io::Result<T> {
        let full = self.write.full(path);
        let parent = self.places.parent(&full)?;
        act(parent.as_fd(), full.name().unwrap_or(b"."))
    }

    pub(super) fn failed(&self, path: &TreePath, errno: Errno) -> crate::model::Error {
        refusal(format!("write {}", self.write.shown(path)), errno)
    }
}

fn absent(path: &TreePath) -> UndoRecord {
    UndoRecord { path: path.clone(), before: None, kept: None }
}

/// Runs of at most so many files and bytes.
fn batches<'s, 'j>(all: &'s [&'s Surveyed<'j>]) -> Vec<&'s [&'s Surveyed<'j>]> {
    let mut batches = Vec::new();
    let mut rest = all;
    while !rest.is_empty() {
        let mut bytes = 0u64;
        let fits = rest.iter().take(BATCH_FILES).take_while(|one| {
            let before = bytes;
            bytes += one.job.size();
            before == 0 || bytes <= BATCH_BYTES
        });
        let (batch, others) = rest.split_at(fits.count().max(1));
        batches.push(batch);
        rest = others;
    }
    batches
}
