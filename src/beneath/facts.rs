use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, StatxFlags, flistxattr, fstatfs, statx};
use rustix::io::Errno;

use super::Beneath;
use super::walk::list;
use crate::model::{RecordedFacts, TreePath};

/// Numbers of file systems (`linux/magic.h`) that keep neither owners nor modes, and times of two seconds.
const FAT: [u32; 2] = [0x4d44, 0x2011_bab0];
/// Nodes whose times are looked at.
const SAMPLES: usize = 16;

/// What the file system below `at` keeps of what is given to it, told by looking. The kernel names no grain of times, but
/// it stamps each change with one, and a node of which that is a whole second lies where seconds are kept.
pub fn kept_facts(handle: &Beneath, at: &TreePath) -> RecordedFacts {
    look(handle, at).unwrap_or(RecordedFacts::ALL)
}

fn look(handle: &Beneath, at: &TreePath) -> rustix::io::Result<RecordedFacts> {
    let directory = match handle.directory(at) {
        Ok(directory) => directory,
        Err(Errno::NOTDIR) => handle.directory(&at.parent().unwrap_or_default())?,
        Err(errno) => return Err(errno),
    };
    let kind = u32::try_from(fstatfs(&directory)?.f_type).unwrap_or_default();
    if FAT.contains(&kind) {
        return Ok(RecordedFacts { time_grain: 2 * RecordedFacts::SECOND, ..RecordedFacts::NONE });
    }
    let attributes = !matches!(flistxattr(&directory, &mut [0_u8; 0]), Err(Errno::OPNOTSUPP | Errno::NOSYS));
    let mut stamps = vec![stamp(directory.as_fd(), b"")?];
    for name in list(&directory, &mut Vec::new(), at.is_root())?.into_iter().take(SAMPLES) {
        stamps.extend(stamp(directory.as_fd(), &name));
    }
    Ok(RecordedFacts { attributes, acls: attributes, ownership: true, time_grain: grain(&stamps) })
}

fn stamp(directory: BorrowedFd, name: &[u8]) -> rustix::io::Result<u32> {
    let flags = if name.is_empty() { AtFlags::EMPTY_PATH } else { AtFlags::SYMLINK_NOFOLLOW };
    Ok(statx(directory, name, flags, StatxFlags::CTIME)?.stx_ctime.tv_nsec)
}

/// The coarsest that all these nanoseconds can have been cut to.
fn grain(nanoseconds: &[u32]) -> u32 {
    let fits = |grain: &u32| nanoseconds.iter().all(|stamp| stamp.is_multiple_of(*grain));
    // Between these no file system is known.
    [RecordedFacts::SECOND, 10_000_000, 1_000_000, 1_000, 100].into_iter().find(fits).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grain_of_times_is_that_of_what_the_kernel_stamped() {
        assert_eq!(grain(&[0, 0, 0]), RecordedFacts::SECOND);
        assert_eq!(grain(&[0, 123_456_700]), 100, "NTFS");
        assert_eq!(grain(&[845_920_529, 0]), 1);
    }
}
