use std::os::fd::AsFd;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, fsync, linkat, mkdirat, openat, renameat_with, symlinkat};
use rustix::io::Errno;

use super::job::Job;
use super::links::Links;
use super::parents;
use super::returning::{Back, Returning};
use super::staging::Staging;
use super::write::Write;
use crate::beneath::{Directories, refusal};
use crate::component::UndoRecord;
use crate::crash::crash_point;
use crate::model::{Digest, Entry, Error, ErrorKind, NodeKind, Result, TreePath};

/// The name of a tree in its stage.
const WHOLE: &[u8] = b"tree";

/// Writes a tree where nothing is: beside its place first, read back there, then in by one rename, so that at any
/// moment it is there whole or not at all.
pub(super) fn extract(write: &Write, jobs: &[Job]) -> Result<()> {
    let stage = &write.stage;
    let stage_fd = write.area.make(write.root, stage)?;
    let directories = Directories::new(write.root, stage.join(WHOLE)?);
    let made = Extraction { write, directories, returning: Returning::new(write) };
    let is_copied = |job: &&Job| !made.returning.keeps(job.path);
    let links = Links::among(jobs.iter().filter(is_copied), std::collections::HashMap::new());
    let (hashes, moves) = made.fill(jobs, &links)?;
    // The disk and the processor are both kept busy: bytes are read back while they become durable.
    std::thread::scope(|scope| {
        let synced = scope.spawn(|| write.sync());
        let proved = made.read_back(&links.written, &hashes);
        let synced = synced.join().unwrap_or_else(|_| Err(ended_early("make files durable")));
        synced.and(proved)
    })?;
    if write.look(&TreePath::root())?.is_some() {
        return Err(write.conflict(&TreePath::root(), "something has appeared there since the plan was made"));
    }
    write.keep(&[UndoRecord { path: TreePath::root(), before: None, kept: None }])?;
    let doing = || format!("put {} in its place", write.shown(&TreePath::root()));
    parents::make(write, stage_fd.as_fd())?;
    let (parent, name) = write.root.place(write.key).map_err(|errno| refusal(doing(), errno))?;
    crash_point("files::before_publish");
    match renameat_with(&stage_fd, WHOLE, &parent, name, RenameFlags::NOREPLACE) {
        Ok(()) => write.touch(),
        Err(Errno::EXIST) => {
            return Err(write.conflict(&TreePath::root(), "something has appeared there since the plan was made"));
        }
        Err(errno) => return Err(refusal(doing(), errno)),
    }
    crash_point("files::after_publish");
    fsync(&parent).and_then(|()| fsync(&stage_fd)).map_err(|errno| refusal(doing(), errno))?;
    made.move_back(&moves)?;
    made.returning.finish(jobs.iter().filter_map(|job| job.after.as_ref()))
}

struct Extraction<'a> {
    write: &'a Write<'a>,
    directories: Directories<'a>,
    returning: Returning<'a>,
}

