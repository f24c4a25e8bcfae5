use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::needs::Unmet;
use self::owners_by_name::OwnersByName;
use self::undo_under_way::UndoUnderWay;
use super::transition::next_status;
use super::{
    Attempt, Digest, Event, Known, Pass, PlanFacts, Problem, Recorded, ResourceId, RunHeader, Selection, StepHeader,
    TargetIdentity, TaskId, TaskState, TaskStatus,
};
use crate::model::ErrorKind;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    #[default]
    Going,
    Paused,
    Aborted,
    Closed,
}

/// A run's state: the fold of its events, and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub header: Arc<RunHeader>,
    pub state: RunState,
    /// Of a pause that no operator asked for.
    pub paused_for: Option<String>,
    pub seq: u64,
    /// Milliseconds since 1970: of the first event, and of the last that was about a task's restore.
    pub began: i64,
    pub until: i64,
    /// Bytes of files' contents that its restores wrote.
    pub bytes: u64,
    pub tasks: Vec<TaskState>,
    /// Of tasks where hunks were left out: which, and the digest of the plan with all of them.
    pub selections: HashMap<TaskId, (Selection, Digest)>,
    /// Of plans that wait for a decision or for their write.
    pub plans: HashMap<TaskId, PlanFacts>,
    /// Of tasks whose effects, all or some, may stand: the attempts that made them. None from before an undo that was
    /// completed, and none that is known to have changed nothing.
    standing: HashMap<TaskId, Vec<Attempt>>,
    undos: HashMap<TaskId, UndoUnderWay>,
    /// The last failure of tasks that failed or are unknown.
    pub problems: HashMap<TaskId, Problem>,
    /// What was last said of what a task's plan strips, refuses or leaves as it is.
    pub warnings: HashMap<TaskId, Vec<String>>,
    /// What a task's undo does not bring back, in words.
    stays: HashMap<TaskId, Vec<String>>,
    /// Why tasks were skipped.
    pub skips: HashMap<TaskId, String>,
    /// What commands printed, as far as their steps capture it.
    pub outputs: HashMap<TaskId, String>,
    /// Of tasks whose writes have begun what goes on by itself: by what it is found again.
    pub under_way: HashMap<TaskId, Vec<(ResourceId, String)>>,
    /// Of each step how many tasks are in each status: screens show it in every frame.
    by_step: Vec<[u32; TaskStatus::ALL.len()]>,
    /// What components call themselves since this run made them. Plans go on naming what the run began with.
    became: HashMap<String, TargetIdentity>,
    layout: Layout,
    became_ready: Vec<TaskId>,
}

/// Where each step's tasks begin, and the position of names.
#[derive(Clone, Debug, Default)]
struct Layout {
    first: Vec<u32>,
    /// Per step, the position of its set in `header.owners`.
    set: Vec<Option<usize>>,
    owner_at: OwnersByName,
    /// Per step: how many of its tasks do not meet a need yet; for `each` steps of one set readiness is looked up
    /// directly.
    unmet: Vec<Unmet>,
    dependents: Vec<Vec<u16>>,
}

/// An event that the transition table does not allow: a bug, or a journal that was tampered with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} ({event}) is not allowed for {what}, which is {status}")]
pub struct IllegalEvent {
    pub seq: u64,
    pub event: &'static str,
    pub what: String,
    pub status: &'static str,
}

