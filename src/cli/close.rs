use std::sync::Arc;

use clap::Args;

use super::plain::totals;
use super::prepared::{recorded_runbook, reopen_live};
use super::{Exit, InputArgs, Output, operate};
use crate::engine::{Command, Notice, Purpose};
use crate::model::{ApprovalPolicy, Error, ErrorKind, Result, Run};

/// Ends a run for good: releases what is kept for its undo
///
/// Replaced files and former values are kept until then. Afterwards the run can be reported, and no longer
/// resumed or undone.
#[derive(Args, Debug)]
pub struct CloseArgs {
    /// The run's id or its beginning; the latest, unless one is named
    run: Option<String>,
    /// Close it though some of its tasks are not settled
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    inputs: InputArgs,
}

pub async fn run(args: CloseArgs, output: &Output) -> Result<Exit> {
    let taken = operate::take(operate::folder(args.run.as_deref())?)?;
    let inputs = args.inputs.again(&recorded_runbook(taken.header())?, taken.header())?;
    let by = operate::operator();
    let systems = reopen_live(taken.header(), inputs).await?;
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
            format!("it is not complete ({}), and what is kept for its undo would go", totals(&run)),
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
    if output.json {
        output.print_json(&serde_json::json!({ "closed": id }))?;
    } else {
        output.print(&format!("{id} is closed; undo is no longer offered\n"))?;
    }
    Ok(Exit::Fine)
}
