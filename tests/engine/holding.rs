//! One target, two sessions that know nothing of each other: who has it stands in the target itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rekindle::component::{Approved, Checked, Component, Effect, Ledger, Limits, Unit};
use rekindle::engine::{Command, Purpose};
use rekindle::journal::{Journal, RunFolder, StateFolder};
use rekindle::model::{
    ApprovalPolicy, Body, Document, Error, ErrorKind, FoundOwners, Location, Mode, Resource, Result, Run, RunState,
    Schema, Scope, TargetHolder, TargetIdentity, TaskStatus, TreePath,
};
use rekindle::reader::{Reader, Wanted};
use serde_json::{Value, json};

use crate::YES;
use crate::one_step::{Accounts, account, new_session, session, users};
use crate::platform::Follower;

const USERS: usize = 6;

/// The target's side: it outlives sessions.
#[derive(Default)]
struct World {
    live: BTreeMap<String, Value>,
    holder: Option<TargetHolder>,
    /// Whom the target is given to once so many were written.
    taken_after: Option<(usize, TargetHolder)>,
    /// Each that was asked for, in order.
    asked: Vec<&'static str>,
}

/// As one session sees the target.
struct Target {
    world: Arc<Mutex<World>>,
    own: Mutex<Option<TargetHolder>>,
    schema: Schema,
    backup: bool,
}

fn held(by: &TargetHolder) -> Error {
    Error::new(ErrorKind::Held, "write to the target", format!("it is held by {}", by.words())).next("take it over")
}

#[async_trait]
impl Reader for Target {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        Ok(TargetIdentity { system: "target".into(), address: "here".into(), id: self.backup.to_string().into() })
    }

    async fn owners(&self, _: &TreePath, _: Option<&str>) -> Result<FoundOwners> {
        Ok(users(USERS).into())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let name = |scope: &Scope| scope.owner.as_ref().unwrap().name.to_string();
        let at = |name: &str| vec![Location { at: TreePath::new(name).unwrap(), id: account(name) }];
        scopes.iter().map(|scope| Ok(at(&name(scope)))).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let world = self.world.lock().unwrap();
        let one = |Wanted { at: location, .. }: &Wanted<'_>| {
            let live = world.live.get(&location.id.key.to_string()).cloned();
            let value = if self.backup { Some(json!({ "quota": 10 })) } else { live };
            Ok(value.map(|value| Resource { id: location.id.clone(), body: Body::Document(Document::new(value)) }))
        };
        wanted.iter().map(one).collect()
    }
}

#[async_trait]
impl Component for Target {
    fn limits(&self) -> Limits {
        Limits { batch: 2, parallel: 1, unit: Unit::Change, reads_beside: false }
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        changes.iter().map(|_| Ok(Checked::default())).collect()
    }

    async fn is_free(&self, holder: &TargetHolder) -> Result<()> {
        let mut world = self.world.lock().unwrap();
        world.asked.push("is-free");
        match world.holder.as_ref().filter(|found| *found != holder && !holder.succeeds(found)) {
            Some(found) => Err(held(found)),
            None => Ok(()),
        }
    }

    async fn hold(&self, holder: &TargetHolder, takes_over: bool) -> Result<Option<String>> {
        let mut world = self.world.lock().unwrap();
        world.asked.push("hold");
        let former = world.holder.clone().filter(|found| found != holder && !holder.succeeds(found));
        if let Some(found) = former.as_ref().filter(|_| !takes_over) {
            return Err(held(found));
        }
        world.holder = Some(holder.clone());
        *self.own.lock().unwrap() = Some(holder.clone());
        Ok(former.map(|found| format!("taken from {}", found.words())))
    }

    async fn let_go(&self) -> Result<()> {
        let mut world = self.world.lock().unwrap();
        if world.holder == *self.own.lock().unwrap() {
            world.holder = None;
        }
        Ok(())
    }

