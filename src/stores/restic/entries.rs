use std::sync::Arc;

use rustic_core::TreeId;

use super::listing::Listing;
use super::node::Node;
use super::opened::Opened;
use crate::model::{Entry, Meta, Result, TreePath};

/// Makes entries of a snapshot's nodes. Those whom an access list names have no names in a snapshot but those of the
/// owners of what lies around: in the node's own directory and in those above it. The nearest that has one name for a
/// number tells it, so that the answer depends on nothing but the node's place.
pub(super) struct Entries<'a> {
    opened: &'a Opened,
    root: TreeId,
    /// What paths are relative to.
    base: TreePath,
    /// Of the directory that was needed last: most of what has lists lies together.
    above: Option<(TreePath, Vec<Arc<Listing>>)>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(opened: &'a Opened, root: TreeId, base: TreePath) -> Self {
        Self { opened, root, base, above: None }
    }

    /// With what a plan says of those whom its access lists name. Errors: a directory above cannot be read, or as of
    /// [`crate::stores::BackedUpOwners::here`].
    pub(super) fn entry(&mut self, node: &Node, path: TreePath) -> Result<(Entry, Vec<Arc<str>>)> {
        let mut entry = node.entry(path);
        if !entry.meta.xattrs.iter().any(|(name, _)| Meta::is_acl(name)) {
            return Ok((entry, Vec::new()));
        }
        let above = self.above(&entry.path)?;
        let name_of = |account, number| {
            Ok(above.iter().rev().find_map(|listing| {
                let mut names = listing.names_of(account, number);
                names.next().filter(|_| names.next().is_none()).map(Box::from)
            }))
        };
        let told = self.opened.owners().settle_lists(&mut entry.meta, &name_of)?;
        Ok((entry, told))
    }

    fn above(&mut self, path: &TreePath) -> Result<Vec<Arc<Listing>>> {
        let at = self.base.append(path);
        let directory = at.parent().unwrap_or_default();
        if let Some((known, listings)) = &self.above
            && *known == directory
        {
            return Ok(listings.clone());
        }
        let listings = self.opened.listings_above(&self.root, &at)?;
        self.above = Some((directory, listings.clone()));
        Ok(listings)
    }
}
