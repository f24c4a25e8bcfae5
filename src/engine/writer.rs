use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::context::Context;
use super::made::Made;
use super::notice::Activity;
use super::planner::{ToPlan, approved_of, plan_batch};
use super::script::Restore;
use super::standing::{Standing, standing};
use super::undo::{PreImage, plan_undo};
use super::worker::Done;
use crate::component::{Approved, Effect, Ledger, UndoRecord};
use crate::crash::crash_point;
use crate::diff::documents;
use crate::model::{
    Digest, DigestBuilder, DigestKey, Error, ErrorKind, Fingerprint, HunkAt, Known, Pass, Problem, Proposal, Resource,
    Result, Selection, TaskId, plural, size,
};

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
}

struct Prepared {
    to_write: ToWrite,
    made: Arc<Made>,
    approved: Vec<Approved>,
}

/// Writes tasks of one component: each is planned anew where it must be, its undo is made durable, its INTENT
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
    let written = effect_and_proof(&context, &restore, prepared, &mailbox).await;
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

async fn prepare(context: &Arc<Context>, tasks: Vec<ToWrite>, mailbox: &mpsc::UnboundedSender<Done>) -> Vec<Prepared> {
    let mut proposals: Vec<Option<Result<Arc<Made>>>> = tasks.iter().map(|task| task.made.clone().map(Ok)).collect();
    let missing: Vec<ToPlan> = tasks
        .iter()
        .filter(|task| task.made.is_none() && task.pass == Pass::Restore)
        .map(|task| task.to_plan.clone())
        .collect();
    let mut replanned: std::collections::HashMap<_, _> = if missing.is_empty() {
        Default::default()
    } else {
        plan_batch(&context.pinned, missing).await.into_iter().collect()
    };
    for (task, slot) in tasks.iter().zip(&mut proposals) {
        if slot.is_some() {
            continue;
        }
        let proposal = match task.pass {
            Pass::Restore => replanned.remove(&task.to_plan.task),
            Pass::Undo => Some(plan_undo(context, task.to_plan.clone()).await),
        };
        *slot = proposal;
    }
    let identity = match tasks.first() {
        Some(task) => same_target(context, &task.to_plan).await,
        None => Ok(()),
    };
    let mut prepared = Vec::with_capacity(tasks.len());
    let mut pre_images = Vec::new();
    for (to_write, proposal) in tasks.into_iter().zip(proposals) {
        let task = to_write.to_plan.task;
        let outcome = match (&identity, proposal) {
            (Err(problem), _) => Err(Failing::Failed(problem.clone())),
            (_, None) => Err(Failing::Failed(lost(&to_write.to_plan.name))),
            (_, Some(Err(error))) => Err(Failing::Failed(error.problem())),
            (_, Some(Ok(proposal))) => prepare_one(context, to_write, proposal, &mut pre_images),
        };
        match outcome {
            Ok(ready) => prepared.push(ready),
            Err(failing) => {
                let _ = mailbox.send(match failing {
                    Failing::Voided(why) => Done::Voided { task, why },
                    Failing::Failed(problem) => Done::Failed { task, problem },
                });
            }
        }
    }
    if pre_images.is_empty() {
        return prepared;
    }
    let keeping = context.clone();
    let kept = tokio::task::spawn_blocking(move || keep_all(&keeping, pre_images)).await;
    let problem = match kept {
        Ok(Ok(())) => return prepared,
        Ok(Err(error)) => error.problem(),
        Err(error) => Error::new(ErrorKind::Bug, "keep undo records", error.to_string()).problem(),
    };
    for ready in prepared {
        let _ = mailbox.send(Done::Failed { task: ready.to_write.to_plan.task, problem: problem.clone() });
    }
    Vec::new()
}

/// What one document was, for one task's undo.
struct Kept {
    task: TaskId,
    attempt: u16,
    record: Vec<u8>,
}

/// One commit for all. The store takes orders in turn and its first failure is final, so the last one's
/// answer holds for those before it.
fn keep_all(context: &Context, mut kept: Vec<Kept>) -> Result<()> {
    let Some(last) = kept.pop() else { return Ok(()) };
    for one in kept {
        context.undo.keep_then(one.task, one.attempt, vec![one.record], Box::new(|_| ()));
    }
    context.undo.keep(last.task, last.attempt, vec![last.record])
}

enum Failing {
    Voided(String),
    Failed(Problem),
}

fn lost(name: &str) -> Problem {
    Error::new(ErrorKind::Bug, format!("plan {name} again"), "no answer came").problem()
}

/// Asks the target who it is: the approval was for that one and no other.
async fn same_target(context: &Context, to_plan: &ToPlan) -> Result<(), Problem> {
    let name = &to_plan.restore.component_name;
    let expected = context.pinned.identity(name).map_err(|error| error.problem())?;
    let _turn = context.pinned.calls.writing(name).await;
    let found = to_plan.restore.component.identity().await.map_err(|error| error.problem())?;
    if found == expected {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Refused,
        format!("write to '{name}'"),
        format!("the run was approved for {expected}, and {found} answers now"),
    )
    .next("find out why another system answers there; this run writes to the first one only")
    .problem())
}

