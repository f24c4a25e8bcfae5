use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::calls::Calls;
use super::contents;
use super::context::Pinned;
use super::foretold::lead_to;
use super::made::Made;
use super::prepare::expected;
use super::read_ahead::read_ahead;
use super::script::Restore;
use crate::component::Approved;
use crate::diff::{documents, trees};
use crate::model::{
    Attempt, Body, Change, ComparePrecision, Error, ErrorKind, Location, Mode, Pass, Plan, Preview, Proposal, Resource,
    ResourceId, Result, Selection, TaskId, Tree,
};
use crate::reader::Wanted;

/// One task to be planned.
#[derive(Clone)]
pub(super) struct ToPlan {
    pub task: TaskId,
    pub name: String,
    pub restore: Restore,
    /// What its undo leads back past.
    pub standing: Vec<Attempt>,
}

/// Both sides of one resource.
pub(super) struct Pair {
    pub id: ResourceId,
    pub live: Option<Resource>,
    pub desired: Option<Resource>,
}

/// Plans many tasks of one step with few calls. One answer each.
pub(super) async fn plan_batch(pinned: &Arc<Pinned>, tasks: Vec<ToPlan>) -> Vec<(TaskId, Result<Arc<Made>>)> {
    let mut made = Vec::with_capacity(tasks.len());
    // Documents that stand in the runbook are a source of their own for each owner.
    for tasks in tasks.chunk_by(|one, other| Arc::ptr_eq(&one.restore.source, &other.restore.source)) {
        made.extend(plan_alike(pinned, tasks.to_vec()).await);
    }
    made
}

/// For tasks that share source and component.
async fn plan_alike(pinned: &Arc<Pinned>, tasks: Vec<ToPlan>) -> Vec<(TaskId, Result<Arc<Made>>)> {
    let pairs = read_pairs(&pinned.calls, &tasks).await;
    let unknown = not_restored(&tasks).await;
    let planning = pinned.clone();
    let planned = tokio::task::spawn_blocking(move || {
        let planned = tasks.into_iter().zip(pairs).zip(unknown).map(|((to_plan, pairs), unknown)| {
            let proposal = pairs.and_then(|pairs| propose(&planning, &to_plan, pairs, unknown));
            (to_plan, proposal)
        });
        planned.collect::<Vec<_>>()
    })
    .await;
    match planned {
        Ok(planned) => check_all(pinned, planned).await,
        Err(error) => {
            tracing::error!(target: "engine", "a planning batch ended by {error}");
            Vec::new()
        }
    }
}

/// A resource to be read: where the live one is or would be, and where the source has it, if it does.
struct BothPlaces {
    id: ResourceId,
    live: Location,
    desired: Option<Location>,
}

