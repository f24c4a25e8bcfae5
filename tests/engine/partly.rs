//! A target that is written one field a call, and an engine that is killed between any two of them: a document with a
//! part of its fields written is no riddle but half a task, and the rest is written.

use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rekindle::component::{Approved, Checked, Component, Effect, Ledger, Limits, Unit};
use rekindle::engine::{Command, Purpose};
use rekindle::journal::StateFolder;
use rekindle::model::{
    ApprovalPolicy, Body, Document, Error, ErrorKind, FoundOwners, Known, Location, Mode, Resource, ResourceId, Result,
    Schema, Scope, TargetIdentity, TaskStatus, TreePath,
};
use rekindle::reader::{Reader, Wanted};
use serde_json::{Value, json};

use crate::YES;
use crate::one_step::{Accounts, new_session};
use crate::platform::{Follower, reopened};

const UNDO: ApprovalPolicy = ApprovalPolicy::Yes { deletes: true, irreversible: true };

fn before() -> Value {
    json!({"name": "ana", "quota": 3, "shell": "sh", "stays": true})
}

fn backup() -> Value {
    json!({"name": "ana", "quota": 10, "shell": "fish", "mail": "ana@example.org"})
}

fn after() -> Value {
    json!({"name": "ana", "quota": 10, "shell": "fish", "mail": "ana@example.org", "stays": true})
}

#[derive(Default)]
struct World {
    live: Value,
    /// Calls that wrote so far; before the one in `kill_at`, the journal is copied, and no call has effects any more.
    calls: usize,
    kill_at: Option<usize>,
    copy: Option<Box<dyn Fn() + Send>>,
    dead: bool,
    /// At the call in `cut_at` the way to the target is cut: it cannot be read either.
    cut_at: Option<usize>,
    is_cut: bool,
    /// How it shows that the way is cut; out of reach, unless something else is said.
    cut: Option<ErrorKind>,
}

impl World {
    fn call(&mut self) -> Result<()> {
        self.calls += 1;
        if self.kill_at == Some(self.calls) && !self.dead {
            if let Some(copy) = self.copy.take() {
                copy();
            }
            self.dead = true;
        }
        if self.cut_at == Some(self.calls) {
            self.is_cut = true;
        }
        match self.dead || self.is_cut {
            true => {
                let kind = self.cut.unwrap_or(ErrorKind::Unreachable);
                Err(Error::new(kind, "reach the target", "it is not there").known(Known::Unknown))
            }
            false => Ok(()),
        }
    }
}

struct FieldByField {
    world: Arc<Mutex<World>>,
    schema: Schema,
    backup: bool,
}

fn id() -> ResourceId {
    ResourceId { kind: "account".into(), key: TreePath::new("ana").unwrap() }
}

#[async_trait]
impl Reader for FieldByField {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        Ok(TargetIdentity { system: "fields".into(), address: "here".into(), id: self.backup.to_string().into() })
    }

    async fn owners(&self, _: &TreePath, _: Option<&str>) -> Result<FoundOwners> {
        Ok(vec!["ana".to_owned()].into())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        scopes.iter().map(|_| Ok(vec![Location { at: id().key, id: id() }])).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let world = self.world.lock().unwrap();
        if !self.backup && world.is_cut {
            let error = || Error::new(ErrorKind::Unreachable, "read the target", "it is not there");
            return wanted.iter().map(|_| Err(error())).collect();
        }
        let value = if self.backup { backup() } else { world.live.clone() };
        let one = |_: &Wanted<'_>| Ok(Some(Resource { id: id(), body: Body::Document(Document::new(value.clone())) }));
        wanted.iter().map(one).collect()
    }
}

fn fields(resource: &Option<Resource>) -> serde_json::Map<String, Value> {
    resource.as_ref().unwrap().document().unwrap().value.as_object().unwrap().clone()
}

#[async_trait]
impl Component for FieldByField {
    fn limits(&self) -> Limits {
        Limits { batch: 1, parallel: 1, unit: Unit::Change, reads_beside: false }
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        changes.iter().map(|_| Ok(Checked::default())).collect()
    }

