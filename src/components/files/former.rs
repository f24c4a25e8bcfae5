use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use rustix::io::Errno;

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

    /// The kept directory that `path` lies in, and the path there.
    fn within_kept(&self, path: &TreePath) -> Option<TreePath> {
        let mut above = Some(path.clone());
        while let Some(ancestor) = above {
            if let Some((entry, Some(kept))) = self.nodes.get(&ancestor)
                && (entry.is_directory() || ancestor == *path)
            {
                return Some(kept.append(&path.relative_to(&ancestor)?));
            }
            above = ancestor.parent();
        }
        None
    }
}

impl FormerTree {
    /// A node as it is where it is kept, for it may have other names by which it was changed. One that was never taken
    /// away, or is back, stands in its place; what else stands there says nothing of a kept node that is lost.
    fn now(&self, path: &TreePath, entry: &Entry, kept: Option<&TreePath>) -> Result<Entry> {
        let Some(kept) = kept else { return Ok(entry.clone()) };
        let found = match self.handle.entry(kept)? {
            Some(found) => Some(found),
            None => self.handle.entry(&self.key.append(path))?.filter(|live| alike(entry, live)),
        };
        Ok(found.map_or_else(|| entry.clone(), |found| Entry { path: path.clone(), ..found }))
    }

    fn node(&self, path: &TreePath) -> Result<Option<Node>> {
        self.handle.node(path).map_err(|errno| refusal(format!("look at {}", self.handle.shown(path)), errno))
    }
}

impl Former for FormerTree {
    fn kept(&self, path: &TreePath) -> Option<TreePath> {
        self.within_kept(path)
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
        // Metadata alone was changed where nothing was kept: the content is the live one.
        let at = match (self.within_kept(path), self.nodes.get(path)) {
            (Some(kept), _) => kept,
            (None, Some((Entry { kind: NodeKind::File { .. }, .. }, None))) => self.key.append(path),
            _ => {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("read the former state of {path}"),
                    "no file was kept for it",
                ));
            }
        };
        // Records are written down before anything moves: what was never reached is still in its place, and so is what
        // is back already.
        let fd = self.handle.file(&at).or_else(|errno| match errno {
            Errno::NOENT => self.handle.file(&self.key.append(path)),
            errno => Err(errno),
        });
        let fd = fd.map_err(|errno| refusal(format!("read {}", self.handle.shown(&at)), errno))?;
        Ok(Box::new(std::fs::File::from(fd)))
    }
}
