use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::calls::{Calls, one_each};
use super::context::Context;
use super::ledger::RunLedger;
use super::long_work::Following;
use super::made::Made;
use super::notice::Activity;
use super::planner::ToPlan;
use super::prepare::{Prepared, prepare};
use super::proof::conclude;
use super::read_back::ReadBack;
use super::reorder::write_order_again;
use super::script::Restore;
use super::worker::Done;
use crate::component::{Approved, Effect};
use crate::crash::crash_point;
use crate::model::{
    Digest, DigestBuilder, Error, Fingerprint, Identity, Known, Location, Pass, Problem, Resource, Result, Selection,
    TargetIdentity, TaskId,
};
use crate::reader::Wanted;

/// One approved task on its way to being written.
#[derive(Clone)]
pub(super) struct ToWrite {
    pub to_plan: ToPlan,
    pub pass: Pass,
    /// The digest that was approved, and the hunks it chose.
    pub digest: Digest,
    pub selection: Selection,
    pub attempt: u16,
    /// The proposal that was reviewed, if it is still in memory.
    pub made: Option<Arc<Made>>,
}

/// A task whose INTENT can be recorded now.
pub(super) struct Intended {
    pub task: TaskId,
    pub digest: Digest,
    pub attempt: u16,
    pub pre: Fingerprint,
    pub made: Arc<Made>,
}

/// What became of one task.
pub(super) struct Written {
    pub task: TaskId,
    pub known: Known,
    pub post: Option<Fingerprint>,
    pub evidence: String,
    pub problem: Option<Problem>,
    pub partial: bool,
    /// How many undo records a restore left.
    pub kept: Option<u32>,
    pub dependents_go_on: bool,
    /// Of a command whose step captures it.
    pub output: Option<String>,
    /// Of files' contents.
    pub bytes: u64,
}

impl Written {
    /// A task that ended in this error without being read back.
    pub fn failed(task: TaskId, error: &Error, kept: Option<u32>) -> Self {
        Self {
            task,
            known: error.effect(),
            post: None,
            evidence: String::new(),
            problem: Some(error.problem()),
            partial: false,
            kept,
            dependents_go_on: false,
            output: None,
            bytes: 0,
        }
    }
}

/// Writes tasks of one component: each is planned again where it must be, its undo is made durable, its INTENT
/// waits for the journal, then comes the effect, and then the reading back.
pub(super) async fn write_batch(context: Arc<Context>, tasks: Vec<ToWrite>, mailbox: mpsc::UnboundedSender<Done>) {
    let prepared = prepare(&context, tasks, &mailbox).await;
    let Some(first) = prepared.first() else { return };
    let restore = first.to_write.to_plan.restore.clone();
    let (durable, is_durable) = oneshot::channel();
    let intents = prepared.iter().map(intended).collect();
    crash_point("engine::before_intent");
    // A closed mailbox or a journal that cannot be written drops the sender: then nothing is done.
    if mailbox.send(Done::Intended { intents, durable }).is_err() || is_durable.await.is_err() {
        return;
    }
    crash_point("engine::after_intent");
    let (mut ended, mut goes_on) = (Vec::new(), Vec::new());
    for (effected, references) in effects(&context, &restore, prepared, &mailbox).await {
        let begun = |effect: &Result<Effect>| effect.as_ref().is_ok_and(|effect| effect.under_way.is_some());
        match effected.effects.iter().any(begun) {
            true => goes_on.push((effected, references)),
            false => ended.push(effected),
        }
    }
    for (effected, references) in goes_on {
        let following = Box::new(Following { effected, references });
        let _ = mailbox.send(Done::GoesOn { following });
    }
    let written = prove(&context, &restore, ended, &mailbox).await;
    crash_point("engine::before_outcome");
    let _ = mailbox.send(Done::Wrote { written });
}

fn intended(prepared: &Prepared) -> Intended {
    let mut pre = DigestBuilder::new("pre");
    for approved in &prepared.approved {
        pre.digest(&approved.change.before);
    }
    Intended {
        task: prepared.to_write.to_plan.task,
        digest: prepared.to_write.digest,
        attempt: prepared.to_write.attempt,
        pre: pre.finish(),
        made: prepared.made.clone(),
    }
}

/// Tells of a target that was not there when the run began what it calls itself now, if it is there.
pub(super) async fn tell_if_became(context: &Context, restore: &Restore, mailbox: &mpsc::UnboundedSender<Done>) {
    if let Some(now) = became(context, restore).await {
        let _ = mailbox.send(Done::Became { component: restore.component_name.to_string(), now });
    }
}

