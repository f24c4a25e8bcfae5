//! Writes that have only begun something: it goes on by itself, other tasks go on meanwhile, and it is looked at now and
//! then until it has ended. Its reference is in the journal, so that a resume finds it again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{mpsc, watch};

use super::actor::Actor;
use super::context::Context;
use super::notice::Activity;
use super::planner::ToPlan;
use super::recovery::Interrupted;
use super::script::Restore;
use super::worker::Done;
use super::writer::{Effected, Written, prove};
use crate::component::{Effect, LongWork, Look, UnderWay};
use crate::model::{Error, ErrorKind, Known, Pass, ResourceId, Result, TaskId};

/// A task of which at least one change goes on, with what is known of the others.
pub(super) struct Following {
    pub effected: Effected,
    /// By the position of the change.
    pub references: Vec<Option<String>>,
}

/// What became of work that an earlier session had begun.
pub(super) enum GoesOn {
    /// There was none, or it has ended.
    Ended,
    /// This session ends before it does.
    Left,
    Failed(Box<Written>),
}

/// A system that asks to be looked at again at once is given this moment.
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(600);
/// So many looks in a row may fail for want of an answer.
const MOST_MISSED: u32 = 10;

impl Actor {
    /// No lane is held: other tasks of the component go on.
    pub fn follow(&mut self, following: Following) {
        let task = following.effected.prepared.to_write.to_plan.task;
        let batch = self.hold(&[task]);
        let (context, mailbox) = (self.setting.context.clone(), self.setting.mailbox.clone());
        let worker = tokio::spawn(follow(context, following, mailbox.clone()));
        tokio::spawn(async move {
            let _ = worker.await;
            let _ = mailbox.send(Done::FollowingEnded { batch, task });
        });
    }
}

async fn follow(context: Arc<Context>, following: Following, mailbox: mpsc::UnboundedSender<Done>) {
    let Following { mut effected, references } = following;
    let ToPlan { task, restore, .. } = effected.prepared.to_write.to_plan.clone();
    let ids = effected.prepared.approved.iter().map(|approved| approved.change.id.clone());
    let of_each = effected.effects.drain(..).zip(ids).zip(references).map(|((effect, id), reference)| {
        let (context, restore, mailbox) = (&context, &restore, &mailbox);
        async move {
            let first = match effect {
                Ok(Effect { under_way: Some(first), .. }) => first,
                effect => return Some(effect),
            };
            let Some(reference) = reference else {
                let why = "its adapter told no reference of it";
                return Some(Err(Error::new(ErrorKind::Bug, format!("follow {id}"), why).known(Known::Unknown)));
            };
            Followed { context, restore, task, id, reference }.until_ended(first, mailbox).await
        }
    });
    let effects: Option<Vec<Result<Effect>>> = join_all(of_each).await.into_iter().collect();
    let Some(effects) = effects else {
        let _ = mailbox.send(Done::LeftUnderWay { task });
        return;
    };
    effected.effects = effects;
    let written = prove(&context, &restore, vec![effected], &mailbox).await;
    let _ = mailbox.send(Done::Wrote { written });
}

/// Waits for what an interrupted write had begun, so that the target can be read for what came of it.
pub(super) async fn goes_on(
    context: &Arc<Context>,
    interrupted: &Interrupted,
    mailbox: &mpsc::UnboundedSender<Done>,
) -> GoesOn {
    let Interrupted { task, restore, pass, attempt, under_way, .. } = interrupted;
    if restore.component.long_work().is_none() {
        return GoesOn::Ended;
    }
    let each = under_way.iter().map(|(id, reference)| {
        let (id, reference) = (id.clone(), reference.clone());
        Followed { context, restore, task: *task, id, reference }.until_ended(UnderWay::default(), mailbox)
    });
    for ended in join_all(each).await {
        match ended {
            None => return GoesOn::Left,
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let kept = (*pass == Pass::Restore).then(|| context.undo.count(*task, *attempt));
                return GoesOn::Failed(Box::new(Written::failed(*task, &error, kept)));
            }
        }
    }
    GoesOn::Ended
}

struct Followed<'a> {
    context: &'a Context,
    restore: &'a Restore,
    task: TaskId,
    id: ResourceId,
    reference: String,
}

impl Followed<'_> {
    /// `None`: it goes on after this session.
    async fn until_ended(self, first: UnderWay, mailbox: &mpsc::UnboundedSender<Done>) -> Option<Result<Effect>> {
        let Some(work) = self.restore.component.long_work() else {
            let why = "its adapter has no way to look at what goes on";
            return Some(Err(Error::new(ErrorKind::Bug, self.doing(), why).known(Known::Unknown)));
        };
        let (mut leaving, mut cancelled) = (self.context.leaving.subscribe(), self.context.cancelled.subscribe());
        let (mut now, mut missed, mut is_cancelled) = (first, 0, false);
        loop {
            self.tell(&mut now, mailbox);
            let asked_to_end = tokio::select! {
                biased;
                () = is_set(&mut leaving) => return None,
                () = is_set(&mut cancelled), if !is_cancelled => true,
                () = tokio::time::sleep(now.again_in.clamp(SHORTEST, LONGEST)) => false,
            };
            // What cannot be ended goes on by itself, and a resume finds what came of it.
            if asked_to_end && !self.cancelled(work).await {
                return None;
            }
            is_cancelled |= asked_to_end;
            let looked = {
                let _turn = self.context.pinned.calls.reading(&self.restore.component_name).await;
                work.look(&self.id, &self.reference).await
            };
            match looked {
                Ok(Look::Ended(effect)) => return Some(Ok(effect)),
                Ok(Look::UnderWay(further)) => (now, missed) = (further, 0),
                Err(error) if is_passing(&error) && missed < MOST_MISSED => {
                    missed += 1;
                    tracing::warn!(target: "engine", "{}: {}", self.id, error.chain());
                    let again_in = now.again_in.max(Duration::from_millis(500)) * 2;
                    now = UnderWay { again_in, progress: error.chain(), said: Vec::new() };
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    async fn cancelled(&self, work: &dyn LongWork) -> bool {
        work.cancel(&self.id, &self.reference).await.unwrap_or_else(|error| {
            tracing::warn!(target: "engine", "{}: {}", self.id, error.chain());
            false
        })
    }

    fn doing(&self) -> String {
        format!("follow {} ({})", self.id, crate::model::visible(&self.reference))
    }

    fn tell(&self, now: &mut UnderWay, mailbox: &mpsc::UnboundedSender<Done>) {
        for line in now.said.drain(..) {
            let _ = mailbox.send(Done::Output { task: self.task, line });
        }
        let seconds = now.again_in.as_secs();
        let again = if seconds > 0 { format!("looked at again in {seconds} s") } else { "under way".to_owned() };
        let words = if now.progress.is_empty() { again } else { format!("{}; {again}", now.progress) };
        let _ = mailbox.send(Done::Activity { task: self.task, activity: Activity::Waiting(words) });
    }
}

async fn is_set(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|is_set| *is_set).await;
}

fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::TimedOut)
}
