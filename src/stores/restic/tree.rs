use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustic_core::{DataId, TreeId};

use super::contents::Contents;
use super::entries::Entries;
use super::listing::Listing;
use super::lost_packs::LostPacks;
use super::node::Node;
use super::opened::Opened;
use super::reader::BlobReader;
use crate::model::{
    ContentSink, Digest, DigestBuilder, Entry, Error, ErrorKind, NodeKind, Result, Tree, TreePath, visible,
};

/// What lies at and below one node of a snapshot.
#[derive(Clone)]
pub(super) struct ResticTree {
    pub opened: Arc<Opened>,
    /// Of the snapshot.
    pub root: TreeId,
    pub base: Node,
    /// Where in the snapshot, for messages.
    pub at: TreePath,
    /// What walks have met that the plan says.
    pub said: Arc<Mutex<BTreeSet<Arc<str>>>>,
}

impl Tree for ResticTree {
    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
        Ok(Box::new(Walk::new(self)))
    }

    fn said(&self) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().map(|line| line.to_string()).collect()
    }

    /// A snapshot keeps no metadata of its root.
    fn above(&self, levels: usize) -> Result<Option<Entry>> {
        let Some(path) = self.at.above(levels).filter(|path| !path.is_root()) else { return Ok(None) };
        let Some(node) = self.opened.find(&self.root, &path)? else { return Ok(None) };
        Ok(Some(Entries::new(&self.opened, self.root, TreePath::root()).entry(&node, path)?.0))
    }

    fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>> {
        let content = self.content(path)?;
        let started = BlobReader::start(Arc::clone(&self.opened), Cow::Owned(content.into()), &[], Vec::new());
        let inner = started.map_err(|error| self.not_whole(path, error, ""))?;
        Ok(Box::new(NamedReader { tree: Cow::Owned(self.clone()), path: Cow::Owned(path.clone()), inner }))
    }

    /// A hole is one blob of zeros, listed again and again: what a file repeats is looked at once.
    fn bytes_without_holes(&self, path: &TreePath) -> Result<Option<u64>> {
        let mut times: HashMap<DataId, u64> = HashMap::new();
        for id in &self.content(path)? {
            *times.entry(*id).or_default() += 1;
        }
        let mut bytes = 0_u64;
        for (id, times) in times {
            let place = self.opened.place(&id)?;
            let is_hole = times > 1 && self.opened.data(&id, place)?.iter().all(|byte| *byte == 0);
            if !is_hole {
                let length = u64::from(place.uncompressed.map_or(place.length, NonZeroU32::get));
                bytes = bytes.saturating_add(length.saturating_mul(times));
            }
        }
        Ok(Some(bytes))
    }

    /// The ids of its blobs, which are hashes of what is in them.
    fn content_name(&self, path: &TreePath) -> Option<Digest> {
        let mut builder = DigestBuilder::new("restic content");
        for id in &self.content(path).ok()? {
            builder.part(id.to_string());
        }
        Some(builder.finish())
    }

    /// Where a pack is missing or shorter than the index says.
    fn unreadable(&self, files: &[&TreePath]) -> Vec<(usize, String)> {
        let lost = self.opened.lost_packs();
        if lost.is_empty() {
            return Vec::new();
        }
        files.iter().enumerate().filter_map(|(at, path)| Some((at, self.why_unreadable(path, &lost)?))).collect()
    }

    fn contents(&self, wanted: &[TreePath], parallel: usize, sink: &dyn ContentSink) -> Result<()> {
        let named = Named { tree: self, wanted, sink, told: AtomicBool::new(false) };
        if let Some(contents) = Contents::plan(&self.opened, wanted.iter().map(|path| self.content(path)), &named) {
            contents.run(&self.opened, parallel, &named);
        }
        Ok(())
    }
}

impl ResticTree {
    /// `beside`: what else may be lost. Blobs and packs are restic's own; an operator knows files, and can leave one out of a plan.
    fn not_whole(&self, path: &TreePath, error: Error, beside: &str) -> Error {
        let file = self.at.append(path);
        let mut named = Error::new(error.kind(), format!("read {file} of the snapshot"), "its content is not whole");
        let way_on = format!("or leave this file out when the plan is reviewed{beside}");
        named = match error.hint() {
            Some(next) if error.kind() == ErrorKind::Corrupt => named.next(format!("{next}; {way_on}")),
            Some(next) => named.next(next),
            None => named,
        };
        named.caused_by(error)
    }

    fn why_unreadable(&self, path: &TreePath, lost: &LostPacks) -> Option<String> {
        let content = self.content(path).ok()?;
        content.iter().find_map(|id| lost.why_unreadable(&self.opened.place(id).ok()?))
    }

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

/// Tells a sink of files where the blobs would tell of themselves.
struct Named<'a> {
    tree: &'a ResticTree,
    wanted: &'a [TreePath],
    sink: &'a dyn ContentSink,
    /// Which other files may be lost: said once, for there may be a hundred thousand.
    told: AtomicBool,
}

/// More names would only fill the line.
const MOST_NAMED: usize = 6;

