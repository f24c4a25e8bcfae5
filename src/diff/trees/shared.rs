use std::collections::HashMap;

use super::found::warn;
use crate::model::{Change, Entry, HunkAt, NodeKind, Tree};

/// A file that has more names than a change gives other metadata is written anew: changed in place, it would change
/// under its other names too. The plan says so, and names each file that has a name outside the tree. `live` was walked
/// to its end.
pub fn replace_shared(change: &mut Change, live: &dyn Tree) {
    let mut changed: HashMap<u64, u32> = HashMap::new();
    for link in change.hunks.iter().filter_map(|hunk| changed_in_place(&hunk.at)) {
        *changed.entry(link).or_default() += 1;
    }
    let (mut outside, mut inside) = (Vec::new(), Vec::new());
    for hunk in &mut change.hunks {
        let in_place = changed_in_place(&hunk.at);
        let HunkAt::Node { path, before: Some(before), after: Some(_), content } = &mut hunk.at else { continue };
        let Some((link, names)) = link(before).and_then(|link| Some((link, live.names(link)?))) else { continue };
        let is_whole = changed.get(&link).is_some_and(|changed| *changed >= names.all);
        if names.here < names.all {
            *content = true;
            outside.push(path.clone());
        } else if in_place.is_some() && !is_whole {
            *content = true;
            inside.push(path.clone());
        }
    }
    let words =
        "a hard link to a file outside this tree: it is replaced by a file of its own, and that one stays as it is";
    warn(&mut change.warnings, &outside, words);
    let words = "a hard link to files that this plan leaves alone: it is replaced by a file of its own";
    warn(&mut change.warnings, &inside, words);
}

/// The link number of a file of which only metadata is to change.
fn changed_in_place(at: &HunkAt) -> Option<u64> {
    let HunkAt::Node { before: Some(before), after: Some(after), content: false, .. } = at else { return None };
    link(before).filter(|_| matches!(after.kind, NodeKind::File { .. }))
}

fn link(entry: &Entry) -> Option<u64> {
    match entry.kind {
        NodeKind::File { link, .. } => link,
        _ => None,
    }
}
