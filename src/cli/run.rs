use std::path::PathBuf;

use clap::Args;

use super::Exit;
use super::attention::{Attention, Caller, NotifyArgs};
use super::config;
use super::operate;
use super::plain::{Contents, Ending, Lines, Much, Walk};
use super::prepared::{prepare, usable_runbook};
use super::screen::{self, ScreenArgs};
use super::{ApprovalArgs, InputArgs, Output, OwnerArgs, remark, say};
use crate::engine::Engine;
use crate::model::{ApprovalPolicy, Error, ErrorKind, Result, RunState, Summary, TaskId, shown_command};
use crate::signals::Signals;
use crate::tui::Options;

/// Restores: shows each step's diff, applies what is approved, proves it
///
/// Without --plain it opens the terminal UI. The run can be left at any time and taken up again with
/// `rekindle resume`. Exit code: 0 all done, 1 something failed, 2 something still waits for a decision.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The runbook, a YAML file
    runbook: PathBuf,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    owners: OwnerArgs,
    #[command(flatten)]
    approval: ApprovalArgs,
    #[command(flatten)]
    screen: ScreenArgs,
    #[command(flatten)]
    notify: NotifyArgs,
    /// Not a flag of this verb: who tries it first is told which verb it is
    #[arg(long, hide = true)]
    dry_run: bool,
}

pub async fn run(args: RunArgs, output: &Output) -> Result<Exit> {
    let json = output.json;
    if args.dry_run {
        let why = "`rekindle plan` is the dry run: it shows what a run would do and changes nothing";
        let runbook = shown_command(&[args.runbook.display().to_string()]);
        let next = format!("rekindle plan {runbook}; inputs and owners are given as to a run");
        return Err(Error::new(ErrorKind::Invalid, "run with --dry-run", why).next(next));
    }
    let by = operate::operator();
    let runbook = usable_runbook(&args.runbook)?;
    let inputs = args.inputs.gather(&runbook)?;
    let policy = args.approval.policy()?;
    if !json {
        for command in runbook.commands() {
            remark(&format!("this runbook executes a command: {command}"));
        }
    }
    let screen = args.screen.ready(&policy, json)?;
    let mut prepared =
        prepare(&args.runbook, runbook, inputs, &by, operate::now(), |owners| args.owners.select(owners)).await?;
    super::strays::warn(&*prepared.systems, &args.runbook).await;
    prepared.header.policy = args.approval.words();
    let contents = Contents::of(&prepared.systems, Much::USUAL, false);
    let (engine, id) = operate::begin(prepared, policy.clone(), args.approval.take_over)?;
    let attention = args.notify.attention(config::chosen().attention);
    let lines = Lines::new(output, policy == ApprovalPolicy::Ask && !json, contents);
    follow(engine, by, policy, screen, attention, lines, &id).await
}

/// Shows a run until it is left: as a screen, or as lines.
pub async fn follow(
    engine: Engine,
    by: String,
    policy: ApprovalPolicy,
    screen: Option<Options>,
    attention: Attention,
    lines: Lines,
    id: &str,
) -> Result<Exit> {
    let json = lines.json;
    let signals = Signals::listen(format!("rekindle resume {id}"));
    let mut caller = Caller::begin(attention, &engine, id, screen.is_some());
    if let Some(options) = screen {
        let options = Options { calls: caller.screen_calls(), schemas: lines.contents.schemas(), ..options };
        let ending = screen::show(engine, by, options, signals).await?;
        caller.end().await;
        return Ok(conclude(&ending, &policy, json, id));
    }
    let walk = Walk { engine, by, interactive: lines.asks, lines, only: None, signals };
    let halt = walk.go().await;
    let ending = walk.leave(halt).await;
    caller.end().await;
    Ok(conclude(&ending, &policy, json, id))
}

/// The last lines of a run, and its exit code.
pub fn conclude(ending: &Ending, policy: &ApprovalPolicy, json: bool, id: &str) -> Exit {
    let run = &ending.run;
    if let Some(problem) = &ending.problem {
        remark(&format!("error: {}", problem.what));
        if let Some(next) = &problem.next {
            remark(&format!("next: {next}"));
        }
        return Exit::Failed;
    }
    let exit = Exit::of_all_asked_for(run);
    if !json {
        let tasks: Vec<TaskId> = (0_u32..).zip(&run.tasks).map(|(number, _)| TaskId(number)).collect();
        super::approval::waiting(run, &tasks, policy).iter().for_each(|line| say(line));
        if !super::output::is_quiet() {
            let summary = Summary::of(run, |verb| Some(format!("rekindle {verb} {id}")));
            summary.lines().for_each(|(_, line)| say(&line));
        }
        say(&super::plain::totals(run));
        run.header.unusable_lines().iter().for_each(|line| say(line));
        match exit {
            _ if run.state == RunState::Closed => say(&format!("next: rekindle report {id}")),
            _ if Exit::of(run) == Exit::Fine => {
                say(&format!("next: rekindle report {id}"));
                if run.tasks.iter().any(|task| task.undoable) {
                    say(&format!("      rekindle undo {id}   brings the former state back"));
                    say(&format!("      rekindle close {id}   releases what is kept for that"));
                }
            }
            _ if run.waits_for_what_was_undone() => {
                say("what is left waits for tasks that were undone: it goes on once they are tried again");
                say(&format!("next: rekindle resume {id}   on a terminal, where r plans an undone task again"));
            }
            _ => say(&format!("next: rekindle resume {id}{}", super::approval::flags_to_go_on(run, &tasks, policy))),
        }
    }
    exit
}
