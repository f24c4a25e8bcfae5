use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

use rekindle::model::{Entry, Meta, NodeKind, SpecialKind, Times, TreePath};
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

/// Makes a home directory with every kind of node that a backup may meet.
pub fn make_every_kind(at: &Path) {
    fs::create_dir_all(at.join("deep/er/still")).unwrap();
    fs::write(at.join("deep/er/still/leaf"), "leaf\n").unwrap();
    fs::write(at.join("empty"), "").unwrap();
    fs::write(at.join("large"), noise(9_000_000, 7)).unwrap();
    fs::write(at.join("sorted-b"), "b").unwrap();
    fs::create_dir(at.join("sorted")).unwrap();
    fs::write(at.join("sorted/a"), "a").unwrap();
    fs::write(at.join(OsStr::from_bytes(b"latin\xe9 \x1b[31m\n\"quoted\" \\x41")), "odd name").unwrap();
    fs::write(at.join("zero\u{202e}width\u{200b}"), "bidirectional").unwrap();

    fs::write(at.join("first"), "linked").unwrap();
    fs::hard_link(at.join("first"), at.join("deep/second")).unwrap();
    std::os::unix::fs::symlink("../nowhere/\u{e9}", at.join("link")).unwrap();

    mode(&at.join("empty"), 0o4711);
    mode(&at.join("sorted"), 0o3770);
    mode(&at.join("sorted-b"), 0o404);
    for (name, kind) in [("pipe", FileType::Fifo), ("socket", FileType::Socket)] {
        rustix::fs::mknodat(CWD, at.join(name), kind, Mode::from_raw_mode(0o640), 0).unwrap();
    }
    rustix::fs::setxattr(at.join("first"), "user.note", b"raw \x00\xff", XattrFlags::empty()).unwrap();
    rustix::fs::setxattr(at.join("first"), "user.empty", b"", XattrFlags::empty()).unwrap();
    // user::rw- user:1234:r-- group::r-- mask::r-- other::---, as the kernel writes it.
    let acl = [
        2_u32.to_le_bytes().to_vec(),
        [(1_u16, 6_u16, u32::MAX), (2, 4, 1234), (4, 4, u32::MAX), (16, 4, u32::MAX), (32, 0, u32::MAX)]
            .iter()
            .flat_map(|(tag, rights, who)| {
                [tag.to_le_bytes().to_vec(), rights.to_le_bytes().to_vec(), who.to_le_bytes().to_vec()].concat()
            })
            .collect(),
    ]
    .concat();
    rustix::fs::setxattr(at.join("sorted/a"), "system.posix_acl_access", &acl, XattrFlags::empty()).unwrap();

    time(&at.join("deep/er/still/leaf"), 981_173_106, 123_456_789);
    time(&at.join("large"), -86_400, 5);
    time(&at.join("link"), 1_000_000_000, 1);
}

/// Bytes that no compressor shrinks, the same for the same seed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn time(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let both = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, path, &both, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// What a directory holds, read with nothing of rekindle's: what stores are compared with.
pub fn on_disk(root: &Path) -> Vec<Entry> {
    fn walk(root: &Path, path: TreePath, found: &mut Vec<Entry>) {
        let full = root.join(OsStr::from_bytes(path.as_bytes()));
        let meta = fs::symlink_metadata(&full).unwrap();
        let kind = meta.file_type();
        let kind = if kind.is_dir() {
            NodeKind::Directory
        } else if kind.is_symlink() {
            NodeKind::Symlink { target: fs::read_link(&full).unwrap().as_os_str().as_bytes().into() }
        } else if kind.is_file() {
            NodeKind::File { size: meta.size(), link: (meta.nlink() > 1).then(|| meta.ino()) }
        } else if kind.is_fifo() {
            NodeKind::Special { special: SpecialKind::Fifo }
        } else if kind.is_socket() {
            NodeKind::Special { special: SpecialKind::Socket }
        } else if kind.is_char_device() {
            NodeKind::Special { special: SpecialKind::CharDevice }
        } else {
            NodeKind::Special { special: SpecialKind::BlockDevice }
        };
        let times = Times { mtime_s: meta.mtime(), mtime_ns: u32::try_from(meta.mtime_nsec()).unwrap() };
        let (mode, uid, gid) = (meta.mode() & 0o7777, meta.uid(), meta.gid());
        let xattrs = attributes(&full);
        let directory = kind == NodeKind::Directory;
        found.push(Entry { path: path.clone(), kind, meta: Meta { mode, uid, gid, times, xattrs } });
        if directory {
            let mut names: Vec<_> = fs::read_dir(&full).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort_by(|one, other| one.as_bytes().cmp(other.as_bytes()));
            names.iter().for_each(|name| walk(root, path.join(name.as_bytes()).unwrap(), found));
        }
    }
    let mut found = Vec::new();
    walk(root, TreePath::root(), &mut found);
    found
}

fn attributes(path: &Path) -> Vec<(Box<str>, Box<[u8]>)> {
    let mut names = vec![0_u8; 65536];
    let length = rustix::fs::llistxattr(path, &mut names).unwrap_or(0);
    let mut found: Vec<(Box<str>, Box<[u8]>)> = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let name = std::str::from_utf8(name).unwrap();
            let mut value = vec![0_u8; 65536];
            let length = rustix::fs::lgetxattr(path, name, &mut value).unwrap();
            (name.into(), value[..length].into())
        })
        .collect();
    found.sort();
    found
}

/// Hard links as groups: numbers differ between a disk and a backup, who belongs together does not.
pub fn comparable(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut groups: Vec<u64> = Vec::new();
    for entry in &mut entries {
        if let NodeKind::File { link: Some(link), .. } = &mut entry.kind {
            let known = groups.iter().position(|group| group == link);
            let group = known.unwrap_or_else(|| {
                groups.push(*link);
                groups.len() - 1
            });
            *link = group as u64;
        }
    }
    entries
}
