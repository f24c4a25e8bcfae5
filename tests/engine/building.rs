//! A system whose writes only begin a build, which goes on for a minute by itself: other tasks go on meanwhile, and who
//! comes back finds it again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rekindle::component::{Approved, Checked, Component, Effect, Ledger, Limits, LongWork, Look, UnderWay, Unit};
use rekindle::engine::{Activity, Command, Notice, Purpose};
use rekindle::journal::StateFolder;
use rekindle::model::{
    ApprovalPolicy, Body, Document, Error, ErrorKind, FoundOwners, Location, Mode, Resource, ResourceId, Result,
    Schema, Scope, TargetIdentity, TaskStatus, TreePath,
};
use rekindle::reader::{Reader, Wanted};
use serde_json::{Value, json};

use crate::YES;
use crate::one_step::{Accounts, new_session};
use crate::platform::{Follower, reopened};

/// What is there, by name; builds under way with what they make; how each ends once it is let.
#[derive(Default)]
struct World {
    live: BTreeMap<String, Value>,
    builds: BTreeMap<String, (String, Value)>,
    begun: usize,
    /// Those that may end now, and whether they fail.
    ends: BTreeMap<String, bool>,
    looks: usize,
    cannot_be_reached: usize,
    can_be_cancelled: bool,
    cancelled: Vec<String>,
}

struct Builder {
    world: Arc<Mutex<World>>,
    schema: Schema,
    is_backup: bool,
}

#[async_trait]
impl Reader for Builder {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        let id = if self.is_backup { "backup" } else { "builder" };
        Ok(TargetIdentity { system: "builder".into(), address: "here".into(), id: id.into() })
    }

    async fn owners(&self, _: &TreePath, _: Option<&str>) -> Result<FoundOwners> {
        Ok(vec!["ana".to_owned(), "bob".to_owned()].into())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let of = |scope: &Scope| {
            let key = TreePath::new(&*scope.owner.as_ref().unwrap().name)?;
            Ok(vec![Location::of(&ResourceId { kind: "environment".into(), key })])
        };
        scopes.iter().map(of).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let world = self.world.lock().unwrap();
        let one = |Wanted { at, .. }: &Wanted<'_>| {
            let live = world.live.get(&at.id.key.to_string()).cloned();
            let value = if self.is_backup { Some(json!({"packages": ["numpy"]})) } else { live };
            Ok(value.map(|value| Resource { id: at.id.clone(), body: Body::Document(Document::new(value)) }))
        };
        wanted.iter().map(one).collect()
    }
}

#[async_trait]
impl Component for Builder {
    fn limits(&self) -> Limits {
        Limits { batch: 1, parallel: 1, unit: Unit::Change, reads_beside: false }
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        changes.iter().map(|_| Ok(Checked::default())).collect()
    }

    async fn write(&self, changes: &[Approved], ledger: &dyn Ledger) -> Vec<Result<Effect>> {
        let mut effects = Vec::new();
        for (at, approved) in changes.iter().enumerate() {
            let name = approved.change.id.key.to_string();
            let Some(expected) = approved.expected.as_ref().and_then(Resource::document) else {
                self.world.lock().unwrap().live.remove(&name);
                effects.push(Ok(Effect::default()));
                continue;
            };
            let reference = format!("build-of-{name}");
            ledger.under_way(at, &reference).await.unwrap();
            let mut world = self.world.lock().unwrap();
            world.begun += 1;
            world.builds.insert(reference, (name, (*expected.value).clone()));
            let under_way = UnderWay { progress: "0 of 40 packages".to_owned(), ..UnderWay::default() };
            effects.push(Ok(Effect { under_way: Some(under_way), ..Effect::default() }));
        }
        effects
    }

    fn long_work(&self) -> Option<&dyn LongWork> {
        Some(self)
    }
}

