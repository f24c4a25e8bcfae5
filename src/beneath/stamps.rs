use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, Statx, StatxFlags, statx};

use crate::model::{DigestBuilder, TreePath};

/// What the kernel counts of each file of a walk: its inode, its size and both its times. A file that was touched
/// since, even by someone who put size and time back, has another stamp.
///
/// Sixteen bytes for a file, for a tree may have a million: paths are kept as hashes.
#[derive(Default)]
pub(super) struct Stamps(Mutex<HashMap<u64, u64>>);

impl Stamps {
    pub fn note(&self, path: &TreePath, stamp: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key(path), stamp);
    }

    pub fn of(&self, path: &TreePath) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key(path)).copied()
    }
}

fn key(path: &TreePath) -> u64 {
    short(DigestBuilder::default().part(path.as_bytes()))
}

fn short(builder: &DigestBuilder) -> u64 {
    builder.finish().as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

pub(super) fn stamp(stat: &Statx) -> u64 {
    let mut builder = DigestBuilder::new("stamp");
    builder.number(stat.stx_ino).number(stat.stx_size);
    for time in [stat.stx_mtime, stat.stx_ctime] {
        builder.number(time.tv_sec.cast_unsigned()).number(u64::from(time.tv_nsec));
    }
    short(&builder)
}

/// Of an open file, as it is now.
pub fn stamp_now(file: impl AsFd) -> rustix::io::Result<u64> {
    Ok(stamp(&statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)?))
}
