use crate::model::{Digest, TaskId};

/// Plans that are approved once others, equal to them, were applied and read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canary {
    pub first: Vec<(TaskId, Digest)>,
    /// Approved by the same answer, each by its digest; what is another plan by then is left in review.
    pub rest: Vec<(TaskId, Digest)>,
}
