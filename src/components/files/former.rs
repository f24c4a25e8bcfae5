use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use super::state::alike;
use crate::beneath::{Beneath, Node, Walk, refusal};
use crate::component::UndoRecord;
use crate::model::{Entry, Error, ErrorKind, Former, NodeKind, Result, Tree, TreePath};

/// The former state of the paths that a write touched, made of its undo records. A path that was not
/// there before is not in it. Where a path has several records, the first tells the former state.
pub(super) struct FormerTree {
    handle: Arc<Beneath>,
    key: TreePath,
    /// By path: what was there, and where its content is now, below the component's root.
    nodes: BTreeMap<TreePath, (Entry, Option<TreePath>)>,
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
        Self { handle, key, nodes }
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
        if let Some(found) = self.handle.entry(kept)? {
            return Ok(Some((kept.clone(), found)));
        }
        let place = self.key.append(path);
        let live = self.handle.entry(&place)?.filter(|live| alike(entry, live));
        Ok(live.map(|live| (place, live)))
    }

    /// A node as it is where it is kept, for it may have other names by which it was changed.
    fn now(&self, path: &TreePath, entry: &Entry, kept: Option<&TreePath>) -> Result<Entry> {
        let Some(kept) = kept else { return Ok(entry.clone()) };
        let found = self.found(path, entry, kept)?;
        Ok(found.map_or_else(|| entry.clone(), |(_, found)| Entry { path: path.clone(), ..found }))
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

    fn is_replaced(&self, path: &TreePath) -> Result<bool> {
        let Some(kept) = self.within_kept(path) else { return Ok(false) };
        let (kept, live) = (self.node(&kept)?, self.node(&self.key.append(path))?);
        Ok(kept.zip(live).is_some_and(|(kept, live)| kept.inode != live.inode))
    }
}

impl Tree for FormerTree {
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
