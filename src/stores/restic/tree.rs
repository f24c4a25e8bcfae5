use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use rustic_core::{DataId, TreeId};

use super::contents::Contents;
use super::listing::Listing;
use super::node::Node;
use super::opened::Opened;
use super::reader::BlobReader;
use crate::model::{ContentSink, Entry, Error, ErrorKind, NodeKind, Result, Tree, TreePath};

/// What lies at and below one node of a snapshot.
pub(super) struct ResticTree {
    pub opened: Arc<Opened>,
    /// Of the snapshot.
    pub root: TreeId,
    pub base: Node,
    /// Where in the snapshot, for messages.
    pub at: TreePath,
}

impl Tree for ResticTree {
    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
        Ok(Box::new(Walk { tree: self, started: false, open: Vec::new() }))
    }

    /// A snapshot keeps no metadata of its root.
    fn above(&self, levels: usize) -> Result<Option<Entry>> {
        let Some(path) = self.at.above(levels).filter(|path| !path.is_root()) else { return Ok(None) };
        Ok(self.opened.find(&self.root, &path)?.map(|node| node.entry(path)))
    }

    fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>> {
        let content = self.content(path)?;
        Ok(Box::new(BlobReader::start(Arc::clone(&self.opened), Cow::Owned(content.into()), &[], Vec::new())?))
    }

    fn contents(&self, wanted: &[TreePath], parallel: usize, sink: &dyn ContentSink) -> Result<()> {
        if let Some(contents) = Contents::plan(&self.opened, wanted.iter().map(|path| self.content(path)), sink) {
            contents.run(&self.opened, parallel, sink);
        }
        Ok(())
    }
}

impl ResticTree {
    fn content(&self, path: &TreePath) -> Result<Box<[DataId]>> {
        let found = match self.base.subtree {
            _ if path.is_root() => Some(self.base.clone()),
            Some(subtree) => self.opened.find(&subtree, path)?,
            None => None,
        };
        let doing = || format!("read {} of the snapshot", self.at.append(path));
        match found {
            Some(Node { kind: NodeKind::File { .. }, content, .. }) => Ok(content),
            Some(_) => Err(Error::new(ErrorKind::Invalid, doing(), "it is not a regular file")),
            None => Err(Error::new(ErrorKind::NotFound, doing(), "it is not there")),
        }
    }
}

/// A depth-first walk: one listing per open directory is held, no more.
struct Walk<'a> {
    tree: &'a ResticTree,
    started: bool,
    open: Vec<Open>,
}

enum Open {
    Directory {
        path: TreePath,
        listing: Arc<Listing>,
        next: usize,
    },
    /// A directory that was announced but is not read yet.
    Unread {
        path: TreePath,
        subtree: Option<TreeId>,
    },
}

impl Walk<'_> {
    fn announce(&mut self, path: TreePath, node: &Node) -> Entry {
        if node.is_directory() {
            self.open.push(Open::Unread { path: path.clone(), subtree: node.subtree });
        }
        node.entry(path)
    }

    fn read(&self, path: &TreePath, subtree: Option<TreeId>) -> Result<Arc<Listing>> {
        let doing = || format!("list {} of the snapshot", self.tree.at.append(path));
        let Some(subtree) = subtree else {
            return Err(Error::new(ErrorKind::Corrupt, doing(), "the snapshot does not say what it holds")
                .next("choose another snapshot"));
        };
        self.tree.opened.listing(&subtree).map_err(|error| {
            let mut named = Error::new(error.kind(), doing(), "its listing cannot be read");
            if let Some(next) = error.hint() {
                named = named.next(next);
            }
            named.caused_by(error)
        })
    }

    fn step(&mut self) -> Result<Option<Entry>> {
        if !self.started {
            self.started = true;
            let tree = self.tree;
            return Ok(Some(self.announce(TreePath::root(), &tree.base)));
        }
        loop {
            match self.open.pop() {
                None => return Ok(None),
                Some(Open::Unread { path, subtree }) => {
                    let listing = self.read(&path, subtree)?;
                    self.open.push(Open::Directory { path, listing, next: 0 });
                }
                Some(Open::Directory { path, listing, next }) => {
                    let Some(node) = listing.nodes.get(next) else { continue };
                    let below = path.join(&node.name)?;
                    self.open.push(Open::Directory { path, listing: Arc::clone(&listing), next: next + 1 });
                    return Ok(Some(self.announce(below, node)));
                }
            }
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        if let Some(Err(_)) = &step {
            // What lies behind an unreadable directory could only be taken for all there is.
            self.open.clear();
        }
        step
    }
}
