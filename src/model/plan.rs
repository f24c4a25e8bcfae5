use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Change, Digest, DigestBuilder, Document, Fidelity, Hunk, HunkAt, Mode, Op, PlannedCommand, Resource, Selection,
    TargetIdentity,
    event::{Counts, Pass},
};

/// Said of what an undo leaves as it is because its undo record is lost.
pub const UNDO_LOST: &str = "its undo record is lost, so it stays as it is";
/// The same of what a component kept for it.
pub const KEPT_LOST: &str = "so it is not undone, and stays as it is";

/// How honest a plan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preview {
    /// What is shown is what will be written, all of it.
    #[default]
    Exact,
    /// Some effects are not shown; the plan's warnings say which.
    Partial,
    /// Nothing is known beforehand (a command). Never drawn as "no change".
    Opaque,
}

/// What is known of a plan without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanFacts {
    /// Equal for plans that are equal once the owner's name is taken out.
    pub cohort: Digest,
    pub preview: Preview,
}

/// The ordered changes of one task, with what they were computed from. Immutable once made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `step/owner`, or `step`.
    pub task: String,
    pub pass: Pass,
    pub runbook: Digest,
    pub target: TargetIdentity,
    pub source: TargetIdentity,
    pub mode: Mode,
    pub preview: Preview,
    /// Shared with what is handed to a component.
    pub changes: Vec<Arc<Change>>,
    /// For opaque plans: the exact command, shown in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<PlannedCommand>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A plan with the bodies it was computed from, position by position. Lives in memory only.
#[derive(Clone, Debug)]
pub struct Proposal {
    pub plan: Arc<Plan>,
    pub live: Vec<Option<Resource>>,
    pub desired: Vec<Option<Resource>>,
    /// By the position of its change, the document that the system says it would store, where it foretold that.
    pub would_be: BTreeMap<usize, Document>,
    /// Of an undo, in words: what it does not bring back. The plan's warnings hold it too.
    pub stays: Vec<String>,
}

impl Proposal {
    /// Of a plan whose bodies are not at hand, or that has none.
    pub fn bodiless(plan: Plan) -> Self {
        Self {
            plan: Arc::new(plan),
            live: Vec::new(),
            desired: Vec::new(),
            would_be: BTreeMap::new(),
            stays: Vec::new(),
        }
    }
}

/// A plan may hold thousands; these are on record for every task.
const MOST_WARNED: usize = 30;

fn shortened(line: &str) -> String {
    const MOST: usize = 300;
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.command.is_none()
    }

    /// Whether an approval with these hunks writes anything.
    pub fn has_something(&self, selection: &Selection) -> bool {
        let Counts { create, update, delete, .. } = self.counts(selection);
        self.preview == Preview::Opaque || create + update + delete > 0
    }

    /// Whether, whole, it cannot be undone or does not show all that it does.
    pub fn loses_something(&self) -> bool {
        self.preview == Preview::Opaque || self.irreversible(&Selection::all()).next().is_some()
    }

    /// What it strips, refuses or leaves as it is: lines for whoever approves without looking at it. A command says
    /// all of it by being one.
    pub fn warned(&self) -> Vec<String> {
        if self.command.is_some() {
            return Vec::new();
        }
        let of_changes = self.changes.iter().flat_map(|change| {
            let of = if self.changes.len() > 1 { format!("{}: ", change.id) } else { String::new() };
            change.warnings.iter().map(move |warning| format!("{of}{warning}"))
        });
        let mut lines = self.warnings.iter().cloned().chain(of_changes);
        let mut said: Vec<String> = lines.by_ref().take(MOST_WARNED).map(|line| shortened(&line)).collect();
        let more = lines.count();
        if more > 0 {
            said.push(format!("and {more} more"));
        }
        said
    }

    /// Names this plan with these hunks chosen; an approval names it and is void for any other.
    pub fn digest(&self, selection: &Selection) -> Digest {
        let mut builder = DigestBuilder::new("plan");
        builder.part(&self.task).number(self.pass as u64).digest(&self.runbook);
        for identity in [&self.target, &self.source] {
            builder.part(&identity.system).part(&identity.address).part(identity.id.as_str());
        }
        builder.number(self.mode as u64).number(self.preview as u64).number(self.changes.len() as u64);
        for change in &self.changes {
            hash_change(&mut builder, change);
        }
        if let Some(command) = &self.command {
            hash_command(&mut builder, command);
        }
        builder.number(self.warnings.len() as u64);
        for warning in &self.warnings {
            builder.part(warning);
        }
        for (change, hunk) in selection.left_out() {
            builder.number(u64::from(change)).number(u64::from(hunk));
        }
        builder.finish()
    }

    /// Of the hunks that `selection` takes.
    pub fn counts(&self, selection: &Selection) -> Counts {
        let mut counts = Counts::default();
        for (at, change) in self.changes.iter().enumerate() {
            let taken = (0..change.hunks.len()).filter(|hunk| selection.takes(at, *hunk)).count();
            if taken == 0 && !change.hunks.is_empty() {
                continue;
            }
            match change.op {
                Op::Create => counts.create += 1,
                Op::Update => counts.update += 1,
                Op::Delete => counts.delete += 1,
            }
            counts.hunks += u32::try_from(taken).unwrap_or(u32::MAX);
            let deletes = change
                .hunks
                .iter()
                .enumerate()
                .filter(|(position, hunk)| hunk.deletes() && selection.takes(at, *position))
                .count();
            counts.delete_hunks += u32::try_from(deletes).unwrap_or(u32::MAX);
            let unreadable = change.unreadable.iter().filter(|hunk| selection.takes(at, **hunk as usize)).count();
            counts.unreadable += u32::try_from(unreadable).unwrap_or(u32::MAX);
        }
        counts.irreversible = u32::try_from(self.irreversible(selection).count()).unwrap_or(u32::MAX);
        counts
    }

    /// Whether a chosen hunk cannot be undone, and which.
    pub fn irreversible<'a>(&'a self, selection: &'a Selection) -> impl Iterator<Item = String> + 'a {
        self.changes.iter().enumerate().flat_map(move |(at, change)| {
            let cannot = move |(position, hunk): &(usize, &Hunk)| {
                hunk.fidelity == Fidelity::Irreversible && selection.takes(at, *position)
            };
            change.hunks.iter().enumerate().filter(cannot).map(|(_, hunk)| hunk.words())
        })
    }
}

