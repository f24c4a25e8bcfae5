use std::collections::HashSet;

use clap::Args;

use super::Exit;
use super::operate;
use super::plain::{Walk, totals};
use super::prepared::{recorded_runbook, reopen_live};
use super::progress::Progress;
use super::{ApprovalArgs, InputArgs, say};
use crate::engine::{Command, Purpose};
use crate::model::{ApprovalPolicy, Error, ErrorKind, Pass, Result, Run, TaskId, TaskState, TaskStatus};

/// Brings back what was there before a run, or some of its tasks
///
/// The way back has its own diff, and each is approved like any other. Without names it undoes everything the
/// run applied, last things first.
#[derive(Args, Debug)]
pub struct UndoArgs {
    /// The run's id; the latest, unless one is named
    run: Option<String>,
    /// Only this task, as in home/ana; can be repeated
    #[arg(long = "task", value_name = "STEP/OWNER")]
    tasks: Vec<String>,
    /// Only tasks of this owner; can be repeated
    #[arg(long = "user", value_name = "NAME")]
    owners: Vec<String>,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    approval: ApprovalArgs,
}

pub async fn run(args: UndoArgs, json: bool) -> Result<Exit> {
    let taken = operate::take(operate::folder(args.run.as_deref())?)?;
    let inputs = args.inputs.again(&recorded_runbook(taken.header())?, taken.header())?;
    let policy = args.approval.policy()?;
    let by = operate::operator();
    let systems = reopen_live(taken.header(), inputs).await?;
    let id = taken.header().id.clone();
    let engine = taken.resume(systems, policy.clone(), by.clone(), Purpose::Undo)?;
    let interactive = policy == ApprovalPolicy::Ask && !json;
    let mut walk =
        Walk { engine, by: by.clone(), json, interactive, only: Some(HashSet::new()), progress: Progress::new(json) };
    // What was interrupted is settled first, and an undo that was approved is carried out: then it is known what is left.
    let ending = walk.go().await;
    let run = ending.run;
    let wanted = match (ending.problem, select(&run, &args)) {
        (Some(problem), _) => Err(Error::new(problem.kind, "undo", problem.what)),
        (None, wanted) => wanted,
    };
    let order = match wanted {
        Ok(wanted) => by_step(&run, &wanted),
        Err(error) => {
            walk.leave().await;
            return Err(error);
        }
    };
    let mut exit = Exit::Fine;
    // What came last goes first: a home before the account it needed.
    for tasks in order {
        let asked = |task: &TaskId| run.tasks.get(task.index()).is_some_and(is_being_undone);
        for task in tasks.iter().filter(|task| !asked(task)) {
            walk.engine.command(Command::Undo { task: *task }, &by).await?;
        }
        walk.only = Some(tasks.iter().copied().collect());
        let ending = walk.go().await;
        let left: Vec<&TaskId> = tasks
            .iter()
            .filter(|task| ending.run.tasks.get(task.index()).is_some_and(|state| state.status != TaskStatus::Undone))
            .collect();
        if !left.is_empty() || ending.problem.is_some() {
            exit = match Exit::of(&ending.run) {
                Exit::Fine => Exit::ChangesPending,
                other => other,
            };
            if !json {
                super::approval::waiting(&ending.run, &policy).iter().for_each(|line| say(line));
                say(&format!("{}\nnext: rekindle undo {id}", totals(&ending.run)));
            }
            break;
        }
    }
    if exit == Exit::Fine && !json {
        say("everything that was asked for is undone");
    }
    walk.leave().await;
    Ok(exit)
}

fn select(run: &Run, args: &UndoArgs) -> Result<HashSet<TaskId>> {
    let count = u32::try_from(run.tasks.len()).unwrap_or(u32::MAX);
    let undoable = |task: &TaskId| {
        run.tasks.get(task.index()).is_some_and(|state| state.can_be_undone() || is_being_undone(state))
    };
    let mut wanted: HashSet<TaskId> = HashSet::new();
    for name in &args.tasks {
        let doing = || format!("undo {}", crate::model::visible(name));
        let task = run.find(name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, doing(), "this run has no such task").next("'rekindle report' lists them")
        })?;
        if !undoable(&task) {
            return Err(Error::new(ErrorKind::Refused, doing(), "it changed nothing that can be brought back"));
        }
        wanted.insert(task);
    }
    for owner in &args.owners {
        let sets = run.header.owners.iter();
        let tasks: Vec<TaskId> = sets.flat_map(|set| run.tasks_of_owner(&set.set, owner)).collect();
        if tasks.is_empty() {
            let doing = format!("undo what was done for {}", crate::model::visible(owner));
            return Err(Error::new(ErrorKind::NotFound, doing, "this run has no such owner"));
        }
        wanted.extend(tasks.into_iter().filter(undoable));
    }
    if args.tasks.is_empty() && args.owners.is_empty() {
        wanted.extend((0..count).map(TaskId).filter(undoable));
    }
    let already = run.count(TaskStatus::Undone) > 0;
    if wanted.is_empty() && !already {
        return Err(Error::new(ErrorKind::NotFound, "undo", "this run changed nothing that can be brought back"));
    }
    Ok(wanted)
}

/// Asked for before this process came, and waiting for its approval.
fn is_being_undone(state: &TaskState) -> bool {
    state.pass == Pass::Undo && state.status == TaskStatus::Review
}

fn by_step(run: &Run, wanted: &HashSet<TaskId>) -> Vec<Vec<TaskId>> {
    let steps = (0..run.header.steps.len()).rev();
    let tasks = steps.map(|step| run.step_tasks(step).map(TaskId).filter(|task| wanted.contains(task)).collect());
    tasks.filter(|tasks: &Vec<TaskId>| !tasks.is_empty()).collect()
}
