use std::path::PathBuf;

use crate::model::Privileges;

/// A component of kind `files` in a runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesConfig {
    /// The directory beneath which everything happens.
    pub root: PathBuf,
    /// gitignore patterns of paths that are neither compared nor written.
    pub ignore: Vec<String>,
    /// What becomes of setuid and setgid bits and file capabilities of a backup's files.
    pub setuid: Privileges,
}
