use clap::Args;

use super::Exit;
use super::attention::NotifyArgs;
use super::config;
use super::operate;
use super::prepared::{recorded_runbook, reopen};
use super::run::follow;
use super::screen::{ScreenArgs, is_terminal};
use super::standing::Standing;
use super::{ApprovalArgs, InputArgs, say};
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
    #[command(flatten)]
    notify: NotifyArgs,
}

pub async fn run(args: ResumeArgs, json: bool) -> Result<Exit> {
    let taken = operate::take(operate::folder(args.run.as_deref())?)?;
    let inputs = args.inputs.again(&recorded_runbook(taken.header())?, taken.header())?;
    let policy = args.approval.policy()?;
    let screen = args.screen.ready(&policy, json)?;
    if !json {
        let standing = Standing::of(&taken.run, &policy);
        standing.tell();
        if !standing.is_wanted(policy == ApprovalPolicy::Ask && is_terminal()) {
            say("nothing was begun: the run stays as it is");
            return Ok(Exit::ChangesPending);
        }
    }
    let by = operate::operator();
    let systems = reopen(taken.header(), inputs).await?;
    let header = taken.header().clone();
    let id = header.id.clone();
    let takes_over = args.approval.take_over;
    let engine = taken.resume(systems, policy.clone(), by.clone(), crate::engine::Purpose::GoOn, takes_over)?;
    super::demo::take_up(&engine, &header, screen.is_some() || json);
    let attention = args.notify.attention(config::chosen().attention);
    follow(engine, by, policy, screen, attention, json, &id).await
}
