use std::sync::Arc;

use async_trait::async_trait;

use crate::component::Component;
use crate::model::{
    Answer, Body, Error, FoundOwners, Location, Probe, Resource, ResourceId, Result, Schema, Scope, TargetIdentity,
    TreePath,
};
use crate::reader::{Reader, Wanted};

/// Documents as a backup of that component: it says which of its resources lies at which place.
pub(super) struct Placed {
    documents: Arc<dyn Reader>,
    component: Arc<dyn Component>,
}

impl Placed {
    pub fn new(documents: Arc<dyn Reader>, component: Arc<dyn Component>) -> Self {
        Self { documents, component }
    }

    fn resource(&self, found: Resource, id: &ResourceId) -> Result<Resource> {
        let Body::Document(document) = found.body else { return Ok(Resource { id: id.clone(), ..found }) };
        let normal = self.component.normalise(document.clone()).map_err(|error| {
            Error::new(error.kind(), format!("take {}", found.id), error.chain())
                .next("correct the document in the runbook, or choose another source")
        })?;
        // Its own text is what the system reads in just this way.
        let document = if normal.value == document.value { document } else { normal };
        Ok(Resource { id: id.clone(), body: Body::Document(document) })
    }
}

#[async_trait]
impl Reader for Placed {
    fn schema(&self) -> &Schema {
        self.documents.schema()
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        self.documents.identity().await
    }

    async fn owners(&self, below: &TreePath, kind: Option<&str>) -> Result<FoundOwners> {
        self.documents.owners(below, kind).await
    }

    fn can_have_no_owners(&self) -> bool {
        self.documents.can_have_no_owners()
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let placed = |location: Location| Ok(Location { id: self.component.id_at(&location.id.key)?, at: location.at });
        let listed = self.documents.list(scopes).await;
        listed.into_iter().map(|listed| listed?.into_iter().map(placed).collect()).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let read = self.documents.read(wanted).await.into_iter().zip(wanted);
        let placed = |(read, one): (Result<Option<Resource>>, &Wanted<'_>)| {
            read?.map(|resource| self.resource(resource, &one.at.id)).transpose()
        };
        read.map(placed).collect()
    }

    async fn not_restored(&self, scopes: &[Scope]) -> Vec<Vec<String>> {
        self.documents.not_restored(scopes).await
    }

    /// What has no place in the component is none of its resources.
    async fn unclear(&self, scopes: &[Scope]) -> Vec<Vec<ResourceId>> {
        let placed = |id: ResourceId| self.component.id_at(&id.key).ok();
        let unclear = self.documents.unclear(scopes).await;
        unclear.into_iter().map(|ids| ids.into_iter().filter_map(placed).collect()).collect()
    }

    async fn probe(&self, probe: &Probe) -> Result<Answer> {
        self.documents.probe(probe).await
    }
}
