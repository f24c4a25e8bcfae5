use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use similar::{Algorithm, DiffOp};

use super::{Hunks, Lines, Side, line_ends};

const FIRST_WINDOW: usize = 512;
const GROWTH: usize = 4;
/// In lines; larger ones take more memory than a better hunk is worth.
const LAST_WINDOW: usize = FIRST_WINDOW * GROWTH.pow(4);
/// So many equal lines in a row are no coincidence: what lies before them is settled.
const ANCHOR: usize = 8;
const BLOCK: usize = 64 * 1024;

/// A line with its hash, so that unequal lines are mostly told apart without looking at them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line<'t> {
    hash: u64,
    bytes: &'t [u8],
}

impl Hash for Line<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hunks<'_> {
    /// Both sides go to the first line that differs.
    pub(super) fn skip_equal(&mut self) {
        let (old, new) = (self.old.remaining(), self.new.remaining());
        let equal = common_prefix(old, new);
        let is_all = equal == old.len() && equal == new.len();
        let same = old.get(..equal).unwrap_or_default();
        let same =
            if is_all { same.len() } else { same.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) };
        let lines = line_ends(old.get(..same).unwrap_or_default());
        for side in [&mut self.old, &mut self.new] {
            side.byte += same;
            side.line += lines;
        }
    }

    /// Both sides stand at a line that differs: finds hunks from here up to lines that are surely equal.
    pub(super) fn compare_window(&mut self) {
        let mut window = FIRST_WINDOW;
        loop {
            let (old, new) = (self.old.lines(window), self.new.lines(window));
            let is_whole = old.len() < window && new.len() < window;
            let started = Instant::now();
            let ops =
                similar::capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(started + self.deadline));
            let is_late = started.elapsed() >= self.deadline;
            let anchor = ops.iter().rposition(|op| matches!(op, DiffOp::Equal { len, .. } if *len >= ANCHOR));
            match anchor {
                _ if is_whole => return self.accept(&old, &new, &ops, is_late),
                Some(anchor) => return self.accept(&old, &new, ops.get(..=anchor).unwrap_or_default(), is_late),
                None if is_late || window >= LAST_WINDOW => {
                    let (old, new) = (self.old.take(&old), self.new.take(&new));
                    return self.push(old, new, true);
                }
                None => window *= GROWTH,
            }
        }
    }

    fn accept(&mut self, old: &[Line<'_>], new: &[Line<'_>], ops: &[DiffOp], coarse: bool) {
        for op in ops {
            let taken = self.old.take(old.get(op.old_range()).unwrap_or_default());
            let given = self.new.take(new.get(op.new_range()).unwrap_or_default());
            if !matches!(op, DiffOp::Equal { .. }) {
                self.push(taken, given, coarse);
            }
        }
    }
}

impl<'t> Side<'t> {
    /// The next lines, at most `count`.
    fn lines(&self, count: usize) -> Vec<Line<'t>> {
        let lines = self.remaining().split_inclusive(|byte| *byte == b'\n').take(count);
        let line = |bytes: &'t [u8]| {
            let mut hasher = DefaultHasher::new();
            hasher.write(bytes);
            Line { hash: hasher.finish(), bytes }
        };
        lines.map(line).collect()
    }

    /// Goes past these lines, which are the next ones.
    fn take(&mut self, lines: &[Line<'_>]) -> Lines {
        let bytes: usize = lines.iter().map(|line| line.bytes.len()).sum();
        let taken = Lines { first: self.line, count: lines.len() as u64, bytes: self.byte..self.byte + bytes };
        self.byte += bytes;
        self.line += taken.count;
        taken
    }
}

pub(super) fn common_prefix(one: &[u8], two: &[u8]) -> usize {
    let mut equal = 0;
    for (one, two) in one.chunks(BLOCK).zip(two.chunks(BLOCK)) {
        if one == two {
            equal += one.len();
            continue;
        }
        return equal + one.iter().zip(two).take_while(|(one, two)| one == two).count();
    }
    equal
}
