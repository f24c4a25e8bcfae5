use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self as os, AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat, XattrFlags};
use rustix::io::Errno;

use crate::model::{Document, Error, ErrorKind, FileOwnership, Meta, Result, TreePath, visible};

use super::{MAX_BYTES, Syntax, document};

/// One directory of documents, held open: names in it are single parts and never followed through a link,
/// so nothing outside is read or written, whatever is swapped meanwhile.
pub(super) struct Folder {
    syntax: &'static dyn Syntax,
    fd: OwnedFd,
    root: PathBuf,
    /// Below the component's root.
    path: TreePath,
}

/// A document's file as it was read.
pub(super) struct Opened {
    pub bytes: Vec<u8>,
    pub fd: OwnedFd,
    pub stat: Stat,
}

/// Whose a written file is.
pub(super) enum AsOf<'a> {
    /// It takes this one's place, and its attributes.
    File(&'a Opened),
    /// Where nobody decided, it is for its writer alone.
    New(Option<FileOwnership>),
}

/// Looked at for what is usual in a directory.
const MOST_NEIGHBOURS: usize = 64;

impl Folder {
    /// `None` where nothing is at `path`. The root itself must be there: a missing root is a file system
    /// that is not mounted rather than an empty one.
    pub fn open(syntax: &'static dyn Syntax, root: &Path, path: &TreePath) -> Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let top = os::open(root, flags, Mode::empty()).map_err(|error| {
            failed(format!("open the directory {}", visible(root.as_os_str().as_encoded_bytes())), error)
        })?;
        if path.is_root() {
            return Ok(Some(Self { syntax, fd: top, root: root.to_owned(), path: path.clone() }));
        }
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match os::openat2(&top, path.as_bytes(), flags, Mode::empty(), beneath) {
            Ok(fd) => Ok(Some(Self { syntax, fd, root: root.to_owned(), path: path.clone() })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(format!("open the directory {path}"), error)),
        }
    }

    pub fn syntax(&self) -> &'static dyn Syntax {
        self.syntax
    }

    pub fn as_fd(&self) -> &OwnedFd {
        &self.fd
    }

    pub fn place(&self, name: &[u8]) -> TreePath {
        self.path.join(name).unwrap_or_else(|_| self.path.clone())
    }

    /// The document of this name, read from its file.
    pub fn parse(&self, name: &[u8], bytes: &[u8]) -> Result<Document> {
        document(self.syntax, name, bytes).map_err(|why| {
            Error::new(ErrorKind::Invalid, format!("read the live document {}", self.whole(name)), why).next(
                "if that file is broken, mend it; if it is valid, a 'files' component can restore it as a whole; \
                 until then it stays as it is",
            )
        })
    }

    /// The whole path of a file here, as people are told it.
    fn whole(&self, name: &[u8]) -> String {
        let file = self.root.join(OsStr::from_bytes(self.place(name).as_bytes()));
        visible(file.as_os_str().as_encoded_bytes()).into_owned()
    }

    /// The names of all documents, sorted.
    pub fn names(&self) -> Result<Vec<Vec<u8>>> {
        let doing = || format!("list the documents in {}", self.path);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd).map_err(|error| failed(doing(), error))? {
            let entry = entry.map_err(|error| failed(doing(), error))?;
            let name = entry.file_name().to_bytes();
            if self.syntax.stem(name).is_some() && entry.file_type() != FileType::Directory {
                names.push(name.to_vec());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The file names that one stem has; more than one is an error.
    pub fn name_of(&self, stem: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut found: Vec<Vec<u8>> = Vec::new();
        for name in self.syntax.names(stem) {
            if self.stat(&name)?.is_some() {
                found.push(name);
            }
        }
        if found.len() > 1 {
            return Err(ambiguous(found.iter().map(|name| self.place(name))));
        }
        Ok(found.pop())
    }

    pub fn stat(&self, name: &[u8]) -> Result<Option<Stat>> {
        match os::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT | Errno::NAMETOOLONG) => Ok(None),
            Err(error) => Err(failed(format!("look at {}", self.place(name)), error)),
        }
    }

    pub fn read(&self, name: &[u8]) -> Result<Option<Opened>> {
        let doing = || format!("read the live document {}", self.whole(name));
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let fd = match os::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => {
                return Err(Error::new(
                    ErrorKind::Refused,
                    doing(),
                    "it is a symbolic link, which could lead anywhere",
                )
                .next("put the document itself there"));
            }
            Err(error) => return Err(failed(doing(), error)),
        };
        let stat = os::fstat(&fd).map_err(|error| failed(doing(), error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::new(ErrorKind::Refused, doing(), "it is not a regular file"));
        }
        let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
        let mut bytes = vec![0; size.min(MAX_BYTES) + 1];
        let mut filled = 0;
        loop {
            match rustix::io::read(&fd, &mut bytes[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(failed(doing(), error)),
            }
            if filled == bytes.len() {
                if filled > MAX_BYTES {
                    return Err(Error::new(ErrorKind::Invalid, doing(), "it is larger than 16 MiB"));
                }
                bytes.resize((filled * 2).min(MAX_BYTES + 1), 0);
            }
        }
        bytes.truncate(filled);
        Ok(Some(Opened { bytes, fd, stat }))
    }

    /// The directory itself.
    pub fn look(&self) -> Result<Stat> {
        os::fstat(&self.fd).map_err(|error| failed(format!("look at the directory {}", self.path), error))
    }

    /// Of the documents that are listed first: enough to tell what is usual here.
    pub fn modes(&self) -> Result<Vec<u32>> {
        let doing = || format!("list the documents in {}", self.path);
        let mut modes = Vec::new();
        for entry in Dir::read_from(&self.fd).map_err(|error| failed(doing(), error))?.take(MOST_NEIGHBOURS) {
            let entry = entry.map_err(|error| failed(doing(), error))?;
            let name = entry.file_name().to_bytes();
            if self.syntax.stem(name).is_none() {
                continue;
            }
            if let Some(stat) = self.stat(name)?
                && FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            {
                modes.push(stat.st_mode & 0o777);
            }
        }
        Ok(modes)
    }

    /// Writes a new file that is to take another's place: owner, mode and attributes are those that `as_of` says.
    /// What an interrupted write left under this name goes first.
    pub fn write_new(&self, name: &[u8], bytes: &[u8], as_of: AsOf<'_>) -> Result<()> {
        let doing = || format!("write {}", self.place(name));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || os::openat(&self.fd, name, flags, Mode::from_raw_mode(0o600));
        let fd = match create() {
            Err(Errno::EXIST) => {
                self.remove(name)?;
                create()
            }
            other => other,
        }
        .map_err(|error| failed(doing(), error))?;
        let written = write_all(&fd, bytes).and_then(|()| match as_of {
            AsOf::File(like) => copy_metadata(&fd, like),
            AsOf::New(Some(ownership)) => give_to(&fd, ownership),
            AsOf::New(None) => Ok(()),
        });
        written.map_err(|error| {
            let _ = self.remove(name);
            failed(doing(), error)
        })
    }

    /// An existing file at `to` is replaced only where `replace` says so.
    pub fn rename(&self, from: &[u8], to: &[u8], replace: bool) -> Result<(), Errno> {
        let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        os::renameat_with(&self.fd, from, &self.fd, to, flags)
    }

    pub fn remove(&self, name: &[u8]) -> Result<()> {
        match os::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(failed(format!("remove {}", self.place(name)), error)),
        }
    }
}

