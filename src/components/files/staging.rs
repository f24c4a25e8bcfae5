use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustix::fs::{Mode, OFlags, openat};

use super::early_sync::EarlySync;
use super::failure::{Failed, Failure};
use super::write::Write;
use crate::beneath::{CopyError, copy_content, refusal};
use crate::model::{ContentSink, Digest, Entry, Error, ErrorKind, Meta, NodeKind, Result, TreePath};

/// Where a new file goes: an open directory and a name in it.
pub(super) type Place = (Arc<OwnedFd>, Vec<u8>);

/// Receives the contents of new files and writes each, metadata included, where nothing is yet.
pub(super) struct Staging<'a> {
    write: &'a Write<'a>,
    files: &'a [&'a Entry],
    place: &'a (dyn Fn(usize) -> rustix::io::Result<Place> + Sync),
    hashes: Mutex<Vec<Option<Digest>>>,
    failure: Mutex<Failure>,
    count: AtomicU64,
    bytes: AtomicU64,
    early: &'a EarlySync<'a>,
}

/// Files between two words to the ledger.
const PROGRESS: u64 = 64;

impl<'a> Staging<'a> {
    /// Writes all of `files` from the desired tree and answers their hashes, in order.
    pub(super) fn fill(
        write: &'a Write<'a>,
        files: &'a [&'a Entry],
        place: &'a (dyn Fn(usize) -> rustix::io::Result<Place> + Sync),
    ) -> Result<Vec<Digest>> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        std::thread::scope(|scope| {
            let early = EarlySync::start(scope, write);
            let hashes = Staging::filled(write, files, place, &early);
            let synced = early.end();
            let hashes = hashes?;
            synced.map(|()| hashes)
        })
    }

    fn filled(
        write: &'a Write<'a>,
        files: &'a [&'a Entry],
        place: &'a (dyn Fn(usize) -> rustix::io::Result<Place> + Sync),
        early: &'a EarlySync<'a>,
    ) -> Result<Vec<Digest>> {
        let staging = Self {
            write,
            files,
            place,
            hashes: Mutex::new(vec![None; files.len()]),
            failure: Mutex::default(),
            count: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            early,
        };
        let wanted: Vec<TreePath> = files.iter().map(|entry| entry.path.clone()).collect();
        let answer = write.desired()?.contents(&wanted, write.threads(), &staging);
        staging.failure.into_inner().unwrap_or_else(PoisonError::into_inner).into_result()?;
        answer?;
        write.progress(staging.count.into_inner() % PROGRESS, staging.bytes.into_inner());
        let hashes = staging.hashes.into_inner().unwrap_or_else(PoisonError::into_inner);
        hashes.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "read all files of the source", "it handed over fewer than were asked for")
        })
    }

    fn write(&self, index: usize, content: Result<&mut (dyn std::io::Read + Send)>) -> Result<(), Failed> {
        let entry = *self.files.get(index).ok_or_else(|| {
            Error::new(ErrorKind::Bug, "write a file", "the source handed over one that was not asked for")
        })?;
        let unread = |error| Failed::Unread(entry.path.clone(), error);
        let mut reader = Counted { staging: self, from: content.map_err(unread)?, unsaid: 0 };
        let NodeKind::File { size, .. } = entry.kind else {
            return Err(Error::new(ErrorKind::Bug, format!("write {}", entry.path), "it is not a file").into());
        };
        let failed = |errno| refusal(format!("write {}", self.write.shown(&entry.path)), errno);
        let (directory, name) = (self.place)(index).map_err(failed)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&directory, &*name, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        let (length, hash) = copy_content(&mut reader, file.as_fd(), size).map_err(|error| match error {
            CopyError::Read(error) => unread(Error::io(format!("read {} from the source", entry.path), error)),
            CopyError::TooLong => unread(wrong_size(entry, size)),
            CopyError::Write(errno) => failed(errno).into(),
        })?;
        if length != size {
            return Err(unread(wrong_size(entry, size)));
        }
        self.write.give(file.as_fd(), entry, &self.write.fresh(0o600)).map_err(failed)?;
        if let Some(slot) = self.hashes.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index) {
            *slot = Some(hash);
        }
        self.bytes.fetch_add(reader.unsaid, Ordering::Relaxed);
        self.early.wrote(length);
        if (self.count.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(PROGRESS) {
            self.write.progress(PROGRESS, self.bytes.swap(0, Ordering::Relaxed));
            self.write.go_on()?;
        }
        Ok(())
    }
}

/// Tells of a large file while it is written.
struct Counted<'a, 'b> {
    staging: &'a Staging<'a>,
    from: &'b mut (dyn std::io::Read + Send),
    /// Bytes that the ledger has not been told of.
    unsaid: u64,
}

/// In bytes: some tellings a second from a fast disk.
const TOLD_EVERY: u64 = 16 << 20;

impl std::io::Read for Counted<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.unsaid += count as u64;
        if self.unsaid >= TOLD_EVERY {
            self.staging.write.progress(0, std::mem::take(&mut self.unsaid));
        }
        Ok(count)
    }
}

impl ContentSink for Staging<'_> {
    fn content(&self, index: usize, content: Result<&mut (dyn std::io::Read + Send)>) -> bool {
        let written = self.write(index, content);
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(failed) = written {
            failure.add(failed);
        }
        !failure.is_final()
    }
}

fn wrong_size(entry: &Entry, size: u64) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("read {} from the source", entry.path),
        format!("its content is not {size} bytes long, as its entry says"),
    )
}

/// The metadata of what this process has just made. Who it is does not change while it runs, so it is asked once.
pub(super) fn fresh(mode: u32) -> Meta {
    static OWN: OnceLock<(u32, u32)> = OnceLock::new();
    let own = || (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let (uid, gid) = *OWN.get_or_init(own);
    Meta { mode, uid, gid, ..Meta::default() }
}
