use std::sync::Arc;

use async_trait::async_trait;

use crate::component::Component;
use crate::model::{
    Answer, Error, ErrorKind, Location, Probe, Resource, ResourceId, Result, Schema, Scope, TargetIdentity, TreePath,
};
use crate::reader::Reader;

/// A live system that is only read, as the source of a migration: what it has below `below` is compared with
/// what another has at `to`.
pub(super) struct LiveSource(pub Arc<dyn Component>);

#[async_trait]
impl Reader for LiveSource {
    fn schema(&self) -> &Schema {
        self.0.schema()
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        self.0.identity().await
    }

    async fn owners(&self, below: &TreePath, kind: Option<&str>) -> Result<Vec<String>> {
        self.0.owners(below, kind).await
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let there: Vec<Scope> = scopes.iter().map(|scope| Scope { to: scope.below.clone(), ..scope.clone() }).collect();
        let listed = self.0.list(&there).await;
        let moved = |(scope, listed): (&Scope, Result<Vec<Location>>)| {
            let listed = listed?;
            if listed.is_empty() && scope.owner.is_none() {
                return Err(Error::new(ErrorKind::NotFound, format!("read {} there", scope.below), "nothing is there"));
            }
            Ok(listed.into_iter().filter_map(|location| rekeyed(scope, location)).collect())
        };
        scopes.iter().zip(listed).map(moved).collect()
    }

    async fn read(&self, wanted: &[Location]) -> Vec<Result<Option<Resource>>> {
        let ids: Vec<ResourceId> = wanted.iter().map(|location| location.id.clone()).collect();
        let read = self.0.read(wanted).await;
        let named = |(id, read): (ResourceId, Result<Option<Resource>>)| {
            read.map(|found| found.map(|resource| Resource { id, ..resource }))
        };
        ids.into_iter().zip(read).map(named).collect()
    }

    async fn not_restored(&self, scopes: &[Scope]) -> Vec<Vec<String>> {
        let there: Vec<Scope> = scopes.iter().map(|scope| Scope { to: scope.below.clone(), ..scope.clone() }).collect();
        self.0.not_restored(&there).await
    }

    async fn probe(&self, probe: &Probe) -> Result<Answer> {
        self.0.probe(probe).await
    }
}

fn rekeyed(scope: &Scope, location: Location) -> Option<Location> {
    let below = location.id.key.relative_to(&scope.below)?;
    let key = scope.to.append(&below);
    Some(Location { id: ResourceId { key, ..location.id }, at: location.at })
}
