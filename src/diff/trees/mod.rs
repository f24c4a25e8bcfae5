use std::collections::HashMap;
use std::iter::Peekable;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::model::{
    Change, ComparePrecision, Digest, DigestBuilder, Entry, Error, ErrorKind, Fidelity, Hunk, HunkAt, KindSchema, Mode,
    NodeKind, Op, Privileges, ResourceId, Result, TreePath, size,
};

mod shared;
mod stamps;

pub use shared::replace_shared;
pub use stamps::{is_as_planned, stamp};

/// What one side of a comparison yields: entries in the order of [`TreePath`].
pub type Entries<'a> = Box<dyn Iterator<Item = Result<Entry>> + Send + 'a>;

/// How two trees are compared.
pub struct TreeRules {
    ignore: Gitignore,
    reserved: Vec<TreePath>,
    privileges: Privileges,
    /// Whether pipes, sockets and devices come back: they do where they were kept.
    specials: bool,
    mode: Mode,
    precision: ComparePrecision,
}

/// What a walk of both trees found.
#[derive(Debug)]
pub struct TreeDiff {
    /// None where the trees are equal, as far as metadata tells.
    pub change: Option<Change>,
    /// What is stripped, refused or never restored, also where nothing else differs.
    pub warnings: Vec<String>,
    /// With [`ComparePrecision::Content`]: files whose size and metadata are equal or whose time alone
    /// differs, so that only their bytes can tell.
    pub undecided: Vec<Undecided>,
}

#[derive(Debug)]
pub struct Undecided {
    pub live: Entry,
    pub desired: Entry,
}

const STRIPPED: &str = "restored without its setuid, setgid or capability rights";

/// More warnings than a person reads are counted instead.
const MOST_WARNINGS: usize = 20;

/// Of all paths of one plan together. Those of a million files have about 60 MB; a directory that somebody made ten
/// thousand levels deep has as much.
const MOST_PATH_BYTES: usize = 128 * 1024 * 1024;

impl TreeRules {
    pub fn new(schema: &KindSchema, mode: Mode, precision: ComparePrecision) -> Result<Self> {
        let mut builder = GitignoreBuilder::new("");
        for pattern in &schema.ignore {
            builder.add_line(None, pattern).map_err(|error| {
                Error::new(ErrorKind::Invalid, format!("use the ignore pattern '{pattern}'"), error.to_string())
            })?;
        }
        let ignore = builder
            .build()
            .map_err(|error| Error::new(ErrorKind::Invalid, "use the ignore patterns", error.to_string()))?;
        Ok(Self { ignore, reserved: Vec::new(), privileges: schema.privileges, specials: false, mode, precision })
    }

    /// For a tree that lies at `key`: what is reserved there is neither compared nor removed, with what leads to it.
    #[must_use]
    pub fn reserving(mut self, schema: &KindSchema, key: &TreePath) -> Self {
        let below = schema.reserved.iter().filter_map(|reserved| reserved.relative_to(key));
        self.reserved = below.filter(|below| !below.is_root()).collect();
        self
    }

    /// For the way back to a former state: all of it was kept, and all of it comes back.
    #[must_use]
    pub fn bringing_back(mut self) -> Self {
        self.privileges = Privileges::Keep;
        self.specials = true;
        self
    }

    fn leads_to_reserved(&self, path: &TreePath) -> bool {
        self.reserved.iter().any(|reserved| reserved.lies_in(path))
    }

    fn ignores(&self, entry: &Entry) -> bool {
        use std::os::unix::ffi::OsStrExt;
        if self.reserved.contains(&entry.path) {
            return true;
        }
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(entry.path.as_bytes()));
        !entry.path.is_root() && !self.ignore.is_empty() && self.ignore.matched(path, entry.is_directory()).is_ignore()
    }
}

