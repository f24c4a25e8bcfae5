//! A snapshot in a restic repository, read through rustic: local folder, REST server or S3 bucket.

use std::collections::HashMap;
use std::sync::Arc;

use rustic_core::TreeId;

use self::entries::Entries;
use self::opened::Opened;
use self::tree::ResticTree;
use super::Store;
use crate::model::{Entry, Meta, NodeKind, Result, TargetIdentity, Tree, TreePath};

mod address;
mod backup;
mod beginnings;
mod blob_index;
mod choose;
mod config;
mod contents;
mod entries;
mod layer;
mod listing;
mod lost_packs;
mod name;
mod node;
mod opened;
mod problem;
mod quiet;
mod reader;
mod s3;
mod sealed;
mod sealed_files;
mod store_kind;
mod tree;

pub use backup::back_up;
pub use choose::Snapshot;
pub use config::{Config, S3Keys, SnapshotChoice};
pub use quiet::panic_is_caught;
pub use store_kind::STORE;

/// One snapshot of a restic repository (repository format 1 and 2), only read: no lock is taken,
/// so nothing may prune the repository meanwhile.
///
/// A snapshot of `/srv/home` holds `srv/home/…`: paths inside it are absolute paths without the first `/`.
/// The snapshot's root has no metadata of its own; it is shown as a directory of mode 755 owned by root.
pub struct ResticStore {
    opened: Arc<Opened>,
    snapshot: Snapshot,
    root: TreeId,
}

impl ResticStore {
    /// Opens the repository, reads its index and settles on one snapshot. Blocks.
    ///
    /// Errors: `NotFound` no such repository or snapshot (the candidates are listed); `Ambiguous` several
    /// snapshots match (listed); `Denied` wrong password or credentials; `Corrupt` damaged repository;
    /// `Unreachable`, `TimedOut` no server.
    pub fn open(config: &Config) -> Result<Self> {
        let (opened, found) = Opened::open(config)?;
        let mut snapshots = Vec::with_capacity(found.len());
        let mut roots = HashMap::with_capacity(found.len());
        for (id, described) in found {
            match described {
                Ok((snapshot, root)) => {
                    roots.insert(snapshot.id.clone(), root);
                    snapshots.push(snapshot);
                }
                // One that is damaged could be the latest, or the one that is meant.
                Err(error) if config.snapshot.may_mean(id.to_hex().as_str()) => return Err(error),
                Err(_) => {}
            }
        }
        let chosen = choose::choose(&snapshots, &config.snapshot, &opened.address.to_string())?.clone();
        let root = roots.remove(&chosen.id).unwrap_or_default();
        Ok(Self { opened: Arc::new(opened), snapshot: chosen, root })
    }

    /// All snapshots of a repository, the youngest first.
    pub fn snapshots(config: &Config) -> Result<Vec<Snapshot>> {
        let (_, found) = Opened::open(config)?;
        let described = found.into_iter().map(|(_, described)| described.map(|(snapshot, _)| snapshot));
        let mut snapshots: Vec<Snapshot> = described.collect::<Result<_>>()?;
        snapshots.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.time));
        Ok(snapshots)
    }

    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// How many reads of packs went out so far.
    pub fn requests(&self) -> u64 {
        self.opened.requests()
    }

    fn entries(&self) -> Entries<'_> {
        Entries::new(&self.opened, self.root, TreePath::root())
    }

    fn node(&self, path: &TreePath) -> Result<Option<node::Node>> {
        if !path.is_root() {
            return self.opened.find(&self.root, path);
        }
        let meta = Meta { mode: 0o755, ..Meta::default() };
        Ok(Some(node::Node {
            name: Box::default(),
            kind: NodeKind::Directory,
            meta,
            content: Box::default(),
            subtree: Some(self.root),
            told: Default::default(),
        }))
    }
}

impl Store for ResticStore {
    fn identity(&self) -> Result<TargetIdentity> {
        Ok(TargetIdentity {
            system: "restic repository".to_owned(),
            address: self.opened.address.to_string(),
            id: format!("{}@{}", self.opened.id(), self.snapshot.id).into(),
        })
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>> {
        let Some(node) = self.node(path)? else { return Ok(None) };
        Ok(Some(self.entries().entry(&node, path.clone())?.0))
    }

    fn children(&self, path: &TreePath) -> Result<Option<Vec<Entry>>> {
        let Some(subtree) = self.node(path)?.filter(node::Node::is_directory).and_then(|node| node.subtree) else {
            return Ok(None);
        };
        let listing = self.opened.listing(&subtree)?;
        let mut entries = self.entries();
        let entry = |node: &node::Node| Ok(entries.entry(node, path.join(&node.name)?)?.0);
        listing.nodes.iter().map(entry).collect::<Result<_>>().map(Some)
    }

    fn tree(&self, path: &TreePath) -> Result<Option<Arc<dyn Tree>>> {
        Ok(self.node(path)?.map(|base| {
            let opened = Arc::clone(&self.opened);
            let tree = ResticTree { opened, root: self.root, base, at: path.clone(), said: Arc::default() };
            Arc::new(tree) as Arc<dyn Tree>
        }))
    }
    fn suggest(&self, path: &TreePath) -> Vec<TreePath> {
        let bases: Vec<TreePath> = self.snapshot.paths.iter().filter_map(|base| TreePath::new(base).ok()).collect();
        super::suggest::suggest(self, &bases, path)
    }
}
