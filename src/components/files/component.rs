use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::area::Area;
use super::capacity::RootCapacity;
use super::check::{Room, described};
use super::config::FilesConfig;
use super::former::FormerTree;
use super::ledger_bridge::bridge;
use super::mounts::Mounts;
use super::source::{TREE, is_no_home};
use crate::beneath::{Beneath, DirTree, RESERVED, WriteRight, list_entries, refusal};
use crate::component::{Approved, Checked, Component, Effect, Ledger, Limits, UndoRecord, Unit};
use crate::model::{
    Answer, Body, Capacity, Error, ErrorKind, FoundOwners, KindSchema, Location, NodeKind, Probe, Resource, ResourceId,
    Result, Schema, Scope, TargetIdentity, Tree, TreePath, UnusableOwner, visible,
};
use crate::reader::{Reader, Wanted};

/// Directories of files, read and written beneath one root.
pub struct FilesComponent {
    config: Arc<FilesConfig>,
    schema: Schema,
    right: Arc<WriteRight>,
    mounts: Mounts,
    capacity: Mutex<Option<Known>>,
}

/// What is known of the root that was there when it was last asked for.
struct Known {
    /// Device and inode number.
    root: (u64, u64),
    capacity: Arc<RootCapacity>,
}

impl FilesComponent {
    /// The root is opened at each call, so that one mounted later is seen.
    pub fn new(config: FilesConfig) -> Self {
        let tree = KindSchema {
            ignore: config.ignore.clone(),
            privileges: config.setuid,
            reserved: TreePath::new(RESERVED).into_iter().collect(),
            ..KindSchema::default()
        };
        let schema = Schema { kinds: [(TREE.to_owned(), tree)].into() };
        Self {
            config: Arc::new(config),
            schema,
            right: Arc::default(),
            mounts: Mounts::default(),
            capacity: Mutex::default(),
        }
    }

    /// Neither compares nor writes what lies at `place`, where that is below the root: the caller's own files.
    #[must_use]
    pub fn keeping_out_of(mut self, place: &Path) -> Self {
        // One that is not there yet is made below a directory that is.
        let real = |path: &Path| {
            let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
            there.and_then(|(above, real)| Some(real.join(path.strip_prefix(above).ok()?)))
        };
        let absolute = std::path::absolute(place).unwrap_or_else(|_| place.to_owned());
        let below = real(&absolute).zip(self.config.root.canonicalize().ok()).and_then(|(place, root)| {
            let below = place.strip_prefix(root).ok()?;
            TreePath::new(below.as_os_str().as_bytes()).ok().filter(|below| !below.is_root())
        });
        if let Some(tree) = self.schema.kinds.get_mut(TREE) {
            tree.reserved.extend(below);
        }
        self
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&FilesConfig) -> T + Send + 'static) -> Result<T> {
        let config = Arc::clone(&self.config);
        tokio::task::spawn_blocking(move || work(&config)).await.map_err(|error| {
            Error::new(ErrorKind::Bug, "work on files", error.to_string()).known(crate::model::Known::Unknown)
        })
    }
}

#[async_trait]
impl Reader for FilesComponent {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        self.blocking(|config| Beneath::open(&config.root)?.identity()).await?
    }

    async fn owners(&self, below: &TreePath, _kind: Option<&str>) -> Result<FoundOwners> {
        let below = below.clone();
        self.blocking(move |config| owners(&config.root, &below)).await?
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let keys: Vec<TreePath> = scopes.iter().map(|scope| scope.to.clone()).collect();
        let listed = self.blocking(move |config| {
            each(&config.root, &keys, |root, key| {
                let id = ResourceId { kind: TREE.into(), key: key.clone() };
                Ok(root.entry(key)?.map(|_| Location { id, at: key.clone() }).into_iter().collect())
            })
        });
        listed.await.unwrap_or_else(|error| repeat(&error, scopes.len()))
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let locations = Wanted::locations(wanted);
        let read = self.blocking(move |config| {
            each(&config.root, &locations, |root, location| {
                Ok(root.entry(&location.at)?.map(|_| {
                    let tree: Arc<dyn Tree> = Arc::new(DirTree::new(Arc::clone(root), location.at.clone()));
                    Resource { id: location.id.clone(), body: Body::Tree(tree) }
                }))
            })
        });
        read.await.unwrap_or_else(|error| repeat(&error, wanted.len()))
    }

    async fn probe(&self, probe: &Probe) -> Result<Answer> {
        let probe = probe.clone();
        self.blocking(move |config| answer(config, &probe)).await?
    }
}

#[async_trait]
impl Component for FilesComponent {
    fn limits(&self) -> Limits {
        Limits { batch: 16, parallel: 3, unit: Unit::Change, reads_beside: false }
    }

    fn capacity(&self) -> Option<Arc<dyn Capacity>> {
        let root = rustix::fs::stat(&self.config.root).ok()?;
        let root = (root.st_dev, root.st_ino);
        let mut capacity = self.capacity.lock().unwrap_or_else(PoisonError::into_inner);
        // Another file system may have been mounted there.
        capacity.take_if(|known| known.root != root);
        let known = || Known { root, capacity: Arc::new(RootCapacity::new(self.config.root.clone())) };
        let known = capacity.get_or_insert_with(known);
        Some(Arc::clone(&known.capacity) as Arc<dyn Capacity>)
    }

