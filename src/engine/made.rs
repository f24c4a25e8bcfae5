use super::cohort::cohort;
use crate::model::{Counts, Digest, Proposal, Resource, Selection};

/// A proposal with what the actor needs to know of it, computed where there is time for it.
pub(super) struct Made {
    pub proposal: std::sync::Arc<Proposal>,
    /// With every hunk chosen.
    pub digest: Digest,
    pub counts: Counts,
    pub cohort: Digest,
    /// With every hunk chosen, what must be there afterwards, change by change, where that was computed.
    pub expected: Option<Vec<Option<Resource>>>,
}

impl Made {
    pub fn new(proposal: Proposal) -> Self {
        let all = Selection::all();
        let digest = proposal.plan.digest(&all);
        Self {
            digest,
            counts: proposal.plan.counts(&all),
            cohort: cohort(&proposal).unwrap_or(digest),
            expected: None,
            proposal: std::sync::Arc::new(proposal),
        }
    }

    pub fn digest_with(&self, selection: &Selection) -> Digest {
        if selection.takes_all() { self.digest } else { self.proposal.plan.digest(selection) }
    }

    pub fn hunks(&self) -> usize {
        self.proposal.plan.changes.iter().map(|change| change.hunks.len()).sum()
    }
}
