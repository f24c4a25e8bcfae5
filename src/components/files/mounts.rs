use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::TreePath;

/// The places below a component's root at which something else is mounted. A tree is left alone there: what is mounted
/// is another file system, or another view of this one, and no rename leads into it.
#[derive(Debug, Default)]
pub(super) struct Mounts(Mutex<Option<(Instant, Vec<TreePath>)>>);

/// Thousands of homes are planned in a second, and mounts seldom come.
const FRESH_FOR: Duration = Duration::from_secs(1);

impl Mounts {
    /// Those below the directory `key` of `root`, as they are called from there. Where the system does not tell there
    /// are none known, and a write that meets one is refused.
    pub(super) fn below(&self, root: &Path, key: &TreePath) -> Vec<TreePath> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.take_if(|(since, _)| since.elapsed() > FRESH_FOR);
        let (_, all) = known.get_or_insert_with(|| (Instant::now(), below_root(root)));
        let below = all.iter().filter_map(|path| path.relative_to(key));
        below.filter(|path| !path.is_root()).collect()
    }
}

fn below_root(root: &Path) -> Vec<TreePath> {
    let (Ok(root), Ok(told)) = (root.canonicalize(), std::fs::read("/proc/self/mountinfo")) else { return Vec::new() };
    let root = root.as_os_str().as_bytes();
    let mut found: Vec<TreePath> = points(&told).filter_map(|point| below_that(root, &point)).collect();
    found.sort();
    found.dedup();
    found
}

fn below_that(root: &[u8], point: &[u8]) -> Option<TreePath> {
    let below = match root {
        b"/" => point.strip_prefix(b"/")?,
        root => point.strip_prefix(root)?.strip_prefix(b"/")?,
    };
    TreePath::new(below).ok().filter(|below| !below.is_root())
}

/// The fifth field of each line, in which spaces and the like stand as three octal digits.
fn points(told: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    told.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').nth(4)).map(unescaped)
}

fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let digits =
            behind.get(..3).filter(|digits| *first == b'\\' && digits.iter().all(|b| (b'0'..=b'7').contains(b)));
        match digits {
            Some(digits) => {
                bytes.push(digits.iter().fold(0_u8, |sum, digit| sum.wrapping_mul(8).wrapping_add(digit - b'0')));
                rest = behind.get(3..).unwrap_or_default();
            }
            None => bytes.push(*first),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_found_below_the_root_and_nowhere_else() {
        let told = b"22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n\
            30 22 0:25 / /home/ana/my\\040disk rw - tmpfs none rw\n\
            31 22 0:26 / /home rw - tmpfs none rw\n\
            32 22 0:27 / /home2/x rw - tmpfs none rw\n\
            33 22 0:28 / /home/\\377\\134 rw - tmpfs none rw\nbroken\n";
        let below = |root: &[u8]| -> Vec<String> {
            points(told).filter_map(|point| below_that(root, &point)).map(|path| path.to_string()).collect()
        };
        assert_eq!(below(b"/home"), ["ana/my disk", "\\xff\\"]);
        assert_eq!(below(b"/").len(), 4);
        assert!(below(b"/srv").is_empty());
    }
}
