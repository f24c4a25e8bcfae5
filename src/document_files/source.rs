use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::blocking::blocking;
use crate::declared::Given;
use crate::model::{
    Body, ContentSink, Document, Entry, Error, ErrorKind, FileOwnership, FoundOwners, KindSchema, Location, NodeKind,
    Resource, ResourceId, Result, Schema, Scope, TargetIdentity, TreePath, UnusableOwner,
};
use crate::reader::{Reader, Wanted};
use crate::stores::{Store, followed, nothing_there};

use super::component::locations;
use super::links::document_behind;
use super::owners::{cannot_be_walked, owner_in, owner_of};
use super::{MAX_BYTES, OWNER, Syntax, document};

/// Such directories in a backup.
pub struct DocumentFilesSource(Arc<Inner>);

struct Inner {
    syntax: &'static dyn Syntax,
    store: Arc<dyn Store>,
    owner_field: Option<String>,
    schema: Schema,
    /// By directory, once it was listed: a backup does not change while it is read.
    folders: Mutex<BTreeMap<TreePath, Arc<Listed>>>,
}

/// The documents of one directory.
struct Listed {
    files: Vec<TreePath>,
    ownerships: HashMap<TreePath, FileOwnership>,
    /// Where the documents that are links lie, or why that cannot be told.
    links: HashMap<TreePath, Result<TreePath>>,
    by_owner: BTreeMap<String, Vec<TreePath>>,
    /// Of which it cannot be told whose they are.
    unowned: Vec<TreePath>,
    unusable: Vec<UnusableOwner>,
}

/// Threads that one bulk read may use.
const PARALLEL: usize = 2;

impl DocumentFilesSource {
    /// The same of what a runbook gives for a format of such files.
    pub fn given(syntax: &'static dyn Syntax, store: Arc<dyn Store>, given: &Given<String>) -> Self {
        Self::new(syntax, store, given.word(OWNER).map(str::to_owned), KindSchema::default())
    }

    /// Reads nothing yet. `owner_field` as in [`DocumentFilesConfig`](super::DocumentFilesConfig).
    pub fn new(
        syntax: &'static dyn Syntax,
        store: Arc<dyn Store>,
        owner_field: Option<String>,
        schema: KindSchema,
    ) -> Self {
        let schema = Schema { kinds: BTreeMap::from([(syntax.kind().to_owned(), schema)]) };
        Self(Arc::new(Inner { syntax, store, owner_field, schema, folders: Mutex::default() }))
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> T + Send + 'static) -> Result<T> {
        let inner = Arc::clone(&self.0);
        blocking("read the backup's documents", move || Ok(work(&inner))).await
    }
}

impl Inner {
    fn listed(&self, below: &TreePath) -> Result<Arc<Listed>> {
        let known = |folders: &BTreeMap<TreePath, Arc<Listed>>| folders.get(below).map(Arc::clone);
        if let Some(listed) = known(&self.folders.lock().unwrap_or_else(std::sync::PoisonError::into_inner)) {
            return Ok(listed);
        }
        let real = followed(&*self.store, below)?;
        let nothing = || nothing_there(&*self.store, below, "directory of documents");
        let children = self.store.children(&real)?.ok_or_else(nothing)?;
        // What is not understood is not absent: it is listed, and reading it says what is the matter.
        let is_document = |entry: &Entry| {
            !entry.is_directory() && entry.path.name().and_then(|name| self.syntax.stem(name)).is_some()
        };
        let (mut files, mut ownerships, mut links) = (Vec::new(), HashMap::new(), HashMap::new());
        for mut entry in children.into_iter().filter(is_document) {
            if !matches!(entry.kind, NodeKind::File { .. }) {
                let found = document_behind(&*self.store, &entry);
                let path = entry.path.clone();
                entry.meta = found.as_ref().map_or(entry.meta, |found| found.meta.clone());
                links.insert(path, found.map(|found| found.path));
            }
            let meta = &entry.meta;
            ownerships.insert(entry.path.clone(), FileOwnership::new(meta.mode, meta.uid, meta.gid));
            files.push(entry.path);
        }
        if real != *below && files.is_empty() {
            let why = format!("it is a link to {real}, which holds no document");
            return Err(Error::new(ErrorKind::Refused, format!("list the documents in {below} of the backup"), why)
                .next("choose a backup that holds them, or name the folder itself"));
        }
        let mut by_owner: BTreeMap<String, Vec<TreePath>> = BTreeMap::new();
        let (mut unowned, mut unusable) = (Vec::new(), Vec::new());
        for (file, owner) in files.iter().zip(self.owners_of(&files, &links)) {
            match owner {
                Ok(owner) => by_owner.entry(owner).or_default().push(file.clone()),
                Err(error) => {
                    unowned.push(file.clone());
                    unusable.push(cannot_be_walked(file, &error));
                }
            }
        }
        let listed = Arc::new(Listed { files, ownerships, links, by_owner, unowned, unusable });
        let mut folders = self.folders.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(Arc::clone(folders.entry(below.clone()).or_insert(listed)))
    }

