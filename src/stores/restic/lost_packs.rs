use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustic_core::Id;
use rustic_core::repofile::PackId;

use super::blob_index::BlobIndex;
use super::opened::Place;
use crate::model::{Result, size};

/// A list of packs is good for so many times as long as it took: making it again costs plans a fiftieth at most.
const GOOD_FOR: u32 = 50;
/// Where packs are lost somebody may be bringing them back, and the next plan is to see it.
const LOST_FOR: u32 = 10;

/// Packs that are missing or shorter than the index says, with the bytes that are there; `None` for a missing one.
#[derive(Debug, Default)]
pub(super) struct LostPacks(HashMap<PackId, Option<u32>>);

impl LostPacks {
    fn of(index: &BlobIndex, listed: Vec<(Id, u32)>) -> Self {
        let there: HashMap<Id, u32> = listed.into_iter().collect();
        let lost = index.ends().into_iter().filter_map(|(pack, end)| match there.get(&*pack) {
            None => Some((pack, None)),
            Some(length) if *length < end => Some((pack, Some(*length))),
            Some(_) => None,
        });
        Self(lost.collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// None where the blob's bytes are there, whatever they are.
    pub(super) fn why_unreadable(&self, place: &Place) -> Option<String> {
        let there = self.0.get(&place.pack)?;
        let pack: String = place.pack.to_hex().as_str().chars().take(8).collect();
        match there {
            None => Some(format!("pack {pack} is missing")),
            Some(there) if place.offset.saturating_add(place.length) > *there => {
                Some(format!("pack {pack} is cut to {}", size((*there).into())))
            }
            Some(_) => None,
        }
    }
}

/// What the last list of packs told.
#[derive(Default)]
pub(super) struct PacksSeen(Mutex<Option<(Instant, Duration, Arc<LostPacks>)>>);

impl PacksSeen {
    /// A list that cannot be made tells nothing: then reading says what is lost.
    pub(super) fn lost(&self, index: &BlobIndex, list: impl FnOnce() -> Result<Vec<(Id, u32)>>) -> Arc<LostPacks> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, took, lost)) = &*seen
            && at.elapsed() < took.saturating_mul(if lost.is_empty() { GOOD_FOR } else { LOST_FOR })
        {
            return Arc::clone(lost);
        }
        let begun = Instant::now();
        let lost = match list() {
            Ok(listed) => LostPacks::of(index, listed),
            Err(error) => {
                tracing::debug!(target: "restic", "{}", error.chain());
                LostPacks::default()
            }
        };
        let lost = Arc::new(lost);
        *seen = Some((Instant::now(), begun.elapsed(), Arc::clone(&lost)));
        lost
    }
}
