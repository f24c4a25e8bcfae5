use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::beneath::{Beneath, WriteRight};
use crate::component::{Approved, Checked, Component, Effect, Ledger, Limits, Unit};
use crate::model::{
    Answer, Body, Document, Error, ErrorKind, FoundOwners, Location, Probe, Resource, ResourceId, Result, Schema,
    Scope, TargetIdentity, TreePath, visible,
};
use crate::reader::{Reader, Wanted};

use super::folder::{Folder, ambiguous};
use super::new_file::ownership;
use super::owners::{OwnerIndex, cannot_be_walked, owner_of};
use super::{DocumentFilesConfig, Syntax, checker, probe, writer};

/// Such a directory, live.
pub struct DocumentFiles(Arc<Inner>);

pub(super) struct Inner {
    pub config: DocumentFilesConfig,
    pub schema: Schema,
    index: OwnerIndex,
    right: WriteRight,
}

impl DocumentFiles {
    /// Asks nothing of the directory yet.
    pub fn new(config: DocumentFilesConfig) -> Self {
        let schema = Schema { kinds: BTreeMap::from([(config.syntax.kind().to_owned(), config.schema.clone())]) };
        Self(Arc::new(Inner { config, schema, index: OwnerIndex::default(), right: WriteRight::default() }))
    }

    async fn each<T: Send + 'static>(
        &self,
        count: usize,
        work: impl FnOnce(&Inner) -> Vec<Result<T>> + Send + 'static,
    ) -> Vec<Result<T>> {
        let inner = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(answers) => answers,
            Err(_) => (0..count).map(|_| Err(stopped())).collect(),
        }
    }
}

impl Inner {
    fn folder(&self, path: &TreePath) -> Result<Option<Folder>> {
        Folder::open(self.config.syntax, &self.config.root, path)
    }

    fn owners(&self, below: &TreePath) -> Result<FoundOwners> {
        let Some(folder) = self.folder(below)? else { return Ok(FoundOwners::default()) };
        if let Some(field) = &self.config.owner_field {
            return self.index.owners(&folder, field);
        }
        let mut found = FoundOwners::default();
        for name in folder.names()? {
            let place = folder.place(&name);
            match owner_of(self.config.syntax, &place) {
                Ok(owner) => found.names.push(owner),
                Err(error) => found.unusable.push(cannot_be_walked(&place, &error)),
            }
        }
        Ok(found.sorted())
    }

    fn write(&self, changes: &[Approved]) -> Vec<Result<Effect>> {
        match Beneath::open(&self.config.root).and_then(|root| self.right.claim(&root)) {
            Ok(()) => writer::write(self, changes),
            Err(error) => changes.iter().map(|_| Err(error.again())).collect(),
        }
    }

    fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let mut names = Names::new(self, scopes.len());
        scopes.iter().map(|scope| names.list(scope)).collect()
    }

    fn read(&self, wanted: &[Location]) -> Vec<Result<Option<Resource>>> {
        let mut folders = Folders::new(self);
        let mut read = |location: &Location| {
            let parent = location.at.parent().unwrap_or_default();
            let Some(folder) = folders.open(&parent)? else { return Ok(None) };
            let name = location.at.name().unwrap_or_default();
            let name = match self.config.syntax.stem(name) {
                Some(stem) if Some(stem) == location.id.key.name() => Some(name.to_vec()),
                _ => folder.name_of(name)?,
            };
            let Some(name) = name else { return Ok(None) };
            let Some(opened) = folder.read(&name)? else { return Ok(None) };
            let mut document = folder.parse(&name, &opened.bytes)?;
            document.file = Some(ownership(&opened.stat));
            Ok(Some(Resource { id: location.id.clone(), body: Body::Document(document) }))
        };
        wanted.iter().map(&mut read).collect()
    }
}

/// Directories that one batch has opened.
pub(super) struct Folders<'i> {
    inner: &'i Inner,
    open: HashMap<TreePath, Option<Arc<Folder>>>,
}

impl<'i> Folders<'i> {
    pub fn new(inner: &'i Inner) -> Self {
        Self { inner, open: HashMap::new() }
    }

    pub fn opened(&self) -> impl Iterator<Item = Arc<Folder>> + '_ {
        self.open.values().flatten().cloned()
    }

    pub fn open(&mut self, path: &TreePath) -> Result<Option<Arc<Folder>>> {
        if let Some(folder) = self.open.get(path) {
            return Ok(folder.clone());
        }
        let folder = self.inner.folder(path)?.map(Arc::new);
        self.open.insert(path.clone(), folder.clone());
        Ok(folder)
    }
}

/// From this many scopes on, one listing of the directory is cheaper than three looks for each owner.
const LIST_FROM: usize = 64;

struct Names<'i> {
    inner: &'i Inner,
    folders: Folders<'i>,
    many: bool,
    listed: HashMap<TreePath, BTreeMap<Vec<u8>, Vec<Vec<u8>>>>,
}

impl<'i> Names<'i> {
    fn new(inner: &'i Inner, scopes: usize) -> Self {
        Self { inner, folders: Folders::new(inner), many: scopes >= LIST_FROM, listed: HashMap::new() }
    }

