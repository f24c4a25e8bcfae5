use std::sync::Arc;

use async_trait::async_trait;

use crate::component::Component;
use crate::model::{
    Answer, Body, Error, ErrorKind, FoundOwners, Location, Probe, Resource, ResourceId, Result, Schema, Scope,
    TargetIdentity, TreePath,
};
use crate::reader::{Reader, Wanted};

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

    async fn owners(&self, below: &TreePath, kind: Option<&str>) -> Result<FoundOwners> {
        self.0.owners(below, kind).await
    }

    fn can_have_no_owners(&self) -> bool {
        self.0.can_have_no_owners()
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let listed = self.0.list(&there(scopes)).await;
        let moved = |(scope, listed): (&Scope, Result<Vec<Location>>)| {
            let listed = listed?;
            if listed.is_empty() && scope.owner.is_none() {
                return Err(Error::new(ErrorKind::NotFound, format!("read {} there", scope.below), "nothing is there"));
            }
            Ok(listed.into_iter().filter_map(|location| rekeyed(scope, location)).collect())
        };
        scopes.iter().zip(listed).map(moved).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let ids: Vec<ResourceId> = wanted.iter().map(|one| one.at.id.clone()).collect();
        let read = self.0.read(wanted).await;
        let named = |(id, read): (ResourceId, Result<Option<Resource>>)| {
            read.map(|found| found.map(|resource| Resource { id, body: steady(resource.body) }))
        };
        ids.into_iter().zip(read).map(named).collect()
    }

    async fn not_restored(&self, scopes: &[Scope]) -> Vec<Vec<String>> {
        self.0.not_restored(&there(scopes)).await
    }

    async fn probe(&self, probe: &Probe) -> Result<Answer> {
        self.0.probe(probe).await
    }
}

/// What is live may change between the plan and its write.
fn steady(body: Body) -> Body {
    match body {
        Body::Tree(tree) => Body::Tree(tree.to_restore_from().unwrap_or(tree)),
        document @ Body::Document(_) => document,
    }
}

/// The same scopes as the live system sees them: it looks at `to`.
fn there(scopes: &[Scope]) -> Vec<Scope> {
    scopes.iter().map(|scope| Scope { to: scope.below.clone(), ..scope.clone() }).collect()
}

fn rekeyed(scope: &Scope, location: Location) -> Option<Location> {
    let below = location.id.key.relative_to(&scope.below)?;
    let key = scope.to.append(&below);
    Some(Location { id: ResourceId { key, ..location.id }, at: location.at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::files::{FilesComponent, FilesConfig};

    /// A live home as the source: size and time are put back, and it is another file all the same.
    #[tokio::test]
    async fn a_live_file_that_changes_after_it_was_listed_is_a_conflict() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("ana")).unwrap();
        let file = root.path().join("ana/notes");
        std::fs::write(&file, "first").unwrap();
        let config = FilesConfig { root: root.path().to_owned(), ignore: Vec::new(), setuid: Default::default() };
        let source = LiveSource(Arc::new(FilesComponent::new(config)));
        let below = TreePath::new("ana").unwrap();
        let scope = Scope { below: below.clone(), to: below, owner: None };
        let listed = source.list(&[scope]).await.remove(0).unwrap();
        let resource = source.read(&Wanted::alone(&listed)).await.remove(0).unwrap().unwrap();
        let tree = resource.tree().unwrap();
        assert_eq!(tree.entries().unwrap().count(), 2);

        let before = std::fs::metadata(&file).unwrap().modified().unwrap();
        std::fs::write(&file, "other").unwrap();
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(before).unwrap();
        let refused = tree.open(&TreePath::new("notes").unwrap()).err().map(|error| error.kind());
        assert_eq!(refused, Some(ErrorKind::Conflict));
    }
}
