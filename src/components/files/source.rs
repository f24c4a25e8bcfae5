use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;

use crate::beneath::RESERVED;
use crate::blocking::blocking;
use crate::model::{
    Body, Error, ErrorKind, FoundOwners, KindSchema, Location, NodeKind, Resource, ResourceId, Result, Schema, Scope,
    TargetIdentity, TreePath,
};
use crate::reader::{Reader, Wanted};
use crate::stores::{Store, followed, nothing_there};

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
        blocking("read the backup's files", move || Ok(work(&*store))).await
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
    async fn owners(&self, below: &TreePath, _kind: Option<&str>) -> Result<FoundOwners> {
        let below = below.clone();
        self.blocking(move |store| owners(store, &below)).await?
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let asked = scopes.to_vec();
        let list = move |store: &dyn Store| {
            let mut places = Places::of(store);
            asked.iter().map(|scope| list(&mut places, scope)).collect()
        };
        each(self.blocking(list).await, scopes.len())
    }

    async fn not_restored(&self, scopes: &[Scope]) -> Vec<Vec<String>> {
        let asked = scopes.to_vec();
        let told = move |store: &dyn Store| {
            let mut places = Places::of(store);
            asked.iter().map(|scope| not_restored(&mut places, scope)).collect()
        };
        self.blocking(told).await.unwrap_or_default()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let asked = Wanted::locations(wanted);
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

fn not_restored(places: &mut Places, scope: &Scope) -> Vec<String> {
    let Ok(Place { place, is_behind_a_link, .. }) = places.find(&scope.below) else { return Vec::new() };
    let mut all = places.store.not_restored(&place);
    if let Some(more) = all.len().checked_sub(MOST_NOT_RESTORED).filter(|more| *more > 0) {
        all.truncate(MOST_NOT_RESTORED);
        all.push(format!("and {more} more"));
    }
    // A link in the place of the files is followed, and does not come back itself.
    let link = &scope.below;
    let followed =
        || format!("the link {link} itself; what it leads to in the backup, {place}, is restored in its place");
    all.extend(is_behind_a_link.then(followed));
    all
}

fn owners(store: &dyn Store, below: &TreePath) -> Result<FoundOwners> {
    let mut places = Places::of(store);
    let Place { place, is_behind_a_link, .. } = places.find(below)?;
    let children = store.children(&place)?.ok_or_else(|| nothing_there(store, below, "directory"))?;
    let mut found = FoundOwners::default();
    for entry in &children {
        let Some(name) = entry.path.name().filter(|name| !is_no_home(name)) else { continue };
        let is_home = match entry.kind {
            NodeKind::Directory => true,
            // One that cannot be followed may be a home: its own task says why it is not restored.
            NodeKind::Symlink { .. } => places.find(&entry.path).map_or(true, |found| found.is_behind_a_link),
            _ => false,
        };
        if is_home {
            found.add(name);
        }
    }
    if is_behind_a_link && found.names.is_empty() && found.unusable.is_empty() {
        // The link has come loose, or what it led to has gone: that is no backup without owners.
        return Err(nothing_there(store, below, "directory with anybody's files"));
    }
    Ok(found.sorted())
}

/// What stands beside homes and is none: where a file system begins, `lost+found` is its own.
pub(super) fn is_no_home(name: &[u8]) -> bool {
    name == b"lost+found" || name == RESERVED
}

fn list(places: &mut Places, scope: &Scope) -> Result<Vec<Location>> {
    let found = places.find(&scope.below)?;
    if !found.is_there {
        return Err(nothing_there(places.store, &scope.below, "files"));
    }
    let id = ResourceId { kind: TREE.into(), key: scope.to.clone() };
    Ok(vec![Location { id, at: found.place }])
}

/// Where files lie in a backup. Links on the way are followed inside it; one at the end too, where it leads to a
/// directory: a home on another disk. One to anything else is a file like others, and is restored as a link.
struct Places<'s> {
    store: &'s dyn Store,
    /// Of the directories around what was asked for, which are mostly the same: where they lie.
    around: HashMap<TreePath, TreePath>,
}

struct Place {
    place: TreePath,
    is_there: bool,
    is_behind_a_link: bool,
}

impl<'s> Places<'s> {
    fn of(store: &'s dyn Store) -> Self {
        Self { store, around: HashMap::new() }
    }

    fn find(&mut self, path: &TreePath) -> Result<Place> {
        let itself = match (path.parent(), path.name()) {
            (Some(parent), Some(name)) => self.directory(parent)?.join(name)?,
            _ => path.clone(),
        };
        let entry = self.store.entry(&itself)?;
        if entry.as_ref().is_some_and(|entry| matches!(entry.kind, NodeKind::Symlink { .. })) {
            let place = followed(self.store, &itself)?;
            if self.store.entry(&place)?.is_some_and(|there| there.is_directory()) {
                if itself.lies_in(&place) {
                    return Err(lies_in_itself(path, &place));
                }
                return Ok(Place { place, is_there: true, is_behind_a_link: true });
            }
        }
        Ok(Place { place: itself, is_there: entry.is_some(), is_behind_a_link: false })
    }

    fn directory(&mut self, path: TreePath) -> Result<TreePath> {
        if let Some(known) = self.around.get(&path) {
            return Ok(known.clone());
        }
        let found = followed(self.store, &path)?;
        self.around.insert(path, found.clone());
        Ok(found)
    }
}

fn lies_in_itself(path: &TreePath, place: &TreePath) -> Error {
    let shown = if place.is_root() { "/".to_owned() } else { place.to_string() };
    let why = format!("it is a link to {shown}, in which it lies itself");
    Error::new(ErrorKind::Refused, format!("follow {path} in the backup"), why)
        .next("name the place that is meant, or leave this one out")
}

fn each<T>(made: Result<Vec<Result<T>>>, count: usize) -> Vec<Result<T>> {
    made.unwrap_or_else(|error| {
        (0..count).map(|_| Err(Error::new(error.kind(), "read the backup's files", error.chain()))).collect()
    })
}
