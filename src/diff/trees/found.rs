use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap};

use super::{TreeDiff, Undecided, made};
use crate::model::{Entry, Error, ErrorKind, Hunk, HunkAt, Lost, Op, ResourceId, TreePath, plural, size};

pub(super) const STRIPPED: &str = "restored without its setuid, setgid or capability rights";

/// More warnings than a person reads are counted instead.
const MOST_WARNINGS: usize = 20;

/// Of all paths of one plan together. Those of a million files have about 60 MB; a directory that somebody made ten
/// thousand levels deep has as much.
pub(super) const MOST_PATH_BYTES: usize = 128 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Found {
    pub(super) hunks: Vec<Hunk>,
    /// Positions of hunks that make a directory, innermost last: what lies below needs them.
    pub(super) making: Vec<(TreePath, u32)>,
    /// The same for directories that go: they need what lies below to go first.
    pub(super) unmaking: Vec<(TreePath, u32)>,
    pub(super) path_bytes: usize,
    pub(super) undecided: Vec<Undecided>,
    pub(super) stripped: Vec<TreePath>,
    pub(super) unrestorable: Vec<TreePath>,
    pub(super) refused: Vec<TreePath>,
    pub(super) reserved: Vec<TreePath>,
    pub(super) mounted: Vec<TreePath>,
    /// Ignored directories that are live where the backup has something else.
    pub(super) blocked: Vec<TreePath>,
    /// Of the live side alone, where nothing else would say so.
    pub(super) spared: Vec<TreePath>,
    /// Hunks that take a directory away in which something lies that stays.
    stay: HashMap<u32, Inside>,
    /// How many nodes keep facts that the backup does not record.
    pub(super) keep_attributes: u64,
    pub(super) keep_acls: u64,
    /// The last directory that the live side cannot have.
    refused_directory: Option<TreePath>,
    /// Facts that the live side cannot hold, the first of them in words.
    lost: Vec<String>,
    more_lost: u64,
    /// The same of many nodes alike.
    common: BTreeMap<String, u64>,
}

/// What keeps the directories around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    Ignored,
    /// Something that came after the write that is undone.
    Later,
    Mount,
}

impl Inside {
    const ALL: [Self; 3] = [Self::Ignored, Self::Later, Self::Mount];

    fn words(self) -> &'static str {
        match self {
            Self::Ignored => "holds ignored files",
            Self::Later => "holds files that came later",
            Self::Mount => "leads to another file system",
        }
    }
}

/// A directory that cannot go, and why.
type Staying = (TreePath, Inside);

impl Found {
    /// Directories that a walk has left are no longer around it.
    pub(super) fn leave(&mut self, path: &TreePath) {
        for stack in [&mut self.making, &mut self.unmaking] {
            while stack.last().is_some_and(|(directory, _)| !path.lies_in(directory)) {
                stack.pop();
            }
        }
    }

