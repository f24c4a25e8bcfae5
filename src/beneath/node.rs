use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, Statx, StatxAttributes, StatxFlags, readlinkat, statx};

use super::xattrs::XattrReader;
use crate::model::{Entry, Meta, NodeKind, SpecialKind, Times, TreePath};

/// One node as it is now, with what names it on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub entry: Entry,
    /// Device (major, minor) and inode number.
    pub inode: Inode,
    /// How many names it has, wherever they lie.
    pub names: u32,
    /// `chattr +i` or `+a`: nobody may change it, not even root.
    pub is_locked: bool,
    /// Another one once anything of it was touched.
    pub stamp: u64,
}

pub type Inode = (u32, u32, u64);

/// Reads nodes of directories; holds the buffers that many reads share.
pub struct NodeReader {
    xattrs: XattrReader,
}

impl Default for NodeReader {
    fn default() -> Self {
        Self::new()
    }
}

impl NodeReader {
    pub fn new() -> Self {
        Self { xattrs: XattrReader::new() }
    }

    /// What `name` in `directory` is, not followed. `path` is for the entry.
    pub fn read(&mut self, directory: BorrowedFd, name: &[u8], path: TreePath) -> rustix::io::Result<Node> {
        let stat = statx(directory, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS)?;
        self.node(&stat, directory, name, path)
    }

    /// What an open node is, whatever has its name now. `fd` may be opened with `O_PATH`.
    pub fn read_open(&mut self, fd: BorrowedFd, path: TreePath) -> rustix::io::Result<Node> {
        let stat = statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)?;
        self.node(&stat, fd, b"", path)
    }

    fn node(&mut self, stat: &Statx, directory: BorrowedFd, name: &[u8], path: TreePath) -> rustix::io::Result<Node> {
        let kind = match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
            FileType::Directory => NodeKind::Directory,
            FileType::RegularFile => NodeKind::File { size: stat.stx_size, link: link(stat) },
            FileType::Symlink => {
                let target = readlinkat(directory, name, Vec::new())?;
                NodeKind::Symlink { target: target.into_bytes().into() }
            }
            FileType::Fifo => NodeKind::Special { special: SpecialKind::Fifo },
            FileType::Socket => NodeKind::Special { special: SpecialKind::Socket },
            FileType::BlockDevice => NodeKind::Special { special: SpecialKind::BlockDevice },
            FileType::CharacterDevice => NodeKind::Special { special: SpecialKind::CharDevice },
            FileType::Unknown => NodeKind::Special { special: SpecialKind::Unknown },
        };
        let xattrs = self.xattrs.read(directory, name)?;
        Ok(Node {
            inode: inode(stat),
            names: stat.stx_nlink,
            is_locked: stat.stx_attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND),
            stamp: super::stamps::stamp(stat),
            entry: Entry { path, kind, meta: meta(stat, xattrs) },
        })
    }
}

fn meta(stat: &Statx, xattrs: super::xattrs::Xattrs) -> Meta {
    Meta {
        mode: u32::from(stat.stx_mode) & 0o7777,
        uid: stat.stx_uid,
        gid: stat.stx_gid,
        times: Times { mtime_s: stat.stx_mtime.tv_sec, mtime_ns: stat.stx_mtime.tv_nsec },
        xattrs,
    }
}

pub(super) fn inode(stat: &Statx) -> Inode {
    (stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino)
}

/// A tree stays on one file system, so the inode number tells its hard links apart; with the device
/// mixed in for a tree that does not.
fn link(stat: &Statx) -> Option<u64> {
    let device = u64::from(stat.stx_dev_major) << 20 | u64::from(stat.stx_dev_minor);
    (stat.stx_nlink > 1).then(|| stat.stx_ino ^ device.rotate_right(24))
}
