//! Directories of files, live or in a backup.

pub mod source;
