//! A system in memory each of whose calls takes a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rekindle::component::{Approved, Checked, Component, Effect, Ledger, Limits};
use rekindle::model::{
    Body, Document, FoundOwners, KindSchema, Location, Resource, ResourceId, Result, Schema, Scope, TargetIdentity,
    TreePath,
};
use rekindle::reader::{Reader, Wanted};

pub struct Slow {
    pub documents: Mutex<HashMap<TreePath, Document>>,
    pub call: Duration,
    pub limits: Limits,
    pub schema: Schema,
}

impl Slow {
    pub fn new(call: Duration, limits: Limits, documents: HashMap<TreePath, Document>) -> Self {
        let schema = Schema { kinds: BTreeMap::from([("document".to_owned(), KindSchema::default())]) };
        Self { documents: Mutex::new(documents), call, limits, schema }
    }

    async fn wait(&self) {
        let call = self.call;
        if !call.is_zero() {
            tokio::task::spawn_blocking(move || std::thread::sleep(call)).await.unwrap();
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<TreePath, Document>) -> T) -> T {
        work(&mut self.documents.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Reader for Slow {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        self.wait().await;
        Ok(TargetIdentity { system: "slow".into(), address: "memory".into(), id: "1".into() })
    }

    async fn owners(&self, _: &TreePath, _: Option<&str>) -> Result<FoundOwners> {
        Ok(FoundOwners::default())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        self.wait().await;
        let locate = |scope: &Scope| {
            let key = TreePath::new(&*scope.owner.as_ref().unwrap().name).unwrap();
            Ok(vec![Location { id: ResourceId { kind: "document".into(), key: key.clone() }, at: key }])
        };
        scopes.iter().map(locate).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        self.wait().await;
        self.with(|documents| {
            let found = wanted.iter().map(|Wanted { at: location, .. }| {
                let document = documents.get(&location.at).cloned();
                Ok(document.map(|document| Resource { id: location.id.clone(), body: Body::Document(document) }))
            });
            found.collect()
        })
    }
}

#[async_trait]
impl Component for Slow {
    fn limits(&self) -> Limits {
        self.limits
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        self.wait().await;
        changes.iter().map(|_| Ok(Checked::default())).collect()
    }

    async fn write(&self, changes: &[Approved], _: &dyn Ledger) -> Vec<Result<Effect>> {
        self.wait().await;
        self.with(|documents| {
            for change in changes {
                let document = change.expected.as_ref().unwrap().document().unwrap().clone();
                documents.insert(change.change.id.key.clone(), document);
            }
        });
        changes.iter().map(|_| Ok(Effect::default())).collect()
    }
}
