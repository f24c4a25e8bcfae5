use std::collections::HashMap;
use std::os::fd::AsFd;

use icu_normalizer::ComposingNormalizerBorrowed;
use rustix::fs::{fstatfs, ioctl_getflags};

use super::job::Job;
use crate::model::TreePath;

/// More than a person reads.
const MOST: usize = 20;

/// What to tell before approval of names that this directory's file system takes for one: all but the first are
/// refused when they are written.
pub(super) fn warnings(directory: impl AsFd, jobs: &[Job]) -> Vec<String> {
    if keeps_apart(directory) { Vec::new() } else { told(&pairs(jobs)) }
}

fn told(pairs: &[(&TreePath, &TreePath)]) -> Vec<String> {
    let line = |(one, other): &(&TreePath, &TreePath)| {
        format!("{one} and {other} are one name to this file system: it cannot hold both")
    };
    let more = pairs.len().checked_sub(MOST).filter(|more| *more > 0);
    let more = more.map(|more| format!("and {more} more names that this file system cannot tell apart"));
    pairs.iter().take(MOST).map(line).chain(more).collect()
}

/// Names in one directory that differ in case or in Unicode's normal form alone.
fn pairs<'a>(jobs: &'a [Job]) -> Vec<(&'a TreePath, &'a TreePath)> {
    let mut first: HashMap<(TreePath, String), &TreePath> = HashMap::new();
    let mut pairs = Vec::new();
    for job in jobs.iter().filter(|job| job.after.is_some()) {
        let (Some(parent), Some(name)) = (job.path.parent(), job.path.name()) else { continue };
        let Ok(name) = std::str::from_utf8(name) else { continue };
        match first.entry((parent, folded(name))) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(job.path);
            }
            std::collections::hash_map::Entry::Occupied(entry) => pairs.push((*entry.get(), job.path)),
        }
    }
    pairs
}

fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let normal = ComposingNormalizerBorrowed::new_nfc();
    normal.normalize(&normal.normalize(name).to_lowercase()).into_owned()
}

/// Whether a directory's file system tells such names apart, as far as is known.
fn keeps_apart(directory: impl AsFd) -> bool {
    /// vfat, exFAT, NTFS (both drivers), HFS+, SMB and CIFS, by the magic numbers of `statfs(2)`.
    const FOLDING: [u64; 7] = [0x4d44, 0x2011_bab0, 0x5346_544e, 0x7366_746e, 0x482b, 0xfe53_4d42, 0xff53_4d42];
    /// `FS_CASEFOLD_FL`: one directory of ext4 or f2fs may fold.
    const CASEFOLD: u32 = 0x4000_0000;
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, reason = "the field's type differs by platform")]
    let magic = fstatfs(&directory).map_or(0, |found| found.f_type as u64 & 0xffff_ffff);
    let flags = ioctl_getflags(&directory).map_or(0, |flags| flags.bits());
    !FOLDING.contains(&magic) && flags & CASEFOLD == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, Meta, NodeKind};

    #[test]
    fn names_that_some_file_systems_take_for_one_are_told_with_both() {
        let paths = ["Notes", "notes", "sub/caf\u{e9}", "sub/cafe\u{301}", "sub/notes", "Sub", "other"];
        let mut paths = paths.map(|path| TreePath::new(path).unwrap());
        paths.sort();
        let after = |path: &TreePath| {
            let kind = NodeKind::File { size: 0, link: None };
            Some(Entry { path: path.clone(), kind, meta: Meta::default() })
        };
        let jobs: Vec<Job> =
            paths.iter().map(|path| Job { path, before: None, after: after(path), content: true }).collect();
        let told = told(&pairs(&jobs));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("Notes and notes are one name"), "{told:?}");
        assert!(told[1].contains("sub/cafe\u{301} and sub/caf\u{e9}"), "{told:?}");
        assert_eq!(warnings(std::fs::File::open("/proc").unwrap(), &jobs), [""; 0]);
    }
}
