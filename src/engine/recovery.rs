use std::collections::HashMap;
use std::sync::Arc;

use super::context::Context;
use super::made::Made;
use super::planner::{Pair, approved_of};
use super::prepare::expected_of;
use super::proof;
use super::read_back::ReadBack;
use super::script::Restore;
use super::standing::{Standing, between, is_begun, standing};
use super::undo::{Former, FormerDocument, former, kept_by, undo_document};
use crate::component::{Approved, Maker};
use crate::diff::trees;
use crate::model::{
    Attempt, Body, Change, Digest, Document, Error, ErrorKind, Known, Location, Op, Pass, Plan, Proposal, Resource,
    ResourceId, Result, Schema, Selection, TaskId,
};
use crate::reader::Wanted;

/// An INTENT without an OUTCOME, as a resume finds it.
pub(super) struct Interrupted {
    pub task: TaskId,
    pub restore: Restore,
    pub pass: Pass,
    pub attempt: u16,
    pub digest: Digest,
    /// The name its plan is kept under.
    pub planned: Digest,
    pub selection: Selection,
    /// What an undo leads back past.
    pub standing: Vec<Attempt>,
}

/// How the target says it ended.
pub(super) struct Recovered {
    pub task: TaskId,
    pub known: Known,
    pub how: String,
    /// For what was not applied, or in part: the approved plan with fresh bodies, to go on with.
    pub made: Option<Arc<Made>>,
}

/// Reads the target and says whether the effect is there. Changes nothing but what the interrupted write needed for its
/// own time.
pub(super) async fn recover(context: Arc<Context>, interrupted: Interrupted) -> Recovered {
    let task = interrupted.task;
    match settle(&context, interrupted).await {
        Ok((known, how, made)) => Recovered { task, known, how, made },
        Err(error) => Recovered {
            task,
            known: Known::Unknown,
            how: format!("the target could not be read to settle it: {}", error.chain()),
            made: None,
        },
    }
}

