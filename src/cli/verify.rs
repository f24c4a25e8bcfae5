use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clap::Args;

use super::operate::{self, Suits};
use super::prepared::{as_run, recorded_runbook, reopen};
use super::{Exit, InputArgs, Output};
use crate::engine::{Foreseen, Outlook, Script, dry_run};
use crate::journal::{ReadJournal, StateFolder, check_undo};
use crate::model::{
    Error, ErrorKind, Op, Pass, Plan, ResourceId, Result, Run, TaskId, TaskState, TaskStatus, plural, visible,
};
use crate::registry::former_gone;

/// Reads everything a run restored once more and compares it with the backup
///
/// Commands and confirmations leave nothing that can be read; they are counted apart. Exit code: 0 all of it is
/// still there, 2 something differs now, 1 something could not be read, a task failed, was interrupted or is half
/// undone, or the run's record is not whole. Hunks that were left out when it was approved may differ.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The run's id or its beginning; the latest that left something to verify, unless one is named
    run: Option<String>,
    #[command(flatten)]
    inputs: InputArgs,
}

pub async fn run(args: VerifyArgs, output: &Output) -> Result<Exit> {
    let folder = operate::suiting(args.run.as_deref(), "left something to verify", suits)?;
    folder.is_own()?;
    let mut journal = ReadJournal::open(&folder)?;
    let events = journal.prove()?;
    if let Some(finding) = journal.findings().iter().find(|finding| !finding.allows_writing()) {
        // Its runbook may be somebody else's by now, and verifying may run its password command.
        let doing = format!("verify the run {}", folder.id());
        return Err(Error::new(ErrorKind::Corrupt, doing, finding.to_string())
            .next("'rekindle report' shows what is sound; 'rekindle plan' compares with the backup"));
    }
    let (run, broken) = crate::journal::fold(&events);
    let undo = check_undo(&folder, &run);
    let mut found = Found {
        record: journal.findings().iter().chain(&broken).chain(&undo).map(ToString::to_string).collect(),
        unsettled: unsettled(&run),
        ..Found::default()
    };
    let inputs = args.inputs.again(&recorded_runbook(&run.header)?, &run.header)?;
    let script: Arc<dyn Script> = reopen(&run.header, inputs).await?;
    found.record.extend(lost_former(&run, &*script).await);
    let mut left_out: HashMap<TaskId, HashSet<Place>> = HashMap::new();
    for (task, (selection, planned)) in &run.selections {
        if let Some(plan) = journal.plan(planned)? {
            left_out.insert(*task, places(&plan, |change, hunk| !selection.takes(change, hunk)));
        }
    }
    let key = StateFolder::from_environment()?.digest_key()?;
    let mut compared = as_run(&run.header)?;
    compared.outputs.clone_from(&run.outputs);
    dry_run(&compared, &script, key, |foreseen| {
        if run.stands(foreseen.task) {
            let is_outdated = run.is_answer_outdated(foreseen.task);
            found.compare(&foreseen, left_out.get(&foreseen.task), is_outdated);
        }
        std::ops::ControlFlow::Continue(())
    })
    .await;
    if output.json {
        output.print_json(&serde_json::json!({
            "run": run.header.id, "equal": found.equal, "differing": found.differing, "failed": found.failed,
            "unverifiable": found.unverifiable, "unsettled": found.unsettled, "findings": found.record,
        }))?;
    } else {
        output.print(&found.words())?;
    }
    Ok(found.exit())
}

/// Components that no longer keep what the undo of this run needs, in words.
async fn lost_former(run: &Run, script: &dyn Script) -> Vec<String> {
    let mut lost = Vec::new();
    for (name, component) in script.components().into_iter().filter(|(_, component)| component.keeps_former()) {
        if !run.has_kept_at(&name) {
            continue;
        }
        match component.kept_runs().await {
            Ok(runs) if runs.contains(&run.header.id) => {}
            Ok(_) => lost.push(former_gone(&name)),
            Err(error) => {
                lost.push(format!("what '{}' kept for its undo cannot be seen: {}", visible(&name), error.chain()))
            }
        }
    }
    lost
}

/// What was seen, each in words.
#[derive(Default)]
struct Found {
    /// What is wrong with the journal.
    record: Vec<String>,
    /// Tasks that left something and are not done: failed, unknown, interrupted, half undone …
    unsettled: Vec<String>,
    differing: Vec<String>,
    failed: Vec<String>,
    /// Commands and confirmations.
    unverifiable: Vec<String>,
    equal: usize,
}

impl Found {
    /// `is_outdated`: what it answered was about something that is undone since.
    fn compare(&mut self, foreseen: &Foreseen, left_out: Option<&HashSet<Place>>, is_outdated: bool) {
        match &foreseen.what {
            Ok(Outlook::Answered(answer)) if !answer.holds && is_outdated => {
                self.unverifiable.push(foreseen.name.clone());
            }
            Ok(Outlook::Changes { proposal, .. }) => {
                let mut found: Vec<Place> = places(&proposal.plan, |_, _| true).into_iter().collect();
                found.retain(|place| !left_out.is_some_and(|known| known.contains(place)));
                found.sort();
                match found.first() {
                    None => self.equal += 1,
                    Some((id, _, place)) => {
                        let count = plural(found.len() as u64, "difference");
                        self.differing.push(format!("{}: {count}, first in {id}: {place}", foreseen.name));
                    }
                }
            }
            Ok(Outlook::Answered(answer)) if !answer.holds => {
                self.differing.push(format!("{}: {}", foreseen.name, answer.seen));
            }
            Ok(Outlook::Command { .. } | Outlook::Asks(_) | Outlook::Open(_)) => {
                self.unverifiable.push(foreseen.name.clone())
            }
            Ok(Outlook::Unchanged | Outlook::Answered(_) | Outlook::Skipped(_)) => self.equal += 1,
            Err(error) => self.failed.push(format!("{}: {}", foreseen.name, error.chain())),
        }
    }