async fn became(context: &Context, restore: &Restore) -> Option<TargetIdentity> {
    let pinned = context.pinned.identity(&restore.component_name).ok()?;
    if pinned.id != Identity::Absent {
        return None;
    }
    let _turn = context.pinned.calls.reading(&restore.component_name).await;
    let now = restore.component.identity().await.ok()?;
    pinned.is_made_as(&now).then_some(now)
}

/// What is there now of each, position by position.
pub(super) async fn read_back(
    calls: &Calls,
    restore: &Restore,
    approved: &[Approved],
) -> Vec<Result<Option<Resource>>> {
    let component = &restore.component;
    let locations: Vec<_> = approved.iter().map(|one| Location::of(&one.change.id)).collect();
    let with: Vec<Option<Resource>> = approved.iter().map(|one| one.desired.clone()).collect();
    calls.read(&restore.component_name, &**component, &Wanted::beside(&locations, &with)).await
}

/// One task whose changes were handed to its component.
pub(super) struct Effected {
    pub prepared: Prepared,
    /// One for each of its changes.
    pub effects: Vec<Result<Effect>>,
}

/// Writes all changes; answers each task with its effects, and by what is found again what they have begun.
async fn effects(
    context: &Arc<Context>,
    restore: &Restore,
    prepared: Vec<Prepared>,
    mailbox: &mpsc::UnboundedSender<Done>,
) -> Vec<(Effected, Vec<Option<String>>)> {
    let calls = &context.pinned.calls;
    let flat: Vec<(usize, Approved)> = prepared
        .iter()
        .enumerate()
        .flat_map(|(at, ready)| ready.approved.iter().map(move |approved| (at, approved.clone())))
        .collect();
    let mut effects = Vec::with_capacity(flat.len());
    for part in flat.chunks(calls.most_changes(&restore.component_name)) {
        let mut ledger = RunLedger::new(context.clone(), mailbox.clone());
        for (at, approved) in part {
            if let Some(Prepared { to_write: ToWrite { to_plan, attempt, pass, .. }, .. }) = prepared.get(*at) {
                ledger.add(to_plan.task, *attempt, *pass, approved);
            }
        }
        let part: Vec<Approved> = part.iter().map(|(_, approved)| approved.clone()).collect();
        let _turn = calls.writing(&restore.component_name).await;
        let answers = one_each(restore.component.write(&part, &ledger).await, part.len());
        effects.extend(answers.into_iter().enumerate().map(|(at, effect)| (effect, ledger.reference(at))));
    }
    crash_point("engine::after_effect");
    let mut effects = effects.into_iter();
    let of_task = |prepared: Prepared| {
        let (effects, references) = effects.by_ref().take(prepared.approved.len()).unzip();
        (Effected { prepared, effects }, references)
    };
    prepared.into_iter().map(of_task).collect()
}

/// Reads back what was written, and says what is known of it.
pub(super) async fn prove(
    context: &Arc<Context>,
    restore: &Restore,
    effected: Vec<Effected>,
    mailbox: &mpsc::UnboundedSender<Done>,
) -> Vec<Written> {
    tell_if_became(context, restore, mailbox).await;
    let (mut prepared, mut flat, mut effects) = (Vec::with_capacity(effected.len()), Vec::new(), Vec::new());
    for Effected { prepared: ready, effects: of_task } in effected {
        let task = ready.to_write.to_plan.task;
        let _ = mailbox.send(Done::Activity { task, activity: Activity::ReadingBack(Default::default()) });
        flat.extend(ready.approved.iter().cloned());
        effects.extend(of_task);
        prepared.push(ready);
    }
    if prepared.is_empty() {
        return Vec::new();
    }
    let mut now = read_back(&context.pinned.calls, restore, &flat).await;
    write_order_again(context, restore, &flat, &effects, &mut now).await;
    let schema = restore.component.schema().clone();
    let (context, mailbox) = (context.clone(), mailbox.clone());
    let proven = tokio::task::spawn_blocking(move || {
        let mut answers = flat.into_iter().zip(effects).zip(now);
        prepared
            .into_iter()
            .map(|ready| {
                let of: Vec<_> = answers.by_ref().take(ready.approved.len()).collect();
                let reading = ReadBack::of(ready.to_write.to_plan.task, &ready.approved, mailbox.clone());
                conclude(&context, &schema, &ready, of, &reading)
            })
            .collect::<Vec<_>>()
    })
    .await;
    proven.unwrap_or_else(|error| {
        tracing::error!(target: "engine", "reading back ended by {error}");
        Vec::new()
    })
}
