use std::collections::BTreeMap;

use rustix::fs::Stat;

use crate::component::Approved;
use crate::model::{FileOwnership, KindSchema, Result};

use super::folder::Folder;

/// Whose a document's file is that is made anew, and where that is known from.
pub(super) struct NewFile {
    pub ownership: FileOwnership,
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
        let source = approved.desired.as_ref().and_then(|desired| desired.document()?.file);
        if let Some(ownership) = source {
            return Ok(Self { ownership, from: Known::Source });
        }
        let directory = folder.look()?;
        let mut modes: BTreeMap<u32, usize> = BTreeMap::new();
        for mode in folder.modes()? {
            *modes.entry(mode).or_default() += 1;
        }
        let holds_secrets = schema.fields.iter().any(|rule| rule.secret);
        // Of modes that are equally common, the one that lets fewer read.
        let commonest = modes.into_iter().max_by_key(|(mode, count)| (*count, std::cmp::Reverse(*mode)));
        let mode = commonest.map_or(if holds_secrets { 0o600 } else { 0o644 }, |(mode, _)| mode);
        let ownership = FileOwnership::new(mode, directory.st_uid, directory.st_gid);
        Ok(Self { ownership, from: Known::Neighbours })
    }

    /// For the preview.
    pub fn words(&self) -> String {
        let ownership = self.ownership;
        let from = match self.from {
            Known::Source => "as it was in the backup",
            Known::Neighbours => "as its directory and the documents there",
        };
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        if uid.is_root() || (ownership.uid, ownership.gid) == (uid.as_raw(), gid.as_raw()) {
            return format!("a new file: {ownership}, {from}");
        }
        let mode = ownership.mode;
        format!("a new file: mode {mode:04o}, {from}; owner {uid}:{gid}, for only root can give it to another")
    }
}
