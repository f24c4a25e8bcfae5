use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use crate::model::{
    Counts, Digest, Hunk, HunkAt, NodeKind, Plan, Problem, Proposal, Selection, Shown, TaskId, visible,
};

use unicode_width::UnicodeWidthStr;

use super::cells::{wrap, wrap_under};
use super::side_by_side::{self, Half, broken};
use super::state::TWO_PANES;
use super::theme::Theme;
use super::words;
use crate::diff::files::{Side, TextDiff};

/// The plan that is looked at, wherever it is shown.
#[derive(Debug, Default)]
pub struct Review {
    pub task: Option<TaskId>,
    /// Of the last load; an answer to an older one is dropped.
    pub generation: u64,
    pub state: ReviewState,
    /// What the last frame showed in the Review pane: only this may be approved.
    pub drawn: Option<(TaskId, Digest)>,
    /// The load whose hunks the last frame of the Review pane showed, recorded or not.
    pub painted: Option<u64>,
    /// Decisions of this screen that are not in the journal yet, oldest first.
    pub sent: VecDeque<Selection>,
}

#[derive(Debug, Default)]
pub enum ReviewState {
    #[default]
    Empty,
    Loading,
    Failed(Problem),
    Loaded(Box<Loaded>),
}

/// Sums over a plan's taken hunks, made once for each selection: a tree may have a million.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    pub counts: Counts,
    /// Creates, updates, deletes; for a tree these are its files.
    pub by_op: [u32; 3],
    /// Of files whose content is written.
    pub bytes: u64,
    pub taken: usize,
    pub hunks: usize,
}

impl Totals {
    fn of(plan: &Plan, selection: &Selection) -> Self {
        let mut totals = Self { counts: plan.counts(selection), ..Self::default() };
        for (change_at, change) in plan.changes.iter().enumerate() {
            totals.hunks += change.hunks.len();
            let taken = change.hunks.iter().enumerate().filter(|(at, _)| selection.takes(change_at, *at));
            for (_, hunk) in taken {
                totals.taken += 1;
                totals.by_op[hunk.op as usize] += 1;
                if let HunkAt::Node { after: Some(entry), content: true, .. } = &hunk.at
                    && let NodeKind::File { size, .. } = entry.kind
                {
                    totals.bytes = totals.bytes.saturating_add(size);
                }
            }
        }
        totals
    }
}

#[derive(Debug)]
pub struct Loaded {
    pub proposal: Arc<Proposal>,
    pub selection: Selection,
    /// Of this plan with this selection, computed here and not taken from the engine.
    pub digest: Digest,
    pub totals: Totals,
    pub rows: Vec<ReviewRow>,
    pub cursor: usize,
    pub top: usize,
    pub diffs: HashMap<(u32, u32), Option<TextDiff>>,
    /// What the last decision brought with it.
    pub followed: Option<String>,
    width: usize,
    /// Files' diffs have both sides beside each other.
    is_paired: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewRow {
    Warning(String),
    Command(String),
    Heading(u32),
    Hunk(u32, u32),
    /// A line of text below a hunk.
    Line {
        change: u32,
        hunk: u32,
        side: Side,
        text: String,
        /// Bytes of `text` to be emphasised.
        changed: Vec<Range<usize>>,
    },
    /// Both sides of a line of a file's diff, live at the left.
    Pair {
        change: u32,
        hunk: u32,
        old: Option<Half>,
        new: Option<Half>,
    },
}

impl ReviewRow {
    pub fn hunk(&self) -> Option<(u32, u32)> {
        match self {
            Self::Hunk(change, hunk) | Self::Line { change, hunk, .. } | Self::Pair { change, hunk, .. } => {
                Some((*change, *hunk))
            }
            _ => None,
        }
    }
}

/// Columns for one side of a diff, where two stand on a line of `width`: an indent and a bar are between them.
pub fn half_width(width: usize) -> usize {
    width.saturating_sub(SIDES_HEAD + 3) / 2
}

/// Columns before the left side.
pub const SIDES_HEAD: usize = 5;

/// Columns before a hunk's place: cursor, mark, kind.
const HUNK_HEAD: usize = 12;
/// Columns of a line's mark.
const MARK: usize = 2;
/// A field with more lines than these is scrolled through.
const SHORT_VALUE: usize = 6;
/// Of one value; more is cut with a word about it.
const MAX_VALUE: usize = 16 * 1024;

impl Review {
    pub fn loaded(&self) -> Option<&Loaded> {
        match &self.state {
            ReviewState::Loaded(loaded) => Some(loaded),
            _ => None,
        }
    }