    async fn write(&self, changes: &[Approved], _: &dyn Ledger) -> Vec<Result<Effect>> {
        let one = |approved: &Approved| {
            let mut world = self.world.lock().unwrap();
            world.asked.push("write");
            if let Some((_, other)) = world.taken_after.take_if(|(left, _)| *left == 0) {
                world.holder = Some(other);
            }
            if let Some(found) = world.holder.as_ref().filter(|found| Some(*found) != self.own.lock().unwrap().as_ref())
            {
                return Err(held(found));
            }
            if let Some((left, _)) = &mut world.taken_after {
                *left -= 1;
            }
            let value = &approved.expected.as_ref().unwrap().document().unwrap().value;
            world.live.insert(approved.change.id.key.to_string(), (**value).clone());
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

    fn held_by(by: &str) -> Self {
        let story = Self::new();
        story.world.lock().unwrap().holder = Some(holder(by));
        story
    }

    fn script(&self) -> Arc<Accounts> {
        let side = |backup| {
            Arc::new(Target { world: self.world.clone(), own: Mutex::default(), schema: Schema::default(), backup })
        };
        Arc::new(Accounts { source: side(true), component: side(false), below: TreePath::root(), mode: Mode::Merge })
    }

    fn state(&self) -> StateFolder {
        StateFolder::at(self.folder.path().join("state"))
    }

    async fn begin(&self, policy: ApprovalPolicy, takes_over: bool) -> Follower {
        let script = self.script();
        let header = script.header("story", users(USERS)).await;
        let session = new_session(script, &self.state(), "story", policy);
        let mut run = Follower::of(rekindle::engine::Session { takes_over, ..session }.begin(header));
        run.settle().await;
        run
    }

    async fn resume(&self, purpose: Purpose, takes_over: bool) -> Follower {
        let folder = RunFolder::open(&self.state(), "story").unwrap();
        let opened = Journal::open_writer(&folder, 0).unwrap();
        let mut run = Run::default();
        for recorded in &opened.events {
            run.apply(recorded).unwrap();
        }
        let session = session(self.script(), &self.state(), folder, opened.journal, YES);
        let mut run = Follower::of(rekindle::engine::Session { takes_over, ..session }.resume(run, purpose));
        run.settle().await;
        run
    }

    fn written(&self) -> usize {
        self.world.lock().unwrap().live.values().filter(|value| **value == json!({ "quota": 10 })).count()
    }

    fn holder(&self) -> Option<TargetHolder> {
        self.world.lock().unwrap().holder.clone()
    }

    fn asked(&self, what: &str) -> usize {
        self.world.lock().unwrap().asked.iter().filter(|asked| **asked == what).count()
    }
}

fn holder(by: &str) -> TargetHolder {
    TargetHolder { run: format!("run-of-{by}"), by: format!("{by}@there"), since: 7 }
}

#[track_caller]
fn is_paused(run: &Follower, words: &str) {
    assert_eq!(run.run.state, RunState::Paused);
    let why = run.run.paused_for.as_deref().unwrap_or_default();
    assert!(why.contains(words) && why.contains("; take it over"), "{why}");
}

#[tokio::test]
async fn a_target_that_somebody_holds_pauses_the_run_before_anything_is_planned() {
    let story = Story::held_by("ana");
    let run = story.begin(YES, false).await;
    is_paused(&run, "it is held by ana@there with the run run-of-ana");
    assert!(run.statuses().iter().all(|(_, status)| *status == TaskStatus::Ready), "{:?}", run.statuses());
    assert_eq!((story.asked("hold"), story.asked("write")), (0, 0));
    run.leave().await;
    assert_eq!(story.holder(), Some(holder("ana")));
}

/// Who looks at the plans all the same has them approved and kept, until the target is free.
#[tokio::test]
async fn an_approval_waits_for_a_held_target_and_is_written_once_it_is_free() {
    let story = Story::held_by("ana");
    let mut run = story.begin(YES, false).await;
    run.engine.command(Command::Continue, "op").await.unwrap();
    while run.run.paused_for.is_some() {
        run.step().await;
    }
    run.settle().await;
    is_paused(&run, "it is held by ana@there");
    assert_eq!((story.asked("write"), story.written()), (0, 0));
    let is_kept = |status| matches!(status, TaskStatus::Approved | TaskStatus::Ready);
    assert!(run.statuses().iter().all(|(_, status)| is_kept(*status)), "{:?}", run.statuses());
    assert!(run.statuses().iter().any(|(_, status)| *status == TaskStatus::Approved));
    story.world.lock().unwrap().holder = None;
    run.engine.command(Command::Continue, "op").await.unwrap();
    for user in users(USERS) {
        run.until(&format!("account/{user}"), &[TaskStatus::Done]).await;
    }
    assert_eq!(story.holder().unwrap().run, "story");
    run.leave().await;
    assert_eq!((story.written(), story.holder()), (USERS, None));
}

#[tokio::test]
async fn a_decision_to_take_over_is_on_record_and_the_target_is_let_go_at_the_end() {
    let story = Story::held_by("ana");
    let run = story.begin(YES, true).await;
    assert_eq!((story.written(), story.asked("is-free")), (USERS, 0));
    assert_eq!(story.asked("write"), USERS);
    let notes = run.engine.history(None).await.unwrap();
    let notes: Vec<String> = notes
        .iter()
        .filter_map(|one| match &one.event {
            rekindle::model::Event::Noted { text } => Some(text.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(notes, [format!("taken from {}", holder("ana").words())]);
    run.leave().await;
    assert_eq!(story.holder(), None);
}

#[tokio::test]
async fn a_session_whose_target_is_taken_writes_nothing_more_and_says_who_has_it() {
    let story = Story::new();
    story.world.lock().unwrap().taken_after = Some((3, holder("bob")));
    let run = story.begin(YES, false).await;
    is_paused(&run, "it is held by bob@there with the run run-of-bob");
    assert_eq!(story.written(), 3);
    for (name, status) in run.statuses() {
        let is_written = story.world.lock().unwrap().live[name.strip_prefix("account/").unwrap()]["quota"] == 10;
        match status {
            TaskStatus::Done => assert!(is_written, "{name}"),
            TaskStatus::Failed => {
                assert!(!is_written && run.problem(&name).contains("held by bob@there"), "{name}");
            }
            status => assert!(!is_written && status != TaskStatus::Unknown, "{name} is {status:?}"),
        }
    }
    run.leave().await;
    assert_eq!(story.holder(), Some(holder("bob")), "what a session has no longer it does not give back");
    story.world.lock().unwrap().holder = None;
    let run = story.resume(Purpose::GoOn, false).await;
    assert_eq!(story.written(), USERS, "{:?}", run.statuses());
}

/// Its host's own lock proves that the former session has ended; elsewhere nobody can tell.
#[tokio::test]
async fn a_run_that_was_killed_goes_on_by_itself_and_elsewhere_by_a_decision() {
    let story = Story::new();
    story.begin(YES, false).await.leave().await;
    story.world.lock().unwrap().live.insert("user0".to_owned(), json!({ "quota": 3 }));
    let killed = TargetHolder { run: "story".to_owned(), by: "test@here".to_owned(), since: -5 };
    for (by, is_free) in [("test@elsewhere", false), ("somebody@here", true)] {
        story.world.lock().unwrap().holder = Some(TargetHolder { by: by.to_owned(), ..killed.clone() });
        let run = story.resume(Purpose::GoOn, false).await;
        assert_eq!(run.run.state == RunState::Going, is_free, "{by}");
        run.leave().await;
    }
}

#[tokio::test]
async fn an_undo_holds_its_target_too() {
    let story = Story::new();
    story.begin(YES, false).await.leave().await;
    story.world.lock().unwrap().holder = Some(holder("ana"));
    let run = story.resume(Purpose::Undo, false).await;
    is_paused(&run, "it is held by ana@there");
    run.leave().await;
    let mut run = story.resume(Purpose::Undo, true).await;
    let task = run.run.find("account/user0").unwrap();
    run.engine.command(Command::Undo { task }, "op").await.unwrap();
    run.until("account/user0", &[TaskStatus::Undone]).await;
    assert_eq!((story.written(), story.holder().unwrap().run.as_str()), (USERS - 1, "story"));
    run.leave().await;
    assert_eq!(story.holder(), None);
}