    fn words(&self) -> String {
        let record = self.record.iter().map(|finding| format!("the record is not whole: {finding}"));
        let lines = record.chain(self.unsettled.iter().chain(&self.differing).chain(&self.failed).cloned());
        let mut text: String = lines.map(|line| format!("{}\n", visible(&line))).collect();
        let (differing, failed) = (self.differing.len(), self.failed.len());
        let are = if self.equal == 1 { "is" } else { "are" };
        let equal = plural(self.equal as u64, "task");
        text.push_str(&format!("{equal} {are} as restored, {differing} differ, {failed} could not be read\n"));
        if !self.unverifiable.is_empty() {
            let names: Vec<&str> = self.unverifiable.iter().take(MOST_NAMED).map(String::as_str).collect();
            let more = if self.unverifiable.len() > MOST_NAMED { ", …" } else { "" };
            text.push_str(&format!(
                "{} left nothing to be read, a command's effect or a person's word: {}{more}\n",
                plural(self.unverifiable.len() as u64, "task"),
                visible(&names.join(", "))
            ));
        }
        text
    }

    fn exit(&self) -> Exit {
        match self.record.is_empty() && self.unsettled.is_empty() && self.failed.is_empty() {
            false => Exit::Failed,
            true if !self.differing.is_empty() => Exit::ChangesPending,
            true => Exit::Fine,
        }
    }
}

/// A run that found all equal can be verified too, where none wrote anything.
fn suits(run: &Run) -> Suits {
    let tasks = || run.tasks.iter().zip(0_u32..).map(|(state, number)| (state, TaskId(number)));
    let wrote = |(state, task): (&TaskState, TaskId)| {
        left_by(state, run.is_half_undone(task)).is_some() || (state.attempt > 0 && run.stands(task))
    };
    match (tasks().any(wrote), tasks().any(|(_, task)| run.stands(task))) {
        (true, _) => Suits::Well,
        (false, true) => Suits::Barely,
        (false, false) => Suits::No,
    }
}

/// A line holds a few names.
const MOST_NAMED: usize = 8;

/// Tasks of which nobody can say that they are as restored, though they may have written: what each is, and what
/// settles it.
fn unsettled(run: &Run) -> Vec<String> {
    let tasks = run.tasks.iter().zip(0_u32..).map(|(state, number)| (state, TaskId(number)));
    let open = tasks.filter_map(|(state, task)| Some((task, state, left_by(state, run.is_half_undone(task))?)));
    open.map(|(task, state, what)| match run.problems.get(&task) {
        Some(problem) => format!("{} {what}: {}", run.name(task), problem.what),
        None if matches!(state.status, TaskStatus::Failed | TaskStatus::Unknown) => {
            format!("{} {what}", run.name(task))
        }
        None => format!("{} {what}; next: rekindle {} {}", run.name(task), way_on(state), run.header.id),
    })
    .collect()
}

fn left_by(state: &TaskState, is_half_undone: bool) -> Option<&'static str> {
    use TaskStatus as S;
    match (state.status, state.pass) {
        (S::Failed, Pass::Undo) if is_half_undone => Some("is half undone, since its undo failed"),
        (S::Failed, Pass::Undo) => Some("is not undone, since its undo failed"),
        (S::Failed, Pass::Restore) => Some("is failed"),
        (S::Unknown, Pass::Undo) => Some("is undone or not: nobody knows"),
        (S::Unknown, Pass::Restore) => Some("is unknown"),
        (S::Applying, Pass::Restore) => Some("is being written, or its write was interrupted: a part may be there"),
        (S::Applying, Pass::Undo) => Some("is being undone, or its undo was interrupted: a part may be there"),
        // Read back like any other.
        (S::Done | S::Unchanged, _) => None,
        _ if !state.undoable => None,
        (S::Review | S::Approved, Pass::Undo) if is_half_undone => Some("is half undone, and the rest waits"),
        (S::Review | S::Approved, Pass::Undo) => Some("waits to be undone"),
        (S::Skipped, _) => Some("is skipped, and what it wrote before that was not taken back"),
        _ => Some("is to be written again, and what it wrote before is there"),
    }
}

/// The command that settles it.
fn way_on(state: &TaskState) -> &'static str {
    match (state.status, state.pass) {
        (TaskStatus::Skipped, _) | (_, Pass::Undo) => "undo",
        _ => "resume",
    }
}

/// Where a hunk is and what it would do.
type Place = (ResourceId, Op, String);

fn places(plan: &Plan, wanted: impl Fn(usize, usize) -> bool) -> HashSet<Place> {
    let changes = plan.changes.iter().enumerate();
    let each = changes.flat_map(|(at, change)| {
        let hunks = change.hunks.iter().enumerate();
        hunks.map(move |(position, hunk)| (at, position, (change.id.clone(), hunk.op, hunk.place())))
    });
    each.filter(|(change, hunk, _)| wanted(*change, *hunk)).map(|(_, _, place)| place).collect()
}
