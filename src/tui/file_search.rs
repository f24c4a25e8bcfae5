use crate::model::{HunkAt, NodeKind, Proposal};

use super::review::Loaded;
use super::search::matches;
use crate::diff::files::{self, Bounds, Sight, TextDiff};

/// Looked into by one search; the rest is told.
pub const MOST_FILES: usize = 5_000;
/// Looked into before what was found is told, and whether anybody still wants more.
const AT_ONCE: usize = 32;

/// What some files' diffs hold, by change and hunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    pub found: Vec<(u32, u32)>,
    /// Large, binary or unreadable: nobody knows what these hold.
    pub unread: usize,
    /// Still to be looked into.
    pub rest: Vec<(u32, u32)>,
}

/// Files of the plan whose own diff could be opened and is not.
pub fn unopened(loaded: &Loaded) -> Vec<(u32, u32)> {
    let changes = (0_u32..).zip(&loaded.proposal.plan.changes);
    let hunks = changes.flat_map(|(change, of)| (0_u32..).zip(&of.hunks).map(move |(hunk, of)| ((change, hunk), of)));
    let files = hunks
        .filter(|(at, hunk)| matches!(hunk.at, HunkAt::Node { content: true, .. }) && !loaded.diffs.contains_key(at));
    files.map(|(at, _)| at).collect()
}

/// Of one side, in bytes: larger ones are for him who opens them.
const MOST_BYTES: u64 = 1024 * 1024;

fn is_large(proposal: &Proposal, change: u32, hunk: u32) -> bool {
    let hunk = proposal.plan.changes.get(change as usize).and_then(|change| change.hunks.get(hunk as usize));
    let Some(HunkAt::Node { before, after, .. }) = hunk.map(|hunk| &hunk.at) else { return false };
    let mut sides = [before, after].into_iter().flatten();
    sides.any(|entry| matches!(entry.kind, NodeKind::File { size, .. } if size > MOST_BYTES))
}

/// Looks for `text` in the diffs of the first of `files`. Blocks.
pub fn look(proposal: &Proposal, text: &str, mut files: Vec<(u32, u32)>) -> Looked {
    let rest = files.split_off(files.len().min(AT_ONCE));
    let mut looked = Looked { rest, ..Looked::default() };
    for (change, hunk) in files {
        if is_large(proposal, change, hunk) {
            looked.unread += 1;
            continue;
        }
        let TextDiff { lines, note, .. } =
            files::compare(proposal, (change, hunk), Bounds::ONE_FILE, Sight::of_one_file(false), &mut |_| true);
        if lines.iter().any(|line| !matches(&line.text, text).is_empty()) {
            looked.found.push((change, hunk));
        } else if note.is_some() {
            looked.unread += 1;
        }
    }
    looked
}
