use std::path::Path;

use super::{Given, Password};
use crate::model::{Result, Secret};

/// What a system is opened with.
pub struct Opening<'a> {
    /// What the runbook gives, without variables. The adapter's own key is among it.
    pub given: &'a Given<String>,
    /// Reads a secret from where the runbook says it is, when it is wanted.
    pub secret: &'a dyn Fn(&Password<String>) -> Result<Secret>,
    /// Refuses to send what is named, such as "the login", to an address where others could read it on the way.
    pub may_send: &'a dyn Fn(&str, &str) -> Result<()>,
    /// The operator takes certificates and plain text as they come.
    pub is_insecure: bool,
    /// Where runs are kept: nothing there is compared or written.
    pub kept_out: Option<&'a Path>,
}
