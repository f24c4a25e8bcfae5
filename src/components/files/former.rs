use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use crate::beneath::{Beneath, DirTree, refusal};
use crate::component::UndoRecord;
use crate::model::{Entry, Error, ErrorKind, NodeKind, Result, Tree, TreePath};

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
            .filter_map(|(path, (before, kept))| before.map(|before| (path.clone(), (Entry { path, ..before }, kept))))
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

impl Tree for FormerTree {
    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
        let mut all: Vec<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> = Vec::new();
        for (path, (entry, kept)) in &self.nodes {
            match kept {
                Some(kept) if entry.is_directory() => {
                    let tree = DirTree::new(Arc::clone(&self.handle), kept.clone());
                    let below: Vec<Result<Entry>> = tree
                        .entries()?
                        .map(|found| found.map(|found| Entry { path: path.append(&found.path), ..found }))
                        .collect();
                    all.push(Box::new(below.into_iter()));
                }
                _ => all.push(Box::new(std::iter::once(Ok(entry.clone())))),
            }
        }
        Ok(Box::new(all.into_iter().flatten()))
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
        // Records are written down before anything moves: what was never reached is still in its place.
        let fd = self.handle.file(&at).or_else(|errno| match self.nodes.get(path) {
            Some((Entry { kind: NodeKind::File { .. }, .. }, Some(_))) if errno == rustix::io::Errno::NOENT => {
                self.handle.file(&self.key.append(path))
            }
            _ => Err(errno),
        });
        let fd = fd.map_err(|errno| refusal(format!("read {}", self.handle.shown(&at)), errno))?;
        Ok(Box::new(std::fs::File::from(fd)))
    }
}
