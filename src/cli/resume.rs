use clap::Args;

use super::Exit;
use super::operate;
use super::plain::{Contents, Lines, Much};
use super::prepared::{recorded_runbook, reopen};
use super::run::follow;
use super::screen::ScreenArgs;
use super::{ApprovalArgs, InputArgs, Output};
use crate::model::{ApprovalPolicy, Result};

/// Goes on with a run: the latest, unless one is named
///
/// What was being written when it stopped is settled first, by reading the target. The run keeps the runbook,
/// the inputs and the snapshots that it began with.
#[derive(Args, Debug)]
pub struct ResumeArgs {
    /// The run's id or its beginning, as `rekindle runs` lists it; the latest, unless one is named
    run: Option<String>,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    approval: ApprovalArgs,
    #[command(flatten)]
    screen: ScreenArgs,
}

pub async fn run(args: ResumeArgs, output: &Output) -> Result<Exit> {
    let json = output.json;
    let taken = operate::take(operate::folder(args.run.as_deref())?)?;
    let inputs = args.inputs.again(&recorded_runbook(taken.header())?, taken.header())?;
    let policy = args.approval.policy()?;
    let screen = args.screen.ready(&policy, json)?;
    let by = operate::operator();
    let systems = reopen(taken.header(), inputs).await?;
    let header = taken.header().clone();
    let id = header.id.clone();
    let takes_over = args.approval.take_over;
    let contents = Contents::of(&systems, Much::USUAL, false);
    let engine = taken.resume(systems, policy.clone(), by.clone(), crate::engine::Purpose::GoOn, takes_over)?;
    super::demo::take_up(&engine, &header, screen.is_some() || json);
    let lines = Lines::new(output, policy == ApprovalPolicy::Ask && !json, contents);
    follow(engine, by, policy, screen, lines, &id).await
}
