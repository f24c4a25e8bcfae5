use std::sync::{Arc, Mutex, PoisonError};

use crate::diff::documents::lines_in;
use crate::diff::files::{self, Bounds, Sight, TextDiff};
use crate::engine::{Mask, Script, Work, outputs};
use crate::model::{Entry, HunkAt, NodeKind, Proposal, Run, Schema, TaskId, plural, size};
use crate::registry::Systems;
use crate::tui::SchemaOf;

/// How many lines are shown of what hunks change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Much {
    pub context: u64,
    /// Of a file or a value that changes.
    changed: usize,
    /// Of a file that comes or goes as a whole.
    whole: usize,
    /// Bytes read of a file's both sides.
    bytes: u64,
    lines_in_all: usize,
    bytes_in_all: u64,
}

impl Much {
    /// What a person reads of a plan.
    pub const USUAL: Self = Self {
        context: 3,
        changed: 200,
        whole: 10,
        bytes: 32 * 1024 * 1024,
        lines_in_all: 20_000,
        bytes_in_all: 1024 * 1024 * 1024,
    };
    /// Every line, as far as one file's diff can be held.
    pub const ALL: Self = Self {
        context: 3,
        changed: 200_000,
        whole: 200_000,
        bytes: u64::MAX,
        lines_in_all: usize::MAX,
        bytes_in_all: u64::MAX,
    };

    pub fn with_context(self, lines: Option<u64>) -> Self {
        Self { context: lines.unwrap_or(self.context), ..self }
    }
}

/// Looks into what hunks change, within bounds that hold for all of them together. Known secrets are covered, and files
/// that hold secrets are not shown unless that is asked for.
pub struct Contents {
    script: Arc<dyn Script>,
    mask: Mask,
    much: Much,
    secret_files: bool,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    lines: usize,
    bytes: u64,
    is_told: bool,
}

impl Contents {
    pub fn of(systems: &Arc<Systems>, much: Much, secret_files: bool) -> Self {
        let mask = Mask::of(&systems.inputs().known_secrets());
        Self { script: systems.clone(), mask, much, secret_files, used: Mutex::default() }
    }

    /// The same with other bounds, of which nothing is used up.
    pub fn with(&self, much: Much) -> Self {
        let (script, mask) = (self.script.clone(), self.mask.clone());
        Self { script, mask, much, secret_files: self.secret_files, used: Mutex::default() }
    }

    /// The schema of what a task restores; where it restores nothing, none.
    pub fn schema(&self, run: &Run, task: TaskId) -> Option<Schema> {
        schema_of(&self.script, run, task)
    }

    /// The same for a screen.
    pub fn schemas(&self) -> SchemaOf {
        let script = self.script.clone();
        SchemaOf::new(move |run, task| schema_of(&script, run, task))
    }

    /// The lines of one hunk; `None` where its own words say all. Blocks while it reads.
    pub fn lines(&self, schema: Option<&Schema>, proposal: &Proposal, at: (u32, u32)) -> Option<TextDiff> {
        let change = proposal.plan.changes.get(at.0 as usize)?;
        let hunk = change.hunks.get(at.1 as usize)?;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = used.lines >= self.much.lines_in_all || used.bytes >= self.much.bytes_in_all;
        if is_over {
            let (lines, read) = (plural(used.lines as u64, "line"), size(used.bytes));
            let note = format!("no more is looked into: {lines} of diffs were made so far, {read} were read for them");
            return (!std::mem::replace(&mut used.is_told, true))
                .then(|| TextDiff { is_cut: true, ..TextDiff::note(&note) });
        }
        let lines = |wanted: usize| wanted.min(self.much.lines_in_all.saturating_sub(used.lines));
        let bounds = |wanted| Bounds { context: self.much.context, lines: lines(wanted), bytes: self.much.bytes };
        let diff = match &hunk.at {
            HunkAt::Field { .. } => lines_in(proposal, at, schema, bounds(self.much.changed)),
            HunkAt::Node { before, after, content: true, .. } if has_text(before, after) => {
                let wanted = if before.is_some() && after.is_some() { self.much.changed } else { self.much.whole };
                Some(self.compare(proposal, at, bounds(wanted)))
            }
            HunkAt::Node { .. } => None,
        }?;
        used.lines += diff.lines.len();
        used.bytes += diff.read;
        Some(diff)
    }

    /// On a thread of its own: a store may wait for its server in its own way.
    fn compare(&self, proposal: &Proposal, at: (u32, u32), bounds: Bounds) -> TextDiff {
        let cover = |line: &[u8]| -> Vec<u8> { self.mask.covered(line) };
        let compared = std::thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let sight = Sight { cover: &cover, secret_files: self.secret_files };
                files::compare(proposal, at, bounds, sight, &mut |_| true)
            });
            reading.join()
        });
        compared.unwrap_or_else(|_| TextDiff::note("it could not be read: see the log"))
    }
}

fn schema_of(script: &Arc<dyn Script>, run: &Run, task: TaskId) -> Option<Schema> {
    match script.work(run.step_of(task), run.owner(task).as_ref(), &outputs(run, task)) {
        Ok(Work::Restore(restore)) => Some(restore.component.schema().clone()),
        _ => None,
    }
}

/// Whether there is a file with something in it, and nothing else, on either side.
fn has_text(before: &Option<Box<Entry>>, after: &Option<Box<Entry>>) -> bool {
    let mut sides = [before, after].into_iter().flatten().map(|entry| &entry.kind);
    sides.clone().all(|kind| matches!(kind, NodeKind::File { .. }))
        && sides.any(|kind| matches!(kind, NodeKind::File { size: 1.., .. }))
}
