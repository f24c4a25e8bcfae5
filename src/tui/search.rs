use std::collections::BTreeSet;

use crate::model::{plural, visible};

use super::file_search::unopened as unopened_files;
use super::review::{Loaded, ReviewRow};
use super::side_by_side::Half;
use super::theme::Theme;
use super::words;

pub const MAX_INPUT: usize = 120;

/// What is searched for in the rows of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    pub text: String,
    pub is_typed: bool,
    /// Rows with it, in their order.
    pub found: Vec<usize>,
    /// Where the cursor was when the search began: what is typed searches from there.
    pub from: usize,
    /// Files whose own diff holds it and is not open: their line is a place too.
    pub in_files: BTreeSet<(u32, u32)>,
    /// How many files are still to be looked into, and how many never are.
    pub left: usize,
    pub unread: usize,
    /// The plan that was searched, and how many rows it had: another is searched anew.
    searched: (u64, usize),
}

impl Search {
    /// Finds the rows again if they are others than those that were searched. Case is no difference unless the text
    /// has capitals.
    pub fn run(&mut self, loaded: &Loaded, generation: u64, theme: Theme, anew: bool) {
        let now = (generation, loaded.rows.len());
        if !anew && self.searched == now {
            return;
        }
        self.searched = now;
        self.found.clear();
        if self.text.is_empty() {
            return;
        }
        let rows = loaded.rows.iter().enumerate();
        let is_in_file = |row: &ReviewRow| match row {
            ReviewRow::Hunk(change, hunk) => {
                let at = (*change, *hunk);
                self.in_files.contains(&at) && !loaded.diffs.contains_key(&at)
            }
            _ => false,
        };
        let found =
            rows.filter(|(_, row)| is_in_file(row) || !matches(&row_text(loaded, row, theme), &self.text).is_empty());
        self.found = found.map(|(at, _)| at).collect();
    }

    /// The place after (or before) `cursor`, around the end.
    pub fn next(&self, cursor: usize, forward: bool) -> Option<usize> {
        let found = &self.found;
        if forward {
            found.iter().find(|at| **at > cursor).or(found.first()).copied()
        } else {
            found.iter().rev().find(|at| **at < cursor).or(found.last()).copied()
        }
    }

    /// `3 of 12`, where else it is, and where nobody looked.
    pub fn told(&self, cursor: usize, loaded: Option<&Loaded>) -> String {
        if self.text.is_empty() {
            return String::new();
        }
        let mut told = match (self.found.len(), self.found.iter().position(|at| *at == cursor)) {
            (0, _) if self.is_typed => "not found here".to_owned(),
            (0, _) => "not found".to_owned(),
            (all, Some(at)) => format!("{} of {all}", at + 1),
            (all, None) => format!("{all} found"),
        };
        let unopened = |at: &&(u32, u32)| loaded.is_none_or(|loaded| !loaded.diffs.contains_key(*at));
        let in_files = self.in_files.iter().filter(unopened).count();
        if self.is_typed && loaded.is_some_and(|loaded| !unopened_files(loaded).is_empty()) {
            told.push_str("; Enter looks into the files too");
        }
        if in_files > 0 {
            told.push_str(&format!(", {} not open yet: enter opens it", plural(in_files as u64, "file")));
        }
        if self.left > 0 {
            told.push_str(&format!(", looking into {}", plural(self.left as u64, "file")));
        } else if self.unread > 0 {
            // Of files too, where nothing before it has said so.
            let unread = plural(self.unread as u64, "file");
            let unread = if in_files > 0 { self.unread.to_string() } else { unread };
            told.push_str(&format!(", {unread} not searched"));
        }
        told
    }
}

/// Bytes of `text` at which `wanted` stands.
pub fn matches(text: &str, wanted: &str) -> Vec<std::ops::Range<usize>> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let folded = if wanted.chars().any(char::is_uppercase) { None } else { Some(text.to_ascii_lowercase()) };
    let text = folded.as_deref().unwrap_or(text);
    text.match_indices(wanted).map(|(at, part)| at..at + part.len()).collect()
}

/// What a row says, as it is shown: a secret is its mask here too.
pub fn row_text(loaded: &Loaded, row: &ReviewRow, theme: Theme) -> String {
    let change = |at: u32| loaded.proposal.plan.changes.get(at as usize);
    match row {
        ReviewRow::Warning(text) => format!("! {text}"),
        ReviewRow::Command(word) => format!("$ {word}"),
        ReviewRow::Heading(at) => change(*at)
            .map_or_else(String::new, |change| format!("{} {}", words::op(change.op), visible(&change.id.to_string()))),
        ReviewRow::Hunk(at, hunk) => {
            let found = change(*at).and_then(|change| change.hunks.get(*hunk as usize));
            found.map_or_else(String::new, |found| {
                let mark = if loaded.selection.takes(*at as usize, *hunk as usize) { "[y]" } else { "[n]" };
                let (place, told) = (found.words(), words::hunk(found, theme));
                let text = format!("{mark} {} {}  {told}", words::op(found.op), visible(&place));
                format!("{}  {}", text.trim_end(), words::fidelity(found.fidelity)).trim_end().to_owned()
            })
        }
        ReviewRow::Line { side, text, .. } => format!("    {}{text}", side.mark()),
        ReviewRow::Pair { old, new, .. } => {
            let half = |half: &Option<Half>| {
                half.as_ref().map_or_else(String::new, |half| format!("{}{}", half.side.mark(), half.text))
            };
            format!("    {}  {}", half(old), half(new))
        }
    }
}
