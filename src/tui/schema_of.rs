use std::fmt;
use std::sync::Arc;

use crate::diff::documents::lines_in;
use crate::diff::files::{Bounds, TextDiff};
use crate::model::{Proposal, Run, Schema, TaskId};

/// What a task's documents look like, which their diffs need: which fields are secret, and which lists are sets.
#[derive(Clone, Default)]
pub struct SchemaOf(Option<Arc<Lookup>>);

type Lookup = dyn Fn(&Run, TaskId) -> Option<Schema> + Send + Sync;

impl SchemaOf {
    pub fn new(lookup: impl Fn(&Run, TaskId) -> Option<Schema> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(lookup)))
    }

    /// None where it is not known.
    pub fn get(&self, run: &Run, task: TaskId) -> Option<Schema> {
        self.0.as_ref().and_then(|lookup| lookup(run, task))
    }
}

impl fmt::Debug for SchemaOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SchemaOf")
    }
}

/// A field with the lines of its document around it.
pub fn field_diff(proposal: &Proposal, at: (u32, u32), schema: Option<&Schema>) -> TextDiff {
    let alone = || TextDiff::note("nothing stands around it");
    lines_in(proposal, at, schema, Bounds::ONE_FILE).unwrap_or_else(alone)
}
