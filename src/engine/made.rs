use crate::model::{Counts, Digest, DigestBuilder, HunkAt, Proposal, Resource, Selection, Shown};

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

/// Larger plans are each their own cohort: nobody approves a thousand files by their likeness.
const MOST_HUNKS: usize = 1000;

/// The same for plans that are the same once the owner's name is taken out.
fn cohort(proposal: &Proposal) -> Option<Digest> {
    let plan = &proposal.plan;
    if plan.changes.iter().map(|change| change.hunks.len()).sum::<usize>() > MOST_HUNKS {
        return None;
    }
    let (step, owner) = plan.task.split_once('/')?;
    let without = |text: &str| text.replace(owner, "\u{0}owner\u{0}");
    let mut builder = DigestBuilder::new("cohort");
    builder.part(step).number(plan.pass as u64).number(plan.preview as u64);
    for change in &plan.changes {
        builder.part(&*change.id.kind).number(change.op as u64).number(change.hunks.len() as u64);
        for warning in &change.warnings {
            builder.part(without(warning));
        }
        if let Some(file) = change.file {
            builder.part(file.to_string());
        }
        for hunk in &change.hunks {
            builder.number(hunk.op as u64).number(hunk.fidelity as u64).part(without(&hunk.place()));
            match &hunk.at {
                HunkAt::Field { before, after, .. } => {
                    for side in [before, after] {
                        match side {
                            None => builder.number(0),
                            Some(Shown::Plain(value)) => builder.part(without(&value.to_string())),
                            // Two users' secrets are never the same change.
                            Some(Shown::Secret(digest)) => builder.digest(digest),
                            Some(Shown::Masked) => builder.number(1),
                        };
                    }
                }
                HunkAt::Node { before, after, content, .. } => {
                    builder.number(u64::from(*content));
                    for entry in [before, after] {
                        match entry {
                            None => builder.number(0),
                            Some(entry) => builder.digest(&entry.fingerprint()),
                        };
                    }
                }
            }
        }
    }
    if let Some(command) = &plan.command {
        for word in command.argv.iter().chain(&command.directory) {
            builder.part(without(word));
        }
        for (name, value) in &command.environment {
            builder.part(name);
            match value {
                Shown::Plain(value) => builder.part(without(&value.to_string())),
                Shown::Secret(digest) => builder.digest(digest),
                Shown::Masked => builder.number(1),
            };
        }
    }
    Some(builder.finish())
}
