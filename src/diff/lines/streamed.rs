use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

use super::feed::Feed;
use super::window::common_prefix;
use super::{LineHunk, hunks};

/// Lines shown before and after those that differ, if nothing else is said.
const CONTEXT: u64 = 3;
/// Read ahead at first, so that the first difference is told at once; doubled from then on.
const FIRST_AHEAD: usize = 256 * 1024;
const AHEAD: usize = 4 * 1024 * 1024;
/// Where the texts differ for so long, closer looking takes more memory than it is worth.
const MOST_AHEAD: usize = 16 * 1024 * 1024;
/// A difference that reaches so near to what is not read yet may go on there.
const MARGIN: usize = 64 * 1024;
const HUNKS_AT_ONCE: usize = 2_000;

/// A part of a diff, in the order of the texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passage {
    /// Lines of both texts, around those that differ.
    Same(Vec<u8>),
    /// What is equal is left out here; the number, from 1, of the next line in each text.
    Gap { old: u64, new: u64 },
    /// Lines of the old text and those in their place; one of them may be empty.
    Differs { old: Vec<u8>, new: Vec<u8>, coarse: bool },
}

/// The diff of two texts, made while they are read: what is held of each is what lies around the place that is
/// looked at, 16 MiB at most, however long they are.
pub struct Streamed<R> {
    old: Feed<R>,
    new: Feed<R>,
    ahead: usize,
    found: VecDeque<Passage>,
    /// Up to where the old text's lines are told, in its feed.
    told: Option<usize>,
    context: u64,
}

impl<R: Read> Streamed<R> {
    pub fn of(old: R, new: R) -> Self {
        let (old, new) = (Feed::of(old), Feed::of(new));
        Self { old, new, ahead: FIRST_AHEAD, found: VecDeque::new(), told: None, context: CONTEXT }
    }

    /// So many lines are shown before and after those that differ.
    #[must_use]
    pub fn with_context(mut self, lines: u64) -> Self {
        self.context = lines;
        self
    }

    /// Bytes read of both texts.
    pub fn read(&self) -> u64 {
        self.old.read() + self.new.read()
    }

    /// The first bytes of both, for a look at what they are. Before the first passage.
    pub fn beginnings(&mut self) -> io::Result<(&[u8], &[u8])> {
        self.fill()?;
        Ok((self.old.rest(), self.new.rest()))
    }

    /// The next passage, `Ok(None)` at the end of both texts, `Err` where one cannot be read; `Ok(Some(None))` after
    /// some megabytes in which nothing was found, so that whoever waits can look up.
    pub fn next_passage(&mut self) -> io::Result<Option<Option<Passage>>> {
        if let Some(passage) = self.found.pop_front() {
            return Ok(Some(Some(passage)));
        }
        self.fill()?;
        if self.old.is_over() && self.new.is_over() {
            return Ok(None);
        }
        self.look();
        Ok(Some(self.found.pop_front()))
    }

    fn fill(&mut self) -> io::Result<()> {
        let gone = self.old.fill(self.ahead)?;
        self.told = self.told.map(|told| told.saturating_sub(gone));
        self.new.fill(self.ahead)?;
        Ok(())
    }