#[async_trait]
impl LongWork for Builder {
    async fn look(&self, id: &ResourceId, reference: &str) -> Result<Look> {
        let mut world = self.world.lock().unwrap();
        world.looks += 1;
        if world.cannot_be_reached > 0 {
            world.cannot_be_reached -= 1;
            return Err(Error::new(ErrorKind::Unreachable, "look at the build", "no route to host"));
        }
        if !world.builds.contains_key(reference) {
            return Err(Error::new(ErrorKind::Cancelled, format!("build {id}"), "the build was cancelled"));
        }
        match world.ends.get(id.key.to_string().as_str()) {
            None => Ok(Look::UnderWay(UnderWay {
                again_in: Duration::from_millis(20),
                progress: "12 of 40 packages".to_owned(),
                said: vec![format!("linking numpy, look {}", world.looks)],
            })),
            Some(true) => Err(Error::new(ErrorKind::Refused, format!("build {id}"), "numpy conflicts with python")),
            Some(false) => {
                let (name, value) = world.builds.remove(reference).unwrap();
                world.live.insert(name, value);
                Ok(Look::Ended(Effect::default()))
            }
        }
    }

    async fn cancel(&self, _: &ResourceId, reference: &str) -> Result<bool> {
        let mut world = self.world.lock().unwrap();
        if world.can_be_cancelled {
            world.builds.remove(reference);
            world.cancelled.push(reference.to_owned());
        }
        Ok(world.can_be_cancelled)
    }
}

struct Story {
    run: Follower,
    world: Arc<Mutex<World>>,
    folder: tempfile::TempDir,
}

fn script(world: &Arc<Mutex<World>>) -> Arc<Accounts> {
    let side = |is_backup| Arc::new(Builder { world: Arc::clone(world), schema: Schema::default(), is_backup });
    Arc::new(Accounts { source: side(true), component: side(false), below: TreePath::root(), mode: Mode::Merge })
}

impl Story {
    async fn begin(world: World, users: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Arc::new(Mutex::new(world));
        let script = script(&world);
        let header = script.header("story", users.iter().map(|user| (*user).to_owned()).collect()).await;
        let state = StateFolder::at(folder.path().join("state"));
        let run = Follower::of(new_session(script, &state, "story", YES).begin(header));
        Self { run, world, folder }
    }

    /// Follows until the world, or the run, is so.
    async fn until(&mut self, is_so: impl Fn(&World, &Follower) -> bool) -> Vec<Notice> {
        let mut seen = Vec::new();
        loop {
            if self.run.run.seq > 0 && is_so(&self.world.lock().unwrap(), &self.run) {
                return seen;
            }
            let notice = self.run.notices.recv().await.unwrap();
            match &notice {
                Notice::Snapshot(run) => self.run.run = (**run).clone(),
                Notice::Event(recorded) => drop(self.run.run.apply(recorded.as_ref()).unwrap()),
                Notice::Stopped { problem } => panic!("stopped: {problem:?}"),
                _ => {}
            }
            seen.push(notice);
        }
    }

    fn lets_end(&self, name: &str, fails: bool) {
        self.world.lock().unwrap().ends.insert(name.to_owned(), fails);
    }

    fn is(&self, user: &str) -> TaskStatus {
        self.run.status(&format!("account/{user}"))
    }

    async fn resumed_from(world: Arc<Mutex<World>>, folder: tempfile::TempDir, state: &str) -> Self {
        let state = StateFolder::at(folder.path().join(state));
        let policy = ApprovalPolicy::Yes { deletes: true, irreversible: true };
        let run = Follower::of(reopened(script(&world), &state, Purpose::GoOn, policy));
        Self { run, world, folder }
    }

    async fn left(self) -> Self {
        let Self { run, world, folder } = self;
        // Who leaves does not wait for the build.
        tokio::time::timeout(Duration::from_secs(10), run.leave()).await.unwrap();
        Self::resumed_from(world, folder, "state").await
    }
}

fn status_is(follower: &Follower, user: &str, status: TaskStatus) -> bool {
    follower.run.find(&format!("account/{user}")).is_some_and(|task| follower.run.tasks[task.index()].status == status)
}

#[tokio::test]
async fn while_one_builds_the_others_go_on_and_its_progress_and_log_are_told() {
    let mut story = Story::begin(World::default(), &["ana", "bob"]).await;
    story.lets_end("bob", false);
    let seen = story.until(|world, run| world.looks > 4 && status_is(run, "bob", TaskStatus::Done)).await;
    assert_eq!(story.is("ana"), TaskStatus::Applying, "one call at a time, and none is held by a build");
    let told = |words: &str| {
        seen.iter().any(|notice| match notice {
            Notice::Activity { activity: Activity::Waiting(told), .. } => told.contains(words),
            Notice::Output { line, .. } => line.contains(words),
            _ => false,
        })
    };
    assert!(told("12 of 40 packages") && told("linking numpy"), "{seen:?}");
    story.lets_end("ana", false);
    story.run.settle().await;
    assert_eq!((story.is("ana"), story.world.lock().unwrap().begun), (TaskStatus::Done, 2));
}