    fn owners_of(&self, files: &[TreePath], links: &HashMap<TreePath, Result<TreePath>>) -> Vec<Result<String>> {
        let Some(field) = &self.owner_field else {
            return files.iter().map(|file| owner_of(self.syntax, file)).collect();
        };
        let places = files.iter().map(|file| place_of(links, file)).collect();
        let documents = files.iter().zip(self.documents(places));
        let gone =
            |file: &TreePath| Error::new(ErrorKind::NotFound, format!("read {file}"), "it is not there any more");
        documents
            .map(|(file, document)| owner_in(self.syntax, file, &document?.ok_or_else(|| gone(file))?.value, field))
            .collect()
    }

    /// The document of which it cannot be told whose it is may be this owner's.
    fn unclear(&self, scope: &Scope) -> Vec<ResourceId> {
        let Ok(listed) = self.listed(&scope.below) else { return Vec::new() };
        let unowned = listed.unowned.iter().filter(|_| scope.owner.is_some());
        let key = |file: &TreePath| scope.to.join(self.syntax.stem(file.name()?)?).ok();
        unowned.filter_map(|file| Some(ResourceId { kind: self.syntax.kind().into(), key: key(file)? })).collect()
    }

    fn list(&self, scope: &Scope) -> Result<Vec<Location>> {
        let listed = self.listed(&scope.below)?;
        match &scope.owner {
            None => locations(self.syntax, &scope.to, listed.files.iter().cloned()),
            Some(owner) => {
                locations(self.syntax, &scope.to, listed.by_owner.get(&*owner.name).into_iter().flatten().cloned())
            }
        }
    }

    /// Whose a file is, where its directory was listed.
    fn ownership(&self, file: &TreePath) -> Option<FileOwnership> {
        let folders = self.folders.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        folders.get(&file.parent().unwrap_or_default())?.ownerships.get(file).copied()
    }

    /// Where a file's bytes lie.
    fn place(&self, file: &TreePath) -> Result<TreePath> {
        let folders = self.folders.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match folders.get(&file.parent().unwrap_or_default()) {
            Some(listed) => place_of(&listed.links, file),
            None => Ok(file.clone()),
        }
    }

    /// Each file's document, in order; `None` for one that is not there. Files of one directory are read
    /// together, in the order that the store finds best.
    fn documents(&self, places: Vec<Result<TreePath>>) -> Vec<Result<Option<Document>>> {
        let mut by_parent: BTreeMap<TreePath, Vec<usize>> = BTreeMap::new();
        let mut files: Vec<TreePath> = Vec::with_capacity(places.len());
        let mut documents: Vec<Result<Option<Document>>> = Vec::with_capacity(places.len());
        for (position, place) in places.into_iter().enumerate() {
            if let Ok(file) = &place {
                by_parent.entry(file.parent().unwrap_or_default()).or_default().push(position);
            }
            files.push(place.as_ref().cloned().unwrap_or_default());
            documents.push(place.map(|_| None));
        }
        for (parent, positions) in by_parent {
            let read = self.read_together(&parent, positions.iter().filter_map(|position| files.get(*position)));
            for (position, document) in positions.into_iter().zip(read) {
                if let Some(slot) = documents.get_mut(position) {
                    *slot = document;
                }
            }
        }
        documents
    }

    fn read_together<'f>(
        &self,
        parent: &TreePath,
        files: impl Iterator<Item = &'f TreePath>,
    ) -> Vec<Result<Option<Document>>> {
        let files: Vec<&TreePath> = files.collect();
        let again =
            |error: &Error| Error::new(error.kind(), format!("read the documents below {parent}"), error.chain());
        let tree = match self.store.tree(parent) {
            Ok(Some(tree)) => tree,
            Ok(None) => return files.iter().map(|_| Ok(None)).collect(),
            Err(error) => return files.iter().map(|_| Err(again(&error))).collect(),
        };
        let names: Vec<TreePath> = files.iter().map(|file| file.relative_to(parent).unwrap_or_default()).collect();
        let sink = Collected { inner: self, files: &files, read: Mutex::new(files.iter().map(|_| None).collect()) };
        let all = tree.contents(&names, PARALLEL, &sink);
        let read = sink.read.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let missing = |file: &TreePath| match &all {
            Err(error) => Err(again(error)),
            Ok(()) => Err(Error::new(ErrorKind::Corrupt, format!("read {file}"), "the store did not hand it over")),
        };
        read.into_iter().zip(&files).map(|(document, file)| document.unwrap_or_else(|| missing(file))).collect()
    }
}

