use std::collections::HashMap;
use std::num::NonZeroU32;
use std::ops::Range;

use rustic_core::repofile::{BlobType, PackId};
use rustic_core::{FileType, Id};
use serde::Deserialize;

use super::beginnings::Beginnings;
use super::opened::Place;
use super::sealed_files::SealedFiles;
use crate::model::Result;

/// All index files of a repository may unpack to this: some 25 million blobs, tens of terabytes.
pub(super) const MOST_UNPACKED: u64 = 4 * 1024 * 1024 * 1024;

/// Where each blob lies. Read by a type of our own: rustic's takes a whole pack for what its first blob is, and before
/// 0.8 restic put trees and data into one pack.
#[derive(Default)]
pub(super) struct BlobIndex {
    packs: Vec<PackId>,
    trees: Vec<Blob>,
    data: Vec<Blob>,
    /// Of the data, once all of it is there.
    beginnings: Beginnings,
}

/// Small: there are millions.
struct Blob {
    id: Id,
    /// Position in `packs`.
    pack: u32,
    offset: u32,
    length: u32,
    uncompressed: Option<NonZeroU32>,
}

/// doc/design.rst of restic, "Indexing". What is marked for deletion (`packs_to_delete`, rustic's) is not there.
#[derive(Deserialize)]
struct WrittenIndex {
    #[serde(default)]
    packs: Option<Vec<WrittenPack>>,
}

#[derive(Deserialize)]
struct WrittenPack {
    id: PackId,
    #[serde(default)]
    blobs: Option<Vec<WrittenBlob>>,
}

#[derive(Deserialize)]
struct WrittenBlob {
    id: Id,
    #[serde(rename = "type")]
    kind: BlobType,
    offset: u32,
    length: u32,
    #[serde(default)]
    uncompressed_length: Option<NonZeroU32>,
}

impl BlobIndex {
    /// Every index file must be sound: what one lacks could only be taken for lost.
    pub(super) fn read(files: &SealedFiles<'_>) -> Result<Self> {
        let mut parsed = files.read_all(FileType::Index, &|_, bytes| {
            let mut part = Self::default();
            part.add(serde_json::from_slice(bytes).map_err(|error| error.to_string())?);
            Ok(part)
        })?;
        // Of a blob that lies in several packs, it is the same one each time.
        parsed.sort_unstable_by_key(|(file, _)| *file);
        let mut whole = Self::default();
        for (_, part) in parsed {
            whole.append(part?);
        }
        for blobs in [&mut whole.trees, &mut whole.data] {
            blobs.sort_unstable_by_key(|blob| (blob.id, blob.pack, blob.offset));
            blobs.dedup_by_key(|blob| blob.id);
            blobs.shrink_to_fit();
        }
        whole.beginnings = Beginnings::of(whole.data.iter().map(|blob| &blob.id));
        Ok(whole)
    }

    pub(super) fn find(&self, kind: BlobType, id: &Id) -> Option<Place> {
        let blobs = match kind {
            BlobType::Tree => &self.trees[..],
            BlobType::Data => {
                let Range { start, end } = self.beginnings.around(id);
                self.data.get(start..end.min(self.data.len()))?
            }
        };
        let blob = blobs.get(blobs.binary_search_by(|blob| blob.id.cmp(id)).ok()?)?;
        let pack = *self.packs.get(blob.pack as usize)?;
        Some(Place { pack, offset: blob.offset, length: blob.length, uncompressed: blob.uncompressed })
    }

    /// Each pack with the bytes that its blobs take: it cannot be shorter.
    pub(super) fn ends(&self) -> HashMap<PackId, u32> {
        let mut ends = vec![0_u32; self.packs.len()];
        for blob in self.trees.iter().chain(&self.data) {
            if let Some(end) = ends.get_mut(blob.pack as usize) {
                *end = (*end).max(blob.offset.saturating_add(blob.length));
            }
        }
        // Of a pack that no blob is found in, nothing is wanted.
        self.packs.iter().copied().zip(ends).filter(|(_, end)| *end > 0).collect()
    }

    fn add(&mut self, written: WrittenIndex) {
        for pack in written.packs.unwrap_or_default() {
            let Ok(at) = u32::try_from(self.packs.len()) else { return };
            self.packs.push(pack.id);
            for blob in pack.blobs.unwrap_or_default() {
                let WrittenBlob { id, kind, offset, length, uncompressed_length: uncompressed } = blob;
                let blobs = match kind {
                    BlobType::Tree => &mut self.trees,
                    BlobType::Data => &mut self.data,
                };
                blobs.push(Blob { id, pack: at, offset, length, uncompressed });
            }
        }
    }

    fn append(&mut self, part: Self) {
        let Ok(before) = u32::try_from(self.packs.len()) else { return };
        let moved = |blob: Blob| Blob { pack: blob.pack.saturating_add(before), ..blob };
        self.packs.extend(part.packs);
        self.trees.extend(part.trees.into_iter().map(moved));
        self.data.extend(part.data.into_iter().map(moved));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_may_hold_trees_and_data_and_lists_may_be_null() {
        let id = |digit: char| digit.to_string().repeat(64);
        let written = format!(
            r#"{{"supersedes":[],"packs":[{{"id":"{}","blobs":null}},{{"id":"{}","blobs":[
            {{"id":"{}","type":"data","offset":0,"length":48}},
            {{"id":"{}","type":"tree","offset":48,"length":90,"uncompressed_length":400}}]}}],"packs_to_delete":[]}}"#,
            id('1'),
            id('2'),
            id('a'),
            id('b')
        );
        let (mut index, mut first) = (BlobIndex::default(), BlobIndex::default());
        first.add(serde_json::from_str(&written.replace(&id('2'), &id('3'))).unwrap());
        index.append(first);
        index.add(serde_json::from_str(r#"{"packs":null}"#).unwrap());
        assert_eq!(index.data.len(), 1);
        let tree: Id = id('b').parse().unwrap();
        let place = index.find(BlobType::Tree, &tree).unwrap();
        assert_eq!((place.pack, place.offset, place.length), (PackId::from(id('3').parse::<Id>().unwrap()), 48, 90));
        assert_eq!(index.find(BlobType::Data, &tree), None, "a blob of another kind is another blob");
    }
}
