use std::collections::HashMap;
use std::path::Path;

use crate::cli::decisions::{DecisionsFile, PlanFile, PlannedTask};
use crate::model::{Digest, Error, ErrorKind, Plan, Result, Selection, plural, visible};

/// What was decided on a plan so far, in this review and in those before it, and the file that holds it.
pub struct SoFar<'p> {
    path: &'p Path,
    decisions: DecisionsFile,
    before: usize,
    /// Decided on tasks that this plan does not have; they stay in the file.
    others: usize,
    /// Decided once on plans that are not those of this file any more.
    outdated: Vec<String>,
    is_saved: bool,
    is_written: bool,
}

impl<'p> SoFar<'p> {
    /// Goes on with the decisions at `path`, where they are on this plan. Those on another are never written over.
    pub fn open(path: &'p Path, planned: &PlanFile, by: String) -> Result<Self> {
        let fresh = DecisionsFile::new(by, planned.runbook);
        // What cannot be looked at is told of by the writing.
        let is_there = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0);
        if !is_there {
            return Ok(Self {
                path,
                decisions: fresh,
                before: 0,
                others: 0,
                outdated: Vec::new(),
                is_saved: true,
                is_written: false,
            });
        }
        let refused = |why: String| {
            let doing = format!("review into {}", visible(path.as_os_str().as_encoded_bytes()));
            Error::new(ErrorKind::Conflict, doing, why)
                .next("name another file with --out, or move that one away to decide afresh")
        };
        let found =
            DecisionsFile::read(path).map_err(|error| refused(format!("it is there, and {}", error.chain())))?;
        if found.runbook.is_some_and(|runbook| runbook != planned.runbook) {
            return Err(refused("it holds decisions on a plan of another runbook".to_owned()));
        }
        let plans: HashMap<&str, &Plan> =
            planned.tasks.iter().filter_map(|task| Some((task.task.as_str(), task.plan()?.1))).collect();
        // Those on tasks that this plan does not have are of another part of the runbook's tasks.
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            found.tasks.into_iter().partition(|(task, _)| plans.contains_key(task.as_str()));
        let (kept, outdated): (Vec<_>, Vec<_>) = here.into_iter().partition(|(task, decision)| {
            plans.get(task.as_str()).is_some_and(|plan| plan.digest(&decision.left_out) == decision.digest)
        });
        if kept.is_empty() && !outdated.is_empty() {
            return Err(refused("it holds decisions on another plan, and none on this one".to_owned()));
        }
        let mut decisions = fresh;
        let before = kept.len();
        let others = elsewhere.len();
        decisions.tasks.extend(kept.into_iter().chain(elsewhere));
        let outdated: Vec<String> = outdated.into_iter().map(|(task, _)| task).collect();
        Ok(Self { path, decisions, before, others, is_saved: outdated.is_empty(), outdated, is_written: true })
    }

    /// What whoever goes on must know.
    pub fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.before > 0 {
            let file = visible(self.path.as_os_str().as_encoded_bytes());
            let are = if self.before == 1 { "plan is" } else { "plans are" };
            lines.push(format!("{} {are} decided already, in {file}; the others are asked for", self.before));
        }
        if self.others > 0 {
            let decisions = plural(self.others as u64, "decision");
            let (are, stay) = if self.others == 1 { ("is", "it stays") } else { ("are", "they stay") };
            lines.push(format!("{decisions} in that file {are} on tasks that this plan does not have: {stay} there"));
        }
        if !self.outdated.is_empty() {
            let count = plural(self.outdated.len() as u64, "decision");
            let first = self.outdated.first().map(|task| visible(task)).unwrap_or_default();
            let (fit, go) = if self.outdated.len() == 1 { ("fits", "it goes") } else { ("fit", "they go") };
            lines.push(format!("{count} in that file {fit} no longer, for its task has another plan ({first}): {go}"));
        }
        lines
    }

    pub fn has(&self, task: &PlannedTask) -> bool {
        self.decisions.tasks.contains_key(&task.task)
    }

    /// Of this plan's.
    pub fn count(&self) -> usize {
        self.decisions.tasks.len() - self.others
    }

    /// How many hunks are left out, and of how many plans.
    pub fn left_out(&self) -> (usize, usize) {
        let counts = self.decisions.tasks.values().map(|decision| decision.left_out.left_out_count());
        counts.filter(|count| *count > 0).fold((0, 0), |(hunks, plans), count| (hunks + count, plans + 1))
    }

    pub fn path(&self) -> &Path {
        self.path
    }

    pub fn approve(&mut self, task: &PlannedTask, digest: Digest, left_out: Selection) {
        self.decisions.approve(task, digest, left_out);
        self.is_saved = false;
    }

    /// After each answer: what was decided is never lost with the terminal.
    pub fn save(&mut self) -> Result<()> {
        // What reads from a pipe is told once, at the end.
        if is_stream(self.path) { Ok(()) } else { self.finish() }
    }

    /// Where nothing was decided, no file is made.
    pub fn finish(&mut self) -> Result<()> {
        if !self.is_saved {
            self.decisions.write(self.path)?;
            (self.is_saved, self.is_written) = (true, true);
        }
        Ok(())
    }

    /// Whether the file holds what was decided.
    pub fn is_written(&self) -> bool {
        self.is_written
    }
}

fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file())
}
