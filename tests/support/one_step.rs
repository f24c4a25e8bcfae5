//! A run of one step that restores an account for each user, and what an engine needs to begin or to go on.

use std::sync::Arc;

use rekindle::component::Component;
use rekindle::engine::{Restore, Script, Session, When, Work};
use rekindle::journal::{Journal, RunFolder, StateFolder, UndoStore};
use rekindle::model::{
    ApprovalPolicy, ComparePrecision, Digest, Mode, Outputs, Owner, OwnerSet, ResourceId, Result, RunHeader, Scope,
    StepHeader, StepKind, TreePath,
};
use rekindle::reader::Reader;

pub struct Accounts {
    pub source: Arc<dyn Reader>,
    pub component: Arc<dyn Component>,
    /// Where the source has them.
    pub below: TreePath,
    pub mode: Mode,
}

impl Script for Accounts {
    fn when(&self, _step: usize, _owner: Option<&Owner>, _outputs: Outputs<'_>) -> Result<Option<When>> {
        Ok(None)
    }

    fn work(&self, _: usize, owner: Option<&Owner>, _outputs: Outputs<'_>) -> Result<Work> {
        Ok(Work::Restore(Restore {
            source_name: "backup".into(),
            source: self.source.clone(),
            component_name: "accounts".into(),
            component: self.component.clone(),
            scope: Scope { below: self.below.clone(), to: TreePath::root(), owner: owner.cloned() },
            mode: self.mode,
            precision: ComparePrecision::Content,
        }))
    }

    fn components(&self) -> Vec<(String, Arc<dyn Component>)> {
        vec![("accounts".to_owned(), self.component.clone())]
    }
}

impl Accounts {
    pub async fn header(&self, id: &str, users: Vec<String>) -> RunHeader {
        RunHeader {
            id: id.to_owned(),
            by: "test@here".to_owned(),
            digest: Some(Digest::of(id)),
            steps: vec![StepHeader {
                each: Some("user".to_owned()),
                component: Some("accounts".to_owned()),
                ..StepHeader::new("account", StepKind::Restore)
            }],
            owners: vec![OwnerSet::new("user", users)],
            identities: [
                ("accounts".to_owned(), self.component.identity().await.unwrap()),
                ("backup".to_owned(), self.source.identity().await.unwrap()),
            ]
            .into(),
            ..RunHeader::default()
        }
    }
}

pub fn users(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("user{number}")).collect()
}

pub fn account(user: &str) -> ResourceId {
    ResourceId { kind: "account".into(), key: TreePath::new(user).unwrap() }
}

/// Of a run that begins.
pub fn new_session(script: Arc<dyn Script>, state: &StateFolder, id: &str, policy: ApprovalPolicy) -> Session {
    let (folder, _) = RunFolder::create(state, id).unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    session(script, state, folder, journal, policy)
}

pub fn session(
    script: Arc<dyn Script>,
    state: &StateFolder,
    folder: RunFolder,
    journal: Journal,
    policy: ApprovalPolicy,
) -> Session {
    let undo = UndoStore::open(&folder, &folder.keys().unwrap()).unwrap();
    let key = state.digest_key().unwrap();
    Session {
        script,
        folder,
        journal,
        undo,
        key,
        policy,
        clock: Arc::new(|| 0),
        by: "test@here".to_owned(),
        takes_over: false,
    }
}
