use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::calls::Calls;
use crate::component::Component;
use crate::journal::{Journal, ReadJournal, RunFolder, UndoStore};
use crate::model::{Digest, DigestKey, Error, ErrorKind, Result, RunHeader, TargetHolder, TargetIdentity};

/// What was pinned when a run began, and the limits of its components: all that planning needs to know of it.
pub(super) struct Pinned {
    pub run: Arc<str>,
    pub runbook: Digest,
    pub identities: BTreeMap<String, TargetIdentity>,
    /// The machine that runs commands.
    pub host: Arc<str>,
    pub key: DigestKey,
    pub calls: Calls,
}

/// What every worker of one run shares; fixed for its life.
pub(super) struct Context {
    pub pinned: Arc<Pinned>,
    pub folder: RunFolder,
    pub journal: Journal,
    pub undo: UndoStore,
    /// This session, as its targets know it.
    pub holder: TargetHolder,
    /// The operator has decided to take targets from whoever holds them.
    pub takes_over: bool,
    /// Set by abort: writes stop at their next safe point.
    pub cancelled: watch::Sender<bool>,
    /// Set when this session ends: what goes on by itself is left to a resume.
    pub leaving: watch::Sender<bool>,
}

impl Context {
    /// The journal as it lies on disk; not for async threads.
    pub fn read(&self) -> Result<ReadJournal> {
        ReadJournal::open(&self.folder)
    }
}

impl Pinned {
    pub fn of(header: &RunHeader, key: DigestKey, components: &[(String, Arc<dyn Component>)]) -> Self {
        Self {
            run: header.id.as_str().into(),
            runbook: header.digest.unwrap_or_else(|| Digest::of(&header.runbook)),
            identities: header.identities.clone(),
            host: header.host().into(),
            key,
            calls: Calls::of(components),
        }
    }

    pub fn identity(&self, name: &str) -> Result<TargetIdentity> {
        self.identities.get(name).cloned().ok_or_else(|| {
            Error::new(ErrorKind::Bug, format!("plan against '{name}'"), "its identity was not recorded at the start")
        })
    }
}
