use std::collections::HashMap;

use super::job::Job;
use crate::model::{Entry, NodeKind, TreePath};

/// Which of the files to be written are hard links of one that is written before them.
pub(super) struct Links<'a> {
    /// Files whose bytes are written.
    pub(super) written: Vec<&'a Entry>,
    /// Files that become links, with the one that they link to.
    pub(super) linked: Vec<(&'a Entry, &'a TreePath)>,
}

impl<'a> Links<'a> {
    /// The first of each group is written, the others are linked to it.
    pub(super) fn among(jobs: impl Iterator<Item = &'a Job<'a>>) -> Self {
        let mut first: HashMap<u64, &'a TreePath> = HashMap::new();
        let mut links = Self { written: Vec::new(), linked: Vec::new() };
        for entry in jobs.filter_map(|job| job.after.as_ref()) {
            let NodeKind::File { link, .. } = entry.kind else { continue };
            match link.map(|link| first.entry(link).or_insert(&entry.path)) {
                Some(to) if **to != entry.path => links.linked.push((entry, to)),
                _ => links.written.push(entry),
            }
        }
        links
    }
}
