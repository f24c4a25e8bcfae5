use rustic_core::TreeId;

use super::Snapshot;
use super::opened::Opened;
use crate::model::TreePath;

const MOST: usize = 5;

/// Never fails: where the snapshot cannot be read there is nothing to suggest.
pub(super) fn suggest(opened: &Opened, root: &TreeId, snapshot: &Snapshot, path: &TreePath) -> Vec<TreePath> {
    let mut near: Vec<TreePath> = Vec::new();
    let exists = |path: &TreePath| path.is_root() || opened.find(root, path).is_ok_and(|node| node.is_some());
    // `home/ana` in a snapshot of /srv/home is srv/home/ana.
    for base in snapshot.paths.iter().filter_map(|base| TreePath::new(base).ok()) {
        let parts: Vec<&[u8]> = path.parts().collect();
        let meant = (0..parts.len())
            .filter_map(|from| parts.get(from..).and_then(|rest| TreePath::new(rest.join(&b'/')).ok()))
            .map(|rest| base.append(&rest))
            .find(&exists);
        near.extend(meant.filter(|meant| meant != path));
    }
    // The deepest part that is there, and the names in it that look alike.
    let mut above = path.parent();
    while let Some(parent) = above.take_if(|parent| !exists(parent)) {
        above = parent.parent();
    }
    if let Some(parent) = above {
        near.extend(alike(opened, root, &parent, path));
    }
    if near.is_empty() {
        near.extend(snapshot.paths.iter().filter_map(|base| TreePath::new(base).ok()).filter(|base| exists(base)));
    }
    let mut seen = std::collections::BTreeSet::new();
    near.retain(|path| seen.insert(path.clone()));
    near.truncate(MOST);
    near
}

fn alike(opened: &Opened, root: &TreeId, parent: &TreePath, path: &TreePath) -> Vec<TreePath> {
    let directory = if parent.is_root() {
        Some(*root)
    } else {
        opened.find(root, parent).ok().flatten().and_then(|node| node.subtree)
    };
    let wanted = path.relative_to(parent).and_then(|rest| rest.parts().next().map(<[u8]>::to_vec)).unwrap_or_default();
    let Some(Ok(listing)) = directory.map(|id| opened.listing(&id)) else { return Vec::new() };
    let wanted = String::from_utf8_lossy(&wanted).to_lowercase();
    let mut scored: Vec<(f64, TreePath)> = listing
        .nodes
        .iter()
        .map(|node| (strsim::jaro_winkler(&wanted, &String::from_utf8_lossy(&node.name).to_lowercase()), node))
        .filter(|(score, _)| *score > 0.8)
        .filter_map(|(score, node)| Some((score, parent.join(&node.name).ok()?)))
        .collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    scored.into_iter().map(|(_, path)| path).collect()
}
