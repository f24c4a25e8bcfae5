use std::collections::VecDeque;

use crate::model::{
    Change, ComparePrecision, Digest, DigestBuilder, Entry, Fidelity, Hunk, HunkAt, Mode, NodeKind, Op, Privileges,
    ResourceId, Result, TreePath,
};

mod content;
mod found;
mod links;
mod rules;
mod shared;
mod side;
mod stamps;
mod unreadable;

use found::{Found, Inside, MOST_PATH_BYTES};
use links::Links;
use side::Side;

pub use content::with_content;
pub use rules::TreeRules;
pub use shared::replace_shared;
pub use stamps::{is_as_planned, stamp};
pub use unreadable::name_unreadable;

/// What one side of a comparison yields: entries in the order of [`TreePath`].
pub type Entries<'a> = Box<dyn Iterator<Item = Result<Entry>> + Send + 'a>;

/// What a walk of both trees found.
#[derive(Debug)]
pub struct TreeDiff {
    /// None where the trees are equal, as far as metadata tells.
    pub change: Option<Change>,
    /// What is stripped, refused or never restored, also where nothing else differs.
    pub warnings: Vec<String>,
    /// Those of the warnings that say what stays though it should go.
    pub stays: Vec<String>,
    /// With [`ComparePrecision::Content`]: files whose size and metadata are equal or whose time alone
    /// differs, so that only their bytes can tell.
    pub undecided: Vec<Undecided>,
}

#[derive(Debug)]
pub struct Undecided {
    pub live: Entry,
    pub desired: Entry,
}

/// Merge-joins two sorted walks. `None` for a side that is not there at all. Memory is that of the
/// differences, not of the trees.
pub fn compare(
    id: &ResourceId,
    live: Option<Entries>,
    desired: Option<Entries>,
    rules: &TreeRules<'_>,
) -> Result<TreeDiff> {
    let (there, wanted) = (live.is_some(), desired.is_some());
    let mut walk = Walk::new(rules);
    let mut live = Side::new(live, rules);
    let mut desired = Side::new(desired, rules);
    loop {
        let order = match (live.peek(&mut |entry| walk.skips(entry))?, desired.peek(&mut |_| ())?) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(one), Some(other)) => one.cmp(other),
        };
        let on_live = if order.is_le() { live.next()? } else { None };
        let on_desired = if order.is_ge() { desired.next()? } else { None };
        match (on_live, on_desired) {
            (Some(live), Some(desired)) => walk.both(live, desired),
            (Some(live), None) => walk.only_live(live),
            (None, Some(desired)) => walk.only_desired(desired),
            (None, None) => break,
        }
        if walk.found.path_bytes > MOST_PATH_BYTES {
            return Err(walk.found.too_large(id));
        }
    }
    (walk.found.reserved, walk.found.mounted) = (desired.met_reserved, desired.met_mounted);
    if rules.mode == Mode::Exact {
        let is_wanted = |path: &TreePath| walk.found.mounted.contains(path);
        walk.found.spared = live.met_mounted.into_iter().filter(|path| !is_wanted(path)).collect();
    }
    Ok(walk.found.finish(id, there, wanted))
}

struct Walk<'a> {
    rules: &'a TreeRules<'a>,
    found: Found,
    live_links: Links,
    desired_links: Links,
    /// Of the directories around the walk, by how deep they lie: user and group.
    owners: Vec<(u32, u32)>,
    /// Ignored live directories that the other side's walk has not passed.
    ignored: VecDeque<TreePath>,
}

impl<'a> Walk<'a> {
    fn new(rules: &'a TreeRules<'a>) -> Self {
        let (live_links, desired_links) = (Links::default(), Links::default());
        Self { rules, found: Found::default(), live_links, desired_links, owners: Vec::new(), ignored: VecDeque::new() }
    }

    /// A live entry that is ignored.
    fn skips(&mut self, entry: &Entry) {
        let what = if self.rules.is_mounted(entry) { Inside::Mount } else { Inside::Ignored };
        self.found.skip(&entry.path, what);
        if entry.is_directory() {
            self.ignored.push_back(entry.path.clone());
        }
    }

    /// A pattern may name directories alone: then what the backup has at the path is not ignored.
    fn is_blocked(&mut self, path: &TreePath) -> bool {
        self.pass(path);
        self.ignored.front() == Some(path)
    }

