use async_trait::async_trait;

use crate::component::DOCUMENT;
use crate::model::{
    Body, Digest, Document, FoundOwners, Location, Resource, ResourceId, Result, Schema, Scope, TargetIdentity,
    TreePath,
};
use crate::reader::{Reader, Wanted};

/// Documents that stand in the runbook itself, as a source.
pub(super) struct Inline {
    documents: Vec<(TreePath, Document)>,
    schema: Schema,
    step: String,
}

impl Inline {
    pub fn new(step: String, documents: Vec<(TreePath, serde_json::Value)>) -> Self {
        let documents = documents.into_iter().map(|(name, value)| (name, Document::new(value))).collect();
        Self { documents, schema: Schema::default(), step }
    }

    /// Of every task of that step: a runbook's text is pinned for a run.
    pub fn identity_of(step: &str) -> TargetIdentity {
        TargetIdentity {
            system: "runbook".to_owned(),
            address: format!("step {step}"),
            id: Digest::of(step).short().into(),
        }
    }
}

#[async_trait]
impl Reader for Inline {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        Ok(Self::identity_of(&self.step))
    }

    async fn owners(&self, _below: &TreePath, _kind: Option<&str>) -> Result<FoundOwners> {
        Ok(FoundOwners::default())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let of = |scope: &Scope| {
            let locations = self.documents.iter().map(|(name, _)| Location {
                id: ResourceId { kind: DOCUMENT.into(), key: scope.to.append(name) },
                at: name.clone(),
            });
            Ok(locations.collect())
        };
        scopes.iter().map(of).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let of = |Wanted { at: location, .. }: &Wanted<'_>| {
            let found = self.documents.iter().find(|(name, _)| *name == location.at);
            Ok(found.map(|(_, document)| Resource { id: location.id.clone(), body: Body::Document(document.clone()) }))
        };
        wanted.iter().map(of).collect()
    }
}
