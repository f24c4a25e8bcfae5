use super::context::Context;
use super::failures::Failures;
use super::prepare::{Prepared, lost};
use super::read_back::ReadBack;
use super::standing::{Standing, Told, between, is_all_but, standing};
use super::undo::PreImage;
use super::writer::Written;
use crate::component::{Approved, Effect, Found, Refusal};
use crate::diff::documents;
use crate::model::{
    DigestBuilder, Error, ErrorKind, HunkAt, KindSchema, Known, Op, Pass, Problem, Resource, Result, Schema, plural,
    size,
};

pub(super) type Answer = ((Approved, Result<Effect>), Result<Option<Resource>>);

/// What the journal may say of one task, from what the component answered and what was read back.
pub(super) fn conclude(
    context: &Context,
    schema: &Schema,
    ready: &Prepared,
    answers: Vec<Answer>,
    reading: &ReadBack,
) -> Written {
    let task = ready.to_write.to_plan.task;
    let mut post = DigestBuilder::new("post");
    let (mut bytes, mut hunks, mut removed) = (0, 0, 0);
    let mut words = Vec::new();
    let mut failures = Failures::default();
    let mut known = Known::Applied;
    // Of what failed: what is there of it now.
    let mut otherwise = Vec::new();
    let mut is_all_read = answers.len() >= ready.approved.len();
    if !is_all_read {
        failures.of_task(lost(&ready.to_write.to_plan.name));
        known = Known::Unknown;
    }
    let all = ready.approved.len();
    let (mut is_tree, mut partial) = (false, false);
    let mut paths = Paths::default();
    for ((approved, effect), now) in answers {
        is_tree |= approved.expected.is_none()
            && approved.change.hunks.iter().any(|hunk| matches!(hunk.at, HunkAt::Node { .. }));
        let kind = schema.kind(&approved.change.id.kind);
        is_all_read &= now.is_ok();
        let refused = effect.as_ref().map_or_else(|_| Vec::new(), |effect| effect.refused.clone());
        let is_all_but_refused = !refused.is_empty()
            && now.as_ref().is_ok_and(|now| is_all_but(&context.pinned, kind, &approved, now.as_ref(), &refused));
        let is_there = now.as_ref().is_ok_and(Option::is_some);
        words.extend(now.as_ref().ok().and_then(|now| in_other_order(kind, &approved, now.as_ref())));
        let stands = now.and_then(|now| {
            let told = Told::by(effect.as_ref().ok());
            standing(&context.pinned, kind, &approved, now.as_ref(), Some(told), reading)
        });
        if let Ok(effect) = &effect {
            bytes += effect.bytes;
            words.extend(effect.notes.iter().cloned());
        }
        let really = really_written(context, kind, &approved, &effect);
        hunks += match &really {
            Some(really) => really.fields(),
            None => approved.change.hunks.len() - approved.left_out.len(),
        };
        if let (Some(really), true) = (&really, effect.is_ok())
            && really.fields() == 0
        {
            words.push(format!("{} was as wanted already", approved.change.id));
        }
        if let Some(Err(error)) = really.map(|really| keep(context, ready, &really)) {
            failures.of_resource(&approved.change.id, error.problem());
        }
        paths.count(&approved);
        removed += usize::from(approved.change.op == Op::Delete);
        let is_between = matches!(stands, Ok(Standing::Between { .. })) && !effect.as_ref().is_err_and(is_untouched);
        let (this, why) = match stands {
            Ok(ref stands) if is_all_but_refused && !matches!(stands, Standing::Approved { .. }) => {
                partial |= !matches!(stands, Standing::Former);
                (Known::NotApplied, Some(told_of(&approved, &refused)))
            }
            stands => verdict(&approved, effect.err(), stands, &mut post, &mut words),
        };
        partial |= is_between || this == Known::Applied;
        if this != Known::Applied && known != Known::Unknown {
            known = this;
        }
        if let Some(why) = why {
            failures.of_resource(&approved.change.id, why);
        }
        if this != Known::Applied {
            otherwise.push((approved.change.id.clone(), is_there));
        }
    }
    let dependents_go_on = !otherwise.is_empty()
        && is_all_read
        && ready.to_write.pass == Pass::Restore
        && ready.to_write.to_plan.restore.component.dependents_go_on(&otherwise);
    if dependents_go_on {
        words.push(format!(
            "{} of {} are as approved, and what needs this task goes on",
            all - otherwise.len(),
            plural(all as u64, "resource")
        ));
    }
    if known == Known::Applied && failures.is_empty() {
        let done = match (is_tree, bytes) {
            (false, _) if hunks == 0 => "nothing was left to write".to_owned(),
            (false, _) if removed > 0 && removed == all => format!("{} removed", plural(removed as u64, "resource")),
            (false, _) => format!("{} written", plural(hunks as u64, "field")),
            (true, 0) => paths.words(ready.to_write.pass),
            (true, _) => format!("{}, {} of content", paths.words(ready.to_write.pass), size(bytes)),
        };
        words.insert(0, format!("{done}; read back equal to what was approved"));
    }
    let post = (known == Known::Applied).then(|| post.finish());
    let (partial, to_write) = (partial && known == Known::NotApplied, &ready.to_write);
    let kept = (to_write.pass == Pass::Restore).then(|| context.undo.count(task, to_write.attempt));
    let (evidence, problem) = (words.join("; "), failures.into_problem(all));
    Written { task, known, post, evidence, problem, partial, kept, bytes, dependents_go_on, output: None }
}

