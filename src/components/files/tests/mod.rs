mod asynchronous;
mod create;
mod facts;
mod faults;
mod hostile;
mod kills;
mod others;
mod update;
mod way_back;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::beneath::{Beneath, DirTree};
use crate::component::{Approved, Effect, Ledger, UndoRecord};
use crate::model::{
    Body, Change, Digest, Entry, Error, ErrorKind, Fidelity, Hunk, HunkAt, NodeKind, Op, Resource, ResourceId, Result,
    Tree, TreePath,
};

use super::config::FilesConfig;
use super::write::write;
use crate::model::Privileges;

/// A backup's directory and a live one side by side, and a plan between them.
struct Ground {
    backup: tempfile::TempDir,
    live: PathBuf,
    _live: Option<tempfile::TempDir>,
    bits: Privileges,
    exact: bool,
    ledger: Records,
}

#[derive(Default)]
struct Records {
    kept: Mutex<Vec<UndoRecord>>,
    /// Called at each `keep`, as the journal would be.
    at_keep: Mutex<Option<Box<dyn FnMut() + Send>>>,
}

impl Ledger for Records {
    fn keep(&self, _: usize, records: &[UndoRecord]) -> Result<()> {
        if let Some(call) = &mut *self.at_keep.lock().unwrap() {
            call();
        }
        self.kept.lock().unwrap().extend(records.to_vec());
        Ok(())
    }

