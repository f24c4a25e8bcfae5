mod former;
mod lost;
mod moved;
mod pre_image;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

pub(super) use self::former::{Former, FormerDocument, former, kept_by};
use self::moved::with_origins;
pub(super) use self::pre_image::PreImage;
use self::tree::{TreeWayBack, Written};
use super::context::Context;
use super::foretold::lead_to;
use super::made::Made;
use super::planner::{Pair, ToPlan, approved_of, difference};
use super::script::Restore;
use crate::component::Approved;
use crate::diff::documents;
use crate::model::{
    Body, Change, ComparePrecision, Document, DocumentPath, Error, ErrorKind, HunkAt, KindSchema, Location, Mode, Op,
    Pass, Plan, Preview, Proposal, Resource, ResourceId, Result, Selection, visible,
};
use crate::reader::Wanted;

/// Plans the way back: from what is live now to what was there before this task's writes, limited to what they
/// touched.
pub(super) async fn plan_undo(context: &Arc<Context>, to_plan: ToPlan) -> Result<Arc<Made>> {
    let component = to_plan.restore.component.clone();
    let reading = context.clone();
    let task = to_plan.task;
    let standing = to_plan.standing.clone();
    let former = blocking(move || former(&reading, task, &standing)).await??;
    let ids: Vec<ResourceId> = former.documents.keys().chain(former.trees.keys()).cloned().collect();
    if ids.is_empty() && former.theirs.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("undo {}", to_plan.name),
            "nothing was kept for it: it changed nothing, or its run was closed",
        ));
    }
    let wanted: Vec<_> = ids.iter().map(Location::of).collect();
    let with: Vec<Option<Resource>> = ids
        .iter()
        .map(|id| {
            let held = former.documents.get(id)?;
            let document = either(held.document.as_ref(), held.after.as_ref())?;
            Some(Resource { id: id.clone(), body: Body::Document(document) })
        })
        .collect();
    let live =
        context.pinned.calls.read(&to_plan.restore.component_name, &*component, &Wanted::beside(&wanted, &with)).await;
    let (planning, restore) = (context.clone(), to_plan.restore.clone());
    let mut proposal = blocking(move || {
        let context = planning;
        let mut live: HashMap<ResourceId, Result<Option<Resource>>> = ids.into_iter().zip(live).collect();
        let mut now = |id: &ResourceId| live.remove(id).unwrap_or(Ok(None));
        let mut proposal = Proposal::bodiless(empty_plan(&context, &to_plan)?);
        let mut stays: Vec<String> = former
            .theirs
            .iter()
            .map(|id| format!("{id}: was as wanted before this run wrote, so it stays as it is"))
            .chain(former.stays)
            .collect();
        for (id, FormerDocument { document, after, touched, lost }) in former.documents {
            let desired = document.map(|document| Resource { id: id.clone(), body: Body::Document(document) });
            let live = now(&id)?.map(|live| beside(&to_plan.restore, live, after.as_ref()));
            let pair = Pair { live, desired, id };
            let later = since(&context, &to_plan.restore, &pair, after.as_ref(), &touched)?;
            let schema = to_plan.restore.component.schema().kind(&pair.id.kind);
            stays.extend(unrecoverable(&pair, &lost, schema));
            let way_back = undo_document(&context, &to_plan.restore, pair, &touched, &lost)?;
            let Some((change, pair)) = way_back.and_then(|way_back| Some((way_back.change?, way_back.pair))) else {
                continue;
            };
            Arc::make_mut(&mut proposal.plan).warnings.extend(later);
            push(&mut proposal, change, pair);
        }
        for (id, records) in former.trees {
            let (live, written) = (now(&id)?, Written::by(&context, &to_plan.standing, &id)?);
            let TreeWayBack { change, former, stays: left, later } =
                TreeWayBack::plan(&to_plan.restore, &id, live.as_ref(), records, &written)?;
            stays.extend(left);
            let Some(change) = change else { continue };
            Arc::make_mut(&mut proposal.plan).warnings.extend(later);
            let desired = former.map(|tree| Resource { id: id.clone(), body: Body::Tree(tree) });
            push(&mut proposal, change, Pair { id, live, desired });
        }
        Arc::make_mut(&mut proposal.plan).warnings.splice(..0, stays.iter().cloned());
        Ok(Proposal { stays, ..proposal })
    })
    .await??;
    decide_files(context, &restore, &mut proposal).await?;
    Ok(Arc::new(Made::new(proposal)))
}

