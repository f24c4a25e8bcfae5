use std::collections::BTreeSet;

use super::Store;
use crate::model::TreePath;

const MOST: usize = 5;
/// How alike two names must be, from 0 to 1.
const ALIKE: f64 = 0.8;

/// Paths that are there and that someone may have meant by one that is not. `bases` are the paths that the
/// store was made of. Never fails: where the store cannot be read there is nothing to suggest.
pub(super) fn suggest<S: Store + ?Sized>(store: &S, bases: &[TreePath], path: &TreePath) -> Vec<TreePath> {
    let exists = |path: &TreePath| store.entry(path).is_ok_and(|entry| entry.is_some());
    let mut near: Vec<TreePath> = Vec::new();
    // `home/ana` in a snapshot of /srv/home is srv/home/ana.
    let parts: Vec<&[u8]> = path.parts().collect();
    for base in bases {
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
    let siblings: Vec<TreePath> = above
        .as_ref()
        .and_then(|parent| store.children(parent).ok().flatten())
        .unwrap_or_default()
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    let wanted = above
        .and_then(|parent| path.relative_to(&parent))
        .and_then(|rest| rest.parts().next().map(plain))
        .unwrap_or_default();
    let mut scored: Vec<(f64, &TreePath)> = siblings
        .iter()
        .map(|sibling| (strsim::jaro_winkler(&wanted, &plain(sibling.name().unwrap_or_default())), sibling))
        .filter(|(score, _)| *score > ALIKE)
        .collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    near.extend(scored.into_iter().map(|(_, sibling)| sibling.clone()));
    if near.is_empty() {
        near.extend(bases.iter().filter(|base| exists(base)).cloned());
    }
    if near.is_empty() {
        near = siblings;
    }
    let mut seen = BTreeSet::new();
    near.retain(|path| seen.insert(path.clone()));
    near.truncate(MOST);
    near
}

fn plain(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_lowercase()
}
