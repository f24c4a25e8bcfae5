use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::fs::{
    AtFlags, Gid, Mode, StatxFlags, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags, chmod, chownat, fchmod,
    fsetxattr, removexattr, setxattr, statx, utimensat,
};
use rustix::io::Errno;

use super::lost_facts::{attribute_lost, time_lost};
use super::xattrs::XattrReader;
use crate::model::{Entry, Meta, NodeKind, Times, visible};

/// Gives the node that `fd` names its metadata: owner, attributes and ACLs, mode, times, in the order in
/// which the kernel does not undo the earlier by the later. `live` is what it has now.
/// `fd` may be opened with `O_PATH`, which is the only way to hold a symbolic link.
///
/// What the node cannot have (another's owner without root, an attribute that the file system does not
/// know, a time that it cannot keep) is told to `note`, and the rest is set. Answers whether it has all of it.
pub fn set_metadata(
    fd: BorrowedFd,
    wanted: &Entry,
    live: &Meta,
    note: &mut dyn FnMut(String),
) -> rustix::io::Result<bool> {
    let mut has_all = true;
    let mut lose = |what: String| {
        has_all = false;
        note(format!("{}: {what}", wanted.path));
    };
    let by_path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let node = Opened { fd, by_path: &by_path, wanted, live };
    let owner_is_right = node.set_owner(&mut lose)?;
    let meta = &wanted.meta;
    if meta.xattrs != live.xattrs || !meta.xattrs.is_empty() || !live.xattrs.is_empty() {
        node.set_attributes(&mut lose)?;
    }
    if !node.is_link() {
        // A setuid file of the wrong owner would lend that one's rights.
        let bits = if owner_is_right { meta.mode } else { meta.mode & 0o1777 };
        node.set_mode(bits)?;
    }
    node.set_time(&mut lose)?;
    Ok(has_all)
}

/// The time of the last access stays as it is.
pub fn modified_at(times: Times) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: times.mtime_s, tv_nsec: times.mtime_ns.into() },
    }
}

struct Opened<'a> {
    fd: BorrowedFd<'a>,
    by_path: &'a str,
    wanted: &'a Entry,
    live: &'a Meta,
}

impl Opened<'_> {
    fn is_link(&self) -> bool {
        matches!(self.wanted.kind, NodeKind::Symlink { .. })
    }

    fn set_owner(&self, lose: &mut dyn FnMut(String)) -> rustix::io::Result<bool> {
        let (meta, live) = (&self.wanted.meta, self.live);
        if (meta.uid, meta.gid) == (live.uid, live.gid) {
            return Ok(true);
        }
        if meta.uid == Meta::NO_OWNER || meta.gid == Meta::NO_OWNER {
            lose(format!("the owner {}:{} was not set: no file can have that number", meta.uid, meta.gid));
            return Ok(false);
        }
        let owner = (Some(Uid::from_raw(meta.uid)), Some(Gid::from_raw(meta.gid)));
        match chownat(self.fd, "", owner.0, owner.1, AtFlags::EMPTY_PATH) {
            Ok(()) => Ok(true),
            Err(Errno::PERM) if !rustix::process::geteuid().is_root() => {
                lose(format!("the owner {}:{} was not set, only root may", meta.uid, meta.gid));
                Ok(false)
            }
            Err(errno) => Err(errno),
        }
    }

    fn set_mode(&self, bits: u32) -> rustix::io::Result<()> {
        let mode = Mode::from_raw_mode(bits & 0o7777);
        match fchmod(self.fd, mode) {
            Err(Errno::BADF) => chmod(self.by_path, mode),
            answer => answer,
        }
    }

    fn set_attributes(&self, lose: &mut dyn FnMut(String)) -> rustix::io::Result<()> {
        let there = XattrReader::new().read(self.fd.as_fd(), b"")?;
        let wanted: Vec<_> = self.wanted.meta.attributes().collect();
        if there.iter().eq(wanted.iter().copied()) {
            return Ok(());
        }
        // An owner may change a file's attributes only while its mode lets them write to it.
        if !self.is_link() && self.live.mode & 0o200 == 0 && !rustix::process::geteuid().is_root() {
            self.set_mode(self.live.mode & 0o777 | 0o200)?;
        }
        for (name, _) in &there {
            if wanted.iter().any(|(wanted, _)| wanted == name) {
                continue;
            }
            match removexattr(self.by_path, &**name) {
                Ok(()) | Err(Errno::NODATA) => {}
                Err(Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS) => {
                    lose(format!("the attribute {} could not be removed", visible(&**name)));
                }
                Err(errno) => return Err(errno),
            }
        }
        for (name, value) in wanted {
            if there.iter().any(|(have, with)| have == name && with == value) {
                continue;
            }
            let set = match fsetxattr(self.fd, &**name, value, XattrFlags::empty()) {
                Err(Errno::BADF) => setxattr(self.by_path, &**name, value, XattrFlags::empty()),
                answer => answer,
            };
            if let Err(errno) = set {
                lose(attribute_lost(errno, name, value.len(), self.fd).ok_or(errno)?);
            }
        }
        Ok(())
    }

    fn set_time(&self, lose: &mut dyn FnMut(String)) -> rustix::io::Result<()> {
        let wanted = self.wanted.meta.times;
        utimensat(self.fd, "", &modified_at(wanted), AtFlags::EMPTY_PATH)?;
        if wanted.is_far() {
            let is = statx(self.fd, "", AtFlags::EMPTY_PATH, StatxFlags::MTIME)?.stx_mtime;
            let is = Times { mtime_s: is.tv_sec, mtime_ns: is.tv_nsec };
            if is != wanted {
                lose(time_lost(wanted, is));
            }
        }
        Ok(())
    }
}