    fn pass(&mut self, path: &TreePath) {
        while self.ignored.front().is_some_and(|ignored| ignored < path) {
            self.ignored.pop_front();
        }
    }

    fn both(&mut self, live: Entry, desired: Entry) {
        self.pass(&live.path);
        let told = self.found.stripped.len();
        let hunks = self.found.hunks.len();
        // What has the same rights already and is not written keeps them.
        let keeps = Privileges::are_in(&live);
        self.compare_both(live, desired);
        if keeps && self.found.hunks.len() == hunks {
            self.found.stripped.truncate(told);
        }
    }

    fn compare_both(&mut self, live: Entry, mut desired: Entry) {
        if matches!(desired.kind, NodeKind::Special { .. }) && live.kind == desired.kind && !self.rules.specials {
            return;
        }
        let kept = self.rules.recorded(&desired.path).complete(&mut desired, &live);
        self.found.keep_attributes += u64::from(kept.attributes);
        self.found.keep_acls += u64::from(kept.acls);
        let Some(desired) = self.admissible(desired) else { return };
        let live_first = self.live_links.first(&live);
        let desired_first = self.desired_links.first(&desired);
        let desired = self.as_held(desired, Some(&live));
        if std::mem::discriminant(&live.kind) != std::mem::discriminant(&desired.kind) {
            self.replace(live, desired);
            return;
        }
        let relinked = live_first != desired_first;
        let same_metadata = self.same_metadata(&live, &desired);
        let (same_content, undecided) = match (&live.kind, &desired.kind) {
            (NodeKind::File { size: one, .. }, NodeKind::File { size: other, .. }) => {
                let by_time = one == other && live.meta.times == desired.meta.times;
                (by_time, self.rules.precision == ComparePrecision::Content && one == other)
            }
            (NodeKind::Symlink { target: one }, NodeKind::Symlink { target: other }) => (one == other, false),
            _ => (true, false),
        };
        if relinked {
            self.push(Op::Update, Some(live), Some(desired), true);
        } else if undecided {
            self.found.undecided.push(Undecided { live, desired });
        } else if !same_content || !same_metadata {
            // Whoever owned the file may have chosen its bytes: they get no rights on the word of size and time.
            let lends = Privileges::are_in(&desired);
            self.push(Op::Update, Some(live), Some(desired), !same_content || lends);
        }
    }

    fn only_desired(&mut self, mut desired: Entry) {
        if self.is_blocked(&desired.path) {
            self.found.blocked.push(desired.path);
            return;
        }
        if !self.rules.recorded(&desired.path).ownership
            && let Some(above) = desired.path.parent()
            && let Some(owner) = self.owners.get(above.parts().count())
        {
            (desired.meta.uid, desired.meta.gid) = *owner;
        }
        let Some(desired) = self.admissible(desired) else { return };
        self.desired_links.first(&desired);
        let desired = self.as_held(desired, None);
        self.push(Op::Create, None, Some(desired), true);
    }

    fn only_live(&mut self, live: Entry) {
        self.pass(&live.path);
        if self.rules.came_later(&live.path) {
            self.found.skip(&live.path, Inside::Later);
            return;
        }
        self.live_links.first(&live);
        if self.rules.leads_to_reserved(&live.path) {
            return;
        }
        self.found.leave(&live.path);
        let within_replaced = !self.found.unmaking.is_empty();
        if self.rules.mode == Mode::Exact || within_replaced {
            self.push(Op::Delete, Some(live), None, true);
        }
    }

    /// Another kind of node takes the place: what lies below a directory must go, in any mode.
    fn replace(&mut self, live: Entry, desired: Entry) {
        self.push(Op::Update, Some(live), Some(desired), true);
    }

    /// The desired entry as it may be written; None for what is never written.
    fn admissible(&mut self, mut desired: Entry) -> Option<Entry> {
        if self.found.is_below_refused(&desired.path) {
            return None;
        }
        if let Some(why) = self.rules.refused(&desired) {
            self.found.cannot_be(&desired, why);
            return None;
        }
        if matches!(desired.kind, NodeKind::Special { .. }) && !self.rules.specials {
            self.found.unrestorable.push(desired.path);
            return None;
        }
        let privileged = Privileges::are_in(&desired);
        if privileged {
            match self.rules.privileges {
                Privileges::Keep => {}
                Privileges::Refuse => {
                    self.found.refused.push(desired.path);
                    return None;
                }
                Privileges::Strip => {
                    desired.meta = Privileges::stripped(&desired);
                    self.found.stripped.push(desired.path.clone());
                }
            }
        }
        Some(desired)
    }

