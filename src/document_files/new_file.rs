use std::collections::BTreeMap;

use rustix::fs::Stat;

use crate::component::Approved;
use crate::model::{FileOwnership, KindSchema, Result};

use super::folder::Folder;

/// Whose a document's file is that is made, and where that is known from.
pub(super) struct NewFile {
    /// What this process can give it.
    pub ownership: FileOwnership,
    wanted: FileOwnership,
    pub from: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The file in the backup, or the one that was there before.
    Source,
    /// The directory and the other documents in it.
    Neighbours,
}

pub(super) fn ownership(stat: &Stat) -> FileOwnership {
    FileOwnership::new(stat.st_mode, stat.st_uid, stat.st_gid)
}

impl NewFile {
    pub fn of(approved: &Approved, folder: &Folder, schema: &KindSchema) -> Result<Self> {
        let directory = folder.look()?;
        let source = approved.desired.as_ref().and_then(|desired| desired.document()?.file);
        if let Some(ownership) = source {
            return Ok(Self::made(ownership, Known::Source, &directory));
        }
        let mut modes: BTreeMap<u32, usize> = BTreeMap::new();
        for mode in folder.modes()? {
            *modes.entry(mode).or_default() += 1;
        }
        let holds_secrets = schema.fields.iter().any(|rule| rule.secret);
        // Of modes that are equally common, the one that lets fewer read.
        let commonest = modes.into_iter().max_by_key(|(mode, count)| (*count, std::cmp::Reverse(*mode)));
        let mode = commonest.map_or(if holds_secrets { 0o600 } else { 0o644 }, |(mode, _)| mode);
        let ownership = FileOwnership::new(mode, directory.st_uid, directory.st_gid);
        Ok(Self::made(ownership, Known::Neighbours, &directory))
    }

    fn made(wanted: FileOwnership, from: Known, directory: &Stat) -> Self {
        Self { ownership: attainable(wanted, directory), wanted, from }
    }

    /// For the preview.
    pub fn words(&self) -> String {
        let ownership = self.ownership;
        let from = match self.from {
            Known::Source => "as it was in the backup",
            Known::Neighbours => "as its directory and the documents there",
        };
        if (ownership.uid, ownership.gid) == (self.wanted.uid, self.wanted.gid) {
            return format!("a new file: {ownership}, {from}");
        }
        let FileOwnership { mode, uid, gid } = ownership;
        format!("a new file: mode {mode:04o}, {from}; owner {uid}:{gid}, for only root can give it to another")
    }
}

/// Only root can give a file away: those of others are theirs, with a group they are in, else the one that a file
/// gets there by itself.
fn attainable(wanted: FileOwnership, directory: &Stat) -> FileOwnership {
    let (uid, own_group) = (rustix::process::geteuid(), rustix::process::getegid().as_raw());
    if uid.is_root() {
        return wanted;
    }
    let groups = rustix::process::getgroups().unwrap_or_default();
    let is_member = wanted.gid == own_group || groups.iter().any(|group| group.as_raw() == wanted.gid);
    let by_itself = if directory.st_mode & SET_GROUP == 0 { own_group } else { directory.st_gid };
    FileOwnership { uid: uid.as_raw(), gid: if is_member { wanted.gid } else { by_itself }, ..wanted }
}

/// The bit of a directory whose files get its group.
const SET_GROUP: u32 = 0o2000;