/// What a document's write really changed, where that is not all that was approved: somebody else was at it meanwhile.
/// Trees tell their ledger what they touch.
fn really_written(
    context: &Context,
    schema: &KindSchema,
    approved: &Approved,
    effect: &Result<Effect>,
) -> Option<PreImage> {
    let really = match effect.as_ref().map(|effect| &effect.found) {
        Ok(Found::AsPlanned) => return None,
        Ok(Found::Nothing) => PreImage::of_found(approved, None, schema, &context.pinned.key),
        Ok(Found::Document(document)) => PreImage::of_found(approved, Some(document), schema, &context.pinned.key),
        Err(error) if is_untouched(error) => PreImage::unwritten(approved),
        Err(_) => return None,
    };
    PreImage::of_document(approved).is_some().then_some(really)
}

/// Durable before the OUTCOME: an undo leads back past what this run wrote, and no further.
fn keep(context: &Context, ready: &Prepared, really: &PreImage) -> Result<()> {
    let to_write = &ready.to_write;
    match to_write.pass {
        Pass::Restore => context.undo.keep(to_write.to_plan.task, to_write.attempt, vec![really.to_bytes()?]),
        Pass::Undo => Ok(()),
    }
}

/// Paths of trees by what became of them: without a byte written, that is all there is to tell.
#[derive(Default)]
struct Paths {
    made: u64,
    changed: u64,
    removed: u64,
}

impl Paths {
    fn count(&mut self, approved: &Approved) {
        let chosen = approved.change.hunks.iter().enumerate().filter(|(at, _)| approved.takes(*at));
        for (_, hunk) in chosen.filter(|(_, hunk)| matches!(hunk.at, HunkAt::Node { .. })) {
            match hunk.op {
                Op::Create => self.made += 1,
                Op::Update => self.changed += 1,
                Op::Delete => self.removed += 1,
            }
        }
    }

    /// An undo moves former files back; a restore without content is one of modes, owners, times and links.
    fn words(&self, pass: Pass) -> String {
        let back = self.made + self.changed;
        let parts = match pass {
            Pass::Undo => vec![(back, "brought back"), (self.removed, "removed")],
            Pass::Restore => vec![(self.made, "made"), (self.changed, "changed"), (self.removed, "removed")],
        };
        let told = parts.into_iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = told.map(|(count, word)| format!("{} {word}", plural(count, "path"))).collect();
        if words.is_empty() { "nothing was left to write".to_owned() } else { words.join(", ") }
    }
}

/// How many lists are named that came back in another order.
const MOST_REORDERED: usize = 8;

/// In words, which lists the system gives back in another order than was approved. It is no fault of the write, and a
/// new plan writes them again.
pub(super) fn in_other_order(schema: &KindSchema, approved: &Approved, now: Option<&Resource>) -> Option<String> {
    let (now, expected) = (now?.document()?, approved.expected.as_ref()?.document()?);
    let found = documents::reordered(now, expected, schema);
    let named: Vec<String> = found.iter().take(MOST_REORDERED).map(ToString::to_string).collect();
    let id = &approved.change.id;
    (!named.is_empty()).then(|| {
        format!(
            "{id} has the values of {} in an order of the system's own; plan again to write them again",
            named.join(", ")
        )
    })
}

/// A write that says why it did not begin.
fn is_untouched(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Refused | ErrorKind::Conflict | ErrorKind::Held)
        && error.effect() == Known::NotApplied
}

/// A document that somebody else made or changed meanwhile as it was wanted is done, and not this run's to undo.
fn is_left_as_theirs(approved: &Approved, error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict && PreImage::of_document(approved).is_some()
}

/// So many of the places that a system refused are told of.
const MOST_REFUSED: usize = 8;

/// What the system did not take of a document.
fn told_of(approved: &Approved, refused: &[Refusal]) -> Problem {
    let mut told: Vec<String> =
        refused.iter().take(MOST_REFUSED).map(|one| format!("{}: {}", one.place, one.why)).collect();
    let more = refused.len().saturating_sub(MOST_REFUSED);
    if more > 0 {
        told.push(format!("and {} more", plural(more as u64, "field")));
    }
    Error::new(ErrorKind::Refused, format!("write {}", approved.change.id), told.join("; "))
        .next("all else is written: mend what is refused and retry, or leave it out")
        .problem()
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
        // It says that it did not begin, so what is there is another's. A document is left as theirs by what was kept of it.
        (Some(error), Ok(Standing::Approved { .. }))
            if is_untouched(&error) && !is_left_as_theirs(approved, &error) =>
        {
            words.push("all of it is there, and this run did not write it: plan it again".to_owned());
            (Known::NotApplied, Some(error.problem()))
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
                Standing::Between { done, of, begun } => between(id, done, of, begun),
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
        // Refused before the first effect: what is there is another's, or an earlier attempt's.
        (Some(error), Ok(Standing::Between { .. })) if is_untouched(&error) => {
            (Known::NotApplied, Some(error.problem()))
        }
        (Some(error), Ok(Standing::Between { done, of, begun })) => {
            words.push(format!("{}, the rest is as it was", between(id, done, of, begun)));
            (Known::NotApplied, Some(error.known(Known::NotApplied).problem()))
        }
        (Some(error), Ok(Standing::Other { what })) => {
            words.push(what);
            let says_so = matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Held);
            let known = if says_so { error.effect() } else { Known::Unknown };
            (known, Some(error.problem()))
        }
        // It was written and cannot be read back: that is not known, whatever the reading says of itself.
        (None, Err(unread)) => (Known::Unknown, Some(unread.known(Known::Unknown).problem())),
        (Some(error), Err(_)) => {
            let known = if error.effect() == Known::Applied { Known::Unknown } else { error.effect() };
            (known, Some(error.problem()))
        }
    }
}
