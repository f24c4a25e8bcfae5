use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use super::state::{alike, same_kind};
use crate::beneath::{Beneath, Inode, Node, Walk, refusal};
use crate::component::UndoRecord;
use crate::model::{Entry, Error, ErrorKind, Former, NodeKind, Result, Tree, TreePath, some_of};

/// Below the component's root: the folder of all runs, and in it that of one.
const AREA_DEPTH: usize = 2;

/// The former state of the paths that a write touched, made of its undo records. A path that was not
/// there before is not in it. Where a path has several records, the first tells the former state.
pub(super) struct FormerTree {
    handle: Arc<Beneath>,
    key: TreePath,
    /// By path: what was there, and where its content is now, below the component's root.
    nodes: BTreeMap<TreePath, (Entry, Option<TreePath>)>,
    /// Kept nodes that are not as recorded, for they were changed by another name of theirs: known again in their place.
    changed: Mutex<HashMap<TreePath, Inode>>,
}

impl FormerTree {
    pub(super) fn new(handle: Arc<Beneath>, key: TreePath, records: Vec<UndoRecord>) -> Self {
        let mut first = BTreeMap::new();
        for record in records {
            first.entry(record.path).or_insert((record.before, record.kept));
        }
        let nodes = first
            .into_iter()
            .filter_map(|(path, (before, kept))| {
                let before = before?;
                let meta = before.meta.without_system_attributes();
                Some((path.clone(), (Entry { path, meta, ..before }, kept)))
            })
            .collect();
        Self { handle, key, nodes, changed: Mutex::default() }
    }

    /// The record that keeps `path`: its own, or that of a directory above it that was kept whole. Its path, what was
    /// there and where that is kept.
    fn keeping(&self, path: &TreePath) -> Option<(&TreePath, &Entry, &TreePath)> {
        let mut above = Some(path.clone());
        while let Some(ancestor) = above {
            if let Some((ancestor, (entry, Some(kept)))) = self.nodes.get_key_value(&ancestor)
                && (entry.is_directory() || ancestor == path)
            {
                return Some((ancestor, entry, kept));
            }
            above = ancestor.parent();
        }
        None
    }

    /// Where `path` is kept.
    fn within_kept(&self, path: &TreePath) -> Option<TreePath> {
        let (above, _, kept) = self.keeping(path)?;
        Some(kept.append(&path.relative_to(above)?))
    }
}

impl FormerTree {
    /// Where a node lies that is recorded as kept, and what is there: below the component's root. One that was never
    /// taken away, or is back, stands in its place; what else stands there is not the kept node, which is lost then.
    fn found(&self, path: &TreePath, entry: &Entry, kept: &TreePath) -> Result<Option<(TreePath, Entry)>> {
        if let Some(found) = self.node(kept)? {
            if !alike(entry, &found.entry) {
                self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), found.inode);
            }
            return Ok(Some((kept.clone(), found.entry)));
        }
        let place = self.key.append(path);
        let is_it = |live: &Node| {
            let changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied();
            changed == Some(live.inode) || alike(entry, &live.entry)
        };
        let live = self.node(&place)?.filter(is_it);
        Ok(live.map(|live| (place, live.entry)))
    }

    /// Without the folder that holds all that a run kept, nothing is said to be lost: it may be brought back.
    fn area_is_there(&self) -> Result<()> {
        let Some(kept) = self.nodes.values().find_map(|(_, kept)| kept.as_ref()) else { return Ok(()) };
        let area = kept.parts().take(AREA_DEPTH).try_fold(TreePath::root(), |area, part| area.join(part))?;
        if self.node(&area)?.is_some() {
            return Ok(());
        }
        let why = format!("{}, where it was kept, is gone", self.handle.shown(&area));
        Err(Error::new(ErrorKind::NotFound, "bring back what was there before", why)
            .next("bring that folder back to its place, then undo again: what it held is nowhere else"))
    }

    /// Why a node that was kept cannot come back, if it cannot. Nobody but this user can reach it under the name that it
    /// is kept by.
    fn why_lost(&self, path: &TreePath, entry: &Entry, kept: &TreePath) -> Result<Option<String>> {
        let Some(node) = self.node(kept)? else {
            let is_back = self.found(path, entry, kept)?.is_some();
            return Ok((!is_back).then(|| format!("{}, which was kept of it, is gone", self.handle.shown(kept))));
        };
        let is_same = match &entry.kind {
            NodeKind::Directory => node.entry.is_directory(),
            NodeKind::File { .. } if node.names > 1 => matches!(node.entry.kind, NodeKind::File { .. }),
            NodeKind::File { .. } => {
                same_kind(&node.entry.kind, &entry.kind) && node.entry.meta.times == entry.meta.times
            }
            kind => node.entry.kind == *kind,
        };
        Ok((!is_same).then(|| format!("{}, which was kept of it, was changed since", self.handle.shown(kept))))
    }

    /// A node as it is where it is kept, for it may have other names by which it was changed.
    fn now(&self, path: &TreePath, entry: &Entry, kept: Option<&TreePath>) -> Result<Entry> {
        let Some(kept) = kept else { return self.in_place(path, entry) };
        let found = self.found(path, entry, kept)?;
        Ok(found.map_or_else(|| entry.clone(), |(_, found)| Entry { path: path.clone(), ..found }))
    }

    /// Of a node of which nothing was kept, for only its metadata was changed: a file's content is the live one, and where
    /// that was changed since it has its own size and time.
    fn in_place(&self, path: &TreePath, entry: &Entry) -> Result<Entry> {
        let NodeKind::File { size, .. } = entry.kind else { return Ok(entry.clone()) };
        let live = self.handle.entry(&self.key.append(path))?;
        let mut entry = entry.clone();
        if let Some(Entry { kind: NodeKind::File { size: now, link }, meta, .. }) = live
            && now != size
        {
            entry.kind = NodeKind::File { size: now, link };
            entry.meta.times = meta.times;
        }
        Ok(entry)
    }

    /// Where the former content of a file lies, below the component's root.
    fn place(&self, path: &TreePath) -> Result<TreePath> {
        let doing = || format!("read the former state of {path}");
        let Some((above, entry, kept)) = self.keeping(path) else {
            // Metadata alone was changed where nothing was kept: the content is the live one.
            return match self.nodes.get(path) {
                Some((Entry { kind: NodeKind::File { .. }, .. }, None)) => Ok(self.key.append(path)),
                _ => Err(Error::new(ErrorKind::NotFound, doing(), "no file was kept for it")),
            };
        };
        match self.found(above, entry, kept)? {
            Some((place, _)) => Ok(place.append(&path.relative_to(above).unwrap_or_default())),
            None => {
                let why = format!("{} is gone, and what stands in its place is not it", self.handle.shown(kept));
                Err(Error::new(ErrorKind::Corrupt, doing(), why)
                    .next("leave this file out of the undo, or bring it back from a backup"))
            }
        }
    }

    fn node(&self, path: &TreePath) -> Result<Option<Node>> {
        self.handle.node(path).map_err(|errno| refusal(format!("look at {}", self.handle.shown(path)), errno))
    }
}

