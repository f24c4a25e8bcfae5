use crate::component::Approved;
use crate::model::{Change, Entry, Former, Hunk, HunkAt, NodeKind, TreePath};

use super::notes::Notes;
use crate::model::Privileges;

/// The former state that a change leads back to, if it is an undo's.
pub(super) fn former(approved: &Approved) -> Option<&dyn Former> {
    approved.desired.as_ref()?.tree()?.former()
}

/// What becomes of privileges: a user's own former file is as it was before the restore, or it is not undone.
pub(super) fn privileges(configured: Privileges, approved: &Approved) -> Privileges {
    if former(approved).is_some() { Privileges::Keep } else { configured }
}

/// The directories that hold these paths of the tree at `key`, below the component's root: each once, sorted.
pub(super) fn directories_of<'p>(key: &TreePath, paths: impl Iterator<Item = &'p TreePath>) -> Vec<TreePath> {
    let mut directories: Vec<TreePath> = paths.filter_map(|path| key.append(path).parent()).collect();
    // Neighbours first: a million files have few directories.
    directories.dedup();
    directories.sort();
    directories.dedup();
    directories
}

/// One chosen hunk of a tree's change.
pub(super) struct Job<'a> {
    /// Below the resource's root, as in the hunk.
    pub(super) path: &'a TreePath,
    pub(super) before: Option<&'a Entry>,
    /// As it will be written, which may be less than what the source has.
    pub(super) after: Option<Entry>,
    pub(super) content: bool,
}

impl<'a> Job<'a> {
    /// The chosen hunks in the order of a walk; what is never written is noted and left out.
    pub(super) fn chosen(approved: &'a Approved, bits: Privileges, notes: &Notes) -> Vec<Self> {
        let former = former(approved);
        let change: &'a Change = &approved.change;
        let mut jobs: Vec<Self> = change
            .hunks
            .iter()
            .enumerate()
            .filter(|(position, _)| approved.takes(*position))
            .filter_map(|(_, hunk)| Self::of(hunk, bits, former, notes))
            .collect();
        jobs.sort_by(|one, other| one.path.cmp(other.path));
        jobs
    }

    fn of(hunk: &'a Hunk, bits: Privileges, former: Option<&dyn Former>, notes: &Notes) -> Option<Self> {
        let HunkAt::Node { path, before, after, content } = &hunk.at else { return None };
        if let Some(after) = after {
            if let NodeKind::Special { special } = after.kind
                && former.and_then(|former| former.kept(path)).is_none()
            {
                notes.add(format!("{path}: not written, it is a {special:?}"));
                return None;
            }
            if bits == Privileges::Strip && Privileges::are_in(after) {
                notes.add(format!("{path}: setuid and setgid bits and file capabilities were stripped"));
            }
        }
        Some(Self {
            path,
            before: before.as_deref(),
            after: after.as_deref().map(|after| {
                let after = bits.applied_to(after);
                Entry { meta: after.meta.without_system_attributes(), ..after }
            }),
            content: *content,
        })
    }

    pub(super) fn writes_content(&self) -> bool {
        self.after_is_file() && (self.content || !self.before_is_file())
    }

    pub(super) fn after_is_file(&self) -> bool {
        self.after.as_ref().is_some_and(|after| matches!(after.kind, NodeKind::File { .. }))
    }

    pub(super) fn before_is_file(&self) -> bool {
        self.before.is_some_and(|before| matches!(before.kind, NodeKind::File { .. }))
    }

    pub(super) fn before_is_directory(&self) -> bool {
        self.before.is_some_and(Entry::is_directory)
    }

    pub(super) fn after_is_directory(&self) -> bool {
        self.after.as_ref().is_some_and(Entry::is_directory)
    }

    /// The former node must go before the new one can come: a delete, or a directory on one side only.
    pub(super) fn removes(&self) -> bool {
        self.before.is_some() && (self.after.is_none() || self.before_is_directory() != self.after_is_directory())
    }

    /// A new file or link takes the place: its bytes, target or kind are not the former ones.
    pub(super) fn comes_anew(&self) -> bool {
        match self.after.as_ref().map(|after| &after.kind) {
            Some(NodeKind::File { .. }) => self.writes_content(),
            Some(after @ (NodeKind::Symlink { .. } | NodeKind::Special { .. })) => {
                self.before.is_none_or(|before| before.kind != *after)
            }
            _ => false,
        }
    }

    /// The node stays, with another owner, mode, time or other attributes.
    pub(super) fn metadata_alone(&self) -> bool {
        self.before.is_some() && self.after.is_some() && !self.removes() && !self.comes_anew()
    }

    pub(super) fn size(&self) -> u64 {
        match self.after.as_ref().map(|after| &after.kind) {
            Some(NodeKind::File { size, .. }) => *size,
            _ => 0,
        }
    }
}
