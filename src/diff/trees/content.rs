use super::found::{STRIPPED, warn};
use super::{TreeDiff, TreeRules, Walk, made};
use crate::model::{Change, Hunk, HunkAt, Op, Privileges, ResourceId, TreePath};

/// Hunks that a comparison of bytes found, put in their places among those that metadata told.
pub fn with_content(id: &ResourceId, diff: TreeDiff, differs: &[bool], rules: &TreeRules<'_>) -> Option<Change> {
    let mut walk = Walk::new(rules);
    let (mut known, op) = match diff.change {
        Some(change) => (change.hunks, change.op),
        None => (Vec::new(), Op::Update),
    };
    let mut warnings = diff.warnings;
    let mut stripped = Vec::new();
    let shift = |moved: &[u32], hunk: &mut Hunk| {
        for need in &mut hunk.needs {
            *need = moved.get(*need as usize).copied().unwrap_or(*need);
        }
    };
    let mut added: Vec<(TreePath, Hunk)> = Vec::new();
    for (pair, content) in diff.undecided.into_iter().zip(differs) {
        if !content && walk.same_metadata(&pair.live, &pair.desired) {
            continue;
        }
        let path = pair.live.path.clone();
        if rules.privileges == Privileges::Strip && Privileges::are_in(&pair.live) {
            stripped.push(path.clone());
        }
        walk.found.hunks.clear();
        walk.push(Op::Update, Some(pair.live), Some(pair.desired), *content);
        added.extend(walk.found.hunks.pop().map(|hunk| (path, hunk)));
    }
    let mut hunks = Vec::with_capacity(known.len() + added.len());
    let mut moved = Vec::with_capacity(known.len());
    let mut added = added.into_iter().peekable();
    for hunk in known.drain(..) {
        if let HunkAt::Node { path, .. } = &hunk.at {
            while let Some((_, earlier)) = added.next_if(|(other, _)| other < path) {
                hunks.push(earlier);
            }
        }
        moved.push(u32::try_from(hunks.len()).unwrap_or(u32::MAX));
        hunks.push(hunk);
    }
    hunks.extend(added.map(|(_, hunk)| hunk));
    for position in &moved {
        if let Some(hunk) = hunks.get_mut(*position as usize) {
            shift(&moved, hunk);
        }
    }
    warn(&mut warnings, &stripped, STRIPPED);
    (!hunks.is_empty()).then(|| made(id.clone(), op, op != Op::Create, hunks, warnings))
}
