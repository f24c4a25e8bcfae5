use super::Finding;
use crate::model::{Recorded, Run};

/// The run that these events make. An event that the transition table does not allow ends the fold before it:
/// the chain is sound there, so a faulty program wrote it, or somebody who forged the whole journal.
pub fn fold(events: &[Recorded]) -> (Run, Option<Finding>) {
    let mut run = Run::default();
    for recorded in events {
        if let Err(illegal) = run.apply(recorded) {
            return (run, Some(Finding::Broken { seq: recorded.seq, why: illegal.to_string() }));
        }
    }
    (run, None)
}
