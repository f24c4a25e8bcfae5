use super::fingerprints;
use crate::model::{Change, DigestBuilder, Fingerprint, Hunk, HunkAt, Result, Tree};

/// Mixes into a change what the source counts of the files that it takes from there, so that a plan names them as
/// they were listed. Nothing where the source cannot change under a plan.
pub fn stamp(change: &mut Change, desired: &dyn Tree) {
    change.after = stamped(change.after, &change.hunks, desired);
}

/// Whether the source still is what a change was planned from, as far as it counts: lists it anew.
pub fn is_as_planned(change: &Change, desired: &dyn Tree) -> Result<bool> {
    let (_, after) = fingerprints(&change.hunks);
    if after == change.after {
        return Ok(true);
    }
    for entry in desired.entries()? {
        entry?;
    }
    Ok(stamped(after, &change.hunks, desired) == change.after)
}

fn stamped(after: Fingerprint, hunks: &[Hunk], desired: &dyn Tree) -> Fingerprint {
    let mut builder = DigestBuilder::new("stamped");
    builder.digest(&after);
    let mut is_any = false;
    for hunk in hunks {
        if let HunkAt::Node { path, content: true, .. } = &hunk.at
            && let Some(stamp) = desired.stamp(path)
        {
            builder.number(stamp);
            is_any = true;
        }
    }
    if is_any { builder.finish() } else { after }
}
