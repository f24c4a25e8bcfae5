//! Documents compared by structure: maps field by field, sets by value, keyed lists by key, plain lists
//! as one value, because a half-taken order means nothing. Order is not compared in sets and keyed lists:
//! what only moved has not changed.
//!
//! A document that is created has one hunk for each leaf, so that one role can be left out; one that is
//! deleted has one hunk in all. Parents come of themselves with the first child that is taken.
//!
//! Ignored fields are neither compared nor written. A field that the desired side masks is never written
//! and is named in the change's warnings; a mask on the live side equals nothing.

mod alike;
mod apply;
mod around;
mod between;
mod filled;
mod missed;
mod rules;
mod shown;
#[cfg(test)]
mod tests;
mod walk;
mod way;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::model::{
    Change, Digest, DigestKey, Document, DocumentPath, Error, ErrorKind, Fidelity, Hunk, HunkAt, KindSchema, Mode, Op,
    ResourceId, Result, some_of,
};

pub use alike::alike;
use apply::Writer;
pub use around::lines_in;
pub use between::off_the_way;
pub use filled::filled_in;
pub use missed::missed;
pub(crate) use rules::{Cursor, Rules};
use shown::Veil;
use walk::{Difference, Walk, is_mask};
pub use way::way_to;

/// How many places a warning names.
const NAMED: usize = 8;

/// What has to change for `live` to become `desired`; `None` where nothing has to.
pub fn changes(
    id: &ResourceId,
    live: Option<&Document>,
    desired: Option<&Document>,
    schema: &KindSchema,
    mode: Mode,
    key: &DigestKey,
) -> Option<Change> {
    let op = match (live, desired) {
        (None, None) => return None,
        (None, Some(_)) => Op::Create,
        (Some(_), None) if mode == Mode::Merge => return None,
        (Some(_), None) => Op::Delete,
        (Some(live), Some(desired)) if live.value == desired.value => return None,
        (Some(_), Some(_)) => Op::Update,
    };
    let rules = Rules::new(schema);
    let mut walk = walk_of(&rules, schema, mode, live, desired);
    walk.documents(live, desired);
    match op == Op::Update && reason_alone(&walk).is_some() {
        true => None,
        false => change(id, op, live, desired, &walk, key),
    }
}

/// Where a system fills in fields, a document that lacks one which the system always gives was not written by it: what
/// else it lacks says nothing either, in any mode. Elements of its lists are all that there are to be.
fn walk_of<'a, 'r>(
    rules: &'r Rules<'a>,
    schema: &KindSchema,
    mode: Mode,
    live: Option<&Document>,
    desired: Option<&Document>,
) -> Walk<'a, 'r> {
    let mut walk = Walk::new(rules, mode);
    let lacks = |(live, desired): (&Document, &Document)| {
        let mut given = schema.fields.iter().filter(|rule| rule.given && !rule.secret && rule.excludes.is_none());
        given.any(|rule| live.value.get(&rule.path).is_some() && desired.value.get(&rule.path).is_none())
    };
    walk.fills_in = schema.fills_in && live.zip(desired).is_some_and(lacks);
    walk
}

/// Why what differs between the two is no change, in words: it stands alone, and is left as it is.
pub fn left_alone(
    id: &ResourceId,
    live: Option<&Document>,
    desired: Option<&Document>,
    schema: &KindSchema,
    mode: Mode,
) -> Option<String> {
    let (is, wanted) = live.zip(desired)?;
    if is.value == wanted.value || schema.fields.iter().all(|rule| rule.alone.is_none()) {
        return None;
    }
    let rules = Rules::new(schema);
    let mut walk = walk_of(&rules, schema, mode, live, desired);
    walk.documents(live, desired);
    let (place, why) = reason_alone(&walk)?;
    Some(format!("left as it is: {place} of {id}: {why}"))
}

/// The first of the differences and its reason, where all of them have one.
fn reason_alone<'a>(walk: &Walk<'a, '_>) -> Option<(&'a str, &'a str)> {
    let mut reasons = walk.found.iter().map(|found| walk.rules.alone(&found.cursor));
    let first = reasons.next().flatten()?;
    reasons.all(|reason| reason.is_some()).then_some(first)
}

/// What `now` is otherwise than `expected`, which a write has made of `before`; `None` where the write is proven.
pub fn unproven(
    id: &ResourceId,
    before: Option<&Document>,
    now: &Document,
    expected: &Document,
    schema: &KindSchema,
    key: &DigestKey,
) -> Option<Change> {
    let rules = Rules::new(schema);
    let mut walk = Walk::new(&rules, Mode::Exact);
    walk.fills_in = schema.fills_in && before.is_none();
    walk.any_order = true;
    walk.documents(Some(now), Some(expected));
    change(id, Op::Update, Some(now), Some(expected), &walk, key)
}

/// Lists that are as expected but for the order of their values, which the system does not promise.
pub fn reordered(now: &Document, expected: &Document, schema: &KindSchema) -> Vec<DocumentPath> {
    if schema.fields.iter().all(|rule| !rule.by_way) {
        return Vec::new();
    }
    let rules = Rules::new(schema);
    let mut walk = Walk::new(&rules, Mode::Exact);
    walk.any_order = true;
    walk.documents(Some(now), Some(expected));
    walk.reordered
}

