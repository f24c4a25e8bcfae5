//! A target that counts its effects, and an engine that is killed at every moment of its life: what the journal held
//! at that moment is copied away, as a kill would leave it, and another engine goes on with the copy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rekindle::component::{Approved, Checked, Component, Effect, Ledger, Limits, Unit};
use rekindle::engine::{Command, Purpose};
use rekindle::journal::{Journal, RunFolder, StateFolder};
use rekindle::model::{
    ApprovalPolicy, Body, Document, Error, ErrorKind, FoundOwners, Known, Location, Mode, Resource, Result, Run,
    Schema, Scope, TargetIdentity, TaskStatus, TreePath,
};
use rekindle::reader::{Reader, Wanted};
use serde_json::{Value, json};

use crate::YES;
use crate::one_step::{Accounts, account, new_session, session, users};
use crate::platform::Follower;

const USERS: usize = 5;

type Moment = Box<dyn Fn() + Send>;

/// The target's side: it outlives engines. Not idempotent on purpose: each write is an effect.
#[derive(Default)]
struct World {
    live: BTreeMap<String, Value>,
    effects: BTreeMap<String, u32>,
    /// Moments that have passed; at the one in `kill_at` the journal is copied, and nothing has effects any more.
    moments: usize,
    kill_at: Option<(usize, Moment)>,
    dead: bool,
    unreadable: bool,
    /// Whoever was written to cannot be read any more.
    hides_effects: bool,
}

impl World {
    fn moment(&mut self) {
        self.moments += 1;
        if self.kill_at.as_ref().is_some_and(|(at, _)| *at == self.moments) {
            if let Some((_, copy)) = self.kill_at.take() {
                copy();
            }
            self.dead = true;
        }
    }
}

/// The live side, and with `backup` the source: the same users with the right quota.
struct Counting {
    world: Arc<Mutex<World>>,
    schema: Schema,
    backup: bool,
}

fn resource(user: &str, value: Value) -> Resource {
    Resource { id: account(user), body: Body::Document(Document::new(value)) }
}

fn gone() -> Error {
    Error::new(ErrorKind::Unreachable, "reach the target", "the process is dead")
}

#[async_trait]
impl Reader for Counting {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        Ok(TargetIdentity { system: "counting".into(), address: "here".into(), id: self.backup.to_string().into() })
    }

    async fn owners(&self, _: &TreePath, _: Option<&str>) -> Result<FoundOwners> {
        Ok(users(USERS).into())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let of = |scope: &Scope| {
            let name = scope.owner.as_ref().unwrap().name.to_string();
            vec![Location { at: TreePath::new(&*name).unwrap(), id: account(&name) }]
        };
        scopes.iter().map(|scope| Ok(of(scope))).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let mut world = self.world.lock().unwrap();
        if !self.backup {
            world.moment();
        }
        let one = |Wanted { at: location, .. }: &Wanted<'_>| {
            let name = location.id.key.to_string();
            if self.backup {
                return Ok(Some(resource(&name, json!({ "quota": 10 }))));
            }
            let is_hidden = world.hides_effects && world.effects.keys().any(|effect| effect.starts_with(&name));
            if world.unreadable || is_hidden {
                return Err(Error::new(ErrorKind::Unsupported, "read the effect", "this target shows none"));
            }
            Ok(world.live.get(&name).map(|value| resource(&name, value.clone())))
        };
        wanted.iter().map(one).collect()
    }
}

#[async_trait]
impl Component for Counting {
    fn limits(&self) -> Limits {
        Limits { batch: 2, parallel: 2, unit: Unit::Change, reads_beside: false }
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        changes.iter().map(|_| Ok(Checked::default())).collect()
    }

