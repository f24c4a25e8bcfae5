use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::journal::{Journal, UndoStore};
use crate::model::{Digest, DigestKey, Error, ErrorKind, Result, TargetIdentity};

/// What every worker of one run shares; fixed for its life.
pub(super) struct Context {
    pub run: Arc<str>,
    pub runbook: Digest,
    pub identities: BTreeMap<String, TargetIdentity>,
    pub key: DigestKey,
    pub journal: Journal,
    pub undo: UndoStore,
    /// Set by abort: writes stop at their next safe point.
    pub cancelled: AtomicBool,
}

impl Context {
    pub fn identity(&self, name: &str) -> Result<TargetIdentity> {
        self.identities.get(name).cloned().ok_or_else(|| {
            Error::new(ErrorKind::Bug, format!("plan against '{name}'"), "its identity was not recorded at the start")
        })
    }
}