    pub fn loaded_mut(&mut self) -> Option<&mut Loaded> {
        match &mut self.state {
            ReviewState::Loaded(loaded) => Some(loaded),
            _ => None,
        }
    }
}

impl Loaded {
    pub fn new(proposal: Arc<Proposal>, selection: Selection, width: usize, theme: Theme) -> Self {
        let mut loaded = Self {
            digest: proposal.plan.digest(&selection),
            totals: Totals::of(&proposal.plan, &selection),
            proposal,
            selection,
            rows: Vec::new(),
            cursor: 0,
            top: 0,
            diffs: HashMap::new(),
            followed: None,
            width,
            is_paired: width >= usize::from(TWO_PANES),
        };
        loaded.build(theme);
        loaded.cursor = loaded.rows.iter().position(|row| matches!(row, ReviewRow::Hunk(..))).unwrap_or(0);
        loaded
    }

    /// As it is on record, without what it would take to show a file's own diff.
    pub fn is_bodiless(&self) -> bool {
        self.proposal.live.is_empty() && self.proposal.desired.is_empty()
    }

    pub fn select(&mut self, selection: Selection) {
        self.digest = self.proposal.plan.digest(&selection);
        self.totals = Totals::of(&self.proposal.plan, &selection);
        self.selection = selection;
    }

    pub fn fit_to(&mut self, width: usize, theme: Theme) {
        if width != self.width {
            self.width = width;
            self.is_paired = width >= usize::from(TWO_PANES);
            self.build(theme);
        }
    }

    /// One side below the other, whatever there is room for.
    pub fn unpaired(&mut self) {
        self.is_paired = false;
    }

    /// Makes the rows anew; the cursor stays with its hunk.
    pub fn build(&mut self, theme: Theme) {
        let at = self.rows.get(self.cursor).cloned();
        let plan = &self.proposal.plan;
        let mut rows = Vec::new();
        rows.extend(plan.warnings.iter().map(|warning| ReviewRow::Warning(visible(warning).into_owned())));
        if let Some(command) = &plan.command {
            let lines = command.lines(theme.mask());
            let wrapped = lines.iter().flat_map(|line| wrap_under(line, self.width.saturating_sub(2)));
            rows.extend(wrapped.map(ReviewRow::Command));
        }
        for (change_at, change) in plan.changes.iter().enumerate() {
            let change_at = number(change_at);
            rows.push(ReviewRow::Heading(change_at));
            let warnings = change.warnings.iter();
            rows.extend(warnings.map(|warning| ReviewRow::Warning(visible(warning).into_owned())));
            for (hunk_at, hunk) in change.hunks.iter().enumerate() {
                let hunk_at = number(hunk_at);
                rows.push(ReviewRow::Hunk(change_at, hunk_at));
                let mut line = |side, text| {
                    rows.push(ReviewRow::Line { change: change_at, hunk: hunk_at, side, text, changed: Vec::new() });
                };
                // A place that is cut on its own line stands in full below: no two look the same.
                let place = visible(&hunk.words()).into_owned();
                if place.width() > place_room(hunk, self.width.saturating_sub(HUNK_HEAD), theme) {
                    value_lines(&place, self.width).into_iter().for_each(|text| line(Side::Both, text));
                }
                if words::hunk(hunk, theme).width() > told_room(hunk, place.width(), self.width, theme) {
                    value_lines(&words::hunk(hunk, theme), self.width)
                        .into_iter()
                        .for_each(|text| line(Side::Both, text));
                }
                // Two secrets are told on the hunk's own line: they have nothing to show.
                if let HunkAt::Field { before, after, .. } = &hunk.at
                    && !self.has_open_lines(change_at, hunk_at)
                    && !matches!((before, after), (Some(Shown::Secret(_)), Some(Shown::Secret(_))))
                {
                    for (side, value) in [(Side::Removed, before), (Side::Added, after)] {
                        if value.is_some() {
                            value_lines(&words::value(value.as_ref(), theme), self.width)
                                .into_iter()
                                .for_each(|text| line(side, text));
                        }
                    }
                }
                self.diff_rows(change_at, hunk_at, &mut rows);
            }
        }
        self.rows = rows;
        let same = at.as_ref().and_then(|at| self.rows.iter().position(|row| row == at));
        // Another width has other lines.
        let hunk = at.and_then(|at| at.hunk()).map(|(change, hunk)| ReviewRow::Hunk(change, hunk));
        if let Some(position) = same.or_else(|| self.rows.iter().position(|row| Some(row) == hunk.as_ref())) {
            self.cursor = position;
        }
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
    }