    async fn write(&self, changes: &[Approved], _: &dyn Ledger) -> Vec<Result<Effect>> {
        let one = |approved: &Approved| {
            let mut world = self.world.lock().unwrap();
            world.moment();
            if world.dead {
                return Err(gone());
            }
            let name = approved.change.id.key.to_string();
            let value = Value::clone(&approved.expected.as_ref().unwrap().document().unwrap().value);
            *world.effects.entry(format!("{name} {value}")).or_default() += 1;
            world.live.insert(name, value);
            world.moment();
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
        let live = users(USERS).into_iter().map(|user| (user, json!({ "quota": 3 }))).collect();
        let world = World { live, ..World::default() };
        Self { folder: tempfile::tempdir().unwrap(), world: Arc::new(Mutex::new(world)) }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Copies the state as it is at the `nth` moment, and lets nothing have an effect from then on.
    fn kill_at(&self, nth: usize) {
        let (from, to) = (self.path("state"), self.path("left"));
        let copy = move || {
            let copied = Process::new("cp").args(["-a"]).args([&from, &to]).status().unwrap();
            assert!(copied.success());
        };
        self.world.lock().unwrap().kill_at = Some((nth, Box::new(copy)));
    }

    fn was_killed(&self) -> bool {
        std::mem::take(&mut self.world.lock().unwrap().dead)
    }

    fn script(&self) -> Arc<Accounts> {
        let side = |backup| Arc::new(Counting { world: self.world.clone(), schema: Schema::default(), backup });
        let (source, component, below) = (side(true), side(false), TreePath::root());
        Arc::new(Accounts { source, component, below, mode: Mode::Merge })
    }

    async fn begin(&self) -> Follower {
        self.begin_with(YES).await
    }

    async fn begin_with(&self, policy: ApprovalPolicy) -> Follower {
        let script = self.script();
        let header = script.header("story", users(USERS)).await;
        let state = StateFolder::at(self.path("state"));
        Follower::of(new_session(script, &state, "story", policy).begin(header))
    }

    /// None where not even the first event was durable: then nothing can have been written.
    fn resume(&self, state: &Path) -> Option<Follower> {
        let state = StateFolder::at(state.to_owned());
        let folder = RunFolder::open(&state, "story").unwrap();
        let opened = match Journal::open_writer(&folder, 0) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                assert!(self.world.lock().unwrap().effects.is_empty());
                return None;
            }
            opened => opened.unwrap(),
        };
        let mut run = Run::default();
        for recorded in &opened.events {
            run.apply(recorded).unwrap();
        }
        let session = session(self.script(), &state, folder, opened.journal, YES);
        Some(Follower::of(session.resume(run, Purpose::GoOn)))
    }

    #[track_caller]
    fn one_effect_each(&self, when: &str) {
        let wanted = users(USERS).into_iter().map(|user| (format!("{user} {{\"quota\":10}}"), 1)).collect();
        assert_eq!(self.world.lock().unwrap().effects, wanted, "{when}");
    }
}

#[tokio::test]
async fn killed_at_any_moment_each_change_has_exactly_one_effect() {
    for nth in 1.. {
        let story = Story::new();
        story.kill_at(nth);
        let mut run = story.begin().await;
        run.settle().await;
        run.leave().await;
        if !story.was_killed() {
            assert!(nth > USERS * 2, "only {nth} moments");
            story.one_effect_each("undisturbed");
            return;
        }
        let Some(mut run) = story.resume(&story.path("left")) else { continue };
        run.settle().await;
        story.one_effect_each(&format!("killed at moment {nth}"));
        for (name, status) in run.statuses() {
            assert!(matches!(status, TaskStatus::Done | TaskStatus::Unchanged), "moment {nth}: {name} is {status:?}");
        }
    }
}

/// Moments are reads and writes; by the sixth, effects of a batch are there.
#[tokio::test]
async fn an_effect_that_cannot_be_read_is_unknown_until_an_operator_decides() {
    let mut settled = 0;
    for nth in 2..USERS * 3 {
        let story = Story::new();
        story.kill_at(nth);
        let mut run = story.begin().await;
        run.settle().await;
        run.leave().await;
        assert!(story.was_killed());
        story.world.lock().unwrap().unreadable = true;
        let Some(mut run) = story.resume(&story.path("left")) else { continue };
        run.settle().await;
        let unknown: Vec<String> = run
            .statuses()
            .into_iter()
            .filter(|(_, status)| *status == TaskStatus::Unknown)
            .map(|(name, _)| name)
            .collect();
        for name in unknown {
            let user = name.strip_prefix("account/").unwrap();
            let is_there = story.world.lock().unwrap().live[user] == json!({ "quota": 10 });
            let known = if is_there { Known::Applied } else { Known::NotApplied };
            let task = run.run.find(&name).unwrap();
            run.engine.command(Command::Settle { task, known }, "op").await.unwrap();
            let wanted = if is_there { TaskStatus::Done } else { TaskStatus::Failed };
            run.until(&name, &[wanted]).await;
            settled += usize::from(is_there);
        }
        let effects = story.world.lock().unwrap().effects.clone();
        assert!(effects.values().all(|count| *count == 1), "moment {nth}: {effects:?}");
    }
    assert!(settled > 0, "no effect was ever in doubt");
}

