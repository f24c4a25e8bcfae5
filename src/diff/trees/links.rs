use std::collections::HashMap;

use crate::model::{Entry, Meta, NodeKind, TreePath};

/// The first path of each group of hard links, so that groups compare across trees.
#[derive(Default)]
pub(super) struct Links(HashMap<u64, (TreePath, Option<Meta>)>);

impl Links {
    /// None for the first of its group and for what is not linked: a group of one is none, for its other
    /// names may lie outside the tree.
    pub(super) fn first(&mut self, entry: &Entry) -> Option<TreePath> {
        let (first, _) = self.0.entry(link(entry)?).or_insert_with(|| (entry.path.clone(), None));
        (*first != entry.path).then(|| first.clone())
    }

    /// What the first of a group will have: the others are the same file.
    pub(super) fn keep_metadata(&mut self, entry: &Entry) {
        if let Some((first, meta)) = link(entry).and_then(|link| self.0.get_mut(&link))
            && *first == entry.path
        {
            *meta = Some(entry.meta.clone());
        }
    }

    pub(super) fn metadata(&self, entry: &Entry) -> Option<&Meta> {
        self.0.get(&link(entry)?)?.1.as_ref()
    }
}

fn link(entry: &Entry) -> Option<u64> {
    match entry.kind {
        NodeKind::File { link, .. } => link,
        _ => None,
    }
}
