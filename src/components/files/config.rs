use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Entry, NodeKind};

/// A component of kind `files` in a runbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// The directory beneath which everything happens.
    pub root: PathBuf,
    /// gitignore patterns of paths that are neither compared nor written.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// What becomes of setuid and setgid bits and file capabilities of a backup's files.
    #[serde(default)]
    pub setuid: PrivilegedBits,
}

/// Bits that lend a file's user or capabilities to whoever runs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrivilegedBits {
    /// They are taken off, and listed.
    #[default]
    Strip,
    /// A tree that holds any is not written.
    Refuse,
    /// They are written as the backup has them.
    Keep,
}

const CAPABILITY: &str = "security.capability";
const SETUID_AND_SETGID: u32 = 0o6000;

impl PrivilegedBits {
    /// Whether a file lends rights.
    pub(super) fn are_in(entry: &Entry) -> bool {
        matches!(entry.kind, NodeKind::File { .. })
            && (entry.meta.mode & SETUID_AND_SETGID != 0
                || entry.meta.xattrs.iter().any(|(name, _)| &**name == CAPABILITY))
    }

    /// The entry as it is written.
    pub(super) fn applied_to(self, entry: &Entry) -> Entry {
        let mut entry = entry.clone();
        // Linux gives every symbolic link these bits, whatever an archive says.
        if matches!(entry.kind, NodeKind::Symlink { .. }) {
            entry.meta.mode = 0o777;
        }
        if self != Self::Keep && Self::are_in(&entry) {
            entry.meta.mode &= !SETUID_AND_SETGID;
            entry.meta.xattrs.retain(|(name, _)| &**name != CAPABILITY);
        }
        entry
    }
}