impl Former for FormerTree {
    fn kept(&self, path: &TreePath) -> Option<TreePath> {
        self.within_kept(path)
    }

    fn is_back(&self, path: &TreePath) -> Result<bool> {
        let Some(kept) = self.within_kept(path) else { return Ok(false) };
        if self.node(&kept)?.is_some() {
            return Ok(false);
        }
        let recorded = self.nodes.get(path).map(|(entry, _)| entry);
        let live = self.handle.entry(&self.key.append(path))?;
        Ok(live.is_some_and(|live| recorded.is_none_or(|recorded| alike(recorded, &live))))
    }

    fn lost(&self) -> Result<Vec<(TreePath, String)>> {
        let mut lost = Vec::new();
        for (path, (entry, kept)) in &self.nodes {
            let why = kept.as_ref().map_or(Ok(None), |kept| self.why_lost(path, entry, kept))?;
            lost.extend(why.map(|why| (path.clone(), why)));
        }
        if !lost.is_empty() {
            self.area_is_there()?;
        }
        Ok(lost)
    }

    fn is_replaced(&self, path: &TreePath) -> Result<bool> {
        let Some(kept) = self.within_kept(path) else { return Ok(false) };
        let (kept, live) = (self.node(&kept)?, self.node(&self.key.append(path))?);
        Ok(kept.zip(live).is_some_and(|(kept, live)| kept.inode != live.inode))
    }
}

/// Names of one file that are kept as files of their own: some file systems part them when one is moved.
const PARTED: &str = "were one file with several names, and were kept as files of their own: they come back so";
/// More names than a person reads are counted instead.
const MOST_NAMED: usize = 6;

impl Tree for FormerTree {
    fn said(&self) -> Vec<String> {
        let mut groups: BTreeMap<u64, Vec<(&TreePath, Option<Inode>)>> = BTreeMap::new();
        for (path, (entry, kept)) in &self.nodes {
            if let (NodeKind::File { link: Some(link), .. }, Some(kept)) = (&entry.kind, kept) {
                let inode = self.handle.node(kept).ok().flatten().map(|node| node.inode);
                groups.entry(*link).or_default().push((path, inode));
            }
        }
        let is_parted = |group: &&Vec<(&TreePath, Option<Inode>)>| {
            let mut inodes = group.iter().filter_map(|(_, inode)| *inode);
            inodes.next().is_some_and(|first| inodes.any(|other| other != first))
        };
        let names = |group: &Vec<(&TreePath, Option<Inode>)>| {
            some_of(group.iter().map(|(path, _)| path.to_string()), MOST_NAMED, ", ")
        };
        groups.values().filter(is_parted).map(|group| format!("{} {PARTED}", names(group))).collect()
    }

    fn former(&self) -> Option<&dyn Former> {
        Some(self)
    }

    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
        let of = |(path, (entry, kept)): (&'_ TreePath, &'_ (Entry, Option<TreePath>))| match kept {
            Some(kept) if entry.is_directory() => {
                let path = path.clone();
                let walk = Walk::new(&self.handle, kept.clone());
                let below =
                    move |found: Result<Entry>| found.map(|found| Entry { path: path.append(&found.path), ..found });
                Box::new(walk.map(below)) as Box<dyn Iterator<Item = Result<Entry>> + Send + '_>
            }
            kept => Box::new(std::iter::once(self.now(path, entry, kept.as_ref()))),
        };
        Ok(Box::new(self.nodes.iter().flat_map(of)))
    }

    fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>> {
        let at = self.place(path)?;
        let fd = self.handle.file(&at).map_err(|errno| refusal(format!("read {}", self.handle.shown(&at)), errno))?;
        Ok(Box::new(std::fs::File::from(fd)))
    }
}