pub(super) fn ambiguous(files: impl Iterator<Item = TreePath>) -> Error {
    let listed: Vec<String> = files.map(|file| file.to_string()).collect();
    Error::new(
        ErrorKind::Ambiguous,
        format!("tell which file is the document {}", listed.first().map_or("", String::as_str)),
        format!("several files have that name: {}", listed.join(", ")),
    )
    .next("keep one of them and move the others away")
}

pub(super) fn failed(doing: impl Into<String>, error: Errno) -> Error {
    Error::io(doing, error.into())
}

fn write_all(fd: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn give_to(fd: &OwnedFd, ownership: FileOwnership) -> Result<(), Errno> {
    let now = os::fstat(fd)?;
    if (now.st_uid, now.st_gid) != (ownership.uid, ownership.gid) {
        let (uid, gid) = (os::Uid::from_raw(ownership.uid), os::Gid::from_raw(ownership.gid));
        os::fchown(fd, Some(uid), Some(gid))?;
    }
    os::fchmod(fd, Mode::from_raw_mode(ownership.mode))
}

fn copy_metadata(fd: &OwnedFd, like: &Opened) -> Result<(), Errno> {
    let now = os::fstat(fd)?;
    if (now.st_uid, now.st_gid) != (like.stat.st_uid, like.stat.st_gid) {
        let (uid, gid) = (os::Uid::from_raw(like.stat.st_uid), os::Gid::from_raw(like.stat.st_gid));
        os::fchown(fd, Some(uid), Some(gid))?;
    }
    os::fchmod(fd, Mode::from_raw_mode(like.stat.st_mode & 0o7777))?;
    let mut names = [0; 4096];
    let listed = match os::flistxattr(&like.fd, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => 0,
        Err(error) => return Err(error),
    };
    for name in names[..listed].split_inclusive(|byte| *byte == 0) {
        let Ok(name) = CStr::from_bytes_with_nul(name) else { continue };
        let mut value = vec![0; 64 * 1024];
        let copied = os::fgetxattr(&like.fd, name, &mut value[..])
            .and_then(|length| os::fsetxattr(fd, name, &value[..length], XattrFlags::empty()));
        // The system gives a new file its own label or signature, and may refuse one from us.
        if name.to_str().is_ok_and(Meta::keeps_attribute) {
            copied?;
        }
    }
    Ok(())
}

/// All that was written to the file system of this directory is durable on return.
pub(super) fn sync(fd: impl AsFd) -> Result<()> {
    os::syncfs(fd).map_err(|error| failed("make the written documents durable", error))
}
