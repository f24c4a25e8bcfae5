//! A server that fills in what it is not given, writes names in small letters, and can be asked beforehand what it would
//! store: plans lead there, and so does the proof.

use std::path::PathBuf;
use std::process;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rekindle::component::{Approved, Checked, Component, Effect, Ledger, Limits, Unit};
use rekindle::engine::{Command, Purpose};
use rekindle::journal::StateFolder;
use rekindle::model::{
    ApprovalPolicy, Body, Document, FoundOwners, HunkAt, Location, Mode, Proposal, Resource, ResourceId, Result,
    Schema, Scope, Selection, TargetIdentity, TaskId, TaskStatus, TreePath,
};
use rekindle::reader::{Reader, Wanted};
use serde_json::{Value, json};

use crate::YES;
use crate::one_step::{Accounts, account, new_session};
use crate::platform::{Follower, reopened};

const ALL: ApprovalPolicy = ApprovalPolicy::Yes { deletes: true, irreversible: true };

/// What is there, and how often anything was written. Before the first write the journal is copied, and with `is_dead`
/// no write has effects.
#[derive(Default)]
struct World {
    live: Option<Value>,
    writes: usize,
    copy: Option<[PathBuf; 2]>,
    is_dead: bool,
}

struct Server {
    world: Arc<Mutex<World>>,
    schema: Schema,
    backup: Option<Value>,
}

/// What the server makes of a document: a quota for each, one for guests; names in small letters; no notes.
fn stored(given: &Value) -> Value {
    let mut made = given.clone();
    let fields = made.as_object_mut().unwrap();
    fields.remove("note");
    if let Some(name) = fields.get("name").and_then(Value::as_str).map(str::to_lowercase) {
        fields.insert("name".to_owned(), json!(name));
    }
    let quota = if fields.get("guest") == Some(&json!(true)) { 1 } else { 5 };
    fields.entry("quota").or_insert(json!(quota));
    made
}

#[async_trait]
impl Reader for Server {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        let id = if self.backup.is_some() { "backup" } else { "server" };
        Ok(TargetIdentity { system: "filling".into(), address: "here".into(), id: id.into() })
    }

    async fn owners(&self, _: &TreePath, _: Option<&str>) -> Result<FoundOwners> {
        Ok(vec!["ana".to_owned()].into())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        scopes.iter().map(|_| Ok(vec![Location::of(&account("ana"))])).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let value = self.backup.clone().or_else(|| self.world.lock().unwrap().live.clone());
        let resource = |value: &Value| resource(&account("ana"), value.clone());
        wanted.iter().map(|_| Ok(value.as_ref().map(resource))).collect()
    }
}

fn resource(id: &ResourceId, value: Value) -> Resource {
    Resource { id: id.clone(), body: Body::Document(Document::new(value)) }
}

fn value(of: &Option<Resource>) -> Option<Value> {
    of.as_ref().map(|resource| (*resource.document().unwrap().value).clone())
}

#[async_trait]
impl Component for Server {
    fn limits(&self) -> Limits {
        Limits { batch: 1, parallel: 1, unit: Unit::Change, reads_beside: false }
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        let one = |approved: &Approved| {
            let would_be = value(&approved.expected).map(|wanted| Document::new(stored(&wanted)));
            Ok(Checked { would_be, ..Checked::default() })
        };
        changes.iter().map(one).collect()
    }

    async fn write(&self, changes: &[Approved], _: &dyn Ledger) -> Vec<Result<Effect>> {
        let one = |approved: &Approved| {
            let mut world = self.world.lock().unwrap();
            if let Some(copy) = world.copy.take() {
                assert!(process::Command::new("cp").arg("-a").args(copy).status().unwrap().success());
            }
            world.writes += 1;
            if !world.is_dead {
                world.live = value(&approved.expected).map(|wanted| stored(&wanted));
            }
            Ok(Effect::default())
        };
        changes.iter().map(one).collect()
    }
}

struct Story {
    run: Follower,
    world: Arc<Mutex<World>>,
    backup: Value,
    folder: tempfile::TempDir,
}

fn script(world: &Arc<Mutex<World>>, backup: &Value) -> Arc<Accounts> {
    let server = |backup| Arc::new(Server { world: Arc::clone(world), schema: Schema::default(), backup });
    Arc::new(Accounts {
        source: server(Some(backup.clone())),
        component: server(None),
        below: TreePath::root(),
        mode: Mode::Merge,
    })
}

impl Story {
    async fn begin(world: World, backup: Value, policy: ApprovalPolicy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let copy = Some(["state", "left"].map(|name| folder.path().join(name)));
        let world = Arc::new(Mutex::new(World { copy, ..world }));
        let script = script(&world, &backup);
        let header = script.header("story", vec!["ana".to_owned()]).await;
        let state = StateFolder::at(folder.path().join("state"));
        let mut run = Follower::of(new_session(script, &state, "story", policy).begin(header));
        run.settle().await;
        Self { run, world, backup, folder }
    }

    /// As if the run had been killed in its first write.
    async fn killed_and_resumed(self) -> Self {
        let Self { run, world, backup, folder } = self;
        run.leave().await;
        (world.lock().unwrap().writes, world.lock().unwrap().is_dead) = (0, false);
        let state = StateFolder::at(folder.path().join("left"));
        let mut run = Follower::of(reopened(script(&world, &backup), &state, Purpose::GoOn, ALL));
        run.settle().await;
        Self { run, world, backup, folder }
    }

    fn task(&self) -> TaskId {
        self.run.run.find("account/ana").unwrap()
    }

