//! Pure data and rules: what a restore is made of. Knows nobody, does no I/O.

mod approval;
mod change;
mod document;
mod entry;
mod error;
mod event;
mod fingerprint;
mod header;
mod identity;
mod mode;
mod path;
mod plan;
mod probe;
mod resource;
mod run;
mod schema;
mod secret;
mod selection;
mod task;
mod transition;
mod tree;

pub use approval::{Approval, ApprovalPolicy, Withheld};
pub use change::{Change, Hunk, HunkAt, Op, Shown};
pub use document::{Document, DocumentPath, PathStep};
pub use entry::{Entry, Meta, NodeKind, SpecialKind, Times};
pub use error::{Error, ErrorKind, Known, Problem, Result};
pub use event::{Counts, Event, Pass, Recorded};
pub use fingerprint::{Digest, DigestBuilder, Fingerprint};
pub use header::{OwnerSet, RunHeader, StepHeader, StepKind};
pub use identity::TargetIdentity;
pub use mode::{ComparePrecision, Mode};
pub use path::{TreePath, visible};
pub use plan::{Plan, Preview, Proposal};
pub use probe::{Answer, Probe};
pub use resource::{Body, Location, Owner, Resource, ResourceId, Scope};
<<<<<<< HEAD
pub use run::{IllegalEvent, Run, RunState};
pub use schema::{Fidelity, FieldRule, FieldShape, KindSchema, Privileges, Schema};
=======
pub use run::{IllegalEvent, OwnerSet, Run, RunHeader, RunState, StepHeader, StepKind};
pub use schema::{Fidelity, FieldRule, FieldShape, KindSchema, Schema};
>>>>>>> tui
pub use secret::{DigestKey, Secret};
pub use selection::Selection;
pub use task::{TaskId, TaskState, TaskStatus};
pub use tree::{ContentSink, Tree};