/// What is live, as it was read back after this task had written it: a system may pass over a part of what it is given.
fn beside(restore: &Restore, live: Resource, after: Option<&Document>) -> Resource {
    let Some(after) = after else { return live };
    let after = Resource { id: live.id.clone(), body: Body::Document(after.clone()) };
    restore.component.shown_beside(&live, &after).unwrap_or(live)
}

/// All that is held of a document before and after: what is live is read for both, so that nothing is missed in one of
/// them because the other lacks it.
fn either(before: Option<&Document>, after: Option<&Document>) -> Option<Document> {
    fn add(to: &mut Value, more: &Value) {
        let (Some(to), Some(more)) = (to.as_object_mut(), more.as_object()) else { return };
        for (name, value) in more {
            match to.get_mut(name) {
                Some(held) => add(held, value),
                None => drop(to.insert(name.clone(), value.clone())),
            }
        }
    }
    let (Some(before), Some(after)) = (before, after) else { return before.or(after).cloned() };
    let mut value = Value::clone(&before.value);
    add(&mut value, &after.value);
    Some(Document::new(value))
}

/// A document that was deleted is made again: whose its file will be is a part of the plan, as with a restore. One whose
/// text somebody edited since does not come back byte by byte, and the plan says so.
async fn decide_files(context: &Context, restore: &Restore, proposal: &mut Proposal) -> Result<()> {
    let is_made = |at: usize| {
        let document = |side: &[Option<Resource>]| side.get(at)?.as_ref()?.document().cloned();
        let (desired, live) = (document(&proposal.desired), document(&proposal.live));
        desired.is_some_and(|desired| match live {
            None => true,
            Some(live) => live.source.is_some() && desired.source.is_some(),
        })
    };
    let made: Vec<usize> = (0..proposal.plan.changes.len()).filter(|at| is_made(*at)).collect();
    if made.is_empty() {
        return Ok(());
    }
    let all = approved_of(proposal, &Selection::all(), &context.pinned.run, &proposal.desired);
    let asked: Vec<Approved> = made.iter().filter_map(|at| all.get(*at).cloned()).collect();
    let answers = context.pinned.calls.check(&restore.component_name, &*restore.component, &asked).await;
    let plan = Arc::make_mut(&mut proposal.plan);
    let mut would_be = BTreeMap::new();
    for (at, answer) in made.into_iter().zip(answers) {
        let (Some(change), answer) = (plan.changes.get_mut(at).map(Arc::make_mut), answer?) else { continue };
        would_be.extend(answer.would_be.map(|stored| (at, stored)));
        if answer.is_as_desired == Some(false) {
            let why =
                "its text was edited since this run wrote it: the edits stay, so it is not as before byte by byte";
            change.warnings.push(format!("{}: {why}", change.id));
        }
        let Some(file) = answer.file else { continue };
        change.warnings.push(format!("a new file: {file}, as it was before where that can be"));
        change.file = Some(file);
    }
    lead_to(proposal, would_be, restore.component.schema(), &context.pinned.key);
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Bug, "plan an undo", error.to_string()))
}

fn push(proposal: &mut Proposal, change: Change, pair: Pair) {
    Arc::make_mut(&mut proposal.plan).changes.push(Arc::new(change));
    proposal.live.push(pair.live);
    proposal.desired.push(pair.desired);
}

fn empty_plan(context: &Context, to_plan: &ToPlan) -> Result<Plan> {
    let target = context.pinned.identity(&to_plan.restore.component_name)?;
    Ok(Plan {
        task: to_plan.name.clone(),
        pass: Pass::Undo,
        runbook: context.pinned.runbook,
        source: crate::model::TargetIdentity {
            system: "undo records".to_owned(),
            address: format!("run {}", context.pinned.run),
            id: target.id.clone(),
        },
        target,
        mode: Mode::Exact,
        preview: Preview::Exact,
        changes: Vec::new(),
        command: None,
        warnings: Vec::new(),
    })
}

/// One document on its way back.
pub(super) struct WayBack {
    pub change: Option<Change>,
    pub pair: Pair,
}

/// What was there and nobody can bring back: no reading shows whether it is as it was, so it is said of each.
fn unrecoverable(pair: &Pair, lost: &[DocumentPath], schema: &KindSchema) -> Option<String> {
    let mut places: Vec<String> = lost.iter().map(|path| schema.words(path)).collect();
    places.sort();
    places.dedup();
    let is_said = !places.is_empty() && pair.desired.is_some();
    is_said.then(|| format!("{}: cannot be brought back, so it stays as it is: {}", pair.id, places.join(", ")))
}

