//! Plans that lead to what the system itself says it would store: with what it fills in, normalises or drops.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::Context;
use super::made::Made;
use super::planner::approved_of;
use super::prepare::expected;
use super::script::Restore;
use crate::diff::documents;
use crate::model::{
    Body, Change, DigestKey, Document, DocumentPath, Error, ErrorKind, Hunk, HunkAt, Mode, Proposal, Resource, Result,
    Schema, Selection, some_of,
};

/// How many places a sentence names.
const NAMED: usize = 8;

/// Replaces the changes at these positions by those from what is live to what would be stored. A change that would
/// leave the live document as it is goes, and the plan's warnings say why.
pub(super) fn lead_to(
    proposal: &mut Proposal,
    mut would_be: BTreeMap<usize, Document>,
    schema: &Schema,
    key: &DigestKey,
) {
    if would_be.is_empty() {
        return;
    }
    let plan = Arc::make_mut(&mut proposal.plan);
    let sides = std::mem::take(&mut proposal.live).into_iter().zip(std::mem::take(&mut proposal.desired));
    let changes = std::mem::take(&mut plan.changes);
    for (at, (wanted, (live, desired))) in changes.into_iter().zip(sides).enumerate() {
        let change = match would_be.remove(&at) {
            Some(stored) => {
                let from = live.as_ref().and_then(Resource::document);
                match foretold(&wanted, from, &stored, schema, key) {
                    Some(change) => {
                        proposal.would_be.insert(plan.changes.len(), stored);
                        Arc::new(change)
                    }
                    None => {
                        plan.warnings.extend(wanted.warnings.iter().cloned());
                        plan.warnings.push(untaken(&wanted, &wanted.hunks.iter().collect::<Vec<_>>(), schema));
                        continue;
                    }
                }
            }
            None => wanted,
        };
        plan.changes.push(change);
        proposal.live.push(live);
        proposal.desired.push(desired);
    }
}

fn foretold(
    wanted: &Change,
    live: Option<&Document>,
    stored: &Document,
    schema: &Schema,
    key: &DigestKey,
) -> Option<Change> {
    let kind = schema.kind(&wanted.id.kind);
    let mut change = documents::changes(&wanted.id, live, Some(stored), kind, Mode::Exact, key)?;
    let paths = |change: &Change| -> Vec<DocumentPath> { change.hunks.iter().filter_map(path).cloned().collect() };
    let (asked, comes) = (paths(wanted), paths(&change));
    let near = |path: &DocumentPath, of: &[DocumentPath]| {
        of.iter().any(|one| one.0.starts_with(&path.0) || path.0.starts_with(&one.0))
    };
    let added: Vec<String> = comes.iter().filter(|path| !near(path, &asked)).map(|path| kind.words(path)).collect();
    let lost: Vec<&Hunk> =
        wanted.hunks.iter().filter(|hunk| path(hunk).is_some_and(|path| !near(path, &comes))).collect();
    change.warnings.extend(wanted.warnings.iter().cloned());
    if !added.is_empty() {
        change.warnings.push(format!("{}: the system itself adds {}", change.id, some_of(&added, NAMED, ", ")));
    }
    if !lost.is_empty() {
        change.warnings.push(untaken(wanted, &lost, schema));
    }
    change.file = wanted.file;
    change.is_foretold = true;
    Some(change)
}

fn path(hunk: &Hunk) -> Option<&DocumentPath> {
    match &hunk.at {
        HunkAt::Field { path, .. } => Some(path),
        HunkAt::Node { .. } => None,
    }
}

fn untaken(change: &Change, hunks: &[&Hunk], schema: &Schema) -> String {
    let kind = schema.kind(&change.id.kind);
    let places: Vec<String> = hunks.iter().filter_map(|hunk| path(hunk)).map(|path| kind.words(path)).collect();
    format!("{}: the system would store nothing else for {}", change.id, some_of(&places, NAMED, ", "))
}

/// What must be there afterwards where hunks are left out of foretold changes: the system is asked again, and must come
/// to the chosen hunks and no others. `None`: nothing of that kind is left out.
///
/// Errors: `Refused` it would come to something else; those of the check.
pub(super) async fn without_left_out(
    context: &Context,
    restore: &Restore,
    made: &Made,
    selection: &Selection,
) -> Result<Option<Vec<Option<Resource>>>> {
    let proposal = &made.proposal;
    if selection.takes_all() || proposal.would_be.is_empty() {
        return Ok(None);
    }
    let (schema, key) = (restore.component.schema(), &context.pinned.key);
    let mut wanted = expected(proposal, selection, schema, key)?;
    let all = approved_of(proposal, selection, &context.pinned.run, &wanted);
    let asked: Vec<_> = all.into_iter().filter(|one| one.change.is_foretold && !one.left_out.is_empty()).collect();
    let answers = context.pinned.calls.check(&restore.component_name, &*restore.component, &asked).await;
    for (one, answer) in asked.iter().zip(answers) {
        let Some(stored) = answer?.would_be else { continue };
        let kind = schema.kind(&one.change.id.kind);
        let live = one.live.as_ref().and_then(Resource::document);
        let comes = documents::changes(&one.change.id, live, Some(&stored), kind, Mode::Exact, key);
        let comes = comes.map(|change| change.hunks).unwrap_or_default();
        let chosen = one.change.hunks.iter().enumerate().filter(|(at, _)| one.takes(*at)).map(|(_, hunk)| hunk);
        let chosen: Vec<&Hunk> = chosen.collect();
        let is_same = |a: &Hunk, b: &Hunk| a.op == b.op && a.at == b.at;
        let is_approved = |hunk: &&Hunk| chosen.iter().any(|one| is_same(one, hunk));
        let comes_all_the_same = |hunk: &&&Hunk| comes.iter().any(|one| is_same(one, hunk));
        let words = |hunks: Vec<&Hunk>| -> Vec<String> {
            hunks.into_iter().filter_map(path).map(|path| kind.words(path)).collect()
        };
        let more = words(comes.iter().filter(|hunk| !is_approved(hunk)).collect());
        let less = words(chosen.iter().filter(|hunk| !comes_all_the_same(hunk)).copied().collect());
        if more.is_empty() && less.is_empty() {
            let at = proposal.plan.changes.iter().position(|change| change.id == one.change.id);
            if let Some(slot) = at.and_then(|at| wanted.get_mut(at)) {
                *slot = Some(Resource { id: one.change.id.clone(), body: Body::Document(stored) });
            }
            continue;
        }
        let mut why = Vec::new();
        if !more.is_empty() {
            why.push(format!("the system would change {} too", some_of(&more, NAMED, ", ")));
        }
        if !less.is_empty() {
            why.push(format!("it would not make {} as approved", some_of(&less, NAMED, ", ")));
        }
        let doing = format!("write {} without what was left out", one.change.id);
        return Err(Error::new(ErrorKind::Refused, doing, why.join(", and "))
            .next("decide again: take what belongs together, or leave all of it out"));
    }
    Ok(Some(wanted))
}