impl Named<'_> {
    /// The error of one file; the first one names the others that are lost too, in a pack that is missing or cut.
    fn unreadable(&self, path: &TreePath, error: Error) -> Error {
        if error.kind() != ErrorKind::Corrupt || self.told.swap(true, Ordering::Relaxed) {
            return self.tree.not_whole(path, error, "");
        }
        let lost = self.tree.opened.lost_packs();
        let beside = |other: &&TreePath| *other != path && self.tree.why_unreadable(other, &lost).is_some();
        let others: Vec<String> =
            self.wanted.iter().filter(beside).map(|other| visible(other.as_bytes()).into_owned()).collect();
        let more = if others.len() > MOST_NAMED { ", …" } else { "" };
        let names = others.get(..MOST_NAMED).unwrap_or(&others).join(", ");
        let beside = if others.is_empty() { names } else { format!(", and what is lost with it: {names}{more}") };
        self.tree.not_whole(path, error, &beside)
    }
}

impl ContentSink for Named<'_> {
    fn content(&self, index: usize, content: Result<&mut (dyn Read + Send)>) -> bool {
        let Some(path) = self.wanted.get(index) else { return self.sink.content(index, content) };
        match content {
            Ok(inner) => {
                let (tree, path) = (Cow::Borrowed(self.tree), Cow::Borrowed(path));
                let mut named = NamedReader { tree, path, inner };
                self.sink.content(index, Ok(&mut named))
            }
            Err(error) => self.sink.content(index, Err(self.unreadable(path, error))),
        }
    }
}

struct NamedReader<'a, R> {
    tree: Cow<'a, ResticTree>,
    path: Cow<'a, TreePath>,
    inner: R,
}

impl<R: Read> Read for NamedReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(buffer).map_err(|error| match error.downcast::<Error>() {
            Ok(error) => std::io::Error::other(self.tree.not_whole(&self.path, error, "")),
            Err(error) => error,
        })
    }
}

/// Linux opens no longer path, so that no backup of one is deeper.
const DEEPEST: usize = 2048;
const LONGEST: usize = 32 * 1024;
/// What a snapshot may list, however few directories say it again and again: a tree of trees that name one another
/// grows without end.
const MOST_REPEATED: u64 = 5_000_000;
const MOST_REPEATS: u64 = 64;

/// A depth-first walk: one listing per open directory is held, no more.
struct Walk<'a> {
    tree: &'a ResticTree,
    entries: Entries<'a>,
    started: bool,
    open: Vec<Open>,
    /// Entries that were told of.
    listed: u64,
    /// Directories that were read, and the entries of each of them once.
    known: HashSet<TreeId>,
    once: u64,
    /// The last that was said of an owner.
    said: Option<Arc<str>>,
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

impl<'a> Walk<'a> {
    fn new(tree: &'a ResticTree) -> Self {
        let entries = Entries::new(&tree.opened, tree.root, tree.at.clone());
        Self { tree, entries, started: false, open: Vec::new(), listed: 0, known: HashSet::new(), once: 0, said: None }
    }

    fn announce(&mut self, path: TreePath, node: &Node) -> Result<Entry> {
        if node.is_directory() {
            self.open.push(Open::Unread { path: path.clone(), subtree: node.subtree });
        }
        let (entry, of_lists) = self.entries.entry(node, path)?;
        for told in node.told.iter().chain(&of_lists) {
            // Most of a tree is one owner's.
            let is_known = self.said.as_ref().is_some_and(|last| Arc::ptr_eq(last, told));
            if !is_known {
                self.said = Some(Arc::clone(told));
                self.tree.said.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(told));
            }
        }
        Ok(entry)
    }

    fn read(&mut self, path: &TreePath, subtree: Option<TreeId>) -> Result<Arc<Listing>> {
        let doing = || format!("list {} of the snapshot", self.tree.at.append(path));
        let Some(subtree) = subtree else {
            return Err(Error::new(ErrorKind::Corrupt, doing(), "the snapshot does not say what it holds")
                .next("choose another snapshot"));
        };
        let endless = |why: String| {
            Error::new(ErrorKind::Refused, doing(), why).next("choose another snapshot; no restic writes such a one")
        };
        if self.open.len() >= DEEPEST || path.as_bytes().len() > LONGEST {
            return Err(endless(format!("it lies more than {DEEPEST} directories or {LONGEST} bytes deep")));
        }
        if self.listed > MOST_REPEATED && self.listed / MOST_REPEATS > self.once {
            return Err(endless(format!("its directories list one another, {} entries so far", self.listed)));
        }
        let listing = self.tree.opened.listing(&subtree).map_err(|error| {
            let mut named = Error::new(error.kind(), doing(), "its listing cannot be read");
            if let Some(next) = error.hint() {
                named = named.next(next);
            }
            named.caused_by(error)
        })?;
        if self.known.insert(subtree) {
            self.once += listing.nodes.len() as u64;
        }
        Ok(listing)
    }

    fn step(&mut self) -> Result<Option<Entry>> {
        if !self.started {
            self.started = true;
            let tree = self.tree;
            return self.announce(TreePath::root(), &tree.base).map(Some);
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
                    self.listed += 1;
                    self.open.push(Open::Directory { path, listing: Arc::clone(&listing), next: next + 1 });
                    return self.announce(below, node).map(Some);
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