    fn list(&mut self, scope: &Scope) -> Result<Vec<Location>> {
        let Some(folder) = self.folders.open(&scope.to)? else { return Ok(Vec::new()) };
        let names = match (&scope.owner, &self.inner.config.owner_field) {
            (Some(owner), Some(field)) => self.inner.index.of_owner(&folder, field, &owner.name)?,
            (Some(owner), None) if self.many => {
                let stems = self.stems(&folder, &scope.to)?;
                stems.get(owner.name.as_bytes()).cloned().unwrap_or_default()
            }
            (Some(owner), None) => match TreePath::root().join(&*owner.name) {
                Ok(_) => folder.name_of(owner.name.as_bytes())?.into_iter().collect(),
                Err(refused) => return Err(refused),
            },
            (None, _) => folder.names()?,
        };
        locations(self.inner.config.syntax, &scope.to, names.into_iter().map(|name| folder.place(&name)))
    }

    fn stems(&mut self, folder: &Folder, path: &TreePath) -> Result<&BTreeMap<Vec<u8>, Vec<Vec<u8>>>> {
        if !self.listed.contains_key(path) {
            let mut stems: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
            for name in folder.names()? {
                if let Some(stem) = self.inner.config.syntax.stem(&name) {
                    stems.entry(stem.to_vec()).or_default().push(name);
                }
            }
            self.listed.insert(path.clone(), stems);
        }
        Ok(&self.listed[path])
    }
}

/// Files as resources: the key is the place below the component's root without the suffix.
pub(super) fn locations(
    syntax: &dyn Syntax,
    to: &TreePath,
    files: impl Iterator<Item = TreePath>,
) -> Result<Vec<Location>> {
    let mut found: BTreeMap<Vec<u8>, Vec<TreePath>> = BTreeMap::new();
    for file in files {
        if let Some(stem) = file.name().and_then(|name| syntax.stem(name)) {
            found.entry(stem.to_vec()).or_default().push(file.clone());
        }
    }
    let locate = |(stem, mut files): (Vec<u8>, Vec<TreePath>)| match (files.pop(), files.is_empty()) {
        (Some(at), true) => Ok(Location { id: ResourceId { kind: syntax.kind().into(), key: to.join(&stem)? }, at }),
        (last, _) => Err(ambiguous(files.into_iter().chain(last))),
    };
    found.into_iter().map(locate).collect()
}

#[async_trait]
impl Reader for DocumentFiles {
    fn schema(&self) -> &Schema {
        &self.0.schema
    }

    /// The directory's file system and inode: another one at the same path is another target, and the same one
    /// after a reboot is the same.
    async fn identity(&self) -> Result<TargetIdentity> {
        let inner = Arc::clone(&self.0);
        let ask = move || {
            let identity = Beneath::open(&inner.config.root)?.identity()?;
            Ok(TargetIdentity {
                system: inner.config.syntax.system().to_owned(),
                address: visible(&identity.address).into_owned(),
                ..identity
            })
        };
        tokio::task::spawn_blocking(ask).await.unwrap_or_else(|_| Err(stopped()))
    }

    async fn owners(&self, below: &TreePath, _kind: Option<&str>) -> Result<FoundOwners> {
        let (inner, below) = (Arc::clone(&self.0), below.clone());
        tokio::task::spawn_blocking(move || inner.owners(&below)).await.unwrap_or_else(|_| Err(stopped()))
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let scopes = scopes.to_vec();
        self.each(scopes.len(), move |inner| inner.list(&scopes)).await
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let wanted = Wanted::locations(wanted);
        self.each(wanted.len(), move |inner| inner.read(&wanted)).await
    }

    async fn probe(&self, probe: &Probe) -> Result<Answer> {
        let location = probe::asked(self.0.config.syntax, probe)?;
        let read = self.read(&Wanted::alone(std::slice::from_ref(&location))).await.pop();
        Ok(probe::answer(read.unwrap_or_else(|| Err(stopped()))?.as_ref()))
    }
}

#[async_trait]
impl Component for DocumentFiles {
    fn limits(&self) -> Limits {
        Limits { batch: 256, parallel: 3, unit: Unit::Change, reads_beside: false }
    }

    fn id_at(&self, place: &TreePath) -> Result<ResourceId> {
        Ok(ResourceId { kind: self.0.config.syntax.kind().into(), key: place.clone() })
    }

    fn normalise(&self, document: Document) -> Result<Document> {
        let Document { value, file, .. } = document;
        let value = self.0.config.syntax.normalise(Value::clone(&value)).map_err(|why| {
            Error::new(ErrorKind::Invalid, format!("write it into the {}", self.0.config.syntax.system()), why)
                .next("correct the document in the runbook or in the backup")
        })?;
        Ok(Document { source: None, file, ..Document::new(value) })
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        let changes = changes.to_vec();
        self.each(changes.len(), move |inner| checker::check(inner, &changes)).await
    }

    async fn write(&self, changes: &[Approved], _ledger: &dyn Ledger) -> Vec<Result<Effect>> {
        let changes = changes.to_vec();
        let inner = Arc::clone(&self.0);
        let count = changes.len();
        match tokio::task::spawn_blocking(move || inner.write(&changes)).await {
            Ok(answers) => answers,
            Err(_) => (0..count).map(|_| Err(stopped().known(crate::model::Known::Unknown))).collect(),
        }
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Bug, "work on the documents", "the thread that did it stopped")
}