/// A command on record of an earlier version keeps the name it was approved under.
fn hash_command(builder: &mut DigestBuilder, command: &PlannedCommand) {
    for word in &command.argv {
        builder.part(word);
    }
    if let Some(directory) = &command.directory {
        builder.part(directory).number(command.environment.len() as u64);
    }
    for (name, value) in &command.environment {
        builder.part(name).part(serde_json::to_vec(value).unwrap_or_default());
    }
}

fn hash_change(builder: &mut DigestBuilder, change: &Change) {
    builder.part(&*change.id.kind).part(change.id.key.as_bytes()).number(change.op as u64);
    builder.digest(&change.before).digest(&change.after).number(change.hunks.len() as u64);
    builder.number(change.warnings.len() as u64);
    for warning in &change.warnings {
        builder.part(warning);
    }
    if let Some(file) = change.file {
        for number in [file.mode, file.uid, file.gid] {
            builder.number(u64::from(number));
        }
    }
    for hunk in &change.hunks {
        builder.number(hunk.op as u64).number(hunk.fidelity as u64).number(hunk.needs.len() as u64);
        for need in &hunk.needs {
            builder.number(u64::from(*need));
        }
        match &hunk.at {
            HunkAt::Field { path, before, after } => {
                builder.part(path.to_string());
                for side in [before, after] {
                    builder.part(serde_json::to_vec(side).unwrap_or_default());
                }
            }
            HunkAt::Node { path, before, after, content } => {
                builder.part(path.as_bytes()).number(u64::from(*content));
                for side in [before, after] {
                    match side {
                        Some(entry) => builder.digest(&entry.fingerprint()),
                        None => builder.number(0),
                    };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileOwnership, ResourceId, TreePath};

    #[test]
    fn whose_a_new_file_is_belongs_to_what_is_approved() {
        let digest = |mode: u32| {
            let change = Change {
                id: ResourceId { kind: "document".into(), key: TreePath::new("ana").unwrap() },
                op: Op::Create,
                before: Digest::of_absence(),
                after: Digest::of("after"),
                hunks: Vec::new(),
                warnings: Vec::new(),
                unreadable: Vec::new(),
                file: Some(FileOwnership::new(mode, 0, 0)),
                is_foretold: false,
            };
            let mut builder = DigestBuilder::new("plan");
            hash_change(&mut builder, &change);
            builder.finish()
        };
        assert_ne!(digest(0o600), digest(0o666));
    }
}