fn change(
    id: &ResourceId,
    op: Op,
    live: Option<&Document>,
    desired: Option<&Document>,
    walk: &Walk<'_, '_>,
    key: &DigestKey,
) -> Option<Change> {
    if walk.found.is_empty() {
        return None;
    }
    let rules = walk.rules;
    let veil = Veil { rules, key };
    let needs = needs(rules, &walk.found);
    let hunks = walk.found.iter().zip(needs).map(|(difference, needs)| hunk(difference, needs, &veil)).collect();
    let mut warnings = Vec::new();
    if !walk.masked.is_empty() {
        warnings.push(format!("masked in the source, so not written: {}", named(&walk.masked, rules)));
    }
    if !walk.unkept.is_empty() {
        warnings.push(format!("written whole, ignored fields inside are not kept: {}", named(&walk.unkept, rules)));
    }
    if !walk.create_only.is_empty() {
        let places = named(&walk.create_only, rules);
        warnings.push(format!("can be set only where it is created, so left as it is: {places}"));
    }
    Some(Change {
        id: id.clone(),
        op,
        before: Document::keyed_fingerprint(live, key),
        after: Document::keyed_fingerprint(desired, key),
        hunks,
        warnings,
        unreadable: Vec::new(),
        file: None,
        is_foretold: false,
    })
}

/// The document that is there once the chosen hunks of `change` are written, `None` where none is left.
/// All else must be what [`changes`] was given; where it is not, the error is [`ErrorKind::Conflict`].
pub fn apply(
    live: Option<&Document>,
    desired: Option<&Document>,
    change: &Change,
    left_out: &BTreeSet<u32>,
    schema: &KindSchema,
    mode: Mode,
    key: &DigestKey,
) -> Result<Option<Document>> {
    let moved = || {
        let why = "the change was computed from other documents";
        Error::new(ErrorKind::Conflict, format!("apply the change of {}", change.id), why).next("plan this task again")
    };
    let same = |digest: Digest, document| digest == Document::keyed_fingerprint(document, key);
    if !same(change.before, live) || !same(change.after, desired) {
        return Err(moved());
    }
    let rules = Rules::new(schema);
    let mut walk = walk_of(&rules, schema, mode, live, desired);
    walk.documents(live, desired);
    if walk.found.len() != change.hunks.len() || walk.found.iter().zip(&change.hunks).any(|(one, two)| one.op != two.op)
    {
        return Err(moved());
    }
    let is_taken = |position: usize| u32::try_from(position).is_ok_and(|position| !left_out.contains(&position));
    let taken: Vec<&Difference<'_>> =
        walk.found.iter().enumerate().filter(|(position, _)| is_taken(*position)).map(|(_, found)| found).collect();
    if taken.is_empty() {
        return Ok(live.cloned());
    }
    if change.op == Op::Delete {
        return Ok(None);
    }
    let mut value = live.map_or(Value::Null, |live| Value::clone(&live.value));
    Writer::new(&walk).write_all(&mut value, &taken).ok_or_else(moved)?;
    // What is new and whole is the source's own text; an edit's text is made by the writer from the live one.
    let whole = desired.filter(|desired| *desired.value == value);
    let source = whole.filter(|_| live.is_none()).and_then(|desired| desired.source.clone());
    let value = whole.map_or_else(|| Arc::new(value), |desired| Arc::clone(&desired.value));
    Ok(Some(Document { value, source, file: desired.and_then(|desired| desired.file) }))
}

fn hunk(difference: &Difference<'_>, needs: Vec<u32>, veil: &Veil<'_, '_>) -> Hunk {
    let at = &difference.cursor;
    let unmasks = difference.before.is_some_and(is_mask);
    let before = difference.before.map(|value| veil.shown(value, at));
    let after = difference.after.as_deref().map(|value| match unmasks {
        true => veil.shown_secret(value),
        false => veil.shown(value, at),
    });
    let fidelity =
        veil.rules.fidelity(at, difference.op).max(if unmasks { Fidelity::Unreadable } else { Fidelity::Exact });
    let path = veil.path(difference);
    let said = veil.said(&path);
    Hunk { op: difference.op, at: HunkAt::Field { path, before, after }, fidelity, needs, said }
}

/// For each difference, the positions of those that a rule binds it to.
fn needs(rules: &Rules<'_>, found: &[Difference<'_>]) -> Vec<Vec<u32>> {
    let mut by_pattern: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    let mut needs = Vec::with_capacity(found.len());
    for (position, difference) in found.iter().enumerate() {
        let mut of_this = BTreeSet::new();
        for pattern in rules.needs(&difference.cursor) {
            let positions = by_pattern.entry(pattern).or_insert_with(|| {
                let concerned = found.iter().enumerate().filter(|(_, other)| rules::concerns(pattern, &other.steps));
                concerned.filter_map(|(position, _)| u32::try_from(position).ok()).collect()
            });
            of_this.extend(positions.iter().copied().filter(|other| *other as usize != position));
        }
        needs.push(of_this.into_iter().collect());
    }
    needs
}

fn named(paths: &[DocumentPath], rules: &Rules<'_>) -> String {
    let distinct: BTreeSet<String> =
        paths.iter().map(|path| rules.said(path).unwrap_or_else(|| path.to_string())).collect();
    some_of(distinct, NAMED, ", ")
}