async fn read_pairs(calls: &Calls, tasks: &[ToPlan]) -> Vec<Result<Vec<Pair>>> {
    let Some(first) = tasks.first() else { return Vec::new() };
    let scopes: Vec<_> = tasks.iter().map(|task| task.restore.scope.clone()).collect();
    let (source, component, name) = (&first.restore.source, &first.restore.component, &first.restore.component_name);
    let listed = source.list(&scopes).await;
    // What only the live side has matters where it would be removed.
    let live_listed = match first.restore.mode {
        Mode::Exact => {
            let listed = {
                let _turn = calls.reading(name).await;
                component.list(&scopes).await
            };
            without(listed, source.unclear(&scopes).await)
        }
        Mode::Merge => scopes.iter().map(|_| Ok(Vec::new())).collect(),
    };
    let wanted: Vec<Result<Vec<BothPlaces>>> =
        listed.into_iter().zip(live_listed).map(|(listed, live_listed)| Ok(joined(listed?, live_listed?))).collect();
    let flat = || wanted.iter().flatten().flatten();
    let live: Vec<Location> = flat().map(|wanted| wanted.live.clone()).collect();
    let desired: Vec<Location> = flat().filter_map(|wanted| wanted.desired.clone()).collect();
    let desired = Wanted::alone(&desired);
    let (desired, live) = if component.limits().reads_beside {
        let desired = source.read(&desired).await;
        let with: Vec<Option<Resource>> = other_sides(flat(), &desired);
        (desired, calls.read(name, &**component, &Wanted::beside(&live, &with)).await)
    } else {
        let live = Wanted::alone(&live);
        tokio::join!(source.read(&desired), calls.read(name, &**component, &live))
    };
    let (mut desired, mut live) = (desired.into_iter(), live.into_iter());
    let unanswered = || Error::new(ErrorKind::Bug, "read resources", "the reader gave fewer answers than it was asked");
    let answered = wanted.into_iter().map(|wanted| {
        // Every answer is taken, also after a failure: the next task's follow.
        let pairs: Vec<Result<Pair>> = wanted?
            .into_iter()
            .map(|wanted| {
                let live = live.next().unwrap_or_else(|| Err(unanswered()));
                let desired = match wanted.desired {
                    Some(_) => desired.next().unwrap_or_else(|| Err(unanswered())),
                    None => Ok(None),
                };
                Ok(Pair { id: wanted.id, live: live?, desired: desired? })
            })
            .collect();
        pairs.into_iter().collect()
    });
    answered.collect()
}

/// What is live and may be removed: not what the source may hold all the same.
fn without(listed: Vec<Result<Vec<Location>>>, unclear: Vec<Vec<ResourceId>>) -> Vec<Result<Vec<Location>>> {
    let unclear = unclear.into_iter().chain(std::iter::repeat(Vec::new()));
    let kept = |(listed, unclear): (Result<Vec<Location>>, Vec<ResourceId>)| {
        Ok(listed?.into_iter().filter(|location| !unclear.contains(&location.id)).collect())
    };
    listed.into_iter().zip(unclear).map(kept).collect()
}

/// What the source holds of each, position by position.
fn other_sides<'w>(
    wanted: impl Iterator<Item = &'w BothPlaces>,
    desired: &[Result<Option<Resource>>],
) -> Vec<Option<Resource>> {
    let mut desired = desired.iter();
    let of = |wanted: &BothPlaces| {
        let desired = wanted.desired.as_ref().and_then(|_| desired.next());
        desired.and_then(|desired| desired.as_ref().ok().cloned().flatten())
    };
    wanted.map(of).collect()
}

fn joined(listed: Vec<Location>, live_listed: Vec<Location>) -> Vec<BothPlaces> {
    let mut live: BTreeMap<ResourceId, Location> =
        live_listed.into_iter().map(|location| (location.id.clone(), location)).collect();
    let mut wanted: Vec<BothPlaces> = listed
        .into_iter()
        .map(|desired| BothPlaces {
            id: desired.id.clone(),
            live: live.remove(&desired.id).unwrap_or_else(|| Location::of(&desired.id)),
            desired: Some(desired),
        })
        .collect();
    wanted.extend(live.into_iter().map(|(id, live)| BothPlaces { id, live, desired: None }));
    wanted
}

/// What the source holds for each task and cannot be restored, ready for its plan.
async fn not_restored(tasks: &[ToPlan]) -> Vec<Vec<String>> {
    let Some(first) = tasks.first() else { return Vec::new() };
    let scopes: Vec<_> = tasks.iter().map(|task| task.restore.scope.clone()).collect();
    let mut answers = first.restore.source.not_restored(&scopes).await;
    answers.resize(tasks.len(), Vec::new());
    answers
}

