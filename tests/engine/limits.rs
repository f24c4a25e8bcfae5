//! A component says how many calls it likes side by side and how much in one; it never sees more, however many tasks
//! there are and however much each of them has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rekindle::component::{Approved, Checked, Component, Effect, Ledger, Limits, Unit};
use rekindle::engine::Notice;
use rekindle::journal::{RunFolder, StateFolder};
use rekindle::model::{
    Body, Document, FoundOwners, Location, Mode, Resource, ResourceId, Result, Schema, Scope, TargetIdentity,
    TaskStatus, TreePath,
};
use rekindle::reader::{Reader, Wanted};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::YES;
use crate::one_step::{Accounts, new_session, users};
use crate::platform::Follower;

const USERS: usize = 40;
const EACH: usize = 5;
const LIMITS: Limits = Limits { batch: 3, parallel: 3, unit: Unit::Change, reads_beside: false };

#[derive(Default)]
struct Seen {
    live: BTreeMap<String, Value>,
    calls: usize,
    most_calls: usize,
    most_in_one: BTreeMap<&'static str, usize>,
    writing: usize,
    most_writing: usize,
}

/// The live side, and with `backup` the source, which has no limits.
struct Crowd {
    seen: Arc<Mutex<Seen>>,
    schema: Schema,
    backup: bool,
    unit: Unit,
    waits: watch::Sender<Option<String>>,
}

impl Crowd {
    /// A call takes many turns of the runtime: whatever may go on beside it does.
    async fn call<T>(&self, verb: &'static str, count: usize, work: impl FnOnce(&mut Seen) -> T) -> T {
        if self.backup {
            return work(&mut self.seen.lock().unwrap());
        }
        let writing = usize::from(verb == "write");
        {
            let mut seen = self.seen.lock().unwrap();
            seen.calls += 1;
            seen.writing += writing;
            seen.most_calls = seen.most_calls.max(seen.calls);
            seen.most_writing = seen.most_writing.max(seen.writing);
            let most = seen.most_in_one.entry(verb).or_default();
            *most = count.max(*most);
        }
        for _ in 0..30 {
            tokio::task::yield_now().await;
        }
        let mut seen = self.seen.lock().unwrap();
        seen.calls -= 1;
        seen.writing -= writing;
        work(&mut seen)
    }
}

#[async_trait]
impl Reader for Crowd {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        let identity =
            TargetIdentity { system: "crowd".into(), address: "here".into(), id: self.backup.to_string().into() };
        Ok(self.call("identity", 1, |_| identity).await)
    }

    async fn owners(&self, _: &TreePath, _: Option<&str>) -> Result<FoundOwners> {
        Ok(users(USERS).into())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let of = |scope: &Scope| {
            let name = &scope.owner.as_ref().unwrap().name;
            let key = |number| TreePath::new(format!("{name}-{number}")).unwrap();
            let locate = |key: TreePath| Location { at: key.clone(), id: ResourceId { kind: "account".into(), key } };
            Ok((0..EACH).map(|number| locate(key(number))).collect())
        };
        self.call("list", scopes.len(), |_| scopes.iter().map(of).collect()).await
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let one = |seen: &Seen, location: &Location| {
            let value = match self.backup {
                true => Some(json!({ "quota": 10 })),
                false => seen.live.get(&location.id.key.to_string()).cloned(),
            };
            let body = |value| Body::Document(Document::new(value));
            Ok(value.map(|value| Resource { id: location.id.clone(), body: body(value) }))
        };
        self.call("read", wanted.len(), |seen| wanted.iter().map(|wanted| one(seen, wanted.at)).collect()).await
    }
}

#[async_trait]
impl Component for Crowd {
    fn limits(&self) -> Limits {
        Limits { unit: self.unit, ..LIMITS }
    }

    fn back_off(&self) -> Option<watch::Receiver<Option<String>>> {
        Some(self.waits.subscribe())
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        self.call("check", changes.len(), |_| changes.iter().map(|_| Ok(Checked::default())).collect()).await
    }

    async fn write(&self, changes: &[Approved], _: &dyn Ledger) -> Vec<Result<Effect>> {
        let one = |seen: &mut Seen, approved: &Approved| {
            let value = Value::clone(&approved.expected.as_ref().unwrap().document().unwrap().value);
            seen.live.insert(approved.change.id.key.to_string(), value);
            Ok(Effect::default())
        };
        self.call("write", changes.len(), |seen| changes.iter().map(|change| one(seen, change)).collect()).await
    }
}

fn crowd(seen: &Arc<Mutex<Seen>>, unit: Unit, waits: &watch::Sender<Option<String>>) -> Accounts {
    let side = |backup| {
        let (seen, waits) = (seen.clone(), waits.clone());
        Arc::new(Crowd { seen, schema: Schema::default(), backup, unit, waits })
    };
    Accounts { source: side(true), component: side(false), below: TreePath::root(), mode: Mode::Exact }
}

async fn run(unit: Unit) -> Arc<Mutex<Seen>> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let script = Arc::new(crowd(&seen, unit, &watch::Sender::default()));
    let folder = tempfile::tempdir().unwrap();
    let header = script.header("crowd", users(USERS)).await;
    let session = new_session(script, &StateFolder::at(folder.path()), "crowd", YES);
    let mut run = Follower::of(session.begin(header));
    run.settle().await;
    assert!(run.statuses().iter().all(|(_, status)| *status == TaskStatus::Done), "{:?}", run.run.problems);
    assert_eq!(seen.lock().unwrap().live.len(), USERS * EACH);
    seen
}

/// A realm of more than a batch of clients and groups is made of all of them at once.
#[tokio::test]
async fn changes_of_a_task_that_is_kept_whole_are_checked_and_written_together() {
    let seen = run(Unit::Task).await;
    let seen = seen.lock().unwrap();
    for verb in ["check", "write"] {
        assert_eq!(seen.most_in_one[verb], LIMITS.batch * EACH, "{verb}");
    }
    assert_eq!(seen.most_in_one["read"], LIMITS.batch);
}

#[tokio::test]
async fn a_component_never_sees_more_calls_or_more_in_one_than_it_likes() {
    let seen = run(Unit::Change).await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen.most_calls, LIMITS.parallel, "as many as it likes, and no more");
    assert_eq!(seen.most_writing, LIMITS.parallel - 1, "one is left for the next plans");
    for verb in ["read", "check", "write", "list"] {
        assert_eq!(seen.most_in_one[verb], LIMITS.batch, "{verb}");
    }
}

#[tokio::test]
async fn what_a_component_is_waited_for_is_told_to_whoever_follows_the_run() {
    let waits = watch::Sender::default();
    let script = Arc::new(crowd(&Arc::default(), Unit::Change, &waits));
    let folder = tempfile::tempdir().unwrap();
    let header = script.header("crowd", users(1)).await;
    let session = new_session(script, &StateFolder::at(folder.path()), "crowd", YES);
    let engine = session.begin(header);
    let mut notices = engine.subscribe();
    let mut next = async || loop {
        match notices.recv().await.expect("the engine has ended") {
            Notice::BackOff { words, .. } => return words,
            Notice::Stopped { problem } => panic!("{problem:?}"),
            _ => {}
        }
    };
    for words in [Some("it asks to wait 4 s".to_owned()), None] {
        waits.send_replace(words.clone());
        assert_eq!(next().await, words);
        // For those who watch from another process.
        let run = RunFolder::open(&StateFolder::at(folder.path()), "crowd").unwrap();
        assert_eq!(run.waits().into_values().next(), words);
    }
}