    /// What is opened says the values too.
    fn has_open_lines(&self, change: u32, hunk: u32) -> bool {
        matches!(self.diffs.get(&(change, hunk)), Some(Some(diff)) if !diff.lines.is_empty())
    }

    /// A hunk's own diff, where it is open.
    fn diff_rows(&self, change: u32, hunk: u32, rows: &mut Vec<ReviewRow>) {
        let Some(diff) = self.diffs.get(&(change, hunk)) else { return };
        let line =
            |half: Half| ReviewRow::Line { change, hunk, side: half.side, text: half.text, changed: half.changed };
        let told = |side, text: &str| line(Half { side, text: text.to_owned(), changed: Vec::new() });
        let Some(diff) = diff else { return rows.push(told(Side::Both, "reading both sides")) };
        let has = |side| diff.lines.iter().any(|line| line.side == side);
        if self.is_paired && has(Side::Removed) && has(Side::Added) {
            let half = half_width(self.width).saturating_sub(MARK);
            rows.extend(side_by_side::rows(&diff.lines, half).into_iter().map(|row| match row {
                side_by_side::Row::Gap(text) => told(Side::Gap, &text),
                side_by_side::Row::Both(old, new) => ReviewRow::Pair { change, hunk, old, new },
            }));
        } else {
            let width = self.width.saturating_sub(8);
            rows.extend(diff.lines.iter().flat_map(|shown| broken(shown, width)).map(line));
        }
        rows.extend(diff.note.as_ref().map(|note| told(Side::Gap, note)));
        rows.extend(diff.is_withheld.then(|| told(Side::Gap, "open it once more to see them")));
    }

    /// Whether the cursor is at a hunk that can be opened.
    pub fn is_at_hunk(&self) -> bool {
        self.rows.get(self.cursor).and_then(ReviewRow::hunk).is_some()
    }

    /// Whether the cursor is at a file, or another node of a tree, whose own diff can be opened.
    pub fn is_at_file(&self) -> bool {
        let at = self.rows.get(self.cursor).and_then(ReviewRow::hunk);
        let found =
            at.and_then(|(change, hunk)| self.proposal.plan.changes.get(change as usize)?.hunks.get(hunk as usize));
        found.is_some_and(|hunk| matches!(hunk.at, HunkAt::Node { .. }))
    }

    /// Closes the diff that the cursor stands in or above, if it is open.
    pub fn close_diff(&mut self, theme: Theme) -> bool {
        let Some((change, hunk)) = self.rows.get(self.cursor).and_then(ReviewRow::hunk) else { return false };
        if self.diffs.remove(&(change, hunk)).is_none() {
            return false;
        }
        let above = self.rows.iter().position(|row| *row == ReviewRow::Hunk(change, hunk));
        self.cursor = above.unwrap_or(self.cursor);
        self.build(theme);
        true
    }

    pub fn travel(&mut self, down: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(down).min(last);
    }

    /// Whether that row is the hunk that a decision is about, while the cursor stands in its lines.
    pub fn is_hunk_of_cursor(&self, at: usize) -> bool {
        let here = self.rows.get(self.cursor).and_then(ReviewRow::hunk);
        at != self.cursor
            && here.is_some_and(|(change, hunk)| self.rows.get(at) == Some(&ReviewRow::Hunk(change, hunk)))
    }

    fn is_in_short_value(&self, at: usize) -> bool {
        let Some(ReviewRow::Line { change, hunk, .. }) = self.rows.get(at) else { return false };
        let found =
            self.proposal.plan.changes.get(*change as usize).and_then(|change| change.hunks.get(*hunk as usize));
        let is_field = found.is_some_and(|hunk| matches!(hunk.at, HunkAt::Field { .. }));
        is_field && self.lines_below((*change, *hunk), at) <= SHORT_VALUE
    }

    /// Rows of that hunk around `at`.
    fn lines_below(&self, hunk: (u32, u32), at: usize) -> usize {
        let is_of = |row: &&ReviewRow| row.hunk() == Some(hunk) && !matches!(row, ReviewRow::Hunk(..));
        let after = self.rows.iter().skip(at).take_while(is_of).take(SHORT_VALUE + 1).count();
        let before = self.rows.iter().take(at).rev().take_while(is_of).take(SHORT_VALUE + 1).count();
        before + after
    }

