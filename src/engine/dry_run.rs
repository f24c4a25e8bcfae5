use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::asking;
use super::condition::{self, Ends};
use super::context::Pinned;
use super::made::Made;
use super::planner::{ToPlan, plan_batch};
use super::script::{Asking, Script, Work, outputs};
use crate::model::{
    Answer, Counts, Digest, DigestKey, Event, Plan, Proposal, Recorded, Result, Run, StepKind, TaskId, TaskStatus,
    Zone, output_variable,
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

impl Foreseen {
    /// Those of the warnings that its plan does not hold itself: what its condition leaves open, for one.
    pub fn doubts(&self) -> impl Iterator<Item = &String> {
        let told = match &self.what {
            Ok(Outlook::Changes { proposal, .. }) => proposal.plan.warned(),
            Ok(Outlook::Command { proposal, .. }) => proposal.plan.warnings.clone(),
            _ => Vec::new(),
        };
        self.warnings.iter().filter(move |warning| !told.contains(warning))
    }
}

pub enum Outlook {
    Unchanged,
    Changes {
        proposal: Arc<Proposal>,
        digest: Digest,
        counts: Counts,
        cohort: Digest,
    },
    /// A command that would be run, as it would be approved: what it changes is not known.
    Command {
        proposal: Arc<Proposal>,
        digest: Digest,
        cohort: Digest,
        /// The steps whose outputs it is made of and that have not printed any yet: it stands there with their names
        /// and cannot be approved before.
        unprinted: Vec<String>,
    },
    Answered(Answer),
    /// A person would be asked.
    Asks(String),
    /// Its condition does not hold: why, in words.
    Skipped(String),
    /// It cannot be planned before these steps have printed what it is made of.
    Open(Vec<String>),
}

/// A component that takes no more tasks at once is slow with each.
const SLOW: usize = 16;

/// Plans every task and writes nothing; read-only probes are asked. `see` gets each task in order, and says whether to
/// go on.
pub async fn dry_run(
    run: &Run,
    script: &Arc<dyn Script>,
    key: DigestKey,
    mut see: impl FnMut(Foreseen) -> ControlFlow<()>,
) {
    // Who looks on has seen enough: that ends it.
    let _ = foresee_all(run, script, key, &mut see).await;
}

async fn foresee_all(
    run: &Run,
    script: &Arc<dyn Script>,
    key: DigestKey,
    see: &mut impl FnMut(Foreseen) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let pinned = Arc::new(Pinned::of(&run.header, key, &script.components()));
    // What is found equal counts as done for what needs it: the same fold says who is ready then.
    let mut run = run.clone();
    let mut ends = Ends::new();
    for step in 0..run.header.steps.len() {
        let tasks: Vec<TaskId> = run.step_tasks(step).map(TaskId).collect();
        let kind = run.header.steps.get(step).map(|header| header.kind);
        if !matches!(kind, Some(StepKind::Restore | StepKind::Apply)) {
            for task in tasks {
                let (what, warnings) = match wanted(&run, script, task, &ends).await {
                    Wanted::Yes(mut doubts) => {
                        let what = foresee_other(&run, script, task, &pinned).await;
                        if let Ok(Outlook::Command { proposal, .. }) = &what {
                            doubts.extend(proposal.plan.warnings.iter().cloned());
                        }
                        (what, doubts)
                    }
                    Wanted::No(what) => (what, Vec::new()),
                };
                tell(&mut run, &mut ends, task, what, warnings, see)?;
            }
            continue;
        }
        let component = run.header.steps.get(step).and_then(|header| header.component.clone());
        let components =
            script.components().into_iter().filter(|(name, _)| component.as_ref().is_none_or(|of| of == name));
        let limit = components.map(|(_, component)| component.limits().batch).max().unwrap_or(1).max(1);
        // Where each takes long the first is told before the others are planned.
        let mut size = if limit <= SLOW { 1 } else { limit };
        let mut rest = tasks.as_slice();
        while !rest.is_empty() {
            let (tasks, later) = rest.split_at(size.min(rest.len()));
            (rest, size) = (later, limit.min(size * 2));
            let mut to_plan = Vec::new();
            let mut doubts = HashMap::new();
            for task in tasks {
                match wanted(&run, script, *task, &ends).await {
                    Wanted::Yes(doubt) => drop(doubts.insert(*task, doubt)),
                    Wanted::No(what) => {
                        tell(&mut run, &mut ends, *task, what, Vec::new(), see)?;
                        continue;
                    }
                }
                let open = unprinted(&run, script, *task);
                if !open.is_empty() {
                    let doubts = doubts.remove(task).unwrap_or_default();
                    tell(&mut run, &mut ends, *task, Ok(Outlook::Open(open)), doubts, see)?;
                    continue;
                }
                let work = script.work(step, run.owner(*task).as_ref(), &outputs(&run, *task));
                match work {
                    Ok(Work::Restore(restore)) => {
                        to_plan.push(ToPlan { task: *task, name: run.name(*task), restore, standing: Vec::new() })
                    }
                    Ok(_) => {}
                    Err(error) => tell(&mut run, &mut ends, *task, Err(error), Vec::new(), see)?,
                }
            }
            for (task, made) in plan_batch(&pinned, to_plan).await {
                let mut warnings = doubts.remove(&task).unwrap_or_default();
                warnings.extend(made.as_ref().map(|made| made.proposal.plan.warned()).unwrap_or_default());
                tell(&mut run, &mut ends, task, made.map(|made| outlook(&made)), warnings, see)?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// Whether a task's condition holds.
enum Wanted {
    /// What is still to be said of its condition.
    Yes(Vec<String>),
    No(Result<Outlook>),
}

async fn wanted(run: &Run, script: &Arc<dyn Script>, task: TaskId, ends: &Ends) -> Wanted {
    let zone = Zone::chosen();
    let window = run.step(task).and_then(|step| step.policy.window);
    let mut doubts: Vec<String> =
        window.map(|window| format!("waits for its window: {}", window.words(&zone))).into_iter().collect();
    let when = match script.when(run.step_of(task), run.owner(task).as_ref(), &outputs(run, task)) {
        Ok(Some(when)) => when,
        Ok(None) => return Wanted::Yes(doubts),
        Err(error) => return Wanted::No(Err(error)),
    };
    match condition::foresee(run, &when, task, ends).await {
        Ok(Some(true)) => Wanted::Yes(doubts),
        Ok(None) => {
            doubts.push(format!("only if {}", when.words));
            Wanted::Yes(doubts)
        }
        Ok(Some(false)) => Wanted::No(Ok(Outlook::Skipped(when.words))),
        Err(error) => Wanted::No(Err(error)),
    }
}

fn tell(
    run: &mut Run,
    ends: &mut Ends,
    task: TaskId,
    what: Result<Outlook>,
    warnings: Vec<String>,
    see: &mut impl FnMut(Foreseen) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let status = run.tasks.get(task.index()).map(|state| state.status);
    let quiet = match &what {
        Ok(Outlook::Unchanged | Outlook::Skipped(_)) => true,
        Ok(Outlook::Answered(answer)) => answer.holds,
        _ => false,
    };
    // What only waits for a command or another user is foreseen all the same.
    match &what {
        Ok(Outlook::Unchanged) => drop(ends.insert(task, TaskStatus::Unchanged)),
        Ok(Outlook::Skipped(_)) => drop(ends.insert(task, TaskStatus::Skipped)),
        _ => {}
    }
    if quiet && status == Some(TaskStatus::Ready) {
        let recorded = Recorded { seq: run.seq + 1, at: 0, event: Event::Unchanged { task } };
        if let Err(illegal) = run.apply(&recorded) {
            tracing::error!(target: "engine", "{illegal}");
        }
    }
    see(Foreseen { task, name: run.name(task), predicted: status == Some(TaskStatus::Waiting), what, warnings })
}

fn outlook(made: &Made) -> Outlook {
    let plan: &Plan = &made.proposal.plan;
    if plan.is_empty() {
        return Outlook::Unchanged;
    }
    Outlook::Changes { proposal: made.proposal.clone(), digest: made.digest, counts: made.counts, cohort: made.cohort }
}

/// The steps whose outputs a task is made of and that have not printed any yet.
fn unprinted(run: &Run, script: &Arc<dyn Script>, task: TaskId) -> Vec<String> {
    let mut used = script.outputs_used(run.step_of(task));
    used.retain(|step| run.output(task, step).is_none());
    used
}

async fn foresee_other(run: &Run, script: &Arc<dyn Script>, task: TaskId, pinned: &Pinned) -> Result<Outlook> {
    let open = unprinted(run, script, task);
    // A command and a question are shown with the names of what is not known yet.
    let said = |step: &str| {
        let known = run.output(task, step).map(str::to_owned);
        known.or_else(|| Some(format!("${{{}}}", output_variable(step))))
    };
    match script.work(run.step_of(task), run.owner(task).as_ref(), &said)? {
        Work::Run(line) => {
            let Made { proposal, digest, cohort, .. } = line.made(run.name(task), pinned);
            Ok(Outlook::Command { proposal, digest, cohort, unprinted: open })
        }
        Work::Ask(ask) => match ask.how.clone() {
            Asking::Confirm { text } => Ok(Outlook::Asks(text)),
            _ if !open.is_empty() => Ok(Outlook::Open(open)),
            Asking::Check => asking::once(&ask).await.map(Outlook::Answered),
            // A dry run asks once and does not wait.
            Asking::Wait { .. } => asking::once(&ask).await.map(Outlook::Answered),
        },
        Work::Restore(_) => Ok(Outlook::Unchanged),
    }
}