    pub(super) fn too_large(&self, id: &ResourceId) -> Error {
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

    /// Something that stays lies at `path`: the directories around it cannot go.
    pub(super) fn skip(&mut self, path: &TreePath, what: Inside) {
        self.leave(path);
        // Where one is marked, those around it are.
        for (_, position) in self.unmaking.iter().rev() {
            let Slot::Vacant(unmarked) = self.stay.entry(*position) else { break };
            unmarked.insert(what);
        }
    }

    pub(super) fn lose(&mut self, path: &TreePath, lost: Vec<Lost>) {
        for lost in lost {
            match lost {
                Lost::Common(words) => *self.common.entry(words).or_default() += 1,
                Lost::Said(words) if self.lost.len() < MOST_WARNINGS => self.lost.push(format!("{path}: {words}")),
                Lost::Said(_) => self.more_lost += 1,
            }
        }
    }

    /// What the live side cannot have at all. With a directory goes all that lies in it.
    pub(super) fn cannot_be(&mut self, desired: &Entry, why: String) {
        self.lose(&desired.path, vec![Lost::Said(why)]);
        if desired.is_directory() {
            self.refused_directory = Some(desired.path.clone());
        }
    }

    pub(super) fn is_below_refused(&self, path: &TreePath) -> bool {
        self.refused_directory.as_ref().is_some_and(|refused| path.lies_in(refused))
    }

    /// Takes back what would remove a directory that cannot go. Answers such directories that nothing takes the place
    /// of, and those in whose place the backup has something else: they stay whole.
    fn withdraw(&mut self) -> (Vec<Staying>, Vec<Staying>) {
        let (mut held, mut in_place): (Vec<Staying>, Vec<Staying>) = (Vec::new(), Vec::new());
        if self.stay.is_empty() {
            return (held, in_place);
        }
        let hunks = std::mem::take(&mut self.hunks);
        let mut moved: Vec<Option<u32>> = Vec::with_capacity(hunks.len());
        for (position, hunk) in (0_u32..).zip(hunks) {
            let HunkAt::Node { path, .. } = &hunk.at else { continue };
            let within = in_place.last().is_some_and(|(around, _)| path.lies_in(around));
            let inside = self.stay.get(&position);
            if let Some(inside) = inside.filter(|_| !within) {
                let stays = (path.clone(), *inside);
                if hunk.op == Op::Delete { held.push(stays) } else { in_place.push(stays) }
            }
            if inside.is_some() || within {
                moved.push(None);
                continue;
            }
            moved.push(u32::try_from(self.hunks.len()).ok());
            self.hunks.push(hunk);
        }
        for hunk in &mut self.hunks {
            let needs = hunk.needs.iter().filter_map(|need| *moved.get(*need as usize)?);
            hunk.needs = needs.collect();
        }
        (held, in_place)
    }

    pub(super) fn finish(mut self, id: &ResourceId, there: bool, wanted: bool) -> TreeDiff {
        let (held, in_place) = self.withdraw();
        let root_stays = held.iter().any(|(path, _)| path.is_root());
        let op = match (there, wanted) {
            (false, true) => Op::Create,
            (true, false) if !root_stays => Op::Delete,
            _ => Op::Update,
        };
        let mut warnings = Vec::new();
        let mut say = |paths: &[TreePath], what: &str| warn(&mut warnings, paths, what);
        say(&self.stripped, STRIPPED);
        say(&self.refused, "not restored: it would run with another's rights");
        say(&self.unrestorable, "not restored: a device, socket or pipe");
        say(&self.reserved, "not restored: rekindle keeps its runs and keys there");
        say(
            &self.mounted,
            "not restored: another file system is mounted there, or a subvolume begins; give it a component and a step of its own",
        );
        say(&self.blocked, "not restored: a directory that is ignored stands in its place");
        let mut stays = Vec::new();
        for inside in Inside::ALL {
            let of = |staying: &[Staying]| -> Vec<TreePath> {
                staying.iter().filter(|(_, why)| *why == inside).map(|(path, _)| path.clone()).collect()
            };
            let words = inside.words();
            let in_place = of(&in_place);
            warn(
                &mut stays,
                &in_place,
                &format!("not restored: a directory that {words} stands in its place, and stays"),
            );
            warn(&mut stays, &of(&held), &format!("it stays: it {words}"));
        }
        warn(&mut stays, &self.spared, "it stays: another file system is mounted there, or a subvolume begins");
        warnings.extend(stays.iter().cloned());
        warnings.append(&mut self.lost);
        if self.more_lost > 0 {
            warnings
                .push(format!("and {} more: facts that cannot be held where they are to be restored", self.more_lost));
        }
        for (count, what) in [(self.keep_attributes, "extended attributes"), (self.keep_acls, "access lists (ACLs)")] {
            if count > 0 {
                let paths = plural(count, "path");
                warnings.push(format!("the backup does not record {what}: the live ones stay, at {paths}"));
            }
        }
        warnings.extend(self.common.iter().map(|(words, count)| format!("{}: {words}", plural(*count, "path"))));
        let change = (!self.hunks.is_empty()).then(|| made(id.clone(), op, there, self.hunks, warnings.clone()));
        TreeDiff { change, warnings, stays, undecided: self.undecided }
    }
}

pub(super) fn warn(warnings: &mut Vec<String>, paths: &[TreePath], what: &str) {
    warn_each(warnings, paths.iter().map(|path| format!("{path}: {what}")), what);
}

/// `what`: what the lines have in common, for those that are only counted.
pub(super) fn warn_each(warnings: &mut Vec<String>, lines: impl ExactSizeIterator<Item = String>, what: &str) {
    let more = lines.len().saturating_sub(MOST_WARNINGS);
    warnings.extend(lines.take(MOST_WARNINGS));
    if more > 0 {
        warnings.push(format!("and {more} more: {what}"));
    }
}
