use super::found::warn_each;
use crate::model::{Change, HunkAt, Tree};

/// Names the files that a plan would take from the backup and that the backup is known not to hand out: whoever approves
/// the plan learns it before, and can leave them out. `desired` is the backup's tree.
pub fn name_unreadable(change: &mut Change, desired: &dyn Tree) {
    let taken = change.hunks.iter().enumerate().filter_map(|(at, hunk)| match &hunk.at {
        HunkAt::Node { path, after: Some(after), content: true, .. } if after.is_file() => Some((at, path)),
        _ => None,
    });
    let (hunks, paths): (Vec<usize>, Vec<_>) = taken.unzip();
    let unreadable = desired.unreadable(&paths);
    let lines = unreadable.iter().map(|(position, why)| {
        let path = paths.get(*position).map(|path| path.to_string()).unwrap_or_default();
        format!("{path}: cannot be read in the backup: {why}")
    });
    warn_each(&mut change.warnings, lines, "cannot be read in the backup");
    let hunks = unreadable.iter().filter_map(|(position, _)| u32::try_from(*hunks.get(*position)?).ok());
    change.unreadable = hunks.collect();
}