    /// What is neither as it was nor as it is wanted is somebody else's.
    async fn write(&self, changes: &[Approved], _: &dyn Ledger) -> Vec<Result<Effect>> {
        let one = |approved: &Approved| {
            let (was, wanted) = (fields(&approved.live), fields(&approved.expected));
            let names: Vec<&String> = was.keys().chain(wanted.keys().filter(|name| !was.contains_key(*name))).collect();
            for name in names {
                let mut world = self.world.lock().unwrap();
                let is = world.live.get(name).cloned();
                if is.as_ref() == wanted.get(name) {
                    continue;
                }
                if is.as_ref() != was.get(name) {
                    return Err(Error::new(ErrorKind::Conflict, "write", "somebody was here").known(Known::Unknown));
                }
                world.call()?;
                let live = world.live.as_object_mut().unwrap();
                match wanted.get(name) {
                    Some(value) => live.insert(name.clone(), value.clone()),
                    None => live.remove(name),
                };
            }
            Ok(Effect::default())
        };
        changes.iter().map(one).collect()
    }
}

struct Story {
    folder: tempfile::TempDir,
    world: Arc<Mutex<World>>,
}

impl Story {
    fn new() -> Self {
        let world = World { live: before(), ..World::default() };
        Self { folder: tempfile::tempdir().unwrap(), world: Arc::new(Mutex::new(world)) }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Before the `nth` call from now; what the journal holds then is left at `to`.
    fn kill_at(&self, nth: usize, from: &str, to: &str) {
        let (from, to) = (self.path(from), self.path(to));
        let mut world = self.world.lock().unwrap();
        world.kill_at = Some(world.calls + nth);
        world.copy = Some(Box::new(move || {
            assert!(process::Command::new("cp").arg("-a").args([&from, &to]).status().unwrap().success());
        }));
    }

    fn was_killed(&self) -> bool {
        let mut world = self.world.lock().unwrap();
        world.kill_at = None;
        std::mem::take(&mut world.dead)
    }

    fn live(&self) -> Value {
        self.world.lock().unwrap().live.clone()
    }

    fn script(&self) -> Arc<Accounts> {
        let of = |backup| Arc::new(FieldByField { world: self.world.clone(), schema: Schema::default(), backup });
        Arc::new(Accounts { source: of(true), component: of(false), below: TreePath::root(), mode: Mode::Merge })
    }

    async fn begin(&self) -> Follower {
        let script = self.script();
        let header = script.header("story", vec!["ana".to_owned()]).await;
        Follower::of(new_session(script, &StateFolder::at(self.path("state")), "story", YES).begin(header))
    }

    fn resume(&self, state: &Path, purpose: Purpose, policy: ApprovalPolicy) -> Follower {
        let state = StateFolder::at(state.to_owned());
        Follower::of(reopened(self.script(), &state, purpose, policy))
    }

    /// Killed before the `nth` call, and what was left of the journal; None if there are not so many.
    async fn killed_at(&self, nth: usize) -> Option<PathBuf> {
        self.kill_at(nth, "state", "left");
        let mut run = self.begin().await;
        run.settle().await;
        run.leave().await;
        self.was_killed().then(|| self.path("left"))
    }
}

/// To its end, whatever that is; the policy approves it.
async fn undo(run: &mut Follower) {
    let task = run.run.find("account/ana").unwrap();
    run.engine.command(Command::Undo { task }, "op").await.unwrap();
    run.until("account/ana", &[TaskStatus::Undone, TaskStatus::Failed, TaskStatus::Unknown]).await;
}

#[tokio::test]
async fn killed_between_two_calls_the_rest_is_written_and_all_of_it_undone() {
    for nth in 1.. {
        let story = Story::new();
        let Some(left) = story.killed_at(nth).await else {
            assert_eq!((nth, story.live()), (4, after()), "three fields are three calls");
            return;
        };
        let calls = story.world.lock().unwrap().calls;
        let mut run = story.resume(&left, Purpose::GoOn, YES);
        run.settle().await;
        assert_eq!(run.status("account/ana"), TaskStatus::Done, "call {nth}: {:?}", run.run.problems);
        assert_eq!(story.live(), after(), "call {nth}");
        assert_eq!(story.world.lock().unwrap().calls - calls, 4 - nth, "what was done is not done again");
        run.leave().await;
        let mut run = story.resume(&left, Purpose::GoOn, UNDO);
        run.settle().await;
        undo(&mut run).await;
        assert_eq!(story.live(), before(), "undone after it was killed at call {nth}");
    }
}

#[tokio::test]
async fn killed_again_and_again_it_comes_to_the_same_end() {
    let story = Story::new();
    let mut left = story.killed_at(2).await.unwrap();
    for time in 0..2 {
        let (from, to) = (left.file_name().unwrap().to_str().unwrap().to_owned(), format!("left-{time}"));
        story.kill_at(1 + time, &from, &to);
        let mut run = story.resume(&left, Purpose::GoOn, YES);
        run.settle().await;
        run.leave().await;
        if !story.was_killed() {
            break;
        }
        left = story.path(&to);
    }
    let mut run = story.resume(&left, Purpose::GoOn, YES);
    run.settle().await;
    assert_eq!(run.status("account/ana"), TaskStatus::Done, "{:?}", run.run.problems);
    assert_eq!(story.live(), after());
}

#[tokio::test]
async fn what_somebody_else_wrote_meanwhile_is_for_a_person_to_settle() {
    for (name, value) in [("quota", json!(7)), ("more", json!(true)), ("shell", json!("zsh"))] {
        let story = Story::new();
        let left = story.killed_at(2).await.unwrap();
        story.world.lock().unwrap().live[name] = value;
        let seen = story.live();
        let mut run = story.resume(&left, Purpose::GoOn, YES);
        run.settle().await;
        assert_eq!(run.status("account/ana"), TaskStatus::Unknown, "{name}");
        assert_eq!(story.live(), seen, "{name}");
    }
}

#[tokio::test]
async fn an_undo_killed_between_two_calls_is_finished_by_its_resume() {
    for nth in 1.. {
        let story = Story::new();
        let mut run = story.begin().await;
        run.settle().await;
        run.leave().await;
        story.kill_at(nth, "state", "left");
        let mut run = story.resume(&story.path("state"), Purpose::GoOn, UNDO);
        run.settle().await;
        undo(&mut run).await;
        run.leave().await;
        if !story.was_killed() {
            assert_eq!((nth, story.live()), (4, before()));
            return;
        }
        let mut run = story.resume(&story.path("left"), Purpose::GoOn, UNDO);
        run.settle().await;
        assert_eq!(run.status("account/ana"), TaskStatus::Undone, "call {nth}: {:?}", run.run.problems);
        assert_eq!(story.live(), before(), "call {nth}");
    }
}

#[tokio::test]
async fn what_could_not_be_read_back_is_looked_at_by_the_resume_and_finished() {
    // No free descriptor is an I/O error, and passes like a server that was away.
    for (nth, cut) in
        [(1, ErrorKind::Unreachable), (2, ErrorKind::Unreachable), (3, ErrorKind::Io), (2, ErrorKind::Denied)]
    {
        let story = Story::new();
        story.world.lock().unwrap().cut_at = Some(nth);
        story.world.lock().unwrap().cut = Some(cut);
        let mut run = story.begin().await;
        run.settle().await;
        assert_eq!(run.status("account/ana"), TaskStatus::Unknown, "call {nth}");
        run.leave().await;
        let mut run = story.resume(&story.path("state"), Purpose::GoOn, YES);
        run.settle().await;
        assert_eq!(run.status("account/ana"), TaskStatus::Unknown, "it is still out of reach");
        run.leave().await;
        story.world.lock().unwrap().is_cut = false;
        let mut run = story.resume(&story.path("state"), Purpose::GoOn, YES);
        run.settle().await;
        assert_eq!(run.status("account/ana"), TaskStatus::Done, "call {nth}: {:?}", run.run.problems);
        assert_eq!(story.live(), after());
        run.leave().await;
        let mut run = story.resume(&story.path("state"), Purpose::GoOn, UNDO);
        run.settle().await;
        undo(&mut run).await;
        assert_eq!(story.live(), before(), "call {nth}");
    }
}
