use serde::{Deserialize, Serialize};

use crate::cli::Exit;
use crate::engine::{Foreseen, Outlook};
use crate::model::{Hunk, HunkAt, NodeKind, Op, Plan, Run, plural, size, some_of, visible};

/// Tasks that are named; the others are counted.
const MOST_NAMED: usize = 8;

/// What a plan comes to: of resources and of hunks by kind, by step, with bytes; and how its tasks stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub steps: Vec<StepTotals>,
    pub unchanged: u64,
    pub to_change: u64,
    /// A person.
    pub to_ask: u64,
    /// Probes that do not hold now; what is restored before them may change that.
    #[serde(default)]
    pub to_hold: u64,
    pub failed: u64,
    /// Owners that cannot be walked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    misses_an_owner: bool,
    #[serde(default, skip_serializing_if = "is_none")]
    owners_left_out: u64,
    /// Files that plans take and that the backup is known not to hand out, and the tasks that take them.
    #[serde(default, skip_serializing_if = "is_none")]
    unreadable: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unreadable_in: Vec<String>,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTotals {
    pub step: String,
    pub resources: ByKind,
    pub hunks: ByKind,
    /// Commands, of which it is not known what they change.
    pub commands: u64,
    /// Of files.
    pub bytes_written: u64,
    pub bytes_removed: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByKind {
    pub create: u64,
    pub update: u64,
    pub delete: u64,
}

impl ByKind {
    fn add(&mut self, op: Op) {
        match op {
            Op::Create => self.create += 1,
            Op::Update => self.update += 1,
            Op::Delete => self.delete += 1,
        }
    }

    fn plus(&mut self, other: Self) {
        self.create += other.create;
        self.update += other.update;
        self.delete += other.delete;
    }
}

impl Totals {
    pub fn of(run: &Run) -> Self {
        let step = |id: &String| StepTotals { step: id.clone(), ..StepTotals::default() };
        Self {
            steps: run.header.steps.iter().map(|header| step(&header.id)).collect(),
            misses_an_owner: run.header.misses_an_owner(),
            owners_left_out: run.header.unusable_owners().count() as u64,
            ..Self::default()
        }
    }

    pub fn count(&mut self, step: usize, foreseen: &Foreseen) {
        let mut nowhere = StepTotals::default();
        let of_step = self.steps.get_mut(step).unwrap_or(&mut nowhere);
        match &foreseen.what {
            Ok(Outlook::Unchanged | Outlook::Skipped(_)) => self.unchanged += 1,
            Ok(Outlook::Changes { proposal, counts, .. }) => {
                of_step.add(&proposal.plan);
                self.to_change += 1;
                if counts.unreadable > 0 {
                    self.unreadable += u64::from(counts.unreadable);
                    self.unreadable_in.push(foreseen.name.clone());
                }
            }
            // What a command changes is not known, and never "nothing".
            Ok(Outlook::Command { .. }) => {
                of_step.commands += 1;
                self.to_change += 1;
            }
            Ok(Outlook::Open(_)) => self.to_change += 1,
            Ok(Outlook::Answered(answer)) if answer.holds => self.unchanged += 1,
            Ok(Outlook::Answered(_)) => self.to_hold += 1,
            Ok(Outlook::Asks(_)) => self.to_ask += 1,
            Err(_) => self.failed += 1,
        }
    }

    pub fn tasks(&self) -> u64 {
        self.unchanged + self.to_change + self.to_ask + self.to_hold + self.failed
    }

    /// A person to be asked is no change: a plan right after a run is quiet.
    pub fn exit(&self) -> Exit {
        match (self.failed, self.to_change) {
            (1.., _) => Exit::Failed,
            (0, 1..) => Exit::ChangesPending,
            // An owner was asked for that cannot be walked: it is not said that there is nothing to do.
            (0, 0) if self.misses_an_owner => Exit::ChangesPending,
            (0, 0) => Exit::Fine,
        }
    }

    /// A table of the steps that change something, and how the tasks stand.
    pub fn lines(&self) -> Vec<String> {
        let changing: Vec<&StepTotals> = self.steps.iter().filter(|step| step.changes()).collect();
        let mut lines = Vec::new();
        if !changing.is_empty() {
            lines.push(format!("{:<16}{:<27}{:<27}{}", "", "resources", "hunks", "bytes"));
            let heads = ["create", "update", "delete"];
            let heads = [heads, heads].concat();
            lines.push(row("step", &heads, "written", "removed"));
            lines.extend(changing.iter().map(|step| step.line()));
            if changing.len() > 1 {
                let mut all = StepTotals { step: "all".to_owned(), ..StepTotals::default() };
                changing.iter().for_each(|step| all.plus(step));
                lines.push(all.line());
            }
            lines.push(String::new());
        }
        let left_out = match self.owners_left_out {
            0 => String::new(),
            count => format!(", {} left out", plural(count, "owner")),
        };
        let to_hold = match self.to_hold {
            0 => String::new(),
            1 => ", 1 check that does not hold yet".to_owned(),
            some => format!(", {some} checks that do not hold yet"),
        };
        lines.push(format!(
            "{} unchanged, {} to change, {} to ask{to_hold}, {} failed{left_out}",
            self.unchanged, self.to_change, self.to_ask, self.failed
        ));
        if self.unreadable > 0 {
            let names = some_of(self.unreadable_in.iter().map(|name| visible(name)), MOST_NAMED, ", ");
            lines.push(format!("! {} CANNOT BE READ in the backup: {names}", plural(self.unreadable, "file")));
        }
        lines
    }
}

impl StepTotals {
    fn add(&mut self, plan: &Plan) {
        for change in &plan.changes {
            self.resources.add(change.op);
            for hunk in &change.hunks {
                let op = if hunk.deletes() { Op::Delete } else { hunk.op };
                self.hunks.add(op);
                let (written, removed) = bytes(hunk);
                self.bytes_written = self.bytes_written.saturating_add(written);
                self.bytes_removed = self.bytes_removed.saturating_add(removed);
            }
        }
    }

    fn plus(&mut self, other: &Self) {
        self.resources.plus(other.resources);
        self.hunks.plus(other.hunks);
        self.commands += other.commands;
        self.bytes_written = self.bytes_written.saturating_add(other.bytes_written);
        self.bytes_removed = self.bytes_removed.saturating_add(other.bytes_removed);
    }

    fn changes(&self) -> bool {
        self.commands > 0 || self.resources != ByKind::default()
    }

    fn line(&self) -> String {
        let numbers = [self.resources, self.hunks].map(|kinds| [kinds.create, kinds.update, kinds.delete]).concat();
        let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let bytes = |bytes: u64| if bytes == 0 { String::new() } else { size(bytes) };
        let line = row(&visible(&self.step), &numbers, &bytes(self.bytes_written), &bytes(self.bytes_removed));
        match self.commands {
            0 => line,
            some => format!("{line}\n                and {}: what they change is not known", plural(some, "command")),
        }
    }
}

/// Fits 80 columns.
fn row(step: &str, numbers: &[&str], written: &str, removed: &str) -> String {
    let step: String =
        if step.chars().count() > 14 { step.chars().take(13).chain(['…']).collect() } else { step.into() };
    let numbers: String = numbers
        .chunks(3)
        .map(|three| three.iter().map(|one| format!("{one:>7}")).collect::<String>() + "   ")
        .collect();
    format!("{step:<12}{numbers}{written:>9} {removed:>8}").trim_end().to_owned()
}

/// What of a hunk's file is written, and what is taken away.
fn bytes(hunk: &Hunk) -> (u64, u64) {
    let HunkAt::Node { before, after, content: true, .. } = &hunk.at else { return (0, 0) };
    let size = |entry: Option<&crate::model::Entry>| match entry.map(|entry| &entry.kind) {
        Some(NodeKind::File { size, .. }) => *size,
        _ => 0,
    };
    let after_size = size(after.as_deref());
    let removed = if after.is_none() { size(before.as_deref()) } else { 0 };
    (after_size, removed)
}