fn propose(pinned: &Pinned, to_plan: &ToPlan, pairs: Vec<Pair>, unknown: Vec<String>) -> Result<Proposal> {
    let restore = &to_plan.restore;
    let mut changes = Vec::new();
    let (mut live, mut desired) = (Vec::new(), Vec::new());
    let mut warnings: Vec<String> = unknown.into_iter().map(|what| format!("not restored: {what}")).collect();
    for pair in pairs {
        let (change, mut left) = differences(pinned, restore, &pair)?;
        let missed = missed(restore, &pair);
        match change {
            Some(mut change) => {
                change.warnings.extend(missed);
                changes.push(Arc::new(change));
                live.push(pair.live);
                desired.push(pair.desired);
            }
            None => {
                left.extend(missed);
                warnings.extend(left);
            }
        }
    }
    let plan = Plan {
        task: to_plan.name.clone(),
        pass: Pass::Restore,
        runbook: pinned.runbook,
        target: pinned.identity(&restore.component_name)?,
        source: pinned.identity(&restore.source_name)?,
        mode: restore.mode,
        preview: Preview::Exact,
        changes,
        command: None,
        warnings,
    };
    Ok(Proposal { live, desired, ..Proposal::bodiless(plan) })
}

/// What the backup has of a document that is there, and the component has no way to restore.
fn missed(restore: &Restore, pair: &Pair) -> Vec<String> {
    let live = pair.live.as_ref().and_then(Resource::document);
    let desired = pair.desired.as_ref().and_then(Resource::document);
    documents::missed(&pair.id, live, desired, restore.component.schema().kind(&pair.id.kind))
}

pub(super) fn difference(pinned: &Pinned, restore: &Restore, pair: &Pair) -> Result<Option<Change>> {
    Ok(differences(pinned, restore, pair)?.0)
}

fn entries(tree: &Option<Arc<dyn Tree>>) -> Result<Option<trees::Entries<'_>>> {
    tree.as_ref().map(|tree| tree.entries()).transpose()
}

/// What is to be written, and in words what is left as it is: a change has the same among its warnings.
fn differences(pinned: &Pinned, restore: &Restore, pair: &Pair) -> Result<(Option<Change>, Vec<String>)> {
    let schema = restore.component.schema().kind(&pair.id.kind);
    match (pair.live.as_ref().map(|live| &live.body), pair.desired.as_ref().map(|desired| &desired.body)) {
        (Some(Body::Tree(_)) | None, Some(Body::Tree(_)) | None) => {
            let tree = |side: &Option<Resource>| side.as_ref().and_then(|resource| resource.tree().cloned());
            let (live, desired) = (tree(&pair.live), tree(&pair.desired));
            let capacity = restore.component.capacity();
            let rules = trees::TreeRules::new(schema, restore.mode, restore.precision)?
                .reserving(schema, &pair.id.key)
                .sparing(restore.component.mounted_in(&pair.id), live.as_deref())
                .restoring(desired.as_deref(), capacity.as_deref());
            let (of_live, of_desired) = (entries(&live)?, entries(&desired)?);
            let diff = std::thread::scope(|scope| {
                let ahead = |entries| read_ahead(scope, entries);
                trees::compare(&pair.id, of_live.map(ahead), of_desired.map(ahead), &rules)
            })?;
            let left = diff.warnings.clone();
            let mut change = match (restore.precision, &live, &desired) {
                (ComparePrecision::Content, Some(live), Some(desired)) => {
                    let differs = contents::differ(&**live, &**desired, &diff.undecided)?;
                    trees::with_content(&pair.id, diff, &differs, &rules)
                }
                _ => diff.change,
            };
            if let (Some(change), Some(live)) = (&mut change, &live) {
                trees::replace_shared(change, &**live);
            }
            if let (Some(change), Some(desired)) = (&mut change, &desired) {
                trees::stamp(change, &**desired);
                trees::name_unreadable(change, &**desired);
                change.warnings.extend(desired.said());
            }
            Ok((change, left))
        }
        (Some(Body::Document(_)) | None, Some(Body::Document(_)) | None) => {
            let document = |side: &Option<Resource>| side.as_ref().and_then(Resource::document).cloned();
            let (live, desired) = (document(&pair.live), document(&pair.desired));
            let change =
                documents::changes(&pair.id, live.as_ref(), desired.as_ref(), schema, restore.mode, &pinned.key);
            // Of what changes, nothing is left alone.
            let left = match change {
                Some(_) => None,
                None => documents::left_alone(&pair.id, live.as_ref(), desired.as_ref(), schema, restore.mode),
            };
            Ok((change, left.into_iter().collect()))
        }
        _ => Err(Error::new(
            ErrorKind::Invalid,
            format!("compare {}", pair.id),
            "one side is a document and the other a tree of files",
        )
        .next("check the source's format in the runbook")),
    }
}

