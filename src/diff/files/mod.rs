//! One file of a plan, both sides read and compared line by line, within bounds that stop the reading too.

mod binary;
mod opened;
mod secret_file;
#[cfg(test)]
mod tests;
mod text_diff;

pub use opened::compare;
pub use text_diff::{DiffLine, Side, TextDiff};

/// How much of a file's diff is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Equal lines around those that differ.
    pub context: u64,
    /// Lines of the diff.
    pub lines: usize,
    /// Bytes read of both sides together.
    pub bytes: u64,
}

impl Bounds {
    /// For a person who opens one file.
    pub const ONE_FILE: Self = Self { context: 3, lines: 5_000, bytes: u64::MAX };
}

/// What may be seen of a file's lines.
#[derive(Clone, Copy)]
pub struct Sight<'s> {
    /// Covers known secrets in a line.
    pub cover: &'s (dyn Fn(&[u8]) -> Vec<u8> + Sync),
    /// Files that hold secrets by their name or their first bytes are shown too.
    pub secret_files: bool,
}

impl Sight<'_> {
    /// For a person who opens one file; one that holds secrets is opened once more to see them.
    pub fn of_one_file(secret_files: bool) -> Self {
        Sight { cover: &|line| line.to_vec(), secret_files }
    }
}
