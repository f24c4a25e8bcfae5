use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use rustic_core::TreeId;

use super::node::{BackedUp, Node};
use crate::model::Result;
use crate::name_service::Account;
use crate::stores::BackedUpOwners;

/// How much of listings is kept for the next look-up, in bytes of memory as estimated.
const KEPT: usize = 32 * 1024 * 1024;

/// One directory of a snapshot, sorted by name.
#[derive(Debug)]
pub(super) struct Listing {
    pub nodes: Vec<Node>,
    /// Whose its nodes are in the backup, sorted.
    names: Box<[(Account, u32, Box<str>)]>,
    weight: usize,
}

impl Listing {
    /// Gives each node its owners here. Errors as of [`BackedUpOwners::here`].
    pub(super) fn new(read: Vec<BackedUp>, owners: &BackedUpOwners) -> Result<Self> {
        let names: BTreeSet<_> = read.iter().flat_map(BackedUp::names).filter(|(.., name)| !name.is_empty()).collect();
        let names: Box<[_]> = names.into_iter().map(|(account, number, name)| (account, number, name.into())).collect();
        let nodes = read.into_iter().map(|read| read.settled(owners)).collect::<Result<Vec<Node>>>()?;
        let weight = nodes
            .iter()
            .map(|node| {
                let attributes: usize =
                    node.meta.xattrs.iter().map(|(name, value)| name.len() + value.len() + 64).sum();
                size_of::<Node>() + node.name.len() + 32 * node.content.len() + attributes + 32
            })
            .sum();
        Ok(Self { nodes, names, weight })
    }

    /// The names that its nodes give a number.
    pub(super) fn names_of(&self, account: Account, number: u32) -> impl Iterator<Item = &str> {
        let start = self.names.partition_point(|(known, other, _)| (*known, *other) < (account, number));
        let same =
            self.names.iter().skip(start).take_while(move |(known, other, _)| (*known, *other) == (account, number));
        same.map(|(.., name)| &**name)
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<&Node> {
        let at = self.nodes.binary_search_by(|node| (*node.name).cmp(name)).ok()?;
        self.nodes.get(at)
    }
}

/// The listings that were looked into last, so that 80,000 look-ups in one directory parse it once.
#[derive(Default)]
pub(super) struct Listings(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    listings: HashMap<TreeId, (Arc<Listing>, u64)>,
    weight: usize,
    clock: u64,
}

impl Listings {
    pub(super) fn get(&self, id: &TreeId) -> Option<Arc<Listing>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        let (listing, used) = kept.listings.get_mut(id)?;
        *used = now;
        Some(Arc::clone(listing))
    }

    pub(super) fn keep(&self, id: TreeId, listing: &Arc<Listing>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        if kept.listings.insert(id, (Arc::clone(listing), now)).is_none() {
            kept.weight += listing.weight;
        }
        if kept.weight > KEPT && kept.listings.len() > 1 {
            kept.forget_older_half(id);
        }
    }
}

impl Kept {
    /// Half at once, so that the sorting is paid for by many look-ups.
    fn forget_older_half(&mut self, newest: TreeId) {
        let mut by_use: Vec<(u64, TreeId)> = self.listings.iter().map(|(id, (_, used))| (*used, *id)).collect();
        by_use.sort_unstable();
        for (_, id) in by_use {
            if self.weight <= KEPT / 2 {
                break;
            }
            if id != newest
                && let Some((listing, _)) = self.listings.remove(&id)
            {
                self.weight = self.weight.saturating_sub(listing.weight);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rustic_core::Id;

    use super::*;

    #[test]
    fn memory_is_bounded_and_the_newest_stays() {
        let listings = Listings::default();
        let ids: Vec<TreeId> = (0..10).map(|_| TreeId::from(Id::random())).collect();
        for id in &ids {
            listings.keep(*id, &Arc::new(Listing { nodes: Vec::new(), names: Box::default(), weight: KEPT / 4 }));
        }
        assert!(listings.get(&ids[9]).is_some());
        assert!(listings.get(&ids[0]).is_none());
        assert!(listings.0.lock().unwrap().weight <= KEPT);
    }
}
