use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use async_trait::async_trait;

use super::{Given, Password};
use crate::model::{Result, Secret};

/// What a system or a store is opened with.
pub struct Opening<'a> {
    /// What the runbook calls it.
    pub name: &'a str,
    /// What the runbook gives, without variables. The key that chose the system or store is among it.
    pub given: &'a Given<String>,
    pub secrets: &'a dyn Secrets,
    /// The operator takes certificates and plain text as they come.
    pub is_insecure: bool,
    /// Where runs are kept: nothing there is compared or written.
    pub kept_out: Option<PathBuf>,
    /// Of a store with several states: the id of the one that the run began with.
    pub pinned: Option<&'a str>,
}

/// What opening something comes to.
pub type Opened<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// The operator's secrets, and where they may go.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Reads a secret from where the runbook says it is. Errors: it is not there, or cannot be read.
    async fn read(&self, place: &Password<String>) -> Result<Secret>;

    /// Refuses to send `what`, such as "the login", to an address where others could read it on the way.
    fn may_send(&self, what: &str, url: &str) -> Result<()>;
}