    fn mounted_in(&self, id: &ResourceId) -> Vec<TreePath> {
        self.mounts.below(&self.config.root, &id.key)
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        let approved = changes.to_vec();
        let checked = self.blocking(move |config| {
            let mut room = Room::default();
            each(&config.root, &approved, |root, approved| room.check(root, config, approved))
        });
        checked.await.unwrap_or_else(|error| repeat(&error, changes.len()))
    }

    async fn write(&self, changes: &[Approved], ledger: &dyn Ledger) -> Vec<Result<Effect>> {
        let approved = changes.to_vec();
        let (far, answers) = bridge();
        let right = Arc::clone(&self.right);
        let written = self.blocking(move |config| {
            if let Err(error) = Beneath::open(&config.root).and_then(|root| right.claim(&root)) {
                return repeat(&error, approved.len());
            }
            let write = |(index, approved)| super::write::write(config, approved, index, &far);
            approved.iter().enumerate().map(write).collect::<Vec<_>>()
        });
        let (written, ()) = futures_util::future::join(written, answers.serve(ledger)).await;
        written.unwrap_or_else(|error| repeat(&error, changes.len()))
    }

    fn former(&self, id: &ResourceId, records: Vec<UndoRecord>) -> Result<Arc<dyn Tree>> {
        let root = Arc::new(Beneath::open(&self.config.root)?);
        Ok(Arc::new(FormerTree::new(root, id.key.clone(), records)))
    }

    async fn clean_up_after(&self, run: &str, interrupted: &[ResourceId]) -> Result<()> {
        let (run, keys) = (run.to_owned(), interrupted.iter().map(|id| id.key.clone()).collect::<Vec<_>>());
        self.blocking(move |config| super::unlocked::lock_after(&Beneath::open(&config.root)?, &run, &keys)).await?
    }

    fn keeps_former(&self) -> bool {
        true
    }

    async fn kept_runs(&self) -> Result<Vec<String>> {
        self.blocking(|config| Area::runs(&Beneath::open(&config.root)?)).await?
    }

    async fn release(&self, run: &str) -> Result<()> {
        let run = run.to_owned();
        self.blocking(move |config| Area::release(&Beneath::open(&config.root)?, &run)).await?
    }
}

/// Whether what a run kept for its undo is still there, below this root.
pub fn keeps_run(root: &Path, run: &str) -> bool {
    Area::of(run).is_ok_and(|area| area.is_there(root))
}

fn owners(root: &Path, below: &TreePath) -> Result<FoundOwners> {
    let handle = Beneath::open(root)?;
    let failed = |errno| refusal(format!("list {}", handle.shown(below)), errno);
    let mut found = FoundOwners::default();
    for entry in list_entries(&handle, below).map_err(failed)? {
        let Some(name) = entry.path.name() else { continue };
        match entry.kind {
            NodeKind::Directory if !is_no_home(name) => found.add(name),
            NodeKind::Symlink { .. } => {
                let there = std::fs::metadata(root.join(OsStr::from_bytes(entry.path.as_bytes())));
                if there.is_ok_and(|there| there.is_file()) {
                    continue;
                }
                let why = "it is a link, and in a live system none is followed; name the place that it leads to";
                found.unusable.push(UnusableOwner::new(name, why));
            }
            _ => {}
        }
    }
    Ok(found.sorted())
}

fn answer(config: &FilesConfig, probe: &Probe) -> Result<Answer> {
    let doing = || format!("ask '{}'", visible(&probe.question));
    if probe.question != "file" {
        return Err(Error::new(ErrorKind::Unsupported, doing(), "files know the question 'file' alone"));
    }
    let asked = probe.of.as_str().or_else(|| probe.of.get("path").and_then(serde_json::Value::as_str));
    let asked = asked.ok_or_else(|| Error::new(ErrorKind::Invalid, doing(), "it needs the path of a file"))?;
    let below = match Path::new(asked).strip_prefix(&config.root) {
        Ok(below) => below,
        Err(_) if asked.starts_with('/') => {
            let why = format!("{} does not lie below {}", visible(asked), config.root.display());
            return Err(Error::new(ErrorKind::Invalid, doing(), why));
        }
        Err(_) => Path::new(asked),
    };
    let path = TreePath::new(below.as_os_str().as_bytes())?;
    let entry = Beneath::open(&config.root)?.entry(&path)?;
    let seen = entry.as_ref().map_or_else(|| "nothing is there".to_owned(), described);
    Ok(Answer { holds: entry.is_some(), seen, again_in: None })
}

/// One answer for each question; a root that does not open is the answer to all.
fn each<Q, A>(root: &Path, questions: &[Q], mut ask: impl FnMut(&Arc<Beneath>, &Q) -> Result<A>) -> Vec<Result<A>> {
    match Beneath::open(root).map(Arc::new) {
        Ok(root) => questions.iter().map(|question| ask(&root, question)).collect(),
        Err(error) => repeat(&error, questions.len()),
    }
}

fn repeat<A>(error: &Error, count: usize) -> Vec<Result<A>> {
    (0..count).map(|_| Err(error.again())).collect()
}
