use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::beneath::RESERVED;
use crate::model::{
    Body, Error, ErrorKind, KindSchema, Location, Resource, ResourceId, Result, Schema, Scope, TargetIdentity,
    TreePath, visible,
};
use crate::reader::Reader;
use crate::stores::{Store, nothing_there};

/// The kind of a directory of files as one resource.
pub const TREE: &str = "tree";

/// The format `files`: the backup's own tree. Each scope is one resource, the tree below it.
pub struct FilesSource {
    store: Arc<dyn Store>,
    schema: Schema,
}

impl FilesSource {
    pub fn new(store: Arc<dyn Store>, schema: KindSchema) -> Self {
        Self { store, schema: Schema { kinds: BTreeMap::from([(TREE.to_owned(), schema)]) } }
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&dyn Store) -> T + Send + 'static) -> Result<T> {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || work(&*store))
            .await
            .map_err(|_| Error::new(ErrorKind::Bug, "read the backup's files", "the thread that did it stopped"))
    }
}

#[async_trait]
impl Reader for FilesSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        self.blocking(|store| store.identity()).await?
    }

    /// The directories below `below`.
    async fn owners(&self, below: &TreePath, _kind: Option<&str>) -> Result<Vec<String>> {
        let below = below.clone();
        self.blocking(move |store| owners(store, &below)).await?
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let asked = scopes.to_vec();
        let list = move |store: &dyn Store| asked.iter().map(|scope| list(store, scope)).collect();
        each(self.blocking(list).await, scopes.len())
    }

    async fn not_restored(&self, scopes: &[Scope]) -> Vec<Vec<String>> {
        let asked = scopes.to_vec();
        let all = move |store: &dyn Store| asked.iter().map(|scope| not_restored(store, &scope.below)).collect();
        self.blocking(all).await.unwrap_or_default()
    }

    async fn read(&self, wanted: &[Location]) -> Vec<Result<Option<Resource>>> {
        let asked = wanted.to_vec();
        let read = move |store: &dyn Store| {
            let tree = |location: Location| {
                let tree = store.tree(&location.at)?;
                Ok(tree.map(|tree| Resource { id: location.id, body: Body::Tree(tree) }))
            };
            asked.into_iter().map(tree).collect()
        };
        each(self.blocking(read).await, wanted.len())
    }
}

/// More than these are counted.
const MOST_NOT_RESTORED: usize = 20;

fn not_restored(store: &dyn Store, below: &TreePath) -> Vec<String> {
    let mut all = store.not_restored(below);
    if let Some(more) = all.len().checked_sub(MOST_NOT_RESTORED).filter(|more| *more > 0) {
        all.truncate(MOST_NOT_RESTORED);
        all.push(format!("and {more} more"));
    }
    all
}

fn owners(store: &dyn Store, below: &TreePath) -> Result<Vec<String>> {
    let children = store.children(below)?.ok_or_else(|| nothing_there(store, below, "directory"))?;
    let directories = children.iter().filter(|entry| entry.is_directory()).filter_map(|entry| entry.path.name());
    let mut names = directories
        .filter(|name| *name != b"lost+found" && *name != RESERVED)
        .map(|name| {
            String::from_utf8(name.to_vec()).map_err(|_| {
                let doing = format!("name the owner of the directory {}", visible(name));
                Error::new(ErrorKind::Invalid, doing, "its name is not UTF-8")
                    .next("restore it in a step of its own, without 'each'")
            })
        })
        .collect::<Result<Vec<String>>>()?;
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn list(store: &dyn Store, scope: &Scope) -> Result<Vec<Location>> {
    store.entry(&scope.below)?.ok_or_else(|| nothing_there(store, &scope.below, "files"))?;
    let id = ResourceId { kind: TREE.into(), key: scope.to.clone() };
    Ok(vec![Location { id, at: scope.below.clone() }])
}

fn each<T>(made: Result<Vec<Result<T>>>, count: usize) -> Vec<Result<T>> {
    made.unwrap_or_else(|error| {
        (0..count).map(|_| Err(Error::new(error.kind(), "read the backup's files", error.chain()))).collect()
    })
}
