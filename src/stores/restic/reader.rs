use std::borrow::Cow;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use rustic_core::DataId;

use super::layer::Held;
use super::opened::{Opened, Place};
use crate::model::{ErrorKind, Result};

/// How much is fetched at once, and which gaps are fetched along.
#[derive(Clone, Copy)]
struct Span {
    gap: u64,
    most: u64,
    /// Blobs that are looked up for it.
    ahead: usize,
}

/// A request costs more than a whole pack's bytes: restic's are a little over 16 MiB.
const OVER_A_NETWORK: Span = Span { gap: 256 * 1024, most: 18 * 1024 * 1024, ahead: 8192 };
/// Saves opening the pack for each small file; more would only push other bytes out of the processor's memory.
const IN_A_FOLDER: Span = Span { gap: 16 * 1024, most: 1024 * 1024, ahead: 512 };
/// A file's blobs may alternate between two packs.
const HELD: usize = 2;

/// One file's bytes, blob by blob. Blobs that lie near one another in their pack are fetched at once: those of
/// this file and of the `followers` that will be read after it.
pub(super) struct BlobReader<'a> {
    opened: Arc<Opened>,
    content: Cow<'a, [DataId]>,
    followers: &'a [DataId],
    next: usize,
    chunk: Cursor<Vec<u8>>,
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
        let mut reader = Self { opened, content, followers, next: 0, chunk: Cursor::default(), held };
        reader.advance()?;
        Ok(reader)
    }

    /// What was fetched and may serve the next file.
    pub(super) fn into_held(self) -> Vec<Held> {
        self.held
    }

    fn advance(&mut self) -> Result<()> {
        while self.chunk.position() >= self.chunk.get_ref().len() as u64
            && let Some(id) = self.content.get(self.next).copied()
        {
            let place = self.opened.place(&id)?;
            self.fetch_around(place)?;
            self.chunk = Cursor::new(self.opened.data(&id, place)?);
            self.next += 1;
        }
        Ok(())
    }

    fn fetch_around(&mut self, place: Place) -> Result<()> {
        if self.held.iter().any(|held| held.covers(*place.pack, place.offset, place.length)) {
            return Ok(());
        }
        if self.held.len() >= HELD {
            self.held.remove(0);
        }
        let span = if self.opened.is_remote() { OVER_A_NETWORK } else { IN_A_FOLDER };
        let later = self.content.get(self.next + 1..).unwrap_or_default();
        let places = later.iter().chain(self.followers).take(span.ahead).filter_map(|id| self.opened.place(id).ok());
        let (start, length) = run(place, places, span);
        match self.opened.hold(place.pack, start, length) {
            Ok(held) => self.held.push(held),
            // What lies beside it may be what is damaged.
            Err(error) if length > place.length && (error.kind() == ErrorKind::Corrupt || !self.opened.is_remote()) => {
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// The range around `first` that takes in what will be wanted of the same pack, in whatever order: start and length.
fn run(first: Place, later: impl Iterator<Item = Place>, span: Span) -> (u32, u32) {
    let bounds = |place: &Place| (u64::from(place.offset), u64::from(place.offset) + u64::from(place.length));
    let mut wanted: Vec<(u64, u64)> =
        later.filter(|place| place.pack == first.pack).map(|place| bounds(&place)).collect();
    wanted.sort_unstable();
    let (mut start, mut end) = bounds(&first);
    let split = wanted.partition_point(|(from, _)| *from < start);
    let (before, after) = wanted.split_at(split);
    for (from, to) in after {
        if *from > end + span.gap || *to > start + span.most {
            break;
        }
        end = end.max(*to);
    }
    for (from, to) in before.iter().rev() {
        if to + span.gap < start || *from + span.most < end {
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
        self.chunk.read(buffer)
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
        let place = |offset, length| Place { pack, offset, length, uncompressed: None };
        let run = |first, later: &mut dyn Iterator<Item = Place>| super::run(first, later, OVER_A_NETWORK);
        let elsewhere = Place { pack: PackId::from(Id::random()), offset: 30, length: 10, uncompressed: None };
        assert_eq!(run(place(0, 10), &mut [place(10, 10), place(100, 10)].into_iter()), (0, 110));
        assert_eq!(run(place(0, 10), &mut [place(20, 10), elsewhere, place(10, 10)].into_iter()), (0, 30), "any order");
        assert_eq!(run(place(0, 10), &mut [place(1_000_000, 10)].into_iter()), (0, 10), "too far away");
        assert_eq!(run(place(50, 10), &mut [place(0, 10), place(70, 5)].into_iter()), (0, 75), "before it, too");
        let whole: Vec<Place> = (0..40).map(|index| place(index * 1_000_000, 1_000_000)).collect();
        assert_eq!(run(whole[0], &mut whole[1..].iter().copied()), (0, 18_000_000), "bounded");
        assert_eq!(run(whole[39], &mut whole[..39].iter().copied()), (22_000_000, 18_000_000), "bounded");
    }
}
