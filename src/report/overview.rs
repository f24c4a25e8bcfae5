use std::collections::BTreeMap;

use serde::Serialize;

use super::first_page::names_up_to;
use super::{Round, TaskReport};
use crate::model::{Pass, TaskStatus};

/// What a report says first: what was restored, for how many, how long it took, what failed and why, what was undone
/// and who approved. A fold of the tasks that the report is about.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Overview {
    /// Owners that the tasks are for, by how they stand now.
    pub owners: Owners,
    /// In the runbook's order.
    pub steps: Vec<StepLine>,
    /// The same failure of one step counted once, the most frequent first.
    pub failures: Vec<Reason>,
    /// Why tasks were skipped, the most frequent reason first.
    pub skipped: Vec<Reason>,
    /// Tasks that were undone, as their steps and owners.
    pub undone: Vec<String>,
    /// Who asked for undos, and how many they asked for.
    pub undone_by: BTreeMap<String, usize>,
    /// Who approved, and how many plans.
    pub approved_by: BTreeMap<String, usize>,
    /// Hunks that were left out of what is done now.
    pub left_out_hunks: usize,
    /// Which they are, task by task, as in `home/lee (notes.txt)`.
    pub left_out: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Owners {
    pub all: usize,
    /// All that the runbook does for them is done.
    pub restored: usize,
    /// Of the restored ones: those to whom a hunk was not given, by choice.
    pub without_hunks: usize,
    /// Something failed.
    pub failed: usize,
    /// The effect of something is not known, and nothing failed.
    pub unknown: usize,
    /// Something was undone.
    pub undone: usize,
    /// A person skipped something, and nothing failed.
    pub skipped: usize,
    /// Something is not decided or not begun.
    pub open: usize,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct StepLine {
    pub step: String,
    pub done: usize,
    pub unchanged: usize,
    pub failed: usize,
    pub unknown: usize,
    pub skipped: usize,
    pub undone: usize,
    pub open: usize,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Reason {
    pub step: String,
    /// It is not known what was done, rather than that it failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    pub why: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whose tasks, or the tasks without an owner.
    pub of: Vec<String>,
}

#[derive(Clone, Copy, Default)]
struct Stands {
    failed: bool,
    unknown: bool,
    undone: bool,
    skipped: bool,
    open: bool,
    left_out: bool,
}

impl Overview {
    pub fn of(tasks: &[TaskReport]) -> Self {
        let mut told = Self::default();
        let mut owners: BTreeMap<&str, Stands> = BTreeMap::new();
        let mut steps: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut failures, mut skips) = (Reasons::default(), Reasons::default());
        for task in tasks {
            let at = *steps.entry(&task.step).or_insert_with(|| {
                told.steps.push(StepLine { step: task.step.clone(), ..StepLine::default() });
                told.steps.len() - 1
            });
            let left_out = left_out(task);
            let stands = Stands { left_out: !left_out.is_empty(), ..Stands::of(task) };
            if !left_out.is_empty() {
                told.left_out_hunks += left_out.len();
                told.left_out.push(format!("{} ({})", task.task, names_up_to(MAX_PLACES, &left_out)));
            }
            told.steps[at].count(task.status, stands);
            if let Some(owner) = &task.owner {
                owners.entry(owner).or_default().add(stands);
            }
            let of = || task.owner.clone().unwrap_or_else(|| task.task.clone());
            if stands.failed || stands.unknown {
                let (why, next) = match &task.problem {
                    Some(problem) => (problem.what.as_str(), problem.next.clone()),
                    None => ("what it did is not known", None),
                };
                failures.add(task, why, next, of());
            } else if let (TaskStatus::Skipped, Some(why)) = (task.status, &task.skipped) {
                skips.add(task, why, None, of());
            }
            if task.status == TaskStatus::Undone {
                told.undone.push(task.task.clone());
            }
            if let Some(by) = &task.undo_asked_by {
                *told.undone_by.entry(by.clone()).or_default() += 1;
            }
            for round in &task.rounds {
                if let Some(approved) = &round.approved {
                    *told.approved_by.entry(approved.by.clone()).or_default() += 1;
                }
            }
        }
        for stands in owners.values() {
            told.owners.count(*stands);
        }
        (told.failures, told.skipped) = (failures.largest_first(), skips.largest_first());
        told
    }
}

/// So many places of a task's hunks are named.
const MAX_PLACES: usize = 3;

/// Places of the hunks that a task that is done was written without.
fn left_out(task: &TaskReport) -> Vec<String> {
    let written = |round: &&Round| round.pass == Pass::Restore && round.outcome.is_some();
    let last = task.rounds.iter().rev().find(written).filter(|_| task.status == TaskStatus::Done);
    let hunks = last.into_iter().flat_map(|round| &round.changes).flat_map(|change| &change.hunks);
    hunks.filter(|hunk| !hunk.taken).map(|hunk| hunk.place.clone()).collect()
}

impl Stands {
    fn of(task: &TaskReport) -> Self {
        use TaskStatus as S;
        Self {
            failed: task.status == S::Failed,
            unknown: task.status == S::Unknown,
            undone: task.status == S::Undone,
            skipped: task.status == S::Skipped && !task.skipped_by_condition,
            open: !task.status.has_ended(),
            left_out: false,
        }
    }

    fn add(&mut self, other: Self) {
        self.failed |= other.failed;
        self.unknown |= other.unknown;
        self.undone |= other.undone;
        self.skipped |= other.skipped;
        self.open |= other.open;
        self.left_out |= other.left_out;
    }
}

impl Owners {
    fn count(&mut self, stands: Stands) {
        self.all += 1;
        let place = match stands {
            Stands { failed: true, .. } => &mut self.failed,
            Stands { unknown: true, .. } => &mut self.unknown,
            Stands { open: true, .. } => &mut self.open,
            Stands { undone: true, .. } => &mut self.undone,
            Stands { skipped: true, .. } => &mut self.skipped,
            _ => {
                self.without_hunks += usize::from(stands.left_out);
                &mut self.restored
            }
        };
        *place += 1;
    }
}

impl StepLine {
    fn count(&mut self, status: TaskStatus, stands: Stands) {
        let place = match status {
            _ if stands.failed => &mut self.failed,
            _ if stands.unknown => &mut self.unknown,
            _ if stands.open => &mut self.open,
            TaskStatus::Undone => &mut self.undone,
            TaskStatus::Skipped => &mut self.skipped,
            TaskStatus::Unchanged => &mut self.unchanged,
            _ => &mut self.done,
        };
        *place += 1;
    }
}

/// Reasons by step and by their words, in which the owner's own name does not count.
#[derive(Default)]
struct Reasons(BTreeMap<(String, bool, String), Reason>);

impl Reasons {
    fn add(&mut self, task: &TaskReport, why: &str, next: Option<String>, of: String) {
        let words = task.without_owner(why);
        let reason = self
            .0
            .entry((task.step.clone(), task.status == TaskStatus::Unknown, words.clone()))
            .or_insert_with(|| Reason {
                step: task.step.clone(),
                unknown: task.status == TaskStatus::Unknown,
                why: why.to_owned(),
                next,
                of: Vec::new(),
            });
        if reason.of.len() == 1 {
            reason.why = words;
        }
        reason.of.push(of);
    }

    fn largest_first(self) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = self.0.into_values().collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.of.len()));
        reasons
    }
}
