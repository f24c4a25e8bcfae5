use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::fs::{
    AtFlags, Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags, chmod, chownat, fchmod, fsetxattr, utimensat,
};
use rustix::io::Errno;

use super::xattrs::XattrReader;
use crate::model::{Entry, Meta, NodeKind, visible};

/// Gives the node that `fd` names its metadata: owner, attributes and ACLs, mode, times, in the order in
/// which the kernel does not undo the earlier by the later. `live` is what it has now.
/// `fd` may be opened with `O_PATH`, which is the only way to hold a symbolic link.
///
/// What the system cannot give (another's owner without root, an attribute that the file system does not
/// know) is told to `note`, and the rest is set.
pub fn set_metadata(
    fd: BorrowedFd,
    wanted: &Entry,
    live: &Meta,
    note: &mut dyn FnMut(String),
) -> rustix::io::Result<()> {
    let meta = &wanted.meta;
    let is_link = matches!(wanted.kind, NodeKind::Symlink { .. });
    let mut owner_is_right = true;
    if (meta.uid, meta.gid) != (live.uid, live.gid) {
        let owner = (Some(Uid::from_raw(meta.uid)), Some(Gid::from_raw(meta.gid)));
        match chownat(fd, "", owner.0, owner.1, AtFlags::EMPTY_PATH) {
            Ok(()) => {}
            Err(Errno::PERM) if !rustix::process::geteuid().is_root() => {
                owner_is_right = false;
                note(format!("{}: the owner {}:{} was not set, only root may", wanted.path, meta.uid, meta.gid));
            }
            Err(errno) => return Err(errno),
        }
    }
    let by_path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    if meta.xattrs != live.xattrs || !meta.xattrs.is_empty() || !live.xattrs.is_empty() {
        set_xattrs(fd, &by_path, wanted, note)?;
    }
    if !is_link {
        // A setuid file of the wrong owner would lend that one's rights.
        let bits = if owner_is_right { meta.mode } else { meta.mode & 0o1777 };
        let mode = Mode::from_raw_mode(bits & 0o7777);
        match fchmod(fd, mode) {
            Err(Errno::BADF) => chmod(&*by_path, mode)?,
            answer => answer?,
        }
    }
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: meta.times.mtime_s, tv_nsec: meta.times.mtime_ns.into() },
    };
    utimensat(fd, "", &times, AtFlags::EMPTY_PATH)
}

fn set_xattrs(fd: BorrowedFd, by_path: &str, wanted: &Entry, note: &mut dyn FnMut(String)) -> rustix::io::Result<()> {
    let there = XattrReader::new().read(fd.as_fd(), b"")?;
    let wanted_attributes = &wanted.meta.xattrs;
    for (name, _) in &there {
        if is_ours(name) && !wanted_attributes.iter().any(|(wanted, _)| wanted == name) {
            match rustix::fs::removexattr(by_path, &**name) {
                Ok(()) | Err(Errno::NODATA) => {}
                Err(Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS) => {
                    note(format!("{}: the attribute {} could not be removed", wanted.path, visible(&**name)));
                }
                Err(errno) => return Err(errno),
            }
        }
    }
    for (name, value) in wanted_attributes {
        if there.iter().any(|(have, with)| have == name && with == value) {
            continue;
        }
        let set = match fsetxattr(fd, &**name, value, XattrFlags::empty()) {
            Err(Errno::BADF) => rustix::fs::setxattr(by_path, &**name, value, XattrFlags::empty()),
            answer => answer,
        };
        match set {
            Ok(()) => {}
            Err(Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS | Errno::INVAL | Errno::RANGE) => {
                note(format!("{}: this file system does not take the attribute {}", wanted.path, visible(&**name)));
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Attributes that are part of a file's state. Labels of security modules are the system's own.
fn is_ours(name: &str) -> bool {
    name == "security.capability" || !name.starts_with("security.")
}
