use std::iter::Peekable;

use super::{Entries, TreeRules};
use crate::model::{Entry, Error, ErrorKind, Result, TreePath};

/// One sorted walk, ignored subtrees left out, its order checked: a store that answered out of order would
/// make files look missing.
pub(super) struct Side<'a> {
    entries: Option<Peekable<Entries<'a>>>,
    rules: &'a TreeRules<'a>,
    skipped: Option<TreePath>,
    last: Option<TreePath>,
    pub(super) met_reserved: Vec<TreePath>,
    pub(super) met_mounted: Vec<TreePath>,
}

impl<'a> Side<'a> {
    pub(super) fn new(entries: Option<Entries<'a>>, rules: &'a TreeRules<'a>) -> Self {
        let (met_reserved, met_mounted) = (Vec::new(), Vec::new());
        Self { entries: entries.map(Iterator::peekable), rules, skipped: None, last: None, met_reserved, met_mounted }
    }

    /// `skip` is told of each entry that is left out, of a directory without what lies in it.
    pub(super) fn peek(&mut self, skip: &mut dyn FnMut(&Entry)) -> Result<Option<&TreePath>> {
        let Some(entries) = &mut self.entries else { return Ok(None) };
        while let Some(Ok(entry)) = entries.peek() {
            let inside = self.skipped.as_ref().is_some_and(|skipped| entry.path.lies_in(skipped));
            if !inside && !self.rules.ignores(entry) {
                break;
            }
            if self.rules.reserved.contains(&entry.path) {
                self.met_reserved.push(entry.path.clone());
            }
            if self.rules.is_mounted(entry) {
                self.met_mounted.push(entry.path.clone());
            }
            if !inside {
                skip(entry);
                if entry.is_directory() {
                    self.skipped = Some(entry.path.clone());
                }
            }
            entries.next();
        }
        if matches!(entries.peek(), Some(Err(_))) {
            return entries.next().transpose().map(|_| None);
        }
        Ok(entries.peek().and_then(|entry| entry.as_ref().ok()).map(|entry| &entry.path))
    }

    pub(super) fn next(&mut self) -> Result<Option<Entry>> {
        let Some(entry) = self.entries.as_mut().and_then(Iterator::next).transpose()? else { return Ok(None) };
        if self.last.as_ref().is_some_and(|last| *last >= entry.path) {
            return Err(Error::new(
                ErrorKind::Bug,
                format!("compare trees at {}", entry.path),
                "a walk is not in order or names a path twice",
            ));
        }
        self.last = Some(entry.path.clone());
        Ok(Some(entry))
    }
}
