use std::sync::Arc;

use async_trait::async_trait;

use super::kinds::Kind;
use crate::model::{FoundOwners, Location, Resource, ResourceId, Result, Schema, Scope, TargetIdentity, TreePath};
use crate::reader::Reader;

/// Documents as a backup of a realm: each lies at the place of the resource that it holds in canonical form.
pub struct RealmDocuments(Arc<dyn Reader>);

impl RealmDocuments {
    pub fn new(documents: Arc<dyn Reader>) -> Self {
        Self(documents)
    }
}

fn named(location: Location) -> Result<Location> {
    let (kind, names) = Kind::of_id(&location.id)?;
    Ok(Location { id: kind.id(&names), at: location.at })
}

#[async_trait]
impl Reader for RealmDocuments {
    fn schema(&self) -> &Schema {
        self.0.schema()
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        self.0.identity().await
    }

    async fn owners(&self, below: &TreePath, kind: Option<&str>) -> Result<FoundOwners> {
        self.0.owners(below, kind).await
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let listed = self.0.list(scopes).await;
        listed.into_iter().map(|listed| listed?.into_iter().map(named).collect()).collect()
    }

    async fn read(&self, wanted: &[Location]) -> Vec<Result<Option<Resource>>> {
        let ids: Vec<ResourceId> = wanted.iter().map(|location| location.id.clone()).collect();
        let read = self.0.read(wanted).await.into_iter().zip(ids);
        read.map(|(read, id)| read.map(|found| found.map(|resource| Resource { id, ..resource }))).collect()
    }
}
