use async_trait::async_trait;

use crate::model::{Error, Location, Problem, Resource, Result, Schema, Scope, TargetIdentity, TreePath};
use crate::reader::Reader;

/// A source that could not be opened where it is not needed: an undo works without the backup.
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
        let error =
            Error::new(self.problem.kind, format!("read the source '{}'", self.name), self.problem.what.clone());
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

    async fn owners(&self, _below: &TreePath, _kind: Option<&str>) -> Result<Vec<String>> {
        Err(self.error())
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        scopes.iter().map(|_| Err(self.error())).collect()
    }

    async fn read(&self, wanted: &[Location]) -> Vec<Result<Option<Resource>>> {
        wanted.iter().map(|_| Err(self.error())).collect()
    }
}