    pub fn keep_in_sight(&mut self, height: usize) {
        let height = height.max(1);
        // The lines of a short value come into sight with their field.
        let hunk = self.rows.get(self.cursor).and_then(ReviewRow::hunk);
        let below = hunk.filter(|_| self.is_in_short_value(self.cursor + 1));
        let below = below.map_or(0, |hunk| self.lines_below(hunk, self.cursor + 1));
        let last = (self.cursor + below).min(self.cursor + height - 1);
        self.top = self.top.min(self.cursor).max((last + 1).saturating_sub(height));
        self.top = self.top.min(self.rows.len().saturating_sub(height));
    }

    /// As in `1-13 of 19`, where not all rows fit.
    pub fn part_in_sight(&self, height: usize) -> Option<String> {
        let last = (self.top + height).min(self.rows.len());
        (self.rows.len() > height).then(|| format!("{}-{last} of {} lines", self.top + 1, self.rows.len()))
    }

    /// Takes or leaves what is under the cursor, and says how many other hunks followed.
    /// `None` toggles. Answers whether anything changed.
    pub fn decide(&mut self, take: Option<bool>) -> bool {
        let plan = &self.proposal.plan;
        let takes = |(change, hunk): (u32, u32)| self.selection.takes(change as usize, hunk as usize);
        let mut selection = self.selection.clone();
        let mut of_its_own = 0;
        let take = match self.rows.get(self.cursor) {
            Some(ReviewRow::Heading(change)) => {
                let hunks = plan.changes.get(*change as usize).map_or(0, |change| number(change.hunks.len()));
                let take = take.unwrap_or(!(0..hunks).all(|hunk| takes((*change, hunk))));
                of_its_own = (0..hunks).filter(|hunk| takes((*change, *hunk)) != take).count();
                selection.decide_change(plan, *change as usize, take);
                take
            }
            Some(row) => {
                let Some(at) = row.hunk() else { return false };
                let take = take.unwrap_or(!takes(at));
                of_its_own += usize::from(takes(at) != take);
                selection.decide(plan, at.0 as usize, at.1 as usize, take);
                take
            }
            None => return false,
        };
        if selection == self.selection {
            return false;
        }
        let changed = self.selection.left_out_count().abs_diff(selection.left_out_count());
        let followed = changed.saturating_sub(of_its_own);
        self.followed = (followed > 0).then(|| {
            let those = crate::model::plural(followed as u64, "other hunk");
            if take {
                format!("taken too, because needed by it: {those}")
            } else {
                format!("left out too, for want of it: {those}")
            }
        });
        self.select(selection);
        true
    }

    /// After a decision the cursor only goes forward, to the next hunk.
    pub fn forward(&mut self) {
        let here = self.rows.get(self.cursor).and_then(ReviewRow::hunk);
        let next = self.rows.iter().enumerate().skip(self.cursor + 1);
        let found = next.clone().find(|(_, row)| matches!(row, ReviewRow::Hunk(..)) && row.hunk() != here);
        if let Some((position, _)) = found {
            self.cursor = position;
        }
    }
}

/// Columns for a hunk's place on a line of `width`, between its kind and what is told of it.
pub fn place_room(hunk: &Hunk, width: usize, theme: Theme) -> usize {
    let fidelity = words::fidelity(hunk.fidelity).len();
    let room = width.saturating_sub(if fidelity > 0 { fidelity + 2 } else { 0 });
    let told = words::hunk(hunk, theme).width().min(room / 2);
    room.saturating_sub(told + 2)
}

/// Columns for what is told of a hunk, behind its place.
fn told_room(hunk: &Hunk, place: usize, width: usize, theme: Theme) -> usize {
    let fidelity = words::fidelity(hunk.fidelity).len();
    let left = width.saturating_sub(HUNK_HEAD);
    let taken = place.min(place_room(hunk, left, theme)) + if fidelity > 0 { fidelity + 2 } else { 0 };
    left.saturating_sub(taken + 2)
}

fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

fn value_lines(text: &str, width: usize) -> Vec<String> {
    let shown: String = text.chars().take(MAX_VALUE).collect();
    let more = text.len() - shown.len();
    let mut lines = wrap(&shown, width.saturating_sub(8));
    if more > 0 {
        lines.push(format!("(and {more} bytes more that are not shown)"));
    }
    lines
}
