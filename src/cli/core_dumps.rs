use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// A core dump would hold passwords and keys. Also keeps this process's memory and environment from other processes of
/// the same user. Programs that it starts are not concerned.
pub fn forbid() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!("core dumps of this process cannot be switched off: {error}");
    }
}