/// Merge-joins two sorted walks. `None` for a side that is not there at all. Memory is that of the
/// differences, not of the trees.
pub fn compare(
    id: &ResourceId,
    live: Option<Entries>,
    desired: Option<Entries>,
    rules: &TreeRules,
) -> Result<TreeDiff> {
    let (there, wanted) = (live.is_some(), desired.is_some());
    let mut walk =
        Walk { rules, found: Found::default(), live_links: Links::default(), desired_links: Links::default() };
    let mut live = Side::new(live, rules);
    let mut desired = Side::new(desired, rules);
    loop {
        let order = match (live.peek()?, desired.peek()?) {
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
    walk.found.reserved = desired.met_reserved;
    Ok(walk.finish(id, there, wanted))
}

/// One sorted walk, ignored subtrees left out, its order checked: a store that answered out of order would
/// make files look missing.
struct Side<'a> {
    entries: Option<Peekable<Entries<'a>>>,
    rules: &'a TreeRules,
    skipped: Option<TreePath>,
    last: Option<TreePath>,
    met_reserved: Vec<TreePath>,
}

impl<'a> Side<'a> {
    fn new(entries: Option<Entries<'a>>, rules: &'a TreeRules) -> Self {
        Self { entries: entries.map(Iterator::peekable), rules, skipped: None, last: None, met_reserved: Vec::new() }
    }

    fn peek(&mut self) -> Result<Option<&TreePath>> {
        let Some(entries) = &mut self.entries else { return Ok(None) };
        while let Some(Ok(entry)) = entries.peek() {
            let inside = self.skipped.as_ref().is_some_and(|skipped| entry.path.lies_in(skipped));
            if !inside && !self.rules.ignores(entry) {
                break;
            }
            if self.rules.reserved.contains(&entry.path) {
                self.met_reserved.push(entry.path.clone());
            }
            if !inside && entry.is_directory() {
                self.skipped = Some(entry.path.clone());
            }
            entries.next();
        }
        if matches!(entries.peek(), Some(Err(_))) {
            return entries.next().transpose().map(|_| None);
        }
        Ok(entries.peek().and_then(|entry| entry.as_ref().ok()).map(|entry| &entry.path))
    }

    fn next(&mut self) -> Result<Option<Entry>> {
        let Some(entry) = self.entries.as_mut().and_then(Iterator::next).transpose()? else { return Ok(None) };
        if self.last.as_ref().is_some_and(|last| *last >= entry.path) {
            return Err(Error::new(
                ErrorKind::Bug,
                format!("compare trees at {}", entry.path),
                "a walk is not in order or names a path twice",
            ));
        }
        self.last = Some(entry.path.clone());
        Ok(Some(entry))
    }
}

/// The first path of each group of hard links, so that groups compare across trees.
#[derive(Default)]
struct Links(HashMap<u64, TreePath>);

impl Links {
    /// None for the first of its group and for what is not linked: a group of one is none, for its other
    /// names may lie outside the tree.
    fn first(&mut self, entry: &Entry) -> Option<TreePath> {
        match entry.kind {
            NodeKind::File { link: Some(link), .. } => {
                let first = self.0.entry(link).or_insert_with(|| entry.path.clone());
                (*first != entry.path).then(|| first.clone())
            }
            _ => None,
        }
    }
}

struct Walk<'a> {
    rules: &'a TreeRules,
    found: Found,
    live_links: Links,
    desired_links: Links,
}

#[derive(Default)]
struct Found {
    hunks: Vec<Hunk>,
    /// Positions of hunks that make a directory, innermost last: what lies below needs them.
    making: Vec<(TreePath, u32)>,
    /// The same for directories that go: they need what lies below to go first.
    unmaking: Vec<(TreePath, u32)>,
    path_bytes: usize,
    undecided: Vec<Undecided>,
    stripped: Vec<TreePath>,
    unrestorable: Vec<TreePath>,
    refused: Vec<TreePath>,
    reserved: Vec<TreePath>,
}