impl Run {
    /// Folds one event in; answers which tasks became ready by it.
    pub fn apply(&mut self, recorded: &Recorded) -> Result<Vec<TaskId>, IllegalEvent> {
        let illegal =
            |what: String, status| IllegalEvent { seq: recorded.seq, event: recorded.event.word(), what, status };
        if recorded.seq != self.seq + 1 {
            return Err(illegal(format!("a run at event {}", self.seq), "out of order"));
        }
        match &recorded.event {
            Event::Opened { run } if self.seq == 0 => self.open(run),
            _ if self.seq == 0 => return Err(illegal("a run that was not opened".to_owned(), "unopened")),
            Event::Opened { .. } => return Err(illegal("the run".to_owned(), "open")),
            _ if self.state == RunState::Closed => return Err(illegal("the run".to_owned(), "closed")),
            Event::Resumed { .. } | Event::Continued { .. } => {
                self.state = RunState::Going;
                self.paused_for = None;
            }
            Event::Paused { why, .. } => {
                self.state = RunState::Paused;
                self.paused_for.clone_from(why);
            }
            Event::Aborted { .. } => self.state = RunState::Aborted,
            Event::Closed { .. } => self.state = RunState::Closed,
            Event::Noted { .. } => {}
            Event::Became { component, now } => drop(self.became.insert(component.clone(), now.clone())),
            Event::LeftOut { set, owner, why, .. } => self.leave_out(set, owner, why),
            event => {
                let Some(id) = event.task() else { return Ok(Vec::new()) };
                let Some(task) = self.tasks.get(id.index()) else {
                    return Err(illegal(format!("task {}", id.0), "not there"));
                };
                let Some(status) = next_status(task.status, task.pass, event) else {
                    return Err(illegal(self.name(id), task.status.word()));
                };
                // Undo begins with its own pass, whatever the task did before.
                let pass = if matches!(event, Event::UndoAsked { .. }) { Pass::Undo } else { task.pass };
                let dropped =
                    matches!(event, Event::Voided { .. }) && task.status == TaskStatus::Review && pass == Pass::Undo;
                if pass == Pass::Restore {
                    self.until = recorded.at;
                }
                self.fold_undo(id, event);
                self.fold_task(id, pass, event);
                if !dropped {
                    self.set_status(id, status);
                }
                if status == TaskStatus::Undone
                    && let Some(task) = self.tasks.get_mut(id.index())
                {
                    task.undoable = false;
                    self.standing.remove(&id);
                }
                if !dropped && matches!(status, TaskStatus::Undone | TaskStatus::Done | TaskStatus::Unchanged) {
                    // Read back as a whole.
                    self.undos.remove(&id);
                }
                if let Event::Voided { why, .. } = event
                    && dropped
                {
                    self.drop_undo(id, why);
                }
                self.settle_dependents(id);
                if dropped || status == TaskStatus::Ready {
                    // What it needs may have been undone or failed since it was ready the last time.
                    self.settle_readiness(id);
                }
            }
        }
        if self.seq == 0 {
            self.began = recorded.at;
        }
        if self.seq == 0 {
            self.until = recorded.at;
        }
        self.seq = recorded.seq;
        let mut ready = std::mem::take(&mut self.became_ready);
        ready.retain(|id| self.tasks.get(id.index()).is_some_and(|task| task.status == TaskStatus::Ready));
        Ok(ready)
    }

    /// An undo that was asked for and let go leaves everything as it was before, unless a part of it is written: what
    /// was done before is so no more.
    fn drop_undo(&mut self, id: TaskId, why: &str) {
        if self.undos.get(&id).is_none_or(|undo| undo.torn) {
            if let Some(task) = self.tasks.get_mut(id.index()) {
                task.pass = Pass::Undo;
                task.forget_digest();
            }
            self.selections.remove(&id);
            self.problems.insert(id, UndoUnderWay::problem(why));
            return self.set_status(id, TaskStatus::Failed);
        }
        let Some(former) = self.undos.remove(&id) else { return };
        self.set_status(id, former.task.status);
        if let Some(task) = self.tasks.get_mut(id.index()) {
            // No number is given twice, not even that of an undo's attempt that failed.
            *task = TaskState { attempt: task.attempt, meets: task.meets, ..former.task };
        }
        match former.selection {
            Some(selection) => self.selections.insert(id, selection),
            None => self.selections.remove(&id),
        };
        match former.plan {
            Some(plan) => self.plans.insert(id, plan),
            None => self.plans.remove(&id),
        };
    }