async fn settle(context: &Arc<Context>, interrupted: Interrupted) -> Result<(Known, String, Option<Arc<Made>>)> {
    let Interrupted { task, restore, pass, attempt, digest, planned, selection, standing: attempts } = interrupted;
    let reading = context.clone();
    let (plan, former) = tokio::task::spawn_blocking(move || -> Result<_> {
        // An earlier attempt's pre-image tells nothing of what this one found; an undo leads past them all.
        let former = match pass {
            Pass::Restore => kept_by(&reading, task, attempt)?,
            Pass::Undo => former(&reading, task, &attempts)?,
        };
        Ok((reading.read()?.plan(&planned)?, former))
    })
    .await
    .map_err(|error| Error::new(ErrorKind::Bug, "read the journal", error.to_string()))??;
    let plan = plan.filter(|plan| plan.digest(&selection) == digest).ok_or_else(|| {
        Error::new(
            ErrorKind::Corrupt,
            "settle an interrupted task",
            "the journal does not hold the plan that was approved",
        )
    })?;
    let component = restore.component.clone();
    let ids: Vec<_> = plan.changes.iter().map(|change| change.id.clone()).collect();
    let locations: Vec<_> = ids.iter().map(Location::of).collect();
    component.clean_up_after(&context.pinned.run, &ids).await?;
    let desired: Vec<Option<Resource>> = match pass {
        Pass::Restore => from_source(&restore, &plan).await?,
        Pass::Undo => ids
            .iter()
            .map(|id| {
                if let Some(FormerDocument { document, .. }) = former.documents.get(id) {
                    let document = document.clone();
                    return Ok(document.map(|document| Resource { id: id.clone(), body: Body::Document(document) }));
                }
                match former.trees.get(id) {
                    Some(records)
                        if !(records.len() == 1
                            && records.iter().all(|record| record.path.is_root() && record.before.is_none())) =>
                    {
                        let tree = component.former(id, records.clone())?;
                        Ok(Some(Resource { id: id.clone(), body: Body::Tree(tree) }))
                    }
                    _ => Ok(None),
                }
            })
            .collect::<Result<_>>()?,
    };
    let live =
        context.pinned.calls.read(&restore.component_name, &*component, &Wanted::beside(&locations, &desired)).await;
    let live: Vec<Option<Resource>> = live.into_iter().collect::<Result<_>>()?;
    // What was left out would be planned with the rest, so that is a person's to go on with.
    let maker = match pass {
        Pass::Restore if selection.takes_all() => {
            let sides = plan.changes.iter().zip(&desired);
            let made: Vec<&Resource> =
                sides.filter(|(change, _)| change.op == Op::Create).filter_map(|(_, made)| made.as_ref()).collect();
            let _turn = context.pinned.calls.reading(&restore.component_name).await;
            component.maker(&context.pinned.run, &made).await?
        }
        _ => Maker::Unsaid,
    };
    if let Maker::Another { what } = maker {
        return Ok((Known::Unknown, format!("read back: {what}"), None));
    }
    // The system may have been at it still when it was read.
    let live = match maker {
        Maker::ThisRun => {
            let again = context
                .pinned
                .calls
                .read(&restore.component_name, &*component, &Wanted::beside(&locations, &desired))
                .await;
            again.into_iter().collect::<Result<_>>()?
        }
        _ => live,
    };
    let was: Vec<Option<Resource>> = ids
        .iter()
        .zip(&live)
        .map(|(id, live)| match (pass, former.documents.get(id)) {
            (Pass::Restore, Some(FormerDocument { document, .. })) => {
                document.clone().map(|document: Document| Resource { id: id.clone(), body: Body::Document(document) })
            }
            _ => live.clone(),
        })
        .collect();
    let context = context.clone();
    tokio::task::spawn_blocking(move || {
        let proposal = Proposal { live: was, desired, ..Proposal::bodiless(plan) };
        // What is left of it is written from what it was planned from: its adapter leaves done what is done.
        let wanted = match wanted(&context, &proposal, &selection, component.schema(), &former) {
            // Begun, so that it leads back from elsewhere now.
            Err(error) if pass == Pass::Undo && error.kind() == ErrorKind::Conflict => {
                return undone_in_part(&context, &restore, proposal, &former);
            }
            wanted => wanted?,
        };
        let approved = approved_of(&proposal, &selection, &context.pinned.run, &wanted);
        let schema = component.schema();
        let mut applied = 0;
        let mut parts = Vec::new();
        let now: HashMap<&ResourceId, Option<&Resource>> = ids.iter().zip(live.iter().map(Option::as_ref)).collect();
        for one in &approved {
            let now = now.get(&one.change.id).copied().flatten();
            let stands =
                standing(&context.pinned, schema.kind(&one.change.id.kind), one, now, None, &ReadBack::untold())?;
            match stands {
                Standing::Approved { .. } => applied += 1,
                Standing::Former => {}
                Standing::Between { done, of, begun } => parts.push(between(&one.change.id, done, of, begun)),
                Standing::Other { .. }
                    if maker == Maker::ThisRun
                        && is_begun(&context.pinned, schema.kind(&one.change.id.kind), one, now) => {}
                Standing::Other { what } => return Ok((Known::Unknown, what, None)),
            }
        }
        if applied == approved.len() {
            let in_other_order = |one: &Approved| {
                let now = now.get(&one.change.id).copied().flatten();
                proof::in_other_order(schema.kind(&one.change.id.kind), one, now)
            };
            // The run itself would have written these lists again.
            if pass == Pass::Restore
                && let Some(what) = approved.iter().find_map(in_other_order)
            {
                return Ok((Known::NotApplied, format!("read back: all of it is there, but {what}"), None));
            }
            return Ok((Known::Applied, "read back: all of it is there, equal to what was approved".to_owned(), None));
        }
        if maker == Maker::ThisRun {
            // What is more than was approved may be the system's own or somebody's: it stays, or a plan shows it before
            // it goes.
            let how = format!(
                "read back: this run has made it, and {applied} of {} resources are as approved; the others have less, \
                 or more that was added to them; what is left is planned again",
                approved.len()
            );
            return Ok((Known::NotApplied, how, None));
        }
        if pass == Pass::Restore && proposal.plan.changes.iter().any(|change| change.is_foretold) {
            let how = "read back: not all of it is there; the system is asked again what it would store";
            return Ok((Known::NotApplied, how.to_owned(), None));
        }
        if !sources_stand(&proposal)? {
            let how = "read back: not all of it is there, and the source was changed since; it is planned again";
            return Ok((Known::NotApplied, how.to_owned(), None));
        }
        let how = if applied == 0 && parts.is_empty() {
            "read back: nothing of it is there".to_owned()
        } else {
            parts.push(format!("{applied} of {} resources are done", approved.len()));
            format!("read back: {}, the rest is as it was", parts.join(", "))
        };
        Ok((Known::NotApplied, how, Some(Arc::new(Made::new(proposal)))))
    })
    .await
    .map_err(|error| Error::new(ErrorKind::Bug, "settle an interrupted task", error.to_string()))?
}

