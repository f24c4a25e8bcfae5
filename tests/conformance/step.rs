use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use rekindle::component::{Approved, Component, Effect, Ledger, UndoRecord};
use rekindle::diff::{documents, trees};
use rekindle::model::{
    Body, Change, ComparePrecision, DigestKey, Entry, Location, Mode, Resource, ResourceId, Result, Scope,
};
use rekindle::reader::{Reader, Wanted};

/// Keeps what a write hands over for its undo.
#[derive(Default)]
pub struct Records(Mutex<Vec<(usize, UndoRecord)>>);

impl Ledger for Records {
    fn keep(&self, index: usize, records: &[UndoRecord]) -> Result<()> {
        self.0.lock().unwrap().extend(records.iter().map(|record| (index, record.clone())));
        Ok(())
    }

    fn progress(&self, _: usize, _: u64, _: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

impl Records {
    fn of(&self, index: usize) -> Vec<UndoRecord> {
        let kept = self.0.lock().unwrap();
        kept.iter().filter(|(at, _)| *at == index).map(|(_, record)| record.clone()).collect()
    }
}

fn key() -> DigestKey {
    DigestKey::new([3; 32])
}

/// The one resource of a scope, as a reader has it.
pub async fn the_one(reader: &dyn Reader, scope: &Scope) -> Option<Resource> {
    let listed = reader.list(std::slice::from_ref(scope)).await.pop().unwrap().unwrap();
    assert!(listed.len() <= 1, "{listed:?}");
    reader.read(&Wanted::alone(&listed)).await.pop().and_then(|read| read.unwrap())
}

/// What a step would change: as the engine plans it.
pub async fn plan(component: &dyn Component, source: &dyn Reader, scope: &Scope, mode: Mode) -> Approved {
    let live = the_one(component, scope).await;
    let desired = the_one(source, scope).await;
    approve(component, live, desired, mode).await
}

pub async fn approve(
    component: &dyn Component,
    live: Option<Resource>,
    desired: Option<Resource>,
    mode: Mode,
) -> Approved {
    let id = live.as_ref().or(desired.as_ref()).unwrap().id.clone();
    let change = difference(component, &id, live.as_ref(), desired.as_ref(), mode, None);
    approved(component, change.expect("there is nothing to change"), live, desired, mode)
}

fn approved(
    component: &dyn Component,
    change: Change,
    live: Option<Resource>,
    desired: Option<Resource>,
    mode: Mode,
) -> Approved {
    let made = Approved {
        run: "conformance".into(),
        change: Arc::new(change),
        left_out: BTreeSet::new(),
        live,
        desired,
        expected: None,
    };
    leaving_out(component, made, BTreeSet::new(), mode)
}

pub fn leaving_out(component: &dyn Component, approved: Approved, left_out: BTreeSet<u32>, mode: Mode) -> Approved {
    let id = approved.change.id.clone();
    let body = |side: &Option<Resource>| side.as_ref().and_then(Resource::document).cloned();
    let (live, desired) = (body(&approved.live), body(&approved.desired));
    let expected = if live.is_some() || desired.is_some() {
        let schema = component.schema().kind(&id.kind);
        let change = &approved.change;
        documents::apply(live.as_ref(), desired.as_ref(), change, &left_out, schema, mode, &key()).unwrap()
    } else {
        None
    };
    let expected = expected.map(|document| Resource { id, body: Body::Document(document) });
    Approved { left_out, expected, ..approved }
}

/// `touched`: of the live tree, only these paths are looked at, as an undo does.
fn difference(
    component: &dyn Component,
    id: &ResourceId,
    live: Option<&Resource>,
    desired: Option<&Resource>,
    mode: Mode,
    touched: Option<&[UndoRecord]>,
) -> Option<Change> {
    let schema = component.schema().kind(&id.kind);
    let is_tree = live.or(desired).is_some_and(|resource| resource.tree().is_some());
    if !is_tree {
        let document = |side: Option<&Resource>| side.and_then(Resource::document).cloned();
        return documents::changes(id, document(live).as_ref(), document(desired).as_ref(), schema, mode, &key());
    }
    let looked_at = |entry: &Entry| touched.is_none_or(|touched| touched.iter().any(|one| one.path == entry.path));
    let tree = |side: Option<&Resource>| side.and_then(Resource::tree).cloned();
    let entries = |side: Option<&Resource>, looked_at: &dyn Fn(&Entry) -> bool| -> Option<Vec<Result<Entry>>> {
        Some(tree(side)?.entries().unwrap().filter(|entry| entry.as_ref().map_or(true, looked_at)).collect())
    };
    let boxed = |entries: Vec<Result<Entry>>| Box::new(entries.into_iter()) as trees::Entries<'_>;
    let rules = trees::TreeRules::new(schema, mode, ComparePrecision::Quick).unwrap();
    trees::compare(id, entries(live, &looked_at).map(boxed), entries(desired, &|_| true).map(boxed), &rules)
        .unwrap()
        .change
}

pub async fn write(component: &dyn Component, approved: &Approved, records: &Records) -> Result<Effect> {
    component.write(std::slice::from_ref(approved), records).await.pop().unwrap()
}

/// The way back of a write: the diff from what is live now to what its undo records and pre-images say.
pub async fn undo(component: &dyn Component, done: &Approved, index: usize, records: &Records, scope: &Scope) {
    let live = the_one(component, scope).await;
    let kept = records.of(index);
    let id = done.change.id.clone();
    let is_tree = live.iter().chain(&done.live).chain(&done.desired).any(|resource| resource.tree().is_some());
    let former = match &done.live {
        Some(_) if is_tree => {
            let tree = component.former(&id, kept.clone()).unwrap();
            Some(Resource { id: id.clone(), body: Body::Tree(tree) })
        }
        former => former.clone(),
    };
    let touched = (is_tree && former.is_some()).then_some(kept.as_slice());
    let change = difference(component, &id, live.as_ref(), former.as_ref(), Mode::Exact, touched);
    let back = approved(component, change.expect("there is nothing to undo"), live, former, Mode::Exact);
    write(component, &back, &Records::default()).await.unwrap();
}

pub fn location(like: &ResourceId, owner: &str) -> Location {
    let key = like.key.parent().unwrap_or_default().join(owner).unwrap();
    Location::of(&ResourceId { kind: like.kind.clone(), key })
}