fn prepare_one(
    context: &Context,
    to_write: ToWrite,
    made: Arc<Made>,
    pre_images: &mut Vec<Kept>,
) -> Result<Prepared, Failing> {
    let found = made.digest_with(&to_write.selection);
    if found != to_write.digest {
        return Err(Failing::Voided(
            "what is live or in the backup changed after the approval; the plan is made anew".to_owned(),
        ));
    }
    let failed = |error: Error| Failing::Failed(error.problem());
    let expected =
        expected(&made.proposal, &to_write.selection, to_write.to_plan.restore.component.schema(), &context.pinned.key)
            .map_err(failed)?;
    let approved = approved_of(&made.proposal, &to_write.selection, &context.pinned.run, &|at| {
        expected.get(at).cloned().flatten()
    });
    if to_write.pass == Pass::Restore {
        for pre_image in approved.iter().filter_map(PreImage::of_document) {
            let record = pre_image.to_bytes().map_err(failed)?;
            pre_images.push(Kept { task: to_write.to_plan.task, attempt: to_write.attempt, record });
        }
    }
    Ok(Prepared { to_write, made, approved })
}

/// The documents that must be there afterwards, change by change.
pub(super) fn expected(
    proposal: &Proposal,
    selection: &Selection,
    schema: &crate::model::Schema,
    key: &DigestKey,
) -> Result<Vec<Option<Resource>>> {
    let sides = proposal.live.iter().zip(&proposal.desired);
    proposal
        .plan
        .changes
        .iter()
        .zip(sides)
        .enumerate()
        .map(|(at, (change, (live, desired)))| {
            let (live, desired) = (live.as_ref(), desired.as_ref());
            if live.or(desired).is_some_and(|resource| resource.tree().is_some()) {
                return Ok(None);
            }
            let left_out = selection.left_out().filter(|(of, _)| *of as usize == at).map(|(_, hunk)| hunk).collect();
            let document = documents::apply(
                live.and_then(Resource::document),
                desired.and_then(Resource::document),
                change,
                &left_out,
                schema.kind(&change.id.kind),
                proposal.plan.mode,
                key,
            )?;
            // An undo that leads all the way back brings the former text back too, comments and layout included.
            let document = match (proposal.plan.pass, document, desired.and_then(Resource::document)) {
                (Pass::Undo, Some(document), Some(former)) if document.value == former.value => Some(former.clone()),
                (_, document, _) => document,
            };
            Ok(document
                .map(|document| Resource { id: change.id.clone(), body: crate::model::Body::Document(document) }))
        })
        .collect()
}

async fn effect_and_proof(
    context: &Arc<Context>,
    restore: &Restore,
    prepared: Vec<Prepared>,
    mailbox: &mpsc::UnboundedSender<Done>,
) -> Vec<Written> {
    let flat: Vec<Approved> = prepared.iter().flat_map(|ready| ready.approved.iter().cloned()).collect();
    let of_task: Vec<(TaskId, u16, Pass)> = prepared
        .iter()
        .flat_map(|ready| {
            let whose = (ready.to_write.to_plan.task, ready.to_write.attempt, ready.to_write.pass);
            std::iter::repeat_n(whose, ready.approved.len())
        })
        .collect();
    let ledger = RunLedger {
        context: context.clone(),
        of_task,
        ids: flat.iter().map(|one| one.change.id.clone()).collect(),
        mailbox: mailbox.clone(),
    };
    let component = &restore.component;
    let turn = context.pinned.calls.writing(&restore.component_name).await;
    let effects = component.write(&flat, &ledger).await;
    crash_point("engine::after_effect");
    for ready in &prepared {
        let task = ready.to_write.to_plan.task;
        let _ = mailbox.send(Done::Activity { task, activity: Activity::ReadingBack });
    }
    let locations: Vec<_> = flat.iter().map(|approved| component.locate(&approved.change.id)).collect();
    let now = component.read(&locations).await;
    drop(turn);
    let schema = component.schema().clone();
    let context = context.clone();
    let proven = tokio::task::spawn_blocking(move || {
        let mut answers = flat.into_iter().zip(effects).zip(now);
        prepared
            .into_iter()
            .map(|ready| {
                let of: Vec<_> = answers.by_ref().take(ready.approved.len()).collect();
                conclude(&context, &schema, &ready, of)
            })
            .collect::<Vec<_>>()
    })
    .await;
    proven.unwrap_or_else(|error| {
        tracing::error!(target: "engine", "reading back ended by {error}");
        Vec::new()
    })
}

type Answer = ((Approved, Result<Effect>), Result<Option<Resource>>);