/// The component's own opinion of every plan, asked in one call.
async fn check_all(pinned: &Pinned, planned: Vec<(ToPlan, Result<Proposal>)>) -> Vec<(TaskId, Result<Arc<Made>>)> {
    let Some(restore) = planned.first().map(|(to_plan, _)| to_plan.restore.clone()) else { return Vec::new() };
    let (mut asked, mut expected_of) = (Vec::new(), Vec::with_capacity(planned.len()));
    for (_, proposal) in &planned {
        let all = Selection::all();
        let schema = restore.component.schema();
        let proposal = proposal.as_ref().ok();
        let expected = proposal.and_then(|proposal| expected(proposal, &all, schema, &pinned.key).ok());
        if let Some(proposal) = proposal {
            asked.extend(approved_of(proposal, &all, "", expected.as_deref().unwrap_or_default()));
        }
        expected_of.push(expected);
    }
    let answers = pinned.calls.check(&restore.component_name, &*restore.component, &asked).await;
    // A change that is still shared is copied when something is added to it.
    drop(asked);
    let mut answers = answers.into_iter();
    let mut checked = Vec::with_capacity(planned.len());
    for ((to_plan, proposal), expected) in planned.into_iter().zip(expected_of) {
        let proposal = proposal.and_then(|mut proposal| {
            let answers: Vec<_> = answers.by_ref().take(proposal.plan.changes.len()).collect();
            let mut would_be = BTreeMap::new();
            for (at, answer) in answers.into_iter().enumerate() {
                let answer = answer?;
                would_be.extend(answer.would_be.map(|stored| (at, stored)));
                let plan = Arc::make_mut(&mut proposal.plan);
                if answer.preview != Preview::Exact {
                    plan.preview = Preview::Partial;
                }
                if let Some(change) = plan.changes.get_mut(at).map(Arc::make_mut) {
                    change.warnings.extend(answer.warnings);
                    change.file = answer.file;
                }
            }
            // Of what the system foretold, that is what must be there.
            let expected = expected.filter(|_| would_be.is_empty());
            lead_to(&mut proposal, would_be, restore.component.schema(), &pinned.key);
            Ok(Arc::new(Made { expected, ..Made::new(proposal) }))
        });
        checked.push((to_plan.task, proposal));
    }
    checked
}

/// The changes of a proposal of which anything is chosen, ready to be handed to a component.
/// `expected` makes the document that must be there afterwards.
pub(super) fn approved_of(
    proposal: &Proposal,
    selection: &crate::model::Selection,
    run: &str,
    expected: &[Option<Resource>],
) -> Vec<Approved> {
    let run: Arc<str> = run.into();
    let mut approved = Vec::with_capacity(proposal.plan.changes.len());
    for (at, change) in proposal.plan.changes.iter().enumerate() {
        let left_out: BTreeSet<u32> =
            selection.left_out().filter(|(of, _)| *of as usize == at).map(|(_, hunk)| hunk).collect();
        if !change.hunks.is_empty() && left_out.len() >= change.hunks.len() {
            continue;
        }
        approved.push(Approved {
            run: run.clone(),
            change: Arc::clone(change),
            left_out,
            live: proposal.live.get(at).cloned().flatten(),
            desired: proposal.desired.get(at).cloned().flatten(),
            expected: expected.get(at).cloned().flatten(),
        });
    }
    approved
}