/// What somebody did since to what this task wrote. Where another one has its name now, there is no way back: that one
/// is none of this task's.
fn since(
    context: &Context,
    restore: &Restore,
    pair: &Pair,
    after: Option<&Document>,
    touched: &[DocumentPath],
) -> Result<Option<String>> {
    let (id, schema) = (&pair.id, restore.component.schema().kind(&pair.id.kind));
    let live = pair.live.as_ref().and_then(Resource::document);
    let (after, live) = match (after, live) {
        (Some(after), Some(live)) => (after, live),
        // This run removed it: as a whole, so that its own path is what was touched.
        (None, Some(_)) if pair.desired.is_some() && touched.iter().any(|path| path.0.is_empty()) => {
            return Ok(Some(format!("{id}: made again since this run removed it, and this undo takes that away")));
        }
        _ => return Ok(None),
    };
    let identity = |of: &Document| of.value.get(schema.identity.as_ref()?)?.as_str().map(str::to_owned);
    if let (Some(ours), Some(theirs)) = (identity(after), identity(live))
        && ours != theirs
    {
        let (ours, theirs) = (visible(&ours), visible(&theirs));
        let why = format!("another one has its name now: this run wrote the one of id {ours}, and {theirs} is live");
        return Err(Error::new(ErrorKind::Conflict, format!("undo {id}"), why)
            .next("skip it: what this run wrote is gone, and what is there now is not this run's"));
    }
    let key = &context.pinned.key;
    let before = pair.desired.as_ref().and_then(Resource::document);
    let Some(later) = documents::unproven(id, before, live, after, schema, key) else {
        return Ok(None);
    };
    let ours = fields(&later).filter(|path| among(touched, path));
    let places: Vec<String> = ours.map(|path| schema.words(path)).collect();
    let places = places.join(", ");
    Ok((!places.is_empty()).then(|| taken_away(id, &places)))
}

/// What an undo says of somebody's later work.
fn taken_away(id: &ResourceId, places: &str) -> String {
    format!("{id}: changed since this run wrote it, and this undo takes that away: {places}")
}

/// Fields that this task did not touch stay as they are now, whoever changed them: what is wanted is today's
/// document with the touched fields as they were.
pub(super) fn undo_document(
    context: &Context,
    restore: &Restore,
    mut pair: Pair,
    touched: &[DocumentPath],
    lost: &[DocumentPath],
) -> Result<Option<WayBack>> {
    let exact = Restore { mode: Mode::Exact, precision: ComparePrecision::Quick, ..restore.clone() };
    let Some(change) = difference(&context.pinned, &exact, &pair)? else { return Ok(None) };
    if change.op == Op::Update {
        let schema = restore.component.schema().kind(&pair.id.kind);
        let touched = &with_origins(touched, pair.desired.as_ref().and_then(Resource::document), schema);
        let left_out = change.hunks.iter().enumerate().filter(|(_, hunk)| match &hunk.at {
            HunkAt::Field { path, .. } => among(lost, path) || !among(touched, path),
            HunkAt::Node { .. } => true,
        });
        let left_out = left_out.filter_map(|(at, _)| u32::try_from(at).ok()).collect();
        let document = |side: &Option<Resource>| side.as_ref().and_then(Resource::document).cloned();
        let (live, former) = (document(&pair.live), document(&pair.desired));
        let wanted = documents::apply(
            live.as_ref(),
            former.as_ref(),
            &change,
            &left_out,
            schema,
            Mode::Exact,
            &context.pinned.key,
        )?;
        // Its writer takes what it can from the former text.
        let source = former.and_then(|former| former.source);
        let wanted = wanted.map(|document| Document { source, ..document });
        pair.desired = wanted.map(|document| Resource { id: pair.id.clone(), body: Body::Document(document) });
        let change = difference(&context.pinned, &exact, &pair)?;
        return Ok(Some(WayBack { change, pair }));
    }
    Ok(Some(WayBack { change: Some(change), pair }))
}

fn fields(change: &Change) -> impl Iterator<Item = &DocumentPath> {
    change.hunks.iter().filter_map(|hunk| match &hunk.at {
        HunkAt::Field { path, .. } => Some(path),
        HunkAt::Node { .. } => None,
    })
}

/// Whether it is one of these, in one, or around one.
fn among(of: &[DocumentPath], path: &DocumentPath) -> bool {
    of.iter().any(|one| starts_with(path, one) || starts_with(one, path))
}

fn starts_with(path: &DocumentPath, prefix: &DocumentPath) -> bool {
    path.0.starts_with(&prefix.0)
}
