//! Differences, computed without I/O of their own: documents by structure, text by lines in windows, trees by
//! merge-joining two sorted walks.

pub mod documents;
pub mod files;
pub mod lines;
pub mod trees;
