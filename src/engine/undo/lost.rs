use std::collections::{BTreeSet, HashSet};

use super::Former;
use crate::journal::ReadJournal;
use crate::model::{Attempt, Entry, HunkAt, Plan, ResourceId, Result, TreePath, UNDO_LOST};

/// Which records there are: by attempt and resource, and for a tree by path.
#[derive(Default)]
pub(super) struct Recorded {
    pub resources: HashSet<(u16, ResourceId)>,
    pub paths: HashSet<(u16, ResourceId, TreePath)>,
}

/// More names than a person reads are counted instead.
const MOST_NAMED: usize = 20;

/// Takes out of `former` what cannot be undone because records of these attempts are lost, and what hangs on that; the
/// rest can be undone. Answers what stays, in words. What the plans of the attempts touched tells what there must be.
pub(super) fn take_out(
    former: &mut Former,
    recorded: &Recorded,
    lost: &[&Attempt],
    journal: &ReadJournal,
) -> Result<Vec<String>> {
    let mut stays = BTreeSet::new();
    for attempt in lost {
        let Some(plan) = journal.plan(&attempt.planned)? else { continue };
        for (at, _) in plan.changes.iter().enumerate() {
            take_out_change(former, recorded, attempt, &plan, at, &mut stays);
        }
    }
    let more = stays.len().saturating_sub(MOST_NAMED);
    let mut lines: Vec<String> =
        stays.into_iter().take(MOST_NAMED).map(|what| format!("{what}: {UNDO_LOST}")).collect();
    if more > 0 {
        lines.push(format!("and {more} more: {UNDO_LOST}"));
    }
    Ok(lines)
}

fn take_out_change(
    former: &mut Former,
    recorded: &Recorded,
    attempt: &Attempt,
    plan: &Plan,
    at: usize,
    stays: &mut BTreeSet<String>,
) {
    let Some(change) = plan.changes.get(at) else { return };
    let id = &change.id;
    let taken = change.hunks.iter().enumerate().filter(|(hunk, _)| attempt.selection.takes(at, *hunk));
    let mut paths: Vec<&TreePath> = Vec::new();
    let mut is_document = change.hunks.is_empty();
    for (_, hunk) in taken {
        match &hunk.at {
            HunkAt::Node { path, .. } => paths.push(path),
            HunkAt::Field { .. } => is_document = true,
        }
    }
    if is_document {
        if !recorded.resources.contains(&(attempt.attempt, id.clone())) {
            former.documents.remove(id);
            stays.insert(id.to_string());
        }
        return;
    }
    let has = |path: &TreePath| recorded.paths.contains(&(attempt.attempt, id.clone(), path.clone()));
    // A tree that came or went as a whole has one record for all of it.
    if has(&TreePath::root()) && former.is_whole(id) {
        return;
    }
    let lost: Vec<&TreePath> = paths.into_iter().filter(|path| !has(path)).collect();
    if lost.is_empty() {
        return;
    }
    stays.extend(lost.iter().map(|path| format!("{id}: {path}")));
    let Some(records) = former.trees.get_mut(id) else { return };
    let around: HashSet<TreePath> = lost.iter().flat_map(|path| above(path)).collect();
    let lost: HashSet<&TreePath> = lost.into_iter().collect();
    records.retain(|record| {
        let lies_in_lost = lost.contains(&record.path) || above(&record.path).any(|above| lost.contains(&above));
        // A directory that this run made cannot go while something in it stays.
        let is_made = !record.before.as_ref().is_some_and(Entry::is_directory);
        let hangs_on_lost = lies_in_lost || is_made && around.contains(&record.path);
        if hangs_on_lost {
            stays.insert(format!("{id}: {}", record.path));
        }
        !hangs_on_lost
    });
    if records.is_empty() {
        former.trees.remove(id);
    }
}

fn above(path: &TreePath) -> impl Iterator<Item = TreePath> {
    std::iter::successors(path.parent(), TreePath::parent)
}
