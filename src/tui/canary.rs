use crate::model::{Digest, Run, TaskId, TaskStatus};

/// Plans that are approved once others, equal to them, were applied and read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canary {
    pub first: Vec<(TaskId, Digest)>,
    /// Approved by the same answer, each by its digest; what is another plan by then is left in review.
    pub rest: Vec<(TaskId, Digest)>,
}

/// What is known of the first few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// They are being written, or read back.
    Open,
    /// This one did not come out well: the rest is not approved.
    Bad(TaskId),
    /// All were read back equal: the rest that is still the same plans can follow; so many are others by now.
    Proved { same: Vec<(TaskId, Digest)>, moved: usize },
}

impl Canary {
    pub fn stand(&self, run: &Run) -> Stand {
        use TaskStatus as S;
        let state = |id: TaskId| run.tasks.get(id.index());
        let status = |id: TaskId| state(id).map(|task| task.status);
        let is_bad = |(id, digest): &&(TaskId, Digest)| match status(*id) {
            Some(S::Approved | S::Applying | S::Done) => false,
            Some(S::Review) => state(*id).and_then(|task| task.digest) != Some(*digest),
            _ => true,
        };
        if let Some((id, _)) = self.first.iter().find(is_bad) {
            return Stand::Bad(*id);
        }
        if !self.first.iter().all(|(id, _)| status(*id) == Some(S::Done)) {
            return Stand::Open;
        }
        let is_same = |(id, digest): &&(TaskId, Digest)| {
            state(*id).is_some_and(|task| task.status == S::Review && task.digest == Some(*digest))
        };
        let same: Vec<_> = self.rest.iter().filter(is_same).copied().collect();
        let moved = self.rest.len() - same.len();
        Stand::Proved { same, moved }
    }
}