    /// The desired entry as the live side can hold it. Names of one file have what its first name has.
    fn as_held(&mut self, desired: Entry, live: Option<&Entry>) -> Entry {
        let desired = match self.desired_links.metadata(&desired) {
            Some(meta) => Entry { meta: meta.clone(), ..desired },
            None => match self.rules.held(&desired, live) {
                Some(held) => {
                    self.found.lose(&desired.path, held.lost);
                    Entry { meta: held.meta, ..desired }
                }
                None => desired,
            },
        };
        self.desired_links.keep_metadata(&desired);
        if desired.is_directory() {
            self.owners.truncate(desired.path.parts().count());
            self.owners.push((desired.meta.uid, desired.meta.gid));
        }
        desired
    }

    fn same_metadata(&self, live: &Entry, desired: &Entry) -> bool {
        let strip = self.rules.privileges == Privileges::Strip && Privileges::are_in(live);
        let stripped = if strip { Some(Privileges::stripped(live)) } else { None };
        let live_meta = stripped.as_ref().unwrap_or(&live.meta);
        // A directory's time moves with every file in it, and a link's mode means nothing.
        let timed = !matches!(live.kind, NodeKind::Directory);
        let moded = !matches!(live.kind, NodeKind::Symlink { .. });
        (!moded || live_meta.mode == desired.meta.mode)
            && live_meta.uid == desired.meta.uid
            && live_meta.gid == desired.meta.gid
            && (!timed || live_meta.times == desired.meta.times)
            && live_meta.xattrs == desired.meta.xattrs
    }

    fn push(&mut self, op: Op, before: Option<Entry>, after: Option<Entry>, content: bool) {
        let Some(path) = after.as_ref().or(before.as_ref()).map(|entry| entry.path.clone()) else { return };
        // Both sides share one path.
        let before = before.map(|before| Entry { path: path.clone(), ..before });
        self.found.path_bytes += path.as_bytes().len();
        let Ok(position) = u32::try_from(self.found.hunks.len()) else { return };
        let makes =
            after.as_ref().is_some_and(Entry::is_directory) && !before.as_ref().is_some_and(Entry::is_directory);
        let unmakes =
            before.as_ref().is_some_and(Entry::is_directory) && !after.as_ref().is_some_and(Entry::is_directory);
        let mut needs = Vec::new();
        self.found.leave(&path);
        if after.is_some()
            && let Some((_, making)) = self.found.making.last()
        {
            needs.push(*making);
        }
        if after.is_none()
            && let Some((_, unmaking)) = self.found.unmaking.last()
            && let Some(parent) = self.found.hunks.get_mut(*unmaking as usize)
        {
            parent.needs.push(position);
        }
        if makes {
            self.found.making.push((path.clone(), position));
        }
        if unmakes {
            self.found.unmaking.push((path.clone(), position));
        }
        self.found.hunks.push(Hunk {
            op,
            at: HunkAt::Node { path, before: before.map(Box::new), after: after.map(Box::new), content },
            fidelity: Fidelity::Exact,
            needs,
            said: None,
        });
    }
}

/// Builds a tree's change; fingerprints are of the touched entries, so that other files of a living
/// home may move meanwhile.
pub fn made(id: ResourceId, op: Op, there: bool, hunks: Vec<Hunk>, warnings: Vec<String>) -> Change {
    let (before, after) = fingerprints(&hunks);
    let before = if there { before } else { Digest::of_absence() };
    Change { id, op, before, after, hunks, warnings, unreadable: Vec::new(), file: None, is_foretold: false }
}

fn fingerprints(hunks: &[Hunk]) -> (Digest, Digest) {
    let (mut before, mut after) = (DigestBuilder::new("tree"), DigestBuilder::new("tree"));
    for hunk in hunks {
        let HunkAt::Node { before: was, after: is, .. } = &hunk.at else { continue };
        for (builder, entry) in [(&mut before, was), (&mut after, is)] {
            if let Some(entry) = entry {
                builder.digest(&entry.fingerprint());
            }
        }
    }
    (before.finish(), after.finish())
}

#[cfg(test)]
mod tests;