#[tokio::test]
async fn who_leaves_in_the_middle_or_is_killed_there_finds_the_same_build_again() {
    for is_killed in [false, true] {
        let mut story = Story::begin(World::default(), &["ana"]).await;
        story.until(|world, _| world.looks > 2).await;
        let (state, left) = (story.folder.path().join("state"), story.folder.path().join("left"));
        assert!(std::process::Command::new("cp").arg("-a").args([&state, &left]).status().unwrap().success());
        let mut story = match is_killed {
            true => story.left().await.killed().await,
            false => story.left().await,
        };
        let looks = story.world.lock().unwrap().looks;
        story.until(|world, _| world.looks > looks + 2).await;
        assert_eq!(story.is("ana"), TaskStatus::Applying);
        story.lets_end("ana", false);
        story.run.settle().await;
        assert_eq!(story.is("ana"), TaskStatus::Done, "{:?}", story.run.run.problems);
        assert_eq!(story.world.lock().unwrap().begun, 1, "no second build");
        assert!(story.run.run.under_way.is_empty());
    }
}

impl Story {
    /// The journal as it was in the middle is what a killed process leaves.
    async fn killed(self) -> Self {
        let Self { run, world, folder } = self;
        run.leave().await;
        Self::resumed_from(world, folder, "left").await
    }
}

#[tokio::test]
async fn a_build_that_fails_fails_its_task_with_its_reason_now_or_after_a_resume() {
    for is_resumed in [false, true] {
        let mut story = Story::begin(World::default(), &["ana"]).await;
        story.until(|world, _| world.looks > 1).await;
        if is_resumed {
            story = story.left().await;
        }
        story.lets_end("ana", true);
        story.run.settle().await;
        assert_eq!(story.is("ana"), TaskStatus::Failed);
        let problem = story.run.problem("account/ana");
        assert!(problem.contains("numpy conflicts with python"), "{problem}");
        assert_eq!(story.world.lock().unwrap().begun, 1);
    }
}

#[tokio::test]
async fn a_look_that_gets_no_answer_is_tried_again() {
    let mut story = Story::begin(World { cannot_be_reached: 1, ..World::default() }, &["ana"]).await;
    story.lets_end("ana", false);
    story.run.settle().await;
    assert_eq!(story.is("ana"), TaskStatus::Done, "{:?}", story.run.run.problems);
}

#[tokio::test]
async fn an_abort_cancels_the_build_where_that_can_be_done_and_leaves_it_to_a_resume_else() {
    for can_be_cancelled in [true, false] {
        let mut story = Story::begin(World { can_be_cancelled, ..World::default() }, &["ana"]).await;
        story.until(|world, _| world.looks > 1).await;
        story.run.engine.command(Command::Abort { why: "enough".to_owned() }, "op").await.unwrap();
        let mut story = story.left().await;
        let cancelled = story.world.lock().unwrap().cancelled.clone();
        story.lets_end("ana", false);
        story.until(|_, run| status_is(run, "ana", TaskStatus::Done)).await;
        // What was cancelled is built again by the resume; what goes on is found again.
        let (wanted, begun) = if can_be_cancelled { (vec!["build-of-ana"], 2) } else { (Vec::new(), 1) };
        assert_eq!(
            (cancelled, story.world.lock().unwrap().begun),
            (wanted.into_iter().map(str::to_owned).collect(), begun)
        );
    }
}

#[tokio::test]
async fn what_was_built_is_undone() {
    let mut story = Story::begin(World::default(), &["ana"]).await;
    story.lets_end("ana", false);
    story.run.settle().await;
    let mut story = story.left().await;
    story.run.settle().await;
    let task = story.run.run.find("account/ana").unwrap();
    story.run.engine.command(Command::Undo { task }, "op").await.unwrap();
    story.run.until("account/ana", &[TaskStatus::Undone, TaskStatus::Failed]).await;
    assert_eq!((story.is("ana"), story.world.lock().unwrap().live.len()), (TaskStatus::Undone, 0));
}
