use async_trait::async_trait;

use super::{in_clear, password};
use crate::blocking::blocking;
use crate::declared::{Password, Secrets};
use crate::model::{Result, Secret};
use crate::runbook::Inputs;

/// Secrets as the operator's inputs, environment, files and commands hold them.
pub(super) struct OperatorsSecrets<'a>(pub &'a Inputs);

#[async_trait]
impl Secrets for OperatorsSecrets<'_> {
    async fn read(&self, place: &Password<String>) -> Result<Secret> {
        let (place, inputs) = (place.clone(), self.0.clone());
        blocking("read a secret", move || password::read(&place, &inputs)).await
    }

    fn may_send(&self, what: &str, url: &str) -> Result<()> {
        in_clear::check(what, url, self.0)
    }
}