#[tokio::test]
async fn what_was_unknown_is_looked_at_again_when_the_operator_asks_for_it() {
    let story = Story::new();
    story.world.lock().unwrap().hides_effects = true;
    let mut run = story.begin().await;
    run.settle().await;
    let task = run.run.find("account/user0").unwrap();
    let seq = run.run.seq;
    run.engine.command(Command::LookAgain { task }, "op").await.unwrap();
    while run.run.seq == seq {
        run.step().await;
    }
    assert_eq!(run.status("account/user0"), TaskStatus::Unknown, "as unknown as before");
    story.world.lock().unwrap().hides_effects = false;
    run.engine.command(Command::LookAgain { task }, "op").await.unwrap();
    run.until("account/user0", &[TaskStatus::Done]).await;
    story.one_effect_each("looked at again");
}

/// One attempt whose effect nobody could see, then somebody else's change.
async fn written_unseen_then_changed(story: &Story, policy: ApprovalPolicy) -> Follower {
    story.world.lock().unwrap().live.insert("user0".to_owned(), json!({ "quota": 3, "note": "first" }));
    story.world.lock().unwrap().hides_effects = true;
    let mut run = story.begin_with(policy.clone()).await;
    run.settle().await;
    if policy == ApprovalPolicy::Ask {
        run.approve("account/user0", &[TaskStatus::Unknown]).await;
    }
    assert_eq!(run.status("account/user0"), TaskStatus::Unknown);
    let mut world = story.world.lock().unwrap();
    assert_eq!(world.live["user0"], json!({ "quota": 10, "note": "first" }));
    world.live.insert("user0".to_owned(), json!({ "quota": 5, "note": "second" }));
    world.hides_effects = false;
    drop(world);
    run
}

#[tokio::test]
async fn an_interrupted_retry_is_settled_by_what_it_found_and_not_by_what_the_first_attempt_did() {
    let story = Story::new();
    let mut run = written_unseen_then_changed(&story, YES).await;
    let task = run.run.find("account/user0").unwrap();
    // Its plan's reading, then both sides of its effect.
    let moments = story.world.lock().unwrap().moments;
    story.kill_at(moments + 3);
    run.engine.command(Command::Retry { task }, "op").await.unwrap();
    run.until("account/user0", &[TaskStatus::Done]).await;
    run.leave().await;
    assert!(story.was_killed());
    let mut run = story.resume(&story.path("left")).unwrap();
    run.settle().await;
    assert_eq!(run.status("account/user0"), TaskStatus::Done, "{:?}", run.run.problems);
    assert_eq!(story.world.lock().unwrap().live["user0"], json!({ "quota": 10, "note": "second" }));
}

#[tokio::test]
async fn what_a_first_attempt_wrote_is_undone_while_its_retry_waits_for_a_decision() {
    let story = Story::new();
    let mut run = written_unseen_then_changed(&story, ApprovalPolicy::Ask).await;
    let task = run.run.find("account/user0").unwrap();
    run.engine.command(Command::Retry { task }, "op").await.unwrap();
    run.until_planned("account/user0").await;
    run.undo("account/user0").await;
    assert_eq!(story.world.lock().unwrap().live["user0"], json!({ "quota": 3, "note": "second" }));
}

#[tokio::test]
async fn what_a_first_attempt_wrote_is_undone_before_its_retry_is_planned() {
    let story = Story::new();
    let mut run = written_unseen_then_changed(&story, ApprovalPolicy::Ask).await;
    let task = run.run.find("account/user0").unwrap();
    run.engine.command(Command::Pause, "op").await.unwrap();
    run.engine.command(Command::Retry { task }, "op").await.unwrap();
    run.engine.command(Command::Undo { task }, "op").await.unwrap();
    run.engine.command(Command::Continue, "op").await.unwrap();
    run.until_planned("account/user0").await;
    run.approve("account/user0", &[TaskStatus::Undone]).await;
    assert_eq!(story.world.lock().unwrap().live["user0"], json!({ "quota": 3, "note": "second" }));
}
