use std::collections::{HashMap, HashSet};

use super::job::Job;
use super::state::{alike, same_kind};
use super::write::Write;
use crate::model::{Entry, Hunk, HunkAt, NodeKind, Result, TreePath};

/// Which of the files to be written are hard links of one that is there or is written before them.
pub(super) struct Links<'a> {
    /// Files whose bytes are written.
    pub(super) written: Vec<&'a Entry>,
    /// Files that become links, with the one that they link to.
    pub(super) linked: Vec<(&'a Entry, TreePath)>,
}

impl<'a> Links<'a> {
    /// The first of each group is written, the others are linked to it.
    pub(super) fn among(jobs: impl Iterator<Item = &'a Job<'a>>, anchors: HashMap<u64, TreePath>) -> Self {
        let mut first = anchors;
        let mut links = Self { written: Vec::new(), linked: Vec::new() };
        for entry in jobs.filter_map(|job| job.after.as_ref()) {
            let NodeKind::File { link, .. } = entry.kind else { continue };
            match link.map(|link| first.entry(link).or_insert_with(|| entry.path.clone())) {
                Some(to) if *to != entry.path => links.linked.push((entry, to.clone())),
                _ => links.written.push(entry),
            }
        }
        links
    }

    /// Files that are live as the source has them and belong to a group of which others are written.
    pub(super) fn anchors(write: &Write, jobs: &[&Job]) -> Result<HashMap<u64, TreePath>> {
        let link_of = |entry: &Entry| match entry.kind {
            NodeKind::File { link, .. } => link,
            _ => None,
        };
        let groups: HashSet<u64> = jobs.iter().filter_map(|job| link_of(job.after.as_ref()?)).collect();
        let mut anchors = HashMap::new();
        if groups.is_empty() {
            return Ok(anchors);
        }
        let written: HashSet<&TreePath> = jobs.iter().map(|job| job.path).collect();
        // What the plan does not name was equal when it was made; what it names may be written by an earlier try.
        let named: HashMap<&TreePath, Option<&Entry>> = write.change.hunks.iter().filter_map(node).collect();
        let serves = |live: &Entry, entry: &Entry| match named.get(&entry.path) {
            None => same_kind(&live.kind, &entry.kind),
            Some(after) => after.is_some_and(|after| alike(live, after)),
        };
        for entry in write.desired()?.entries()? {
            let entry = entry?;
            if let Some(link) = link_of(&entry)
                && groups.contains(&link)
                && !anchors.contains_key(&link)
                && !written.contains(&entry.path)
                && write.look(&entry.path)?.is_some_and(|live| serves(&live, &entry))
            {
                anchors.insert(link, entry.path);
            }
        }
        Ok(anchors)
    }
}

fn node(hunk: &Hunk) -> Option<(&TreePath, Option<&Entry>)> {
    match &hunk.at {
        HunkAt::Node { path, after, .. } => Some((path, after.as_deref())),
        HunkAt::Field { .. } => None,
    }
}