    fn fold_task(&mut self, id: TaskId, pass: Pass, event: &Event) {
        self.fold_standing(id, pass, event);
        let Some(task) = self.tasks.get_mut(id.index()) else { return };
        task.pass = pass;
        if let (Event::Outcome { bytes: Some(bytes), .. }, Pass::Restore) = (event, pass) {
            self.bytes = self.bytes.saturating_add(*bytes);
        }
        match event {
            Event::Outcome { output: Some(output), .. } => drop(self.outputs.insert(id, output.clone())),
            // A former attempt's is not this one's.
            Event::Intent { .. } => drop(self.outputs.remove(&id)),
            _ => {}
        }
        match event {
            Event::UnderWay { resource, reference, .. } => {
                self.under_way.entry(id).or_default().push((resource.clone(), reference.clone()));
            }
            Event::Intent { .. } | Event::Outcome { .. } | Event::Settled { .. } => drop(self.under_way.remove(&id)),
            _ => {}
        }
        match event {
            Event::Planned { digest, counts, cohort, preview, .. } => {
                self.plans.insert(id, PlanFacts { cohort: *cohort, preview: *preview });
                task.plan_is(*digest, *counts);
                self.selections.remove(&id);
            }
            Event::Decided { selection, digest, counts, .. } => {
                let former = task.digest();
                task.plan_is(*digest, *counts);
                let planned = self.selections.get(&id).map(|(_, planned)| *planned).or(former);
                if let Some(planned) = planned {
                    self.selections.insert(id, (selection.clone(), planned));
                }
            }
            Event::Intent { attempt, undoable, .. } => {
                task.attempt = *attempt;
                // What an undo that was interrupted or failed left can still be undone.
                if task.pass == Pass::Restore {
                    task.was_undoable = task.undoable;
                    task.undoable |= *undoable;
                }
            }
            Event::Outcome { problem: Some(problem), known, partial, dependents_go_on, .. } => {
                task.dependents_go_on = *dependents_go_on && task.pass == Pass::Restore;
                if *known == Known::NotApplied && !partial && task.pass == Pass::Restore {
                    task.undoable = task.was_undoable;
                }
                self.problems.insert(id, problem.clone());
            }
            Event::Failed { problem, .. } => {
                self.problems.insert(id, problem.clone());
            }
            // Of an attempt that was cut off nothing else says why.
            Event::Settled { known: Known::Unknown, how, .. } if !self.problems.contains_key(&id) => {
                let next = Some("look at the target, then say whether it was done".to_owned());
                let problem = Problem { kind: ErrorKind::Cancelled, known: Known::Unknown, what: how.clone(), next };
                self.problems.insert(id, problem);
            }
            Event::Outcome { .. } => {
                self.problems.remove(&id);
            }
            Event::Voided { .. } if task.status == TaskStatus::Review => task.pass = Pass::Restore,
            // Its plan is still to be made: the restore's is not it.
            Event::UndoAsked { .. } => {
                task.dependents_go_on = false;
                task.forget_digest();
                self.selections.remove(&id);
                self.plans.remove(&id);
                self.stays.remove(&id);
            }
            Event::Warned { warnings, stays, .. } => {
                self.warnings.insert(id, warnings.clone());
                match stays.is_empty() {
                    true => self.stays.remove(&id),
                    false => self.stays.insert(id, stays.clone()),
                };
            }
            Event::Skipped { why, .. } => {
                self.skips.insert(id, why.clone());
            }
            Event::Retried { .. } => {
                if task.pass == Pass::Undo && !matches!(task.status, TaskStatus::Failed | TaskStatus::Unknown) {
                    task.pass = Pass::Restore;
                }
                self.problems.remove(&id);
                self.skips.remove(&id);
            }
            _ => {}
        }
    }

