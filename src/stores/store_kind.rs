use std::sync::Arc;

use super::Store;
use crate::declared::{Given, Key, Opened, Opening, Wrong};

/// One kind of place where backups lie.
#[derive(Debug)]
pub struct StoreKind {
    /// The key by which a runbook chooses it. Its value is a text: a path or an address.
    pub name: &'static str,
    /// What that value is, in one sentence.
    pub about: &'static str,
    /// All other keys of a source that are about this store.
    pub keys: &'static [Key],
    /// Which variants of it are read, in a few words; empty where there is but one.
    pub variants: &'static str,
    /// What no single key is wrong about. Pure.
    pub check: fn(&Given<()>) -> Vec<Wrong>,
    /// What is sent to a server whose address begins so, in words, and that address: it must not go over plain text.
    pub sends: fn(&str) -> Option<(&'static str, &str)>,
    /// Errors: a key's text means nothing, a secret cannot be read, or there is no such store.
    pub open: for<'a> fn(&'a Opening<'a>) -> Opened<'a, Arc<dyn Store>>,
}

/// For stores on this machine.
pub(super) fn nothing_is_sent(_: &str) -> Option<(&'static str, &str)> {
    None
}
