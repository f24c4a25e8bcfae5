use std::path::Path;

use crate::components::files;
use crate::model::{Run, visible};

/// Of a run that can be undone: a component that no longer keeps what that takes, in words. Looks at the places that the
/// run recorded; no system is opened for it.
pub fn lost_former(run: &Run) -> Option<String> {
    let lost = |(name, pinned): (&String, &crate::model::TargetIdentity)| {
        // Where a runbook names a place from where it was called, nobody knows it here.
        let root = Path::new(&pinned.address);
        let is_known = pinned.system == FILES && root.is_absolute();
        let is_lost = is_known && run.has_kept_at(name) && !files::keeps_run(root, &run.header.id);
        is_lost.then(|| former_gone(name))
    };
    run.header.identities.iter().find_map(lost)
}

/// What a component of files calls itself, as its identity has it.
const FILES: &str = "directory";

pub fn former_gone(component: &str) -> String {
    format!("what '{}' kept for the undo of this run is gone", visible(component))
}