/// What the journal may say of one task, from what the component answered and what was read back.
fn conclude(context: &Context, schema: &crate::model::Schema, ready: &Prepared, answers: Vec<Answer>) -> Written {
    let task = ready.to_write.to_plan.task;
    let mut post = DigestBuilder::new("post");
    let (mut files, mut bytes, mut hunks) = (0, 0, 0);
    let mut words = Vec::new();
    let mut problem: Option<Problem> = None;
    let mut known = Known::Applied;
    if answers.len() < ready.approved.len() {
        problem = Some(lost(&ready.to_write.to_plan.name));
        known = Known::Unknown;
    }
    let mut is_tree = false;
    for ((approved, effect), now) in answers {
        is_tree |= approved.expected.is_none()
            && approved.change.hunks.iter().any(|hunk| matches!(hunk.at, HunkAt::Node { .. }));
        let kind = schema.kind(&approved.change.id.kind);
        let contents = effect.as_ref().map_or(&[][..], |effect| &effect.contents);
        let stands = now.and_then(|now| standing(&context.pinned, kind, &approved, now.as_ref(), Some(contents)));
        if let Ok(effect) = &effect {
            files += effect.files;
            bytes += effect.bytes;
            words.extend(effect.notes.iter().cloned());
        }
        hunks += approved.change.hunks.len() - approved.left_out.len();
        let (this, why) = verdict(&approved, effect.err(), stands, &mut post, &mut words);
        if this != Known::Applied && known != Known::Unknown {
            known = this;
        }
        problem = problem.or(why);
    }
    if known == Known::Applied && problem.is_none() {
        let written =
            if is_tree { format!("{}, {}", plural(files, "file"), size(bytes)) } else { plural(hunks as u64, "field") };
        words.insert(0, format!("{written} written; read back equal to what was approved"));
    }
    let post = (known == Known::Applied).then(|| post.finish());
    Written { task, known, post, evidence: words.join("; "), problem }
}

fn verdict(
    approved: &Approved,
    failed: Option<Error>,
    stands: Result<Standing>,
    post: &mut DigestBuilder,
    words: &mut Vec<String>,
) -> (Known, Option<Problem>) {
    let id = &approved.change.id;
    match (failed, stands) {
        (None, Ok(Standing::Approved { post: fingerprint })) => {
            post.digest(&fingerprint);
            (Known::Applied, None)
        }
        // After a failed sync the cache shows what the disk may never have got.
        (Some(error), Ok(Standing::Approved { .. })) if error.kind() == ErrorKind::Io => {
            words.push("all of it reads back, but the system reported an I/O error: it may not be durable".to_owned());
            (Known::Unknown, Some(error.known(Known::Unknown).problem()))
        }
        // The answer was lost or late, but what was approved is there: that is what counts.
        (Some(error), Ok(Standing::Approved { post: fingerprint })) => {
            post.digest(&fingerprint);
            words.push(format!("the write answered '{}', yet all of it is there", error.chain()));
            (Known::Applied, None)
        }
        (None, Ok(other)) => {
            let what = match other {
                Standing::Other { what } => what,
                Standing::Between { done, of } => format!("{done} of {of} changes are there"),
                _ => "it is as it was before".to_owned(),
            };
            let error = Error::new(ErrorKind::Conflict, format!("prove {id}"), format!("read back, {what}"))
                .known(Known::Unknown)
                .next("look at what is live now, then retry or settle this task");
            (Known::Unknown, Some(error.problem()))
        }
        (Some(error), Ok(Standing::Former)) => {
            let mut problem = error.problem();
            problem.known = Known::NotApplied;
            (Known::NotApplied, Some(problem))
        }
        (Some(error), Ok(Standing::Between { done, of })) => {
            words.push(format!("{done} of {of} changes of {id} are applied, the others are as they were"));
            (Known::NotApplied, Some(error.problem()))
        }
        (Some(error), Ok(Standing::Other { what })) => {
            words.push(what);
            let known = if error.kind() == ErrorKind::Conflict { error.effect() } else { Known::Unknown };
            (known, Some(error.problem()))
        }
        (failed, Err(unread)) => {
            let error = failed.unwrap_or(unread);
            let known = error.effect();
            let known = if known == Known::Applied { Known::Unknown } else { known };
            (known, Some(error.problem()))
        }
    }
}

/// Passes a component's undo records on to `undo.db`, and its progress to whoever looks on.
struct RunLedger {
    context: Arc<Context>,
    of_task: Vec<(TaskId, u16, Pass)>,
    ids: Vec<crate::model::ResourceId>,
    mailbox: mpsc::UnboundedSender<Done>,
}

impl Ledger for RunLedger {
    fn keep(&self, index: usize, records: &[UndoRecord]) -> Result<()> {
        let unknown = || Error::new(ErrorKind::Bug, "keep undo records", "they are for no change of this write");
        let (task, attempt, pass) = self.of_task.get(index).ok_or_else(unknown)?;
        if *pass == Pass::Undo {
            return Ok(());
        }
        let id = self.ids.get(index).ok_or_else(unknown)?.clone();
        let record = PreImage::Tree { id, records: records.to_vec() }.to_bytes()?;
        self.context.undo.keep(*task, *attempt, vec![record])
    }

    fn progress(&self, index: usize, files: u64, bytes: u64) {
        if let Some((task, ..)) = self.of_task.get(index) {
            let activity = Activity::Writing { files, bytes, of_files: 0, of_bytes: 0 };
            let _ = self.mailbox.send(Done::Activity { task: *task, activity });
        }
    }

    fn cancelled(&self) -> bool {
        *self.context.cancelled.borrow()
    }
}
