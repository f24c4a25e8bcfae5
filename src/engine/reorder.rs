use std::sync::Arc;

use super::calls::{Calls, one_each};
use super::context::Context;
use super::script::Restore;
use super::writer::read_back;
use crate::component::{Approved, Effect, Ledger, UndoRecord};
use crate::diff::documents;
use crate::model::{Change, Error, ErrorKind, Known, Op, Resource, Result};

/// Mostly the first is enough. A system that keeps no order of its own may never have the one that is wanted.
const ROUNDS: usize = 2;

/// Writes lists once more that came back with the approved values in another order: a system that keeps its rows where
/// there is room gives them back in that order, and the first value may be the one that counts. `now` is what was read
/// back of each change, and becomes what is there afterwards. What cannot be put in order stays as it is, and the
/// evidence says so.
pub(super) async fn write_order_again(
    context: &Context,
    restore: &Restore,
    approved: &[Approved],
    effects: &[Result<Effect>],
    now: &mut [Result<Option<Resource>>],
) {
    let calls = &context.pinned.calls;
    for _ in 0..ROUNDS {
        let found = approved.iter().zip(effects).zip(&*now).enumerate();
        let again = found.filter_map(|(at, ((approved, effect), now))| {
            let Ok(Some(now)) = now else { return None };
            // What was not begun is another's; an answer that was lost says nothing against what was read.
            if effect.as_ref().is_err_and(|error| error.effect() != Known::Unknown) {
                return None;
            }
            Some((at, of_order(context, restore, approved, now)?))
        });
        let (at, again): (Vec<usize>, Vec<Approved>) = again.unzip();
        if again.is_empty() || *context.cancelled.borrow() {
            return;
        }
        write(calls, restore, &again, &OfDocuments(context)).await;
        for (at, read) in at.into_iter().zip(read_back(calls, restore, &again).await) {
            if let Some(now) = now.get_mut(at) {
                *now = read;
            }
        }
    }
}

async fn write(calls: &Calls, restore: &Restore, again: &[Approved], ledger: &dyn Ledger) {
    for part in again.chunks(calls.most_changes(&restore.component_name)) {
        let _turn = calls.writing(&restore.component_name).await;
        for (one, written) in part.iter().zip(one_each(restore.component.write(part, ledger).await, part.len())) {
            if let Err(error) = written {
                tracing::warn!(target: "engine", "{}: the order of its lists was not mended: {}", one.change.id, error.chain());
            }
        }
    }
}

/// The change from what is there to what was approved, where only the order of lists lies between.
fn of_order(context: &Context, restore: &Restore, approved: &Approved, now: &Resource) -> Option<Approved> {
    let (found, expected) = (now.document()?, approved.expected.as_ref()?.document()?);
    let (id, kind) = (&approved.change.id, restore.component.schema().kind(&approved.change.id.kind));
    if found.value == expected.value || documents::reordered(found, expected, kind).is_empty() {
        return None;
    }
    let before = approved.live.as_ref().and_then(Resource::document);
    if documents::unproven(id, before, found, expected, kind, &context.pinned.key).is_some() {
        return None;
    }
    let change = Change { op: Op::Update, ..(*approved.change).clone() };
    Some(Approved { change: Arc::new(change), live: Some(now.clone()), ..approved.clone() })
}

/// What leads back past a document is on record since before its first write.
struct OfDocuments<'c>(&'c Context);

impl Ledger for OfDocuments<'_> {
    fn keep(&self, _: usize, _: &[UndoRecord]) -> Result<()> {
        Err(Error::new(ErrorKind::Bug, "keep undo records", "documents have none"))
    }

    fn progress(&self, _: usize, _: u64, _: u64) {}

    fn cancelled(&self) -> bool {
        *self.0.cancelled.borrow()
    }
}
