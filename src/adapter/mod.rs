//! What the program needs to know of a system before it is opened: the keys by which a runbook names it, the places that a
//! step writes there, what it can be asked, how its backups are read, and how it is opened.
//!
//! Each system declares one [`Adapter`] in its own folder, and `adapters` lists them. Lint, the runbook's JSON Schema, help,
//! the log's voices and the registry are all made of these declarations.

mod format;
mod places;

pub use format::Format;
pub use places::Places;

use std::sync::Arc;

use crate::component::Component;
use crate::declared::{Given, Key, Opened, Opening, Wrong};
use crate::model::TargetIdentity;

/// One kind of live system.
#[derive(Debug)]
pub struct Adapter {
    /// The key by which a runbook chooses it. Its value is a text: a directory, or a server's address.
    pub name: &'static str,
    /// What that value is, in one sentence.
    pub about: &'static str,
    /// All other keys of such a component.
    pub keys: &'static [Key],
    /// What a probe can ask of it.
    pub questions: &'static [&'static str],
    pub places: Places,
    /// Whether a login goes to the server of that name, which must not be over plain text.
    pub sends_a_login: bool,
    /// What no single key is wrong about. Pure: looks at which keys are given, not at texts with variables in them.
    pub check: fn(&Given<()>) -> Vec<Wrong>,
    /// Targets of `tracing` whose records are this system's in the log.
    pub voice: &'static [&'static str],
    /// The folder's README.
    pub page: &'static str,
    /// Whether what a run kept for its undo beside such a target is still there, as far as that can be told without opening
    /// it. `None`: it cannot, or this is no target of this system.
    pub has_kept: fn(&TargetIdentity, run: &str) -> Option<bool>,
    /// How backups of this system are read.
    pub formats: &'static [Format],
    /// Errors: a key's text means nothing to this system, or a secret cannot be read. Whether the system answers is not
    /// asked here.
    pub open: for<'a> fn(&'a Opening<'a>) -> Opened<'a, Arc<dyn Component>>,
}

/// For systems that keep nothing beside the target, or where only the system itself can tell.
pub fn kept_is_not_told(_: &TargetIdentity, _: &str) -> Option<bool> {
    None
}
