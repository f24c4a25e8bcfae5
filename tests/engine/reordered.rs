//! A system that keeps the values of a list where there is room, and gives them back in that order.

use std::path::PathBuf;
use std::process;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rekindle::component::{Approved, Checked, Component, Effect, Ledger, Limits, Unit};
use rekindle::engine::{Command, Purpose};
use rekindle::journal::StateFolder;
use rekindle::model::{
    ApprovalPolicy, Body, Document, FieldRule, FoundOwners, KindSchema, Location, Mode, Resource, ResourceId, Result,
    Schema, Scope, TargetIdentity, TaskStatus, TreePath,
};
use rekindle::reader::{Reader, Wanted};
use serde_json::{Value, json};

use crate::YES;
use crate::one_step::{Accounts, account, new_session};
use crate::platform::{Follower, reopened};

/// What is there, how many writes turn the list around, and how many there were. The journal is copied from and to
/// `copy` before the first of them.
#[derive(Default)]
struct Rows {
    live: Option<Value>,
    turns: usize,
    writes: usize,
    copy: Option<[PathBuf; 2]>,
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
        Ok(TargetIdentity { system: "shelf".into(), address: "here".into(), id: self.backup.to_string().into() })
    }

    async fn owners(&self, _: &TreePath, _: Option<&str>) -> Result<FoundOwners> {
        Ok(vec!["ana".to_owned()].into())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let location = |id: ResourceId| Location { at: id.key.clone(), id };
        scopes.iter().map(|_| Ok(vec![location(account("ana"))])).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let value = if self.backup { Some(saved()) } else { self.rows.lock().unwrap().live.clone() };
        let resource =
            |value: &Value| Resource { id: account("ana"), body: Body::Document(Document::new(value.clone())) };
        wanted.iter().map(|_| Ok(value.as_ref().map(resource))).collect()
    }
}

#[async_trait]
impl Component for Shelf {
    fn limits(&self) -> Limits {
        Limits { batch: 1, parallel: 1, unit: Unit::Change, reads_beside: false }
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
            if let Some(copy) = rows.copy.take() {
                assert!(process::Command::new("cp").arg("-a").args(copy).status().unwrap().success());
            }
            let Some(expected) = &approved.expected else {
                rows.live = None;
                return Ok(Effect::default());
            };
            let mut value = (*expected.document().unwrap().value).clone();
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

/// A run on a shelf, what is there, and where its journal lies.
struct Story {
    run: Follower,
    rows: Arc<Mutex<Rows>>,
    folder: tempfile::TempDir,
}

fn script(rows: &Arc<Mutex<Rows>>) -> Arc<Accounts> {
    let (source, component) = (Shelf::new(rows, true), Shelf::new(rows, false));
    Arc::new(Accounts { source, component, below: TreePath::root(), mode: Mode::Merge })
}

impl Story {
    /// Restores ana on a shelf that turns her list around so many times.
    async fn restored(live: Option<Value>, turns: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let copy = Some(["state", "left"].map(|name| folder.path().join(name)));
        let rows = Arc::new(Mutex::new(Rows { live, turns, writes: 0, copy }));
        let script = script(&rows);
        let header = script.header("story", vec!["ana".to_owned()]).await;
        let session = new_session(script, &StateFolder::at(folder.path().join("state")), "story", YES);
        let mut run = Follower::of(session.begin(header));
        run.settle().await;
        Self { run, rows, folder }
    }

    /// As if the run had been killed in its first write: what was written stays, and the next writes keep the order.
    async fn killed_and_resumed(self, turns: usize) -> Self {
        let Self { run, rows, folder } = self;
        run.leave().await;
        (rows.lock().unwrap().writes, rows.lock().unwrap().turns) = (0, turns);
        let state = StateFolder::at(folder.path().join("left"));
        let policy = ApprovalPolicy::Yes { deletes: true, irreversible: true };
        let mut run = Follower::of(reopened(script(&rows), &state, Purpose::GoOn, policy));
        run.settle().await;
        Self { run, rows, folder }
    }

    fn assert_done(&self) {
        assert_eq!(self.run.status("account/ana"), TaskStatus::Done, "{:?}", self.run.run.problems);
    }

    fn live(&self) -> Option<Value> {
        self.rows.lock().unwrap().live.clone()
    }

    fn writes(&self) -> usize {
        self.rows.lock().unwrap().writes
    }
}

fn befores() -> [Option<Value>; 2] {
    [None, Some(json!({"name": "ana", "phones": ["9"]}))]
}

#[tokio::test]
async fn what_came_back_in_another_order_is_put_in_order_by_the_run_itself() {
    for before in befores() {
        let story = Story::restored(before, 1).await;
        story.assert_done();
        assert_eq!((story.live(), story.writes()), (Some(saved()), 2));
    }
}

#[tokio::test]
async fn what_never_keeps_its_order_is_tried_a_few_times_and_is_no_fault_of_the_write() {
    let story = Story::restored(None, usize::MAX).await;
    story.assert_done();
    assert_eq!(story.writes(), 3);
}

#[tokio::test]
async fn what_a_killed_run_left_in_another_order_is_put_in_order_by_its_resume_and_undone_with_it() {
    for before in befores() {
        let mut story = Story::restored(before.clone(), usize::MAX).await.killed_and_resumed(0).await;
        story.assert_done();
        assert_eq!((story.live(), story.writes()), (Some(saved()), 1));
        let task = story.run.run.find("account/ana").unwrap();
        story.run.engine.command(Command::Undo { task }, "op").await.unwrap();
        story.run.until("account/ana", &[TaskStatus::Undone, TaskStatus::Failed, TaskStatus::Unknown]).await;
        assert_eq!((story.live(), story.run.status("account/ana")), (before, TaskStatus::Undone));
    }
}

#[tokio::test]
async fn a_resume_tries_a_few_times_too() {
    let story = Story::restored(None, usize::MAX).await.killed_and_resumed(usize::MAX).await;
    story.assert_done();
    assert!((1..=3).contains(&story.writes()), "{} writes", story.writes());
}

#[tokio::test]
async fn what_is_in_order_is_written_once() {
    assert_eq!(Story::restored(None, 0).await.writes(), 1);
}
