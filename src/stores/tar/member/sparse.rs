use std::io::Read;

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::{BLOCK, Content, Members};
use crate::model::Result;
use crate::stores::tar::pax::Sparse;

const MOST_PIECES: usize = 1_000_000;
/// Decimal digits of a number of 64 bits.
const MOST_DIGITS: usize = 20;

/// The stored pieces of a file of `size` bytes: in order, without overlap, within its bounds.
struct Pieces {
    size: u64,
    pieces: Vec<(u64, u64)>,
}

impl Pieces {
    fn of(size: u64) -> Self {
        Self { size, pieces: Vec::new() }
    }

    fn add(&mut self, offset: u64, length: u64) -> Option<()> {
        let end = self.pieces.last().map_or(Some(0), |(offset, length)| offset.checked_add(*length))?;
        if offset < end || offset.checked_add(length)? > self.size || self.pieces.len() >= MOST_PIECES {
            return None;
        }
        self.pieces.push((offset, length));
        Some(())
    }

    /// `stored`: how many bytes the archive holds of it, from `start` on.
    fn content(self, start: u64, stored: u64) -> Option<Content> {
        let sum = self.pieces.iter().try_fold(0_u64, |sum, (_, length)| sum.checked_add(*length))?;
        (sum == stored).then(|| Content { size: self.size, start, pieces: Some(self.pieces.into()) })
    }
}

impl Members<'_> {
    /// The map of a sparse file in GNU form: four pieces in the header, more in blocks behind it.
    pub(super) fn sparse_in_gnu(&mut self, header: &Header) -> Result<Content> {
        let Some(gnu) = header.as_gnu() else { return Err(self.refuse("a sparse file is not in GNU form")) };
        let mut pieces = Pieces::of(gnu.real_size().map_err(|error| self.bad(&error))?);
        let mut take = |blocks: &[GnuSparseHeader]| -> Option<()> {
            let mut used = blocks.iter().filter(|block| !block.is_empty());
            used.try_for_each(|block| pieces.add(block.offset().ok()?, block.length().ok()?))
        };
        let mut whole = take(&gnu.sparse);
        let mut more = gnu.is_extended();
        while more && whole.is_some() {
            let mut block = GnuExtSparseHeader::new();
            self.stream.read_exact(block.as_mut_bytes()).map_err(|error| self.source.failed("read", error))?;
            self.next += BLOCK;
            whole = take(block.sparse());
            more = block.is_extended();
        }
        let stored = header.entry_size().map_err(|error| self.bad(&error))?;
        whole.and_then(|()| pieces.content(self.next, stored)).ok_or_else(|| self.no_map())
    }

    /// The same in pax form, as GNU tar and libarchive write it: the map is in extended headers, or since version 1.0
    /// at the beginning of what is `stored`.
    pub(super) fn sparse_in_pax(&mut self, sparse: &Sparse, stored: u64) -> Result<Content> {
        let mut pieces = Pieces::of(sparse.size.ok_or_else(|| self.no_map())?);
        if sparse.map_is_stored {
            let length = self.stored_map(&mut pieces, stored)?;
            let rest = stored.checked_sub(length);
            return rest.and_then(|rest| pieces.content(self.next + length, rest)).ok_or_else(|| self.no_map());
        }
        let whole = sparse.map.iter().try_for_each(|(offset, length)| pieces.add(*offset, *length));
        whole.and_then(|()| pieces.content(self.next, stored)).ok_or_else(|| self.no_map())
    }

    /// Numbers in lines, filled up to whole blocks: how many pieces, then an offset and a length for each. Answers how
    /// long it is.
    fn stored_map(&mut self, pieces: &mut Pieces, stored: u64) -> Result<u64> {
        let (mut length, mut line) = (0, Vec::with_capacity(MOST_DIGITS));
        let (mut awaited, mut offset) = (None, None);
        while awaited != Some(0) {
            let mut block = [0; BLOCK as usize];
            if length >= stored {
                return Err(self.no_map());
            }
            self.stream.read_exact(&mut block).map_err(|error| self.source.failed("read", error))?;
            length += BLOCK;
            for byte in block {
                if awaited == Some(0) {
                    break;
                }
                if byte != b'\n' && line.len() < MOST_DIGITS {
                    line.push(byte);
                    continue;
                }
                if byte != b'\n' {
                    return Err(self.no_map());
                }
                let number = std::str::from_utf8(&line).ok().and_then(|line| line.parse::<u64>().ok());
                line.clear();
                let number = number.ok_or_else(|| self.no_map())?;
                awaited = match (awaited, offset.take()) {
                    (None, _) => Some(number),
                    (Some(_), None) => {
                        offset = Some(number);
                        awaited
                    }
                    (Some(pieces_left), Some(offset)) => {
                        pieces.add(offset, number).ok_or_else(|| self.no_map())?;
                        Some(pieces_left - 1)
                    }
                };
            }
        }
        Ok(length)
    }

    fn no_map(&self) -> crate::model::Error {
        self.refuse("the map of a sparse file makes no sense")
    }
}
