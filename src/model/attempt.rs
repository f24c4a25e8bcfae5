use super::{Digest, Selection};

/// One INTENT of a task's restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub attempt: u16,
    /// The digest that its plan is kept under.
    pub planned: Digest,
    pub selection: Selection,
    /// How many undo records it left; unknown while it is under way, and in journals of older versions.
    pub kept: Option<u32>,
}