/// What the interrupted write was to leave. What the system had foretold was kept with the undo records.
fn wanted(
    context: &Context,
    proposal: &Proposal,
    selection: &Selection,
    schema: &Schema,
    former: &Former,
) -> Result<Vec<Option<Resource>>> {
    let of = |(at, change): (usize, &Arc<Change>)| {
        let foretold = former.documents.get(&change.id).and_then(|kept| kept.after.clone());
        match foretold.filter(|_| change.is_foretold && proposal.plan.pass == Pass::Restore) {
            Some(document) => Ok(Some(Resource { id: change.id.clone(), body: Body::Document(document) })),
            None => expected_of(proposal, at, selection, schema, &context.pinned.key),
        }
    };
    proposal.plan.changes.iter().enumerate().map(of).collect()
}

/// What is left of an undo of documents is planned again, and shown as any plan is.
fn undone_in_part(
    context: &Context,
    restore: &Restore,
    proposal: Proposal,
    former: &Former,
) -> Result<(Known, String, Option<Arc<Made>>)> {
    let all = proposal.plan.changes.len();
    let mut left = 0;
    for ((change, live), desired) in proposal.plan.changes.iter().zip(proposal.live).zip(proposal.desired) {
        let none = FormerDocument::default();
        let FormerDocument { touched, lost, .. } = former.documents.get(&change.id).unwrap_or(&none);
        let pair = Pair { id: change.id.clone(), live, desired };
        let way_back = undo_document(context, restore, pair, touched, lost)?;
        left += usize::from(way_back.is_some_and(|way_back| way_back.change.is_some()));
    }
    Ok(match left {
        0 => (Known::Applied, "read back: all of it is there, equal to what was approved".to_owned(), None),
        left => {
            let how = format!("read back: {} of {all} resources are undone; the rest is planned again", all - left);
            (Known::NotApplied, how, None)
        }
    })
}

fn sources_stand(proposal: &Proposal) -> Result<bool> {
    for (change, desired) in proposal.plan.changes.iter().zip(&proposal.desired) {
        if let Some(tree) = desired.as_ref().and_then(Resource::tree)
            && !trees::is_as_planned(change, &**tree)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn from_source(restore: &Restore, plan: &Plan) -> Result<Vec<Option<Resource>>> {
    let listed = restore.source.list(std::slice::from_ref(&restore.scope)).await;
    let listed = listed.into_iter().next().unwrap_or_else(|| Ok(Vec::new()))?;
    let mut desired = Vec::with_capacity(plan.changes.len());
    for change in &plan.changes {
        let location = listed.iter().find(|location| location.id == change.id);
        let read = match location {
            Some(location) => restore.source.read(&Wanted::alone(std::slice::from_ref(location))).await,
            None => Vec::new(),
        };
        desired.push(read.into_iter().next().unwrap_or(Ok(None))?);
    }
    Ok(desired)
}
