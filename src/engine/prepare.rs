use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::context::Context;
use super::foretold::without_left_out;
use super::holding::hold;
use super::made::Made;
use super::planner::{ToPlan, approved_of, plan_batch};
use super::undo::{PreImage, plan_undo};
use super::worker::Done;
use super::writer::ToWrite;
use crate::component::Approved;
use crate::diff::documents;
use crate::model::{
    Body, DigestKey, Error, ErrorKind, Mode, Pass, Problem, Proposal, Resource, Result, Schema, Selection, TaskId,
};

/// A task that is ready to be written: its plan is the approved one, and its undo is durable.
pub(super) struct Prepared {
    pub to_write: ToWrite,
    pub made: Arc<Made>,
    pub approved: Vec<Approved>,
}

/// Those of `tasks` that can be written; what hinders the others is told to the mailbox.
pub(super) async fn prepare(
    context: &Arc<Context>,
    tasks: Vec<ToWrite>,
    mailbox: &mpsc::UnboundedSender<Done>,
) -> Vec<Prepared> {
    let mut proposals: Vec<Option<Result<Arc<Made>>>> = tasks.iter().map(|task| task.made.clone().map(Ok)).collect();
    let missing: Vec<ToPlan> = tasks
        .iter()
        .filter(|task| task.made.is_none() && task.pass == Pass::Restore)
        .map(|task| task.to_plan.clone())
        .collect();
    let mut replanned: HashMap<_, _> = if missing.is_empty() {
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
        let asked = match (&identity, &proposal) {
            (Ok(()), Some(Ok(made))) => {
                without_left_out(context, &to_write.to_plan.restore, made, &to_write.selection).await
            }
            _ => Ok(None),
        };
        let outcome = match (&identity, proposal) {
            (Err(problem), _) => Err(Failing::Failed(problem.clone())),
            (_, None) => Err(Failing::Failed(lost(&to_write.to_plan.name))),
            (_, Some(Err(error))) => Err(Failing::Failed(error.problem())),
            (_, Some(Ok(made))) => match asked {
                Ok(foretold) => prepare_one(context, to_write, made, foretold, &mut pre_images),
                Err(error) => Err(Failing::Failed(error.problem())),
            },
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
    let Some(first) = prepared.first() else { return prepared };
    match hold(context, &first.to_write.to_plan.restore).await {
        Ok(note) => {
            let _ = note.map(|text| mailbox.send(Done::Noted { text }));
        }
        Err(error) if error.kind() == ErrorKind::Held => {
            let tasks = prepared.iter().map(|ready| ready.to_write.to_plan.task).collect();
            let _ = mailbox.send(Done::Held { tasks, problem: error.problem() });
            return Vec::new();
        }
        Err(error) => return failed(prepared, &error.problem(), mailbox),
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
    failed(prepared, &problem, mailbox)
}

fn failed(prepared: Vec<Prepared>, problem: &Problem, mailbox: &mpsc::UnboundedSender<Done>) -> Vec<Prepared> {
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

/// Asks the target who it is: the approval was for that one and no other.
async fn same_target(context: &Context, to_plan: &ToPlan) -> Result<(), Problem> {
    let name = &to_plan.restore.component_name;
    let expected = context.pinned.identity(name).map_err(|error| error.problem())?;
    let _turn = context.pinned.calls.reading(name).await;
    let found = to_plan.restore.component.identity().await.map_err(|error| error.problem())?;
    if found == expected || expected.is_made_as(&found) {
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
    foretold: Option<Vec<Option<Resource>>>,
    pre_images: &mut Vec<Kept>,
) -> Result<Prepared, Failing> {
    let found = made.digest_with(&to_write.selection);
    if found != to_write.digest {
        return Err(Failing::Voided(
            "what is live or in the backup changed after the approval; the plan is made again".to_owned(),
        ));
    }
    let failed = |error: Error| Failing::Failed(error.problem());
    let schema = to_write.to_plan.restore.component.schema();
    let fresh;
    let expected = match (&made.expected, &foretold) {
        (_, Some(foretold)) => foretold,
        (Some(expected), _) if to_write.selection.takes_all() => expected,
        _ => {
            fresh = expected(&made.proposal, &to_write.selection, schema, &context.pinned.key).map_err(failed)?;
            &fresh
        }
    };
    let approved = approved_of(&made.proposal, &to_write.selection, &context.pinned.run, expected);
    if to_write.pass == Pass::Restore {
        for pre_image in approved.iter().filter_map(PreImage::of_document) {
            let record = pre_image.to_bytes().map_err(failed)?;
            pre_images.push(Kept { task: to_write.to_plan.task, attempt: to_write.attempt, record });
        }
    }
    Ok(Prepared { to_write, made, approved })
}

pub(super) fn lost(name: &str) -> Problem {
    Error::new(ErrorKind::Bug, format!("plan {name} again"), "no answer came").problem()
}

/// The documents that must be there afterwards, change by change.
pub(super) fn expected(
    proposal: &Proposal,
    selection: &Selection,
    schema: &Schema,
    key: &DigestKey,
) -> Result<Vec<Option<Resource>>> {
    (0..proposal.plan.changes.len()).map(|at| expected_of(proposal, at, selection, schema, key)).collect()
}

/// The document that must be there after that change.
pub(super) fn expected_of(
    proposal: &Proposal,
    at: usize,
    selection: &Selection,
    schema: &Schema,
    key: &DigestKey,
) -> Result<Option<Resource>> {
    let Some(change) = proposal.plan.changes.get(at) else { return Ok(None) };
    let side = |side: &[Option<Resource>]| side.get(at).cloned().flatten();
    let (live, desired) = (side(&proposal.live), side(&proposal.desired));
    if live.as_ref().or(desired.as_ref()).is_some_and(|resource| resource.tree().is_some()) {
        return Ok(None);
    }
    let left_out = selection.left_out().filter(|(of, _)| *of as usize == at).map(|(_, hunk)| hunk).collect();
    let desired = desired.as_ref().and_then(Resource::document);
    let (wanted, mode) = match proposal.would_be.get(&at) {
        Some(stored) => (Some(stored), Mode::Exact),
        None => (desired, proposal.plan.mode),
    };
    let live = live.as_ref().and_then(Resource::document);
    let document = documents::apply(live, wanted, change, &left_out, schema.kind(&change.id.kind), mode, key)?;
    // An undo that leads all the way back brings the former text back too, comments and layout included.
    let document = match (proposal.plan.pass, document, desired) {
        (Pass::Undo, Some(document), Some(former)) if document.value == former.value => Some(former.clone()),
        (_, document, _) => document,
    };
    Ok(document.map(|document| Resource { id: change.id.clone(), body: Body::Document(document) }))
}
