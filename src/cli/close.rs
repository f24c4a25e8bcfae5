use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::plain::totals;
use super::prepared::{recorded_runbook, reopen_what_is_there};
use super::{Exit, InputArgs, Output, operate};
use crate::engine::{Command, Notice, Purpose, Script};
use crate::journal::ReadJournal;
use crate::model::{ApprovalPolicy, Error, ErrorKind, Problem, Result, Run, RunState, visible};

/// Ends a run for good: releases what is kept for its undo
///
/// Replaced files and former values are kept until then. Afterwards the run can be reported, and no longer
/// resumed or undone. No system is needed for it: what could not be released somewhere is named, and is released by
/// closing the run again once that system is there. Exit code: 0 all is released, 2 something is not, 1 error.
#[derive(Args, Debug)]
pub struct CloseArgs {
    /// The run's id or its beginning; the latest, unless one is named
    run: Option<String>,
    /// Of a run whose record is lost: the runbook of the targets at which something is still kept for it
    #[arg(long, value_name = "RUNBOOK", requires = "run")]
    lost: Option<PathBuf>,
    /// Close it though some of its tasks are not settled
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub inputs: InputArgs,
}

pub async fn run(args: CloseArgs, output: &Output) -> Result<Exit> {
    if let (Some(runbook), Some(run)) = (&args.lost, &args.run) {
        return super::strays::release(run, runbook, &args, output).await;
    }
    let folder = operate::folder(args.run.as_deref())?;
    let former = operate::folded(&ReadJournal::open(&folder)?.load()?)?;
    if former.state == RunState::Closed {
        folder.is_own()?;
        folder.remove_undo()?;
        return release_the_rest(&former, &args, output).await;
    }
    let taken = operate::take(folder)?;
    let inputs = args.inputs.again(&recorded_runbook(taken.header())?, taken.header())?;
    let by = operate::operator();
    let systems = reopen_what_is_there(taken.header(), inputs).await?;
    let missing = systems.missing().clone();
    let id = taken.header().id.clone();
    let mut run = Run::default();
    let engine = taken.resume(systems, ApprovalPolicy::Ask, by.clone(), Purpose::Undo, false)?;
    let mut notices = engine.subscribe();
    // What a crash left open is settled before it is closed.
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Snapshot(found) => run = Arc::unwrap_or_clone(found),
            Notice::Event(recorded) => drop(run.apply(&recorded)),
            Notice::Idle | Notice::Stopped { .. } => break,
            _ => {}
        }
    }
    if !args.yes && !run.is_complete() {
        drop(engine);
        while notices.recv().await.is_some() {}
        return Err(Error::new(
            ErrorKind::Refused,
            format!("close the run {id}"),
            match run.can_be_undone() {
                true => format!("it is not complete ({}), and what is kept for its undo would go", totals(&run)),
                false => format!("it is not complete ({}), and could not be resumed any more", totals(&run)),
            },
        )
        .next(format!("rekindle resume {id} goes on with it; rekindle close {id} --yes closes it all the same")));
    }
    engine.command(Command::Close, &by).await?;
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Stopped { problem: Some(problem) } => {
                let error = Error::new(problem.kind, format!("close the run {id}"), problem.what);
                return Err(error.next(problem.next.unwrap_or_else(|| format!("rekindle close {id}"))));
            }
            Notice::Stopped { problem: None } => break,
            _ => {}
        }
    }
    let closed = "is closed; undo is no longer offered";
    tell(&id, [closed, closed], &format!("rekindle close {id}"), &missing, output)
}

/// Of a run that is closed already: what could not be reached at that time, or was left by a close that was killed.
async fn release_the_rest(run: &Run, args: &CloseArgs, output: &Output) -> Result<Exit> {
    let header = &run.header;
    let inputs = args.inputs.again(&recorded_runbook(header)?, header)?;
    let systems = reopen_what_is_there(header, inputs).await?;
    let mut missing = systems.missing().clone();
    for (name, component) in systems.components() {
        if let Err(error) = component.release(&header.id).await {
            missing.entry(name).or_insert_with(|| error.problem());
        }
    }
    let told = ["was closed before; what it left is released", "was closed before"];
    tell(&header.id, told, &format!("rekindle close {}", header.id), &missing, output)
}

/// `how` it stands now: where all is released, and where something is not. `again` is the command that releases the rest.
pub(super) fn tell(
    id: &str,
    [all, some]: [&str; 2],
    again: &str,
    missing: &BTreeMap<String, Problem>,
    output: &Output,
) -> Result<Exit> {
    if output.json {
        output.print_json(&serde_json::json!({ "closed": id, "not_released": missing }))?;
    } else {
        let how = if missing.is_empty() { all } else { some };
        let mut text = format!("{id} {how}\n");
        for (name, problem) in missing {
            let (name, what) = (visible(name), visible(&problem.what));
            text.push_str(&format!("! what it keeps at '{name}' is not released: {what}\n"));
        }
        if !missing.is_empty() {
            text.push_str(&format!("next: {again}   once more when that is mended: it releases the rest\n"));
        }
        output.print(&text)?;
    }
    Ok(if missing.is_empty() { Exit::Fine } else { Exit::ChangesPending })
}
