use async_trait::async_trait;

use crate::component::{Approved, Checked, Component, Effect, Ledger, Limits, Unit};
use crate::model::{
    Error, FoundOwners, Known, Location, Problem, Resource, Result, Schema, Scope, TargetIdentity, TreePath,
};
use crate::reader::{Reader, Wanted};

/// What could not be opened where it is not needed: an undo works without the backup, and a run is closed without any
/// system.
pub(super) struct Absent {
    pub name: String,
    pub problem: Problem,
    schema: Schema,
}

impl Absent {
    pub fn new(name: &str, error: &Error) -> Self {
        Self { name: name.to_owned(), problem: error.problem(), schema: Schema::default() }
    }

    fn error(&self) -> Error {
        let error = Error::new(self.problem.kind, format!("reach '{}'", self.name), self.problem.what.clone());
        match &self.problem.next {
            Some(next) => error.next(next.clone()),
            None => error,
        }
    }
}

#[async_trait]
impl Reader for Absent {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        Err(self.error())
    }

    async fn owners(&self, _below: &TreePath, _kind: Option<&str>) -> Result<FoundOwners> {
        Err(self.error())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        scopes.iter().map(|_| Err(self.error())).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        wanted.iter().map(|_| Err(self.error())).collect()
    }
}

#[async_trait]
impl Component for Absent {
    fn limits(&self) -> Limits {
        Limits { batch: 1, parallel: 1, unit: Unit::Change, reads_beside: false }
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        changes.iter().map(|_| Err(self.error())).collect()
    }

    async fn write(&self, changes: &[Approved], _: &dyn Ledger) -> Vec<Result<Effect>> {
        changes.iter().map(|_| Err(self.error().known(Known::NotApplied))).collect()
    }

    async fn release(&self, _: &str) -> Result<()> {
        Err(self.error())
    }
}