    fn status(&self) -> TaskStatus {
        self.run.status("account/ana")
    }

    fn live(&self) -> Option<Value> {
        self.world.lock().unwrap().live.clone()
    }

    fn writes(&self) -> usize {
        self.world.lock().unwrap().writes
    }

    /// What became of it once the hunks at these places are left out and the rest is approved.
    async fn without(&mut self, left_out: &[&str]) -> TaskStatus {
        let task = self.task();
        let proposal = self.run.engine.proposal(task).await.unwrap();
        let places = places(&proposal);
        let mut selection = Selection::all();
        for place in left_out {
            let hunk = places.iter().position(|one| one == place).unwrap();
            selection.decide(&proposal.plan, 0, hunk, false);
        }
        self.run.engine.command(Command::Decide { task, selection: selection.clone() }, "op").await.unwrap();
        let digest = proposal.plan.digest(&selection);
        self.run.engine.command(Command::Approve { task, digest }, "op").await.unwrap();
        self.run.until("account/ana", &[TaskStatus::Done, TaskStatus::Failed, TaskStatus::Unknown]).await;
        self.status()
    }
}

fn places(proposal: &Proposal) -> Vec<String> {
    let hunks = proposal.plan.changes.iter().flat_map(|change| &change.hunks);
    let path = |at: &HunkAt| match at {
        HunkAt::Field { path, .. } => path.to_string(),
        HunkAt::Node { .. } => panic!("a document has no nodes"),
    };
    hunks.map(|hunk| path(&hunk.at)).collect()
}

#[tokio::test]
async fn the_plan_shows_what_would_be_stored_and_the_read_back_is_compared_with_it() {
    let backup = json!({"name": "Ana", "note": "x", "shell": "fish"});
    let mut story = Story::begin(World::default(), backup, ApprovalPolicy::Ask).await;
    let proposal = story.run.engine.proposal(story.task()).await.unwrap();
    assert_eq!(places(&proposal), ["name", "quota", "shell"]);
    let warnings = proposal.plan.warned().join("\n");
    assert!(warnings.contains("the system itself adds quota"), "{warnings}");
    assert!(warnings.contains("would store nothing else for note"), "{warnings}");
    assert_eq!(story.without(&[]).await, TaskStatus::Done, "{:?}", story.run.run.problems);
    assert_eq!(story.live(), Some(json!({"name": "ana", "shell": "fish", "quota": 5})));
}

#[tokio::test]
async fn what_it_would_store_as_it_is_already_is_no_change() {
    let live = json!({"name": "ana", "quota": 5});
    let story =
        Story::begin(World { live: Some(live.clone()), ..World::default() }, json!({"name": "ANA", "note": "x"}), YES)
            .await;
    assert_eq!((story.status(), story.writes()), (TaskStatus::Unchanged, 0));
    assert_eq!(story.live(), Some(live));
}

#[tokio::test]
async fn what_is_left_out_stays_out_and_the_rest_is_proved() {
    let live = json!({"name": "ana", "quota": 9, "shell": "sh"});
    let backup = json!({"name": "ana", "quota": 5, "shell": "fish"});
    let mut story = Story::begin(World { live: Some(live), ..World::default() }, backup, ApprovalPolicy::Ask).await;
    assert_eq!(story.without(&["quota"]).await, TaskStatus::Done, "{:?}", story.run.run.problems);
    assert_eq!(story.live(), Some(json!({"name": "ana", "quota": 9, "shell": "fish"})));
}

#[tokio::test]
async fn what_the_server_would_fill_in_all_the_same_cannot_be_left_out_and_nothing_is_written() {
    let backup = json!({"name": "ana"});
    let mut story = Story::begin(World::default(), backup, ApprovalPolicy::Ask).await;
    assert_eq!(story.without(&["quota"]).await, TaskStatus::Failed);
    let problem = format!("{:?}", story.run.run.problems);
    assert!(problem.contains("would change quota too"), "{problem}");
    assert_eq!((story.live(), story.writes()), (None, 0));
}

#[tokio::test]
async fn what_is_chosen_and_would_come_out_otherwise_is_not_written() {
    let backup = json!({"name": "ana", "guest": true});
    let mut story = Story::begin(World::default(), backup, ApprovalPolicy::Ask).await;
    assert_eq!(story.without(&["guest", "quota"]).await, TaskStatus::Failed);
    assert_eq!(story.writes(), 0);
}

#[tokio::test]
async fn killed_before_or_after_its_effect_it_comes_to_the_same_end_and_is_undone() {
    for before in [None, Some(json!({"name": "ana", "quota": 9, "shell": "sh"}))] {
        for is_dead in [false, true] {
            let backup = json!({"name": "Ana", "shell": "fish"});
            let world = World { live: before.clone(), is_dead, ..World::default() };
            let story = Story::begin(world, backup, YES).await;
            let mut story = story.killed_and_resumed().await;
            assert_eq!(story.status(), TaskStatus::Done, "{before:?} {is_dead}: {:?}", story.run.run.problems);
            assert_eq!(story.writes(), usize::from(is_dead), "{before:?} {is_dead}");
            let quota = if before.is_some() { 9 } else { 5 };
            assert_eq!(story.live(), Some(json!({"name": "ana", "shell": "fish", "quota": quota})));
            let task = story.task();
            story.run.engine.command(Command::Undo { task }, "op").await.unwrap();
            story.run.until("account/ana", &[TaskStatus::Undone, TaskStatus::Failed, TaskStatus::Unknown]).await;
            assert_eq!((story.status(), story.live()), (TaskStatus::Undone, before.clone()), "{is_dead}");
        }
    }
}
