use std::collections::HashMap;
use std::sync::Arc;

use super::asking;
use super::condition;
use super::context::Pinned;
use super::made::Made;
use super::planner::{ToPlan, plan_batch};
use super::script::{Asking, Script, Work};
use crate::model::{
    Answer, Counts, Digest, DigestKey, Event, Plan, Proposal, Recorded, Result, Run, StepKind, TaskId, TaskStatus,
};

/// What one task of a runbook would do now.
pub struct Foreseen {
    pub task: TaskId,
    pub name: String,
    /// It needs others that are not done: what it will do then may differ.
    pub predicted: bool,
    pub what: Result<Outlook>,
    /// What it would strip, refuse or leave as it is, also where there is nothing to change.
    pub warnings: Vec<String>,
}

pub enum Outlook {
    Unchanged,
    Changes {
        proposal: Arc<Proposal>,
        digest: Digest,
        counts: Counts,
        cohort: Digest,
    },
    /// A command that would be run: what it changes is not known.
    Command(Vec<String>),
    Answered(Answer),
    /// A person would be asked.
    Asks(String),
    /// Its condition does not hold: why, in words.
    Skipped(String),
}

/// Plans every task and writes nothing; read-only probes are asked. `see` gets each task in order.
pub async fn dry_run(run: &Run, script: &Arc<dyn Script>, key: DigestKey, mut see: impl FnMut(Foreseen)) {
    let pinned = Arc::new(Pinned::of(&run.header, key, &script.components()));
    // What is found equal counts as done for what needs it: the same fold says who is ready then.
    let mut run = run.clone();
    for step in 0..run.header.steps.len() {
        let tasks: Vec<TaskId> = run.step_tasks(step).map(TaskId).collect();
        let kind = run.header.steps.get(step).map(|header| header.kind);
        if !matches!(kind, Some(StepKind::Restore | StepKind::Apply)) {
            for task in tasks {
                let Some(warnings) = wanted(&mut run, script, task, &mut see).await else { continue };
                let what = foresee_other(&run, script, task).await;
                tell(&mut run, task, what, warnings, &mut see);
            }
            continue;
        }
        let limit = script.components().iter().map(|(_, component)| component.limits().batch).max().unwrap_or(1);
        for tasks in tasks.chunks(limit.max(1)) {
            let mut to_plan = Vec::new();
            let mut doubts = HashMap::new();
            for task in tasks {
                let Some(doubt) = wanted(&mut run, script, *task, &mut see).await else { continue };
                doubts.insert(*task, doubt);
                match script.work(step, run.owner(*task).as_ref()) {
                    Ok(Work::Restore(restore)) => {
                        to_plan.push(ToPlan { task: *task, name: run.name(*task), restore, standing: Vec::new() })
                    }
                    Ok(_) => {}
                    Err(error) => tell(&mut run, *task, Err(error), Vec::new(), &mut see),
                }
            }
            for (task, made) in plan_batch(&pinned, to_plan).await {
                let mut warnings = doubts.remove(&task).unwrap_or_default();
                warnings.extend(made.as_ref().map(|made| made.proposal.plan.warned()).unwrap_or_default());
                tell(&mut run, task, made.map(|made| outlook(&made)), warnings, &mut see);
            }
        }
    }
}

/// Tells of a task whose condition does not hold. Of another one: what is still to be said of its condition.
async fn wanted(
    run: &mut Run,
    script: &Arc<dyn Script>,
    task: TaskId,
    see: &mut impl FnMut(Foreseen),
) -> Option<Vec<String>> {
    let when = match script.when(run.step_of(task), run.owner(task).as_ref()) {
        Ok(Some(when)) => when,
        Ok(None) => return Some(Vec::new()),
        Err(error) => {
            tell(run, task, Err(error), Vec::new(), see);
            return None;
        }
    };
    match condition::foresee(run, &when, task).await {
        Ok(Some(true)) => Some(Vec::new()),
        Ok(None) => Some(vec![format!("only if {}", when.words)]),
        Ok(Some(false)) => {
            tell(run, task, Ok(Outlook::Skipped(when.words)), Vec::new(), see);
            None
        }
        Err(error) => {
            tell(run, task, Err(error), Vec::new(), see);
            None
        }
    }
}

fn tell(run: &mut Run, task: TaskId, what: Result<Outlook>, warnings: Vec<String>, see: &mut impl FnMut(Foreseen)) {
    let status = run.tasks.get(task.index()).map(|state| state.status);
    let quiet = match &what {
        Ok(Outlook::Unchanged | Outlook::Skipped(_)) => true,
        Ok(Outlook::Answered(answer)) => answer.holds,
        _ => false,
    };
    if quiet && status == Some(TaskStatus::Ready) {
        let recorded = Recorded { seq: run.seq + 1, at: 0, event: Event::Unchanged { task } };
        if let Err(illegal) = run.apply(&recorded) {
            tracing::error!(target: "engine", "{illegal}");
        }
    }
    see(Foreseen { task, name: run.name(task), predicted: status == Some(TaskStatus::Waiting), what, warnings });
}

fn outlook(made: &Made) -> Outlook {
    let plan: &Plan = &made.proposal.plan;
    if plan.is_empty() {
        return Outlook::Unchanged;
    }
    Outlook::Changes { proposal: made.proposal.clone(), digest: made.digest, counts: made.counts, cohort: made.cohort }
}

async fn foresee_other(run: &Run, script: &Arc<dyn Script>, task: TaskId) -> Result<Outlook> {
    match script.work(run.step_of(task), run.owner(task).as_ref())? {
        Work::Run(line) => Ok(Outlook::Command(line.argv)),
        Work::Ask(ask) => match ask.how.clone() {
            Asking::Confirm { text } => Ok(Outlook::Asks(text)),
            Asking::Check => asking::once(&ask).await.map(Outlook::Answered),
            // A dry run asks once and does not wait.
            Asking::Wait { .. } => asking::once(&ask).await.map(Outlook::Answered),
        },
        Work::Restore(_) => Ok(Outlook::Unchanged),
    }
}