    /// Goes on to the next differences within what is read, or asks for more.
    fn look(&mut self) {
        if self.old.is_over() || self.new.is_over() {
            return self.take_all(false);
        }
        let same = self.same();
        self.old.pass(same);
        self.new.pass(same);
        let (old, new) = (self.old.rest(), self.new.rest());
        // Where one begins like the other, that one must have ended.
        let shorter = if old.len() < new.len() { &self.old } else { &self.new };
        let is_seen = common_prefix(old, new) < old.len().min(new.len()) || shorter.is_whole();
        if !is_seen || old.is_empty() || new.is_empty() {
            if same == 0 {
                self.want_more();
            }
            self.ahead = self.ahead.max(AHEAD.min(self.ahead * 2));
            return;
        }
        let (settled_old, settled_new) = (settled(&self.old), settled(&self.new));
        let is_settled = |hunk: &LineHunk| hunk.old.bytes.end <= settled_old && hunk.new.bytes.end <= settled_new;
        let mut seen: Vec<LineHunk> = Vec::new();
        for hunk in hunks(old, new) {
            let goes_on = is_settled(&hunk) && seen.len() < HUNKS_AT_ONCE;
            seen.push(hunk);
            if !goes_on {
                break;
            }
        }
        let taken = seen.iter().take(HUNKS_AT_ONCE).take_while(|hunk| is_settled(hunk)).count();
        if taken == 0 {
            return self.want_more();
        }
        for (at, hunk) in seen.iter().take(taken).enumerate() {
            self.tell(hunk, seen.get(at + 1));
        }
        if let Some(last) = seen.get(taken - 1) {
            let (old, new) = (last.old.bytes.end, last.new.bytes.end);
            self.old.pass(old);
            self.new.pass(new);
        }
        self.ahead = AHEAD;
    }

    /// How many bytes of whole lines are equal from here.
    fn same(&self) -> usize {
        let (old, new) = (self.old.rest(), self.new.rest());
        let equal = common_prefix(old, new);
        if equal == old.len() && equal == new.len() && self.old.is_whole() && self.new.is_whole() {
            return equal;
        }
        let lines = old.get(..equal).unwrap_or_default();
        lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
    }

    fn want_more(&mut self) {
        if self.ahead < MOST_AHEAD && !(self.old.is_whole() && self.new.is_whole()) {
            self.ahead *= 2;
        } else {
            self.take_all(true);
        }
    }

    /// All that is read of both is a difference.
    fn take_all(&mut self, coarse: bool) {
        self.tell_above(self.old.at(), self.old.line(), self.new.line());
        let (old, new) = (self.old.rest().to_vec(), self.new.rest().to_vec());
        self.old.pass(old.len());
        self.new.pass(new.len());
        self.found.push_back(Passage::Differs { old, new, coarse });
        self.told = Some(self.old.at());
    }

    fn tell(&mut self, hunk: &LineHunk, next: Option<&LineHunk>) {
        let from = self.old.at();
        let (start, end) = (from + hunk.old.bytes.start, from + hunk.old.bytes.end);
        self.tell_above(start, self.old.line() + hunk.old.first, self.new.line() + hunk.new.first);
        let text = |feed: &Feed<R>, range: Range<usize>| feed.rest().get(range).unwrap_or_default().to_vec();
        let old = text(&self.old, hunk.old.bytes.clone());
        let new = text(&self.new, hunk.new.bytes.clone());
        self.found.push_back(Passage::Differs { old, new, coarse: hunk.coarse });
        let below = self.old.lines_after(end, self.context);
        let below = next.map_or(below, |next| below.min(from + next.old.bytes.start));
        self.tell_same(end..below);
        self.told = Some(below);
    }

    /// What stands before a difference at `start`, whose first lines have these numbers, from 0.
    fn tell_above(&mut self, start: usize, old: u64, new: u64) {
        let (above, count) = self.old.lines_before(start, self.context);
        match self.told {
            Some(told) if told >= above => self.tell_same(told..start),
            told => {
                let (old, new) = (old.saturating_sub(count) + 1, new.saturating_sub(count) + 1);
                if told.is_some() || new > 1 || old > 1 {
                    self.found.push_back(Passage::Gap { old, new });
                }
                self.tell_same(above..start);
            }
        }
    }

    fn tell_same(&mut self, range: Range<usize>) {
        let text = self.old.text(range);
        if !text.is_empty() {
            self.found.push_back(Passage::Same(text.to_vec()));
        }
    }
}

/// Up to where differences are surely whole.
fn settled<R: Read>(feed: &Feed<R>) -> usize {
    if feed.is_whole() { usize::MAX } else { feed.rest().len().saturating_sub(MARGIN) }
}