fn place_of(links: &HashMap<TreePath, Result<TreePath>>, file: &TreePath) -> Result<TreePath> {
    match links.get(file) {
        None => Ok(file.clone()),
        Some(Ok(place)) => Ok(place.clone()),
        Some(Err(error)) => Err(error.again()),
    }
}

struct Collected<'f> {
    inner: &'f Inner,
    files: &'f [&'f TreePath],
    read: Mutex<Vec<Option<Result<Option<Document>>>>>,
}

impl ContentSink for Collected<'_> {
    fn content(&self, index: usize, content: Result<&mut (dyn Read + Send)>) -> bool {
        let Some(file) = self.files.get(index) else { return true };
        let document = match content {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(reader) => read_document(self.inner, file, reader).map(Some),
        };
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(slot) = read.get_mut(index) {
            *slot = Some(document);
        }
        true
    }
}

fn read_document(inner: &Inner, file: &TreePath, reader: &mut dyn Read) -> Result<Document> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::io(format!("read {file} in the backup"), error))?;
    document(inner.syntax, file.name().unwrap_or_default(), &bytes).map_err(|why| {
        Error::new(ErrorKind::Invalid, format!("read the document {}, in the backup", whole(&*inner.store, file)), why).next(
            "if that file is broken in the backup, choose another backup; if it is valid, a 'files' component can restore \
             it as a whole",
        )
    })
}

/// Where a file of a backup lies, as people are told it.
fn whole(store: &dyn Store, file: &TreePath) -> String {
    match store.identity() {
        Ok(of) if of.system == "directory" => format!("{}/{file}", of.address.trim_end_matches('/')),
        Ok(of) => format!("{file} of the {} {}", of.system, of.address),
        Err(_) => file.to_string(),
    }
}

#[async_trait]
impl Reader for DocumentFilesSource {
    fn schema(&self) -> &Schema {
        &self.0.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        self.blocking(|inner| inner.store.identity()).await?
    }

    async fn owners(&self, below: &TreePath, _kind: Option<&str>) -> Result<FoundOwners> {
        let below = below.clone();
        let owners = move |inner: &Inner| -> Result<FoundOwners> {
            let listed = inner.listed(&below)?;
            let names = listed.by_owner.keys().cloned().collect();
            Ok(FoundOwners { names, unusable: listed.unusable.clone() }.sorted())
        };
        self.blocking(owners).await?
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let asked = scopes.to_vec();
        let listed = self.blocking(move |inner| asked.iter().map(|scope| inner.list(scope)).collect()).await;
        answers(listed, scopes.len())
    }

    async fn unclear(&self, scopes: &[Scope]) -> Vec<Vec<ResourceId>> {
        let asked = scopes.to_vec();
        let unclear = self.blocking(move |inner| asked.iter().map(|scope| inner.unclear(scope)).collect()).await;
        unclear.unwrap_or_default()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let asked = Wanted::locations(wanted);
        let read = move |inner: &Inner| -> Vec<Result<Option<Resource>>> {
            let files: Vec<TreePath> = asked.iter().map(|location| location.at.clone()).collect();
            let resource = |(document, location): (Result<Option<Document>>, Location)| {
                Ok(document?.map(|document| Resource { id: location.id, body: Body::Document(document) }))
            };
            let places = files.iter().map(|file| inner.place(file)).collect();
            let owned = inner.documents(places).into_iter().zip(&files).map(|(document, file)| {
                Ok(document?.map(|document| Document { file: inner.ownership(file), ..document }))
            });
            owned.zip(asked).map(resource).collect()
        };
        answers(self.blocking(read).await, wanted.len())
    }
}

fn answers<T>(made: Result<Vec<Result<T>>>, count: usize) -> Vec<Result<T>> {
    made.unwrap_or_else(|error| {
        (0..count).map(|_| Err(Error::new(error.kind(), "read the backup's documents", error.chain()))).collect()
    })
}
