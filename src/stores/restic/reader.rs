use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use rustic_core::DataId;

use super::layer::Held;
use super::opened::{Opened, Place};
use crate::model::Result;

/// Gaps up to this are fetched along, and no more than that at once: restic's packs are a little over 16 MiB.
const GAP: u64 = 256 * 1024;
const RUN: u64 = 18 * 1024 * 1024;
/// A file's blobs may alternate between two packs.
const HELD: usize = 2;
const LOOK_AHEAD: usize = 8192;

/// One file's bytes, blob by blob. Over a network, blobs that lie near one another in their pack come with
/// one request: those of this file and of the `followers` that will be read after it.
pub(super) struct BlobReader<'a> {
    opened: Arc<Opened>,
    content: Cow<'a, [DataId]>,
    followers: &'a [DataId],
    next: usize,
    chunk: Bytes,
    held: Vec<Held>,
}

impl<'a> BlobReader<'a> {
    /// Reads the first blob, so that a file that cannot be read at all is known before anyone starts on it.
    pub(super) fn start(
        opened: Arc<Opened>,
        content: Cow<'a, [DataId]>,
        followers: &'a [DataId],
        held: Vec<Held>,
    ) -> Result<Self> {
        let mut reader = Self { opened, content, followers, next: 0, chunk: Bytes::new(), held };
        reader.advance()?;
        Ok(reader)
    }

    /// What was fetched and may serve the next file.
    pub(super) fn into_held(self) -> Vec<Held> {
        self.held
    }

    fn advance(&mut self) -> Result<()> {
        while self.chunk.is_empty()
            && let Some(id) = self.content.get(self.next).copied()
        {
            if self.opened.is_remote() {
                self.fetch_around(&id)?;
            }
            self.chunk = self.opened.data(&id)?;
            self.next += 1;
        }
        Ok(())
    }

    fn fetch_around(&mut self, id: &DataId) -> Result<()> {
        let place = self.opened.place(id)?;
        if self.held.iter().any(|held| held.covers(*place.pack, place.offset, place.length)) {
            return Ok(());
        }
        if self.held.len() >= HELD {
            self.held.remove(0);
        }
        let later = self.content.get(self.next + 1..).unwrap_or_default();
        let places = later.iter().chain(self.followers).take(LOOK_AHEAD).filter_map(|id| self.opened.place(id).ok());
        let (start, length) = run(place, places);
        self.held.push(self.opened.hold(place.pack, start, length)?);
        Ok(())
    }
}

/// The range around `first` that takes in what will be wanted of the same pack, in whatever order: start and length.
fn run(first: Place, later: impl Iterator<Item = Place>) -> (u32, u32) {
    let bounds = |place: &Place| (u64::from(place.offset), u64::from(place.offset) + u64::from(place.length));
    let mut wanted: Vec<(u64, u64)> =
        later.filter(|place| place.pack == first.pack).map(|place| bounds(&place)).collect();
    wanted.sort_unstable();
    let (mut start, mut end) = bounds(&first);
    let split = wanted.partition_point(|(from, _)| *from < start);
    let (before, after) = wanted.split_at(split);
    for (from, to) in after {
        if *from > end + GAP || *to > start + RUN {
            break;
        }
        end = end.max(*to);
    }
    for (from, to) in before.iter().rev() {
        if to + GAP < start || *from + RUN < end {
            break;
        }
        start = *from;
    }
    match (u32::try_from(start), u32::try_from(end - start)) {
        (Ok(start), Ok(length)) => (start, length),
        _ => (first.offset, first.length),
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.advance().map_err(io::Error::other)?;
        let length = buffer.len().min(self.chunk.len());
        if let Some(part) = buffer.get_mut(..length) {
            self.chunk.copy_to_slice(part);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use rustic_core::Id;
    use rustic_core::repofile::PackId;

    use super::*;

    #[test]
    fn near_blobs_of_one_pack_come_with_one_request() {
        let pack = PackId::from(Id::random());
        let place = |offset, length| Place { pack, offset, length };
        let elsewhere = Place { pack: PackId::from(Id::random()), offset: 30, length: 10 };
        assert_eq!(run(place(0, 10), [place(10, 10), place(100, 10)].into_iter()), (0, 110));
        assert_eq!(run(place(0, 10), [place(20, 10), elsewhere, place(10, 10)].into_iter()), (0, 30), "any order");
        assert_eq!(run(place(0, 10), [place(1_000_000, 10)].into_iter()), (0, 10), "too far away");
        assert_eq!(run(place(50, 10), [place(0, 10), place(70, 5)].into_iter()), (0, 75), "before it, too");
        let whole: Vec<Place> = (0..40).map(|index| place(index * 1_000_000, 1_000_000)).collect();
        assert_eq!(run(whole[0], whole[1..].iter().copied()), (0, 18_000_000), "bounded");
        assert_eq!(run(whole[39], whole[..39].iter().copied()), (22_000_000, 18_000_000), "bounded");
    }
}