impl Extraction<'_> {
    /// Answers the hashes of what was written, and what can only be moved to its place.
    fn fill<'e>(&self, jobs: &'e [Job], links: &Links) -> Result<(Vec<Digest>, Vec<&'e Entry>)> {
        let entries = || jobs.iter().filter_map(|job| job.after.as_ref());
        for entry in entries().filter(|entry| entry.is_directory()) {
            self.at(entry, |parent, name| mkdirat(parent, name, Mode::RWXU))?;
        }
        let hashes = Staging::fill(self.write, &links.written, &|index| {
            let path = links.written.get(index).map(|entry| &entry.path).ok_or(Errno::INVAL)?;
            Ok((self.directories.parent(path)?, path.name().unwrap_or(WHOLE).to_vec()))
        })?;
        for (entry, hash) in links.written.iter().zip(&hashes) {
            self.write.wrote(entry, Some(*hash), size(entry));
        }
        for (entry, to) in &links.linked {
            self.at(entry, |parent, name| {
                let from = self.directories.parent(to)?;
                linkat(from, to.name().unwrap_or(WHOLE), parent, name, AtFlags::empty())
            })?;
            self.write.wrote(entry, None, 0);
        }
        let mut moves = Vec::new();
        for entry in jobs.iter().filter(|job| self.returning.keeps(job.path)).filter_map(|job| job.after.as_ref()) {
            let parent = self.directories.parent(&entry.path);
            let parent = parent.map_err(|errno| refusal(format!("write {}", self.write.shown(&entry.path)), errno))?;
            match self.returning.link(entry, parent.as_fd(), entry.path.name().unwrap_or(WHOLE))? {
                Back::Linked => self.write.wrote(entry, None, 0),
                Back::Moves => moves.push(entry),
                Back::Copied => {}
            }
        }
        for entry in entries().filter(|entry| !self.returning.keeps(&entry.path)) {
            let NodeKind::Symlink { target } = &entry.kind else { continue };
            self.at(entry, |parent, name| symlinkat(&**target, parent, name))?;
            self.finish(entry, 0o777)?;
            self.write.wrote(entry, None, 0);
        }
        // Deepest first: what is made in a directory changes its time.
        for entry in entries().filter(|entry| entry.is_directory()).collect::<Vec<_>>().into_iter().rev() {
            self.finish(entry, 0o700)?;
            self.write.wrote(entry, None, 0);
        }
        Ok((hashes, moves))
    }

    /// Once the tree is in its place: what lies in a stage is gone after a kill.
    fn move_back(&self, moves: &[&Entry]) -> Result<()> {
        let places = Directories::on_same_device(self.write.root, TreePath::root());
        for entry in moves {
            let full = self.write.full(&entry.path);
            let parent = places.parent(&full);
            let parent = parent.map_err(|errno| refusal(format!("write {}", self.write.shown(&entry.path)), errno))?;
            let name = full.name().unwrap_or_default();
            self.returning.put_back(entry, parent.as_fd(), name, RenameFlags::NOREPLACE)?;
            self.write.wrote(entry, None, 0);
        }
        Ok(())
    }

    fn read_back(&self, files: &[&Entry], hashes: &[Digest]) -> Result<()> {
        let half = files.len() / 2;
        let part = |from: usize, to: usize| {
            let mut buffer = vec![0; READ];
            let mut unsaid = Unsaid::default();
            let pairs = files.iter().zip(hashes).take(to).skip(from);
            for (entry, hash) in pairs {
                if self.hash(entry, &mut buffer, &mut unsaid)? != *hash {
                    let what = format!("read {} back", self.write.shown(&entry.path));
                    return Err(Error::new(ErrorKind::Corrupt, what, "other bytes came than were written")
                        .next("check the disk and its cables, then retry; nothing of this tree is in its place"));
                }
                unsaid.files += 1;
                self.say(&mut unsaid, TOLD_FILES);
            }
            self.say(&mut unsaid, 0);
            Ok(())
        };
        std::thread::scope(|scope| {
            let second = scope.spawn(|| part(half, files.len()));
            let first = part(0, half);
            first.and(second.join().unwrap_or_else(|_| Err(ended_early("read files back"))))
        })
    }

    /// To tell of each small file would cost as much as to read it.
    fn say(&self, unsaid: &mut Unsaid, files: u64) {
        if unsaid.bytes >= TOLD_EVERY || unsaid.files >= files {
            self.write.tell_read_back(std::mem::take(unsaid).bytes);
        }
    }

    fn hash(&self, entry: &Entry, buffer: &mut [u8], unsaid: &mut Unsaid) -> Result<Digest> {
        let mut hasher = blake3::Hasher::new();
        let mut read = || -> rustix::io::Result<()> {
            let parent = self.directories.parent(&entry.path)?;
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = openat(parent, entry.path.name().unwrap_or(WHOLE), flags, Mode::empty())?;
            // Nobody else can reach the stage, so its length is the one that was written.
            let mut left = size(entry);
            while left > 0 {
                match rustix::io::read(&file, &mut *buffer) {
                    Ok(0) => break,
                    Ok(count) => {
                        hasher.update(buffer.get(..count).unwrap_or_default());
                        left = left.saturating_sub(count as u64);
                        unsaid.bytes += count as u64;
                        self.say(unsaid, TOLD_FILES);
                    }
                    Err(Errno::INTR) => {}
                    Err(errno) => return Err(errno),
                }
            }
            Ok(())
        };
        read().map_err(|errno| refusal(format!("read {} back", self.write.shown(&entry.path)), errno))?;
        Ok(Digest::from_bytes(*hasher.finalize().as_bytes()))
    }

    fn finish(&self, entry: &Entry, mode: u32) -> Result<()> {
        let access = if entry.is_directory() { OFlags::RDONLY | OFlags::DIRECTORY } else { OFlags::PATH };
        self.at(entry, |parent, name| {
            let fd = openat(parent, name, access | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
            self.write.give(fd.as_fd(), entry, &self.write.fresh(mode))
        })
    }

    fn at(
        &self,
        entry: &Entry,
        make: impl FnOnce(std::os::fd::BorrowedFd, &[u8]) -> rustix::io::Result<()>,
    ) -> Result<()> {
        let made = self
            .directories
            .parent(&entry.path)
            .and_then(|parent| make(parent.as_fd(), entry.path.name().unwrap_or(WHOLE)));
        made.map_err(|errno| refusal(format!("write {}", self.write.shown(&entry.path)), errno))
    }
}

/// What was read back and not told of.
#[derive(Default)]
struct Unsaid {
    bytes: u64,
    files: u64,
}

/// In bytes: some tellings a second from a fast disk.
const TOLD_EVERY: u64 = 16 << 20;
/// Files between two tellings.
const TOLD_FILES: u64 = 64;
/// Bytes read at once.
const READ: usize = 256 * 1024;

fn ended_early(doing: &str) -> Error {
    Error::new(ErrorKind::Bug, doing, "a thread of it panicked")
}

fn size(entry: &Entry) -> u64 {
    match entry.kind {
        NodeKind::File { size, .. } => size,
        _ => 0,
    }
}