impl Found {
    /// Directories that a walk has left are no longer around it.
    fn leave(&mut self, path: &TreePath) {
        for stack in [&mut self.making, &mut self.unmaking] {
            while stack.last().is_some_and(|(directory, _)| !path.lies_in(directory)) {
                stack.pop();
            }
        }
    }

    fn too_large(&self, id: &ResourceId) -> Error {
        let longest = self.hunks.iter().map(Hunk::place).max_by_key(String::len).unwrap_or_default();
        let longest: String = longest.chars().take(100).collect();
        let why = format!(
            "{} paths differ, and together they are longer than {}; the longest begins with {longest}",
            self.hunks.len(),
            size(MOST_PATH_BYTES as u64)
        );
        Error::new(ErrorKind::Refused, format!("plan {id}"), why).next(
            "restore it in several steps, leave a part out by 'ignore', or remove directories that lie very deep by hand",
        )
    }
}

impl Walk<'_> {
    fn both(&mut self, live: Entry, desired: Entry) {
        let told = self.found.stripped.len();
        let hunks = self.found.hunks.len();
        // What has the same rights already and is not written keeps them.
        let keeps = Privileges::are_in(&live);
        self.compare_both(live, desired);
        if keeps && self.found.hunks.len() == hunks {
            self.found.stripped.truncate(told);
        }
    }

    fn compare_both(&mut self, live: Entry, desired: Entry) {
        if matches!(desired.kind, NodeKind::Special { .. }) && live.kind == desired.kind && !self.rules.specials {
            return;
        }
        let Some(desired) = self.admissible(desired) else { return };
        let live_first = self.live_links.first(&live);
        let desired_first = self.desired_links.first(&desired);
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

    fn only_desired(&mut self, desired: Entry) {
        let Some(desired) = self.admissible(desired) else { return };
        self.desired_links.first(&desired);
        self.push(Op::Create, None, Some(desired), true);
    }

    fn only_live(&mut self, live: Entry) {
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

    fn finish(self, id: &ResourceId, there: bool, wanted: bool) -> TreeDiff {
        let Found { hunks, undecided, stripped, unrestorable, refused, reserved, .. } = self.found;
        let op = match (there, wanted) {
            (false, true) => Op::Create,
            (true, false) => Op::Delete,
            _ => Op::Update,
        };
        let mut warnings = Vec::new();
        warn(&mut warnings, &stripped, STRIPPED);
        warn(&mut warnings, &refused, "not restored: it would run with another's rights");
        warn(&mut warnings, &unrestorable, "not restored: a device, socket or pipe");
        warn(&mut warnings, &reserved, "not restored: rekindle keeps its runs and keys there");
        let change = (!hunks.is_empty()).then(|| made(id.clone(), op, there, hunks, warnings.clone()));
        TreeDiff { change, warnings, undecided }
    }
}

/// Builds a tree's change; fingerprints are of the touched entries, so that other files of a living
/// home may move meanwhile.
pub fn made(id: ResourceId, op: Op, there: bool, hunks: Vec<Hunk>, warnings: Vec<String>) -> Change {
    let (before, after) = fingerprints(&hunks);
    let before = if there { before } else { Digest::of_absence() };
    Change { id, op, before, after, hunks, warnings, file: None }
}

/// Hunks that a comparison of bytes found, put in their places among those that metadata told.
pub fn with_content(id: &ResourceId, diff: TreeDiff, differs: &[bool], rules: &TreeRules) -> Option<Change> {
    let mut walk =
        Walk { rules, found: Found::default(), live_links: Links::default(), desired_links: Links::default() };
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

fn warn(warnings: &mut Vec<String>, paths: &[TreePath], what: &str) {
    warnings.extend(paths.iter().take(MOST_WARNINGS).map(|path| format!("{path}: {what}")));
    if let Some(more) = paths.len().checked_sub(MOST_WARNINGS).filter(|more| *more > 0) {
        warnings.push(format!("and {more} more: {what}"));
    }
}

#[cfg(test)]
mod tests;
