use crate::adapters::ADAPTERS;
use crate::model::{Run, TargetIdentity, visible};

/// Of a run that can be undone: a component that no longer keeps what that takes, in words. Looks at the places that the
/// run recorded; no system is opened for it.
pub fn lost_former(run: &Run) -> Option<String> {
    let lost = |(name, pinned): (&String, &TargetIdentity)| {
        // A look at one place is cheaper than one at all tasks.
        let is_gone = ADAPTERS.iter().any(|adapter| (adapter.has_kept)(pinned, &run.header.id) == Some(false));
        (is_gone && run.has_kept_at(name)).then(|| former_gone(name))
    };
    run.header.identities.iter().find_map(lost)
}

pub fn former_gone(component: &str) -> String {
    format!("what '{}' kept for the undo of this run is gone", visible(component))
}
