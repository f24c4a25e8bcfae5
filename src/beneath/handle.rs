use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, openat, openat2};
use rustix::io::Errno;

use super::{Node, NodeReader, refusal};
use crate::model::{Entry, Error, Result, TreePath};

/// One open directory, and everything beneath it.
pub struct Beneath {
    fd: OwnedFd,
    path: PathBuf,
    device: u64,
}

/// Below the kernel's bound of 4,096 bytes for one call.
const ONE_CALL: usize = 4_000;

impl Beneath {
    /// Opens a directory that the operator named; symbolic links in `path` itself are followed.
    pub fn open(path: &Path) -> Result<Self> {
        let doing = || format!("open the directory {}", crate::model::visible(path.as_os_str().as_encoded_bytes()));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(CWD, path, flags, Mode::empty()).map_err(|errno| {
            let error = Error::io(doing(), errno.into());
            if errno == Errno::NOENT {
                error
                    .next("correct its path, in the runbook or its --input; what is restored into must be there before")
            } else {
                error
            }
        })?;
        let device = fstat(&fd).map_err(|errno| refusal(doing(), errno))?.st_dev;
        let handle = Self { fd, path: path.to_owned(), device };
        handle.directory(&TreePath::root()).map_err(|errno| refusal(doing(), errno))?;
        Ok(handle)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory at `path`, open for reading.
    pub fn directory(&self, path: &TreePath) -> rustix::io::Result<OwnedFd> {
        self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY, ResolveFlags::empty())
    }

    /// The same, refused with `EXDEV` where another file system is mounted on the way, or a subvolume begins: no rename
    /// leads into either.
    pub fn directory_on_same_device(&self, path: &TreePath) -> rustix::io::Result<OwnedFd> {
        let directory = self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY, ResolveFlags::NO_XDEV)?;
        if fstat(&directory)?.st_dev == self.device { Ok(directory) } else { Err(Errno::XDEV) }
    }

    /// A regular file, open for reading; whatever else stands there is `EINVAL` or `ELOOP`.
    pub fn file(&self, path: &TreePath) -> rustix::io::Result<OwnedFd> {
        regular(once_let_go(|| self.resolve(path, OFlags::RDONLY | OFlags::NONBLOCK, ResolveFlags::empty()))?)
    }

    /// The directory that holds `path`, and its name there; the root is `.` in itself.
    pub fn place<'p>(&self, path: &'p TreePath) -> rustix::io::Result<(OwnedFd, &'p [u8])> {
        match (path.parent(), path.name()) {
            (Some(parent), Some(name)) => Ok((self.directory(&parent)?, name)),
            _ => Ok((self.directory(&TreePath::root())?, b".")),
        }
    }

    /// What is at `path`; the entry carries `path`. A missing or other-than-directory parent means nothing is there.
    pub fn node(&self, path: &TreePath) -> rustix::io::Result<Option<Node>> {
        match self
            .place(path)
            .and_then(|(directory, name)| NodeReader::new().read(directory.as_fd(), name, path.clone()))
        {
            Ok(node) => Ok(Some(node)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    pub fn entry(&self, path: &TreePath) -> Result<Option<Entry>> {
        let node = self.node(path).map_err(|errno| refusal(format!("look at {}", self.shown(path)), errno))?;
        Ok(node.map(|node| node.entry))
    }

    /// `path` as an operator knows it.
    pub fn shown(&self, path: &TreePath) -> String {
        let base = crate::model::visible(self.path.as_os_str().as_encoded_bytes()).into_owned();
        if path.is_root() { base } else { format!("{}/{path}", base.trim_end_matches('/')) }
    }

    fn resolve(&self, path: &TreePath, flags: OFlags, extra: ResolveFlags) -> rustix::io::Result<OwnedFd> {
        if path.is_root() {
            return open_beneath(self.fd.as_fd(), b".", flags, extra);
        }
        let mut rest = path.as_bytes();
        let mut from: Option<OwnedFd> = None;
        while rest.len() > ONE_CALL {
            let head = rest.get(..ONE_CALL).unwrap_or(rest);
            let cut = head.iter().rposition(|byte| *byte == b'/').ok_or(Errno::NAMETOOLONG)?;
            let (part, tail) = rest.split_at(cut);
            let start = from.as_ref().unwrap_or(&self.fd).as_fd();
            from = Some(open_beneath(start, part, OFlags::PATH | OFlags::DIRECTORY, extra)?);
            rest = tail.strip_prefix(b"/").unwrap_or(tail);
        }
        open_beneath(from.as_ref().unwrap_or(&self.fd).as_fd(), rest, flags, extra)
    }
}

impl AsFd for Beneath {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

pub(super) fn open_beneath(
    from: BorrowedFd,
    path: &[u8],
    flags: OFlags,
    extra: ResolveFlags,
) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS | extra;
    // Without O_NOFOLLOW, which would hide a link in the last part behind ENOTDIR.
    // A rename elsewhere can make the kernel unsure of a walk; it asks to try again.
    for _ in 0..16 {
        match openat2(from, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            answer => return answer,
        }
    }
    Err(Errno::AGAIN)
}

/// A file that somebody holds by a lease, as a file server does for its clients, is let go when another asks for it. That
/// takes its holder a moment.
pub(super) fn once_let_go<T>(mut open: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    let mut pause = Duration::from_millis(5);
    while pause < LONGEST_PAUSE {
        match open() {
            Err(Errno::AGAIN) => std::thread::sleep(pause),
            answer => return answer,
        }
        pause *= 2;
    }
    open()
}

/// Some five seconds in all.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Only a regular file passes: a FIFO or a device put in its place is never read.
pub(super) fn regular(fd: OwnedFd) -> rustix::io::Result<OwnedFd> {
    let stat = rustix::fs::fstat(&fd)?;
    let is_regular = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
    if is_regular { Ok(fd) } else { Err(Errno::INVAL) }
}