    fn fold_standing(&mut self, id: TaskId, pass: Pass, event: &Event) {
        match event {
            Event::Intent { attempt, undoable: true, digest, .. } if pass == Pass::Restore => {
                let planned = self.planned_digest(id).unwrap_or(*digest);
                let one = Attempt { attempt: *attempt, planned, selection: self.selection(id), kept: None };
                // Nearly every task has one.
                self.standing.entry(id).or_insert_with(|| Vec::with_capacity(1)).push(one);
            }
            Event::Outcome { problem: Some(_), known: Known::NotApplied, partial: false, .. }
                if pass == Pass::Restore =>
            {
                if let Some(standing) = self.standing.get_mut(&id) {
                    standing.pop();
                }
            }
            Event::Outcome { kept: Some(kept), .. } | Event::Settled { kept: Some(kept), .. }
                if pass == Pass::Restore =>
            {
                if let Some(last) = self.standing.get_mut(&id).and_then(|standing| standing.last_mut()) {
                    last.kept = Some(*kept);
                }
            }
            _ => {}
        }
    }

    /// What a component calls itself now, as far as the run knows.
    pub fn identity(&self, component: &str) -> Option<&TargetIdentity> {
        self.became.get(component).or_else(|| self.header.identities.get(component))
    }

    /// The attempts that an undo of this task leads back past, the earliest first.
    pub fn standing(&self, id: TaskId) -> &[Attempt] {
        self.standing.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Attempts to restore that failed and wrote a part which stands.
    pub fn failed_attempts_that_stand(&self) -> usize {
        let of = |(id, attempts): (&TaskId, &Vec<Attempt>)| match self.tasks.get(id.index()) {
            Some(TaskState { pass: Pass::Restore, status, .. }) => {
                attempts.len().saturating_sub(usize::from(matches!(status, TaskStatus::Done | TaskStatus::Applying)))
            }
            _ => 0,
        };
        self.standing.iter().map(of).sum()
    }

    fn open(&mut self, header: &Arc<RunHeader>) {
        self.header = Arc::clone(header);
        let mut layout = Layout { dependents: vec![Vec::new(); header.steps.len()], ..Layout::default() };
        let mut next = 0_u32;
        for (at, step) in header.steps.iter().enumerate() {
            let set = step.each.as_ref().and_then(|each| header.owners.iter().position(|owners| owners.set == *each));
            layout.first.push(next);
            layout.set.push(set);
            let tasks = set.map_or(1, |set| header.owners[set].names.len());
            next = next.saturating_add(u32::try_from(tasks).unwrap_or(u32::MAX));
            for need in &step.needs {
                if let Some(dependents) = layout.dependents.get_mut(usize::from(*need)) {
                    dependents.push(u16::try_from(at).unwrap_or(u16::MAX));
                }
            }
        }
        layout.unmet = vec![Unmet::default(); header.steps.len()];
        self.layout = layout;
        self.tasks = vec![TaskState::default(); next as usize];
        self.by_step = vec![[0; TaskStatus::ALL.len()]; header.steps.len()];
        for step in 0..header.steps.len() {
            let tasks = u32::try_from(self.step_tasks(step).len()).unwrap_or(u32::MAX);
            self.layout.unmet[step] = Unmet::all(tasks);
            self.by_step[step][TaskStatus::Waiting as usize] = tasks;
        }
        for step in 0..header.steps.len() {
            // Before anything has happened all tasks of a step wait for the same, or for nothing.
            let tasks = self.step_tasks(step);
            if !tasks.is_empty() && self.unmet_needs(TaskId(tasks.start)).next().is_none() {
                tasks.for_each(|task| self.set_status(TaskId(task), TaskStatus::Ready));
            }
        }
    }

    fn set_status(&mut self, id: TaskId, status: TaskStatus) {
        let Some(task) = self.tasks.get_mut(id.index()) else { return };
        let former = std::mem::replace(&mut task.status, status);
        if former == status {
            return;
        }
        if !self.plans.is_empty() && !matches!(status, TaskStatus::Review | TaskStatus::Approved) {
            self.plans.remove(&id);
        }
        if status == TaskStatus::Ready {
            self.became_ready.push(id);
        }
        let step = self.step_of(id);
        if let Some(of_step) = self.by_step.get_mut(step) {
            of_step[former as usize] -= 1;
            of_step[status as usize] += 1;
        }
        self.settle_dependents(id);
    }

    fn leave_out(&mut self, set: &str, owner: &str, why: &str) {
        for id in self.tasks_of_owner(set, owner) {
            let status = self.tasks[id.index()].status;
            if matches!(
                status,
                TaskStatus::Waiting
                    | TaskStatus::Ready
                    | TaskStatus::Review
                    | TaskStatus::Approved
                    | TaskStatus::Failed
                    | TaskStatus::Unknown
            ) {
                self.skips.insert(id, why.to_owned());
                self.set_status(id, TaskStatus::Skipped);
            }
        }
    }

    pub fn tasks_of_owner(&self, set: &str, owner: &str) -> Vec<TaskId> {
        let Some(set_at) = self.header.owners.iter().position(|owners| owners.set == set) else { return Vec::new() };
        let Some(position) = self.layout.owner_at.find(&self.header.owners, set_at, owner) else { return Vec::new() };
        let of_set = self.layout.set.iter().enumerate().filter(|(_, set)| **set == Some(set_at));
        of_set.map(|(step, _)| TaskId(self.layout.first[step] + position)).collect()
    }

    /// The ids of a step's tasks.
    pub fn step_tasks(&self, step: usize) -> std::ops::Range<u32> {
        let end = |step: usize| {
            self.layout
                .first
                .get(step + 1)
                .copied()
                .unwrap_or_else(|| u32::try_from(self.tasks.len()).unwrap_or(u32::MAX))
        };
        self.layout.first.get(step).map_or(0..0, |first| *first..end(step))
    }

    pub fn step_of(&self, id: TaskId) -> usize {
        self.layout.first.partition_point(|first| *first <= id.0).saturating_sub(1)
    }

    pub fn step(&self, id: TaskId) -> Option<&StepHeader> {
        self.header.steps.get(self.step_of(id))
    }

    pub fn count(&self, status: TaskStatus) -> u32 {
        self.by_step.iter().map(|of_step| of_step[status as usize]).sum()
    }

    /// All tasks settled well: nothing failed, unknown or still to do.
    pub fn is_complete(&self) -> bool {
        let well = TaskStatus::ALL.into_iter().filter(|status| status.is_settled());
        well.map(|status| self.count(status) as usize).sum::<usize>() == self.tasks.len()
    }

    /// Something it changed can be brought back, or is being brought back.
    pub fn can_be_undone(&self) -> bool {
        self.state != RunState::Closed && self.tasks.iter().any(|task| task.undoable)
    }

    pub fn selection(&self, id: TaskId) -> Selection {
        self.selections.get(&id).map(|(selection, _)| selection.clone()).unwrap_or_default()
    }

    /// How many tasks of that step are in `status`.
    pub fn step_count(&self, step: usize, status: TaskStatus) -> u32 {
        self.by_step.get(step).map_or(0, |of_step| of_step[status as usize])
    }

    /// The digest of a task's plan with every hunk chosen: the name it is kept under.
    pub fn planned_digest(&self, id: TaskId) -> Option<Digest> {
        match self.selections.get(&id) {
            Some((_, planned)) => Some(*planned),
            None => self.tasks.get(id.index()).and_then(|task| task.digest()),
        }
    }
}

mod names;
mod needs;
mod owners_by_name;
mod undo_under_way;
mod undone_share;
mod unmet;

pub use undone_share::UndoneShare;

#[cfg(test)]
mod tests;
