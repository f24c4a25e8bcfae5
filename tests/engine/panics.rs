//! An adapter's fault costs the tasks that met it: no run waits for a worker that is gone.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rekindle::component::{Approved, Checked, Component, Effect, Ledger, Limits, Unit};
use rekindle::engine::{Ask, Asking, Script, When, Work};
use rekindle::journal::StateFolder;
use rekindle::model::{
    Answer, Body, Document, FoundOwners, Location, Mode, Outputs, Owner, Probe, Resource, ResourceId, Result,
    RunHeader, Schema, Scope, StepHeader, StepKind, TargetIdentity, TaskStatus, TreePath,
};
use rekindle::reader::{Reader, Wanted};
use serde_json::json;

use crate::YES;
use crate::one_step::{Accounts, new_session};
use crate::platform::Follower;

const CALLS: [(&str, TaskStatus); 4] = [
    ("list", TaskStatus::Failed),
    ("read", TaskStatus::Failed),
    ("check", TaskStatus::Failed),
    ("write", TaskStatus::Unknown),
];

/// The live side, which holds nothing, and with `backup` the source.
struct Broken {
    /// The call that panics.
    at: &'static str,
    schema: Schema,
    backup: bool,
}

impl Broken {
    fn side(at: &'static str, backup: bool) -> Arc<Self> {
        Arc::new(Self { at, schema: Schema::default(), backup })
    }

    fn call(&self, verb: &str) {
        assert!(self.backup || self.at != verb, "a fault in this adapter's {verb}");
    }
}

#[async_trait]
impl Reader for Broken {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        Ok(TargetIdentity { system: "broken".into(), address: "here".into(), id: self.backup.to_string().into() })
    }

    async fn owners(&self, _: &TreePath, _: Option<&str>) -> Result<FoundOwners> {
        Ok(vec!["ana".to_owned()].into())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        self.call("list");
        let key = TreePath::new("ana").unwrap();
        let one = Location { at: key.clone(), id: ResourceId { kind: "account".into(), key } };
        scopes.iter().map(|_| Ok(vec![one.clone()])).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        self.call("read");
        let body = || Body::Document(Document::new(json!({ "quota": 10 })));
        let one = |at: &Location| self.backup.then(|| Resource { id: at.id.clone(), body: body() });
        wanted.iter().map(|wanted| Ok(one(wanted.at))).collect()
    }

    async fn probe(&self, _: &Probe) -> Result<Answer> {
        self.call("probe");
        Ok(Answer { holds: true, seen: "well".to_owned(), again_in: None })
    }
}

#[async_trait]
impl Component for Broken {
    fn limits(&self) -> Limits {
        Limits { batch: 1, parallel: 1, unit: Unit::Change, reads_beside: false }
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        self.call("check");
        changes.iter().map(|_| Ok(Checked::default())).collect()
    }

    async fn write(&self, changes: &[Approved], _: &dyn Ledger) -> Vec<Result<Effect>> {
        self.call("write");
        changes.iter().map(|_| Ok(Effect::default())).collect()
    }
}

/// The only task's status and problem when nothing happens any more.
async fn ended(script: Arc<dyn Script>, header: RunHeader) -> (TaskStatus, String) {
    let folder = tempfile::tempdir().unwrap();
    let session = new_session(script, &StateFolder::at(folder.path()), "broken", YES);
    let mut run = Follower::of(session.begin(header));
    let settled = tokio::time::timeout(Duration::from_secs(60), run.settle()).await;
    assert!(settled.is_ok(), "the run waits for ever: {:?}", run.statuses());
    (run.run.tasks[0].status, run.run.problems.values().next().map_or_else(String::new, |problem| problem.what.clone()))
}

#[tokio::test]
async fn a_panic_in_any_call_of_a_component_ends_its_task_with_what_is_known() {
    for (at, wanted) in CALLS {
        let (source, component) = (Broken::side(at, true), Broken::side(at, false));
        let script = Arc::new(Accounts { source, component, below: TreePath::root(), mode: Mode::Exact });
        let header = script.header("broken", vec!["ana".to_owned()]).await;
        let (status, problem) = ended(script, header).await;
        assert_eq!(status, wanted, "{at}: {problem}");
        assert!(problem.contains("ended unexpectedly"), "{at}: {problem}");
    }
}

struct OneQuestion(Asking);

impl Script for OneQuestion {
    fn when(&self, _step: usize, _owner: Option<&Owner>, _outputs: Outputs<'_>) -> Result<Option<When>> {
        Ok(None)
    }

    fn work(&self, _: usize, _: Option<&Owner>, _outputs: Outputs<'_>) -> Result<Work> {
        let probe = Probe { question: "well".to_owned(), of: json!({}) };
        Ok(Work::Ask(Ask { how: self.0.clone(), reader: Some(Broken::side("probe", false)), probe: Some(probe) }))
    }

    fn components(&self) -> Vec<(String, Arc<dyn Component>)> {
        Vec::new()
    }
}

#[tokio::test]
async fn a_panic_in_an_answer_fails_the_question() {
    let step = |kind| StepHeader::new("question", kind);
    let wait = Asking::Wait { every: Duration::from_millis(1), deadline: Duration::from_secs(60), go_on: true };
    for (how, kind) in [(Asking::Check, StepKind::Check), (wait, StepKind::Wait)] {
        let header = RunHeader { id: "broken".to_owned(), steps: vec![step(kind)], ..RunHeader::default() };
        let (status, problem) = ended(Arc::new(OneQuestion(how)), header).await;
        assert_eq!(status, TaskStatus::Failed, "{problem}");
        assert!(problem.contains("ended unexpectedly"), "{problem}");
    }
}
