//! A system that keeps the values of a list where there is room, and gives them back in that order.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rekindle::component::{Approved, Checked, Component, Effect, Ledger, Limits};
use rekindle::journal::StateFolder;
use rekindle::model::{
    Body, Document, FieldRule, FoundOwners, KindSchema, Location, Mode, Resource, ResourceId, Result, Schema, Scope,
    TargetIdentity, TaskStatus, TreePath,
};
use rekindle::reader::Reader;
use serde_json::{Value, json};

use crate::YES;
use crate::one_step::{Accounts, account, new_session};
use crate::platform::Follower;

/// What is there, how many writes turn the list around, and how many there were.
#[derive(Default)]
struct Rows {
    live: Option<Value>,
    turns: usize,
    writes: usize,
}

struct Shelf {
    rows: Arc<Mutex<Rows>>,
    schema: Schema,
    backup: bool,
}

impl Shelf {
    fn new(rows: &Arc<Mutex<Rows>>, backup: bool) -> Arc<Self> {
        let phones = FieldRule { path: "phones".to_owned(), by_way: true, ..FieldRule::default() };
        let kind = KindSchema { fields: vec![phones], ..KindSchema::default() };
        let schema = Schema { kinds: [("account".to_owned(), kind)].into() };
        Arc::new(Self { rows: Arc::clone(rows), schema, backup })
    }
}

fn saved() -> Value {
    json!({"name": "ana", "phones": ["1", "2", "3"]})
}

#[async_trait]
impl Reader for Shelf {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        Ok(TargetIdentity { system: "shelf".into(), address: "here".into(), id: self.backup.to_string() })
    }

    async fn owners(&self, _: &TreePath, _: Option<&str>) -> Result<FoundOwners> {
        Ok(vec!["ana".to_owned()].into())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let location = |id: ResourceId| Location { at: id.key.clone(), id };
        scopes.iter().map(|_| Ok(vec![location(account("ana"))])).collect()
    }

    async fn read(&self, wanted: &[Location]) -> Vec<Result<Option<Resource>>> {
        let value = if self.backup { Some(saved()) } else { self.rows.lock().unwrap().live.clone() };
        let resource =
            |value: &Value| Resource { id: account("ana"), body: Body::Document(Document::new(value.clone())) };
        wanted.iter().map(|_| Ok(value.as_ref().map(resource))).collect()
    }
}

#[async_trait]
impl Component for Shelf {
    fn limits(&self) -> Limits {
        Limits { batch: 1, parallel: 1 }
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        changes.iter().map(|_| Ok(Checked::default())).collect()
    }

    async fn write(&self, changes: &[Approved], _: &dyn Ledger) -> Vec<Result<Effect>> {
        let one = |approved: &Approved| {
            let mut rows = self.rows.lock().unwrap();
            let planned = approved.live.as_ref().map(|live| (*live.document().unwrap().value).clone());
            assert_eq!(planned, rows.live, "written from what is there");
            rows.writes += 1;
            let mut value = (*approved.expected.as_ref().unwrap().document().unwrap().value).clone();
            if rows.turns > 0 {
                rows.turns -= 1;
                value["phones"].as_array_mut().unwrap().reverse();
            }
            rows.live = Some(value);
            Ok(Effect::default())
        };
        changes.iter().map(one).collect()
    }
}

/// Restores ana on a shelf that turns her list around so many times; answers what became of it.
async fn restored(live: Option<Value>, turns: usize) -> (Follower, Arc<Mutex<Rows>>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let rows = Arc::new(Mutex::new(Rows { live, turns, writes: 0 }));
    let (source, component) = (Shelf::new(&rows, true), Shelf::new(&rows, false));
    let script = Arc::new(Accounts { source, component, below: TreePath::root(), mode: Mode::Merge });
    let header = script.header("story", vec!["ana".to_owned()]).await;
    let session = new_session(script, &StateFolder::at(folder.path().join("state")), "story", YES);
    let mut run = Follower::of(session.begin(header));
    run.settle().await;
    (run, rows, folder)
}

#[tokio::test]
async fn what_came_back_in_another_order_is_put_in_order_by_the_run_itself() {
    for live in [None, Some(json!({"name": "ana", "phones": ["9"]}))] {
        let (run, rows, _folder) = restored(live, 1).await;
        assert_eq!(run.status("account/ana"), TaskStatus::Done, "{:?}", run.run.problems);
        let rows = rows.lock().unwrap();
        assert_eq!((rows.live.clone(), rows.writes), (Some(saved()), 2));
    }
}

#[tokio::test]
async fn what_never_keeps_its_order_is_tried_a_few_times_and_is_no_fault_of_the_write() {
    let (run, rows, _folder) = restored(None, usize::MAX).await;
    assert_eq!(run.status("account/ana"), TaskStatus::Done, "{:?}", run.run.problems);
    assert_eq!(rows.lock().unwrap().writes, 3);
}

#[tokio::test]
async fn what_is_in_order_is_written_once() {
    let (_run, rows, _folder) = restored(None, 0).await;
    assert_eq!(rows.lock().unwrap().writes, 1);
}