    fn progress(&self, _: usize, _: u64, _: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// Named points are the whole process's, so those who use them take turns.
#[cfg(feature = "failpoints")]
static POINTS_TURN: Mutex<()> = Mutex::new(());

thread_local! {
    /// As on a file system that cannot exchange two names; for this thread's writes.
    pub(super) static EXCHANGES_NOT: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    /// As for a kept node that cannot have a second name.
    pub(super) static LINKS_NOT: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    /// As on a file system that has no files without a name.
    pub(super) static UNNAMED_NOT: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    /// As for an ordinary user, who may not write where modes say so.
    pub(super) static AS_USER: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

const KEY: &str = "ana";

impl Ground {
    fn new() -> Self {
        let live = tempfile::tempdir().unwrap();
        Self { live: live.path().to_owned(), _live: Some(live), ..Self::on(Path::new("/")) }
    }

    /// With an existing directory as the component's root.
    fn on(live: &Path) -> Self {
        Self {
            backup: tempfile::tempdir().unwrap(),
            live: live.to_owned(),
            _live: None,
            bits: Privileges::default(),
            exact: false,
            ledger: Records::default(),
        }
    }

    /// Runs shell lines in the backup's home directory.
    fn backup(&self, script: &str) -> &Self {
        sh(&self.backup.path().join(KEY), script);
        self
    }

    fn live(&self, script: &str) -> &Self {
        sh(&self.live.join(KEY), script);
        self
    }

    fn key() -> TreePath {
        TreePath::new(KEY).unwrap()
    }

    fn tree(root: &Path) -> Option<Arc<dyn Tree>> {
        let handle = Arc::new(Beneath::open(root).unwrap());
        handle.entry(&Self::key()).unwrap()?;
        Some(Arc::new(DirTree::new(handle, Self::key())))
    }

    /// The plan: as written by the component, without specials; deletes only in exact mode.
    fn plan(&self) -> Approved {
        let source = Self::tree(self.backup.path()).map(|tree| tree.to_restore_from().unwrap());
        self.plan_to(source, self.exact)
    }

    fn plan_to(&self, desired: Option<Arc<dyn Tree>>, exact: bool) -> Approved {
        let live = Self::tree(&self.live);
        let before = live.as_ref().map(|tree| entries(&**tree)).unwrap_or_default();
        let mut after = desired.as_ref().map(|tree| entries(&**tree)).unwrap_or_default();
        let leads_back = desired.as_ref().is_some_and(|desired| desired.former().is_some());
        after.retain(|_, entry| leads_back || !matches!(entry.kind, NodeKind::Special { .. }));
        let bits = if leads_back { Privileges::Keep } else { self.bits };
        let after: BTreeMap<_, _> = after.into_iter().map(|(path, entry)| (path, bits.applied_to(&entry))).collect();
        let paths: BTreeSet<&TreePath> = before.keys().chain(after.keys()).collect();
        let mut hunks = Vec::new();
        for path in paths {
            let (old, new) = (before.get(path), after.get(path));
            let op = match (old, new) {
                (None, _) => Op::Create,
                (Some(old), Some(new)) if super::state::alike(old, new) => continue,
                (Some(_), Some(_)) => Op::Update,
                (Some(_), None) if exact => Op::Delete,
                (Some(_), None) => continue,
            };
            let content = match (old.map(|old| (&old.kind, old.meta.times)), new.map(|new| (&new.kind, new.meta.times)))
            {
                (Some((NodeKind::File { size: a, .. }, b)), Some((NodeKind::File { size: c, .. }, d))) => {
                    let kept = desired.as_ref().and_then(|desired| desired.former());
                    a != c || b != d || kept.is_some_and(|kept| kept.is_replaced(path).unwrap())
                }
                _ => true,
            };
            let at = HunkAt::Node {
                path: path.clone(),
                before: old.cloned().map(Box::new),
                after: new.cloned().map(Box::new),
                content,
            };
            hunks.push(Hunk { op, at, fidelity: Fidelity::Exact, needs: Vec::new(), said: None });
        }
        let id = ResourceId { kind: "tree".into(), key: Self::key() };
        let resource = |tree: &Arc<dyn Tree>| Resource { id: id.clone(), body: Body::Tree(Arc::clone(tree)) };
        let op = match (&live, &desired) {
            (None, _) => Op::Create,
            (_, None) => Op::Delete,
            _ => Op::Update,
        };
        let nothing = Digest::of_absence();
        Approved {
            run: "run-1".into(),
            change: Arc::new(Change {
                id: id.clone(),
                op,
                before: nothing,
                after: nothing,
                hunks,
                warnings: Vec::new(),
                unreadable: Vec::new(),
                file: None,
                is_foretold: false,
            }),
            left_out: BTreeSet::new(),
            live: live.as_ref().map(resource),
            desired: desired.as_ref().map(resource),
            expected: None,
        }
    }

    fn config(&self) -> FilesConfig {
        FilesConfig { root: self.live.clone(), ignore: Vec::new(), setuid: self.bits }
    }

    fn write(&self, approved: &Approved) -> Result<Effect> {
        write(&self.config(), approved, 0, &self.ledger)
    }

    fn restore(&self) -> Effect {
        self.write(&self.plan()).unwrap()
    }

    /// Brings back what the records say, as the engine's undo does: touched paths only, deletes included.
    fn undo(&self) -> Effect {
        self.write(&self.undo_plan()).unwrap()
    }

    fn undo_plan(&self) -> Approved {
        let records = std::mem::take(&mut *self.ledger.kept.lock().unwrap());
        let touched: BTreeSet<TreePath> = records.iter().map(|record| record.path.clone()).collect();
        let whole = records.iter().any(|record| record.path.is_root() && record.before.is_none());
        let former = super::former::FormerTree::new(Arc::new(Beneath::open(&self.live).unwrap()), Self::key(), records);
        let former: Option<Arc<dyn Tree>> = if whole { None } else { Some(Arc::new(former)) };
        let mut plan = self.plan_to(former, true);
        let mut change = Change::clone(&plan.change);
        let is_touched = |hunk: &Hunk| match &hunk.at {
            HunkAt::Node { path, .. } => {
                whole || touched.contains(path) || hunk.op == Op::Create || hunk.op == Op::Update
            }
            HunkAt::Field { .. } => false,
        };
        change.hunks.retain(is_touched);
        plan.change = Arc::new(change);
        plan
    }

    fn live_state(&self) -> Vec<String> {
        state(Self::tree(&self.live))
    }

    fn backup_state(&self) -> Vec<String> {
        state(Self::tree(self.backup.path()))
    }

    /// Names of files that lie about in the run's area, kept ones aside.
    fn leftovers(&self) -> Vec<String> {
        let found = Command::new("find").arg(self.live.join(".rekindle/run-1/new")).arg("-mindepth").arg("1").output();
        String::from_utf8(found.unwrap().stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

fn sh(directory: &Path, script: &str) {
    std::fs::create_dir_all(directory).unwrap();
    let done = Command::new("bash").args(["-euc", script]).current_dir(directory).output().unwrap();
    assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
}

fn entries(tree: &dyn Tree) -> BTreeMap<TreePath, Entry> {
    let list: Vec<Entry> = tree.entries().unwrap().collect::<Result<_>>().unwrap();
    let paths: Vec<&TreePath> = list.iter().map(|entry| &entry.path).collect();
    assert!(paths.is_sorted(), "the walk is not in the order of paths");
    list.into_iter().map(|entry| (entry.path.clone(), entry)).collect()
}

/// Everything that a restore must bring back, a line per node: hard links by their group's first name.
fn state(tree: Option<Arc<dyn Tree>>) -> Vec<String> {
    let Some(tree) = tree else { return Vec::new() };
    let mut groups: HashMap<u64, TreePath> = HashMap::new();
    let all = entries(&*tree);
    let line = |(path, mut entry): (TreePath, Entry)| {
        let mut content = None;
        if let NodeKind::File { link, .. } = &mut entry.kind {
            content = Some(tree.digest(&path).unwrap().short());
            let group = link.take().map(|link| groups.entry(link).or_insert(path.clone()).clone());
            return format!("{path} {:?} {:?} {content:?} linked to {group:?}", entry.kind, entry.meta);
        }
        if entry.is_directory() {
            // Restoring into a directory changes its time; that of an untouched one is compared elsewhere.
            entry.meta.times = Default::default();
        }
        format!("{path} {:?} {:?} {content:?}", entry.kind, entry.meta)
    };
    all.into_iter().map(line).collect()
}

fn kind_of(result: Result<Effect>) -> (ErrorKind, crate::model::Known) {
    let error: Error = result.unwrap_err();
    (error.kind(), error.effect())
}
