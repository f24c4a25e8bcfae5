use std::os::fd::BorrowedFd;

use rustix::fs::fstatvfs;
use rustix::io::Errno;

use crate::model::{Meta, Times, size, visible};

/// Room that says that a disk is not full: then "no space" is about one node's attributes.
const ROOM: u64 = 1024 * 1024;

/// Why a node does not take an attribute, in words that can follow its name; None where the system itself fails.
/// `file` lies on that file system.
pub fn attribute_lost(errno: Errno, name: &str, length: usize, file: BorrowedFd) -> Option<String> {
    let is_root = rustix::process::geteuid().is_root();
    let why = match errno {
        Errno::OPNOTSUPP | Errno::NOSYS => "this file system takes none of that kind".to_owned(),
        Errno::NOSPC if has_room(file) => too_large(length),
        Errno::TOOBIG | Errno::RANGE => too_large(length),
        Errno::PERM if !is_root && !name.starts_with("user.") => "only root may set it".to_owned(),
        Errno::PERM => "nodes of this kind have no such attribute, or it is locked (`lsattr` shows that)".to_owned(),
        Errno::ACCESS => "you may not write to that file".to_owned(),
        Errno::INVAL => "this system does not understand its value".to_owned(),
        _ => return None,
    };
    Some(attribute_words(name, &why))
}

pub fn attribute_words(name: &str, why: &str) -> String {
    let what = if Meta::is_acl(name) { "the access list (ACL)" } else { "the attribute" };
    format!("{what} {} is not restored: {why}", visible(name))
}

/// `is`: what the file system makes of the time `wanted`.
pub fn time_lost(wanted: Times, is: Times) -> String {
    let shown = |times: Times| {
        let nanoseconds = i32::try_from(times.mtime_ns).unwrap_or_default();
        let time = jiff::Timestamp::new(times.mtime_s, nanoseconds);
        time.map_or_else(|_| format!("{} s after 1970", times.mtime_s), |time| time.to_string())
    };
    format!("this file system cannot keep its time {}: it gets {}", shown(wanted), shown(is))
}

fn too_large(length: usize) -> String {
    format!("it has {}, more than this file system takes", size(length as u64))
}

fn has_room(file: BorrowedFd) -> bool {
    fstatvfs(file).is_ok_and(|stat| stat.f_bavail.saturating_mul(stat.f_frsize) > ROOM)
}
