//! Differences, computed without I/O of their own: trees by merge-joining two sorted walks.

pub mod trees;
