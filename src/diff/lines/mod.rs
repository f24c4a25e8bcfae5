//! Texts compared line by line, in windows: what is equal is skipped at the speed of memory, and only
//! around a difference lines are looked at. So the first hunk of 100 MB comes at once, and memory is that of
//! a window. Works on raw bytes, as a memory map gives them.

mod emphasis;
mod feed;
mod shown;
mod streamed;
#[cfg(test)]
mod tests;
mod window;

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

pub use emphasis::{Piece, emphasised};
pub use shown::shown;
pub use streamed::{Passage, Streamed};

/// What one window's diff may take.
const DEADLINE: Duration = Duration::from_millis(200);

/// How many bytes [`is_binary`] looks at, as Git does.
const LOOKED_AT: usize = 8000;

/// Lines that differ: `old` is replaced by `new`; one of them may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineHunk {
    pub old: Lines,
    pub new: Lines,
    /// No closer comparison was found in time: equal lines may be among these.
    pub coarse: bool,
}

/// Lines of one side. A line ends behind its `\n`; the last one may have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// From 0.
    pub first: u64,
    pub count: u64,
    pub bytes: Range<usize>,
}

/// The hunks of two texts in order, made as they are asked for.
pub struct Hunks<'t> {
    old: Side<'t>,
    new: Side<'t>,
    deadline: Duration,
    found: VecDeque<LineHunk>,
}

/// One text and how far it is compared.
#[derive(Clone, Copy)]
struct Side<'t> {
    text: &'t [u8],
    byte: usize,
    line: u64,
}

/// Whether the bytes are no text: a NUL among the first 8,000.
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(LOOKED_AT).any(|byte| *byte == 0)
}

/// The line hunks that lead from `old` to `new`.
pub fn hunks<'t>(old: &'t [u8], new: &'t [u8]) -> Hunks<'t> {
    let side = |text| Side { text, byte: 0, line: 0 };
    Hunks { old: side(old), new: side(new), deadline: DEADLINE, found: VecDeque::new() }
}

impl Hunks<'_> {
    /// Another deadline for each window; for tests, mostly.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    fn push(&mut self, old: Lines, new: Lines, coarse: bool) {
        if let Some(last) = self.found.back_mut()
            && last.old.bytes.end == old.bytes.start
            && last.new.bytes.end == new.bytes.start
        {
            last.old.extend(&old);
            last.new.extend(&new);
            last.coarse |= coarse;
            return;
        }
        self.found.push_back(LineHunk { old, new, coarse });
    }
}

impl Iterator for Hunks<'_> {
    type Item = LineHunk;

    fn next(&mut self) -> Option<LineHunk> {
        while self.found.is_empty() {
            self.skip_equal();
            match (self.old.is_at_end(), self.new.is_at_end()) {
                (true, true) => return None,
                (false, false) => self.compare_window(),
                _ => {
                    let (old, new) = (self.old.rest(), self.new.rest());
                    self.push(old, new, false);
                }
            }
        }
        self.found.pop_front()
    }
}

impl Lines {
    fn extend(&mut self, next: &Self) {
        self.count += next.count;
        self.bytes.end = next.bytes.end;
    }
}

impl<'t> Side<'t> {
    fn is_at_end(&self) -> bool {
        self.byte >= self.text.len()
    }

    fn remaining(&self) -> &'t [u8] {
        self.text.get(self.byte..).unwrap_or_default()
    }

    /// Takes all that is left.
    fn rest(&mut self) -> Lines {
        let left = self.remaining();
        let unended = u64::from(left.last().is_some_and(|byte| *byte != b'\n'));
        let lines = Lines { first: self.line, count: line_ends(left) + unended, bytes: self.byte..self.text.len() };
        self.line += lines.count;
        self.byte = self.text.len();
        lines
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
