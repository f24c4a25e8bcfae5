use std::io::{self, Read};
use std::ops::Range;

use super::line_ends;

/// Kept behind the place that is looked at, for the lines above a difference.
const KEPT: usize = 16 * 1024;

/// A text that is read as far as it is needed, and forgotten behind.
pub(super) struct Feed<R> {
    reader: R,
    buffer: Vec<u8>,
    /// The place that is looked at: the beginning of a line.
    at: usize,
    line: u64,
    is_whole: bool,
    is_from_start: bool,
    read: u64,
}

impl<R: Read> Feed<R> {
    pub fn of(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), at: 0, line: 0, is_whole: false, is_from_start: true, read: 0 }
    }

    /// Reads until `ahead` bytes lie before the place, or the text ends; answers how many were forgotten behind it.
    /// While half of that is there, nothing is moved about for a little more.
    pub fn fill(&mut self, ahead: usize) -> io::Result<usize> {
        if self.is_whole || self.rest().len() > ahead / 2 {
            return Ok(0);
        }
        let gone = self.at.saturating_sub(KEPT);
        if gone > 0 {
            self.buffer.drain(..gone);
            self.at -= gone;
            self.is_from_start = false;
        }
        let wanted = ahead - self.rest().len();
        let found = self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.buffer)?;
        self.is_whole = found < wanted;
        self.read += found as u64;
        Ok(gone)
    }

    pub fn read(&self) -> u64 {
        self.read
    }

    pub fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    pub fn at(&self) -> usize {
        self.at
    }

    /// The number of the line at the place, from 0.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Nothing is left to read.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Nothing is left to look at.
    pub fn is_over(&self) -> bool {
        self.is_whole && self.at >= self.buffer.len()
    }

    pub fn pass(&mut self, bytes: usize) {
        let passed = self.rest().get(..bytes).unwrap_or_default();
        let (lines, bytes) = (line_ends(passed), passed.len());
        self.line += lines;
        self.at += bytes;
    }

    pub fn text(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    /// Where the lines before `end` begin, `most` of them, and how many they are.
    pub fn lines_before(&self, end: usize, most: u64) -> (usize, u64) {
        let mut start = end;
        for number in 0..most {
            let Some(before) = start.checked_sub(1) else { return (start, number) };
            match self.text(0..before).iter().rposition(|byte| *byte == b'\n') {
                Some(end) => start = end + 1,
                // The beginning of that line is forgotten.
                None if !self.is_from_start => return (start, number),
                None => start = 0,
            }
        }
        (start, most)
    }

    /// Where the lines from `start` end, `most` of them, as far as they are read.
    pub fn lines_after(&self, start: usize, most: u64) -> usize {
        let below = self.text(start..self.buffer.len()).split_inclusive(|byte| *byte == b'\n');
        start + below.take(usize::try_from(most).unwrap_or(0)).map(<[u8]>::len).sum::<usize>()
    }
}
