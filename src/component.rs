use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::model::{
    Capacity, Change, Document, DocumentPath, Entry, Error, ErrorKind, FileOwnership, Fingerprint, Meta, Preview,
    Resource, ResourceId, Result, TargetHolder, Tree, TreePath,
};
use crate::reader::Reader;

/// The kind of all resources of a system that has but one kind, which are documents.
pub const DOCUMENT: &str = "document";

/// A live system that is read and written.
///
/// Idempotent by contract: the same change written twice leaves one effect, and a write that was
/// interrupted at any point can be written again. What an [`Error`] of `write` promises about the effect
/// is in [`Error::effect`]: *not applied* (the target is as before), *applied* (all of it), *unknown*
/// (a part, or nobody knows). An adapter never prompts, prints, journals, retries the whole, or decides.
#[async_trait]
pub trait Component: Reader {
    fn limits(&self) -> Limits;

    /// What this system is waited for at the moment, as a person is told: "Keycloak asks to wait 4 s"; nothing while it
    /// takes every call. A system that is never waited for has no such thing.
    fn back_off(&self) -> Option<watch::Receiver<Option<String>>> {
        None
    }

    /// The system's own opinion of each change without making it: free space, server-side dry run,
    /// right to write. An `Err` is a reason not to approve; warnings are shown.
    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>>;

    /// Writes each change, or says why not; answers in order, one each. Preconditions are inside: where
    /// the live resource is no longer what `live` and `change.before` say, nothing is written and the
    /// error is [`ErrorKind::Conflict`]. On return all applied effects are durable. Trees hand their undo
    /// records to `ledger` before each batch of effects; documents' pre-images are the engine's to keep.
    ///
    /// What [`Reader::read`] gives afterwards must equal [`Approved::expected`] exactly, but for ignored fields and for what
    /// the schema says that the system fills in: anything else is an unknown effect, and ends as one. A system that reads a
    /// document otherwise than it was given one says so in [`Component::normalise`].
    async fn write(&self, changes: &[Approved], ledger: &dyn Ledger) -> Vec<Result<Effect>>;

    /// Whether what needs a task can go on here though `failed` of its resources are not as approved: each with whether
    /// there is anything of it. Only a system that refuses, by name, what refers to something missing says yes.
    fn dependents_go_on(&self, failed: &[(ResourceId, bool)]) -> bool {
        let _ = failed;
        false
    }

    /// What this system can hold of a tree's metadata, where that can be told before it is written.
    fn capacity(&self) -> Option<Arc<dyn Capacity>> {
        None
    }

    /// Which resource of this system a document is that lies at `place` in a backup of documents, or in the runbook itself;
    /// pure. Errors: nothing of this system has such a place.
    fn id_at(&self, place: &TreePath) -> Result<ResourceId> {
        Ok(ResourceId { kind: DOCUMENT.into(), key: place.clone() })
    }

    /// A document that another system or a person wrote, as [`Reader::read`] would give it once it is written here: numbers as
    /// texts where this system has only texts, defaults filled in. Pure, and of what it answers it makes the same again. Asked
    /// before anything is planned, for each document of the runbook itself and of a backup of plain documents.
    /// Errors: this system cannot hold such a document, and why.
    fn normalise(&self, document: Document) -> Result<Document> {
        Ok(document)
    }

    /// The source as this system can hold it: without what it passes over, or lacks a plugin for.
    fn fitted(self: Arc<Self>, source: Arc<dyn Reader>) -> Arc<dyn Reader> {
        source
    }

    /// Whether nobody else writes to this target; where another does, the error is [`ErrorKind::Held`] and names them.
    /// Reads only. A system with no place to write a name into answers yes.
    async fn is_free(&self, holder: &TargetHolder) -> Result<()> {
        let _ = holder;
        Ok(())
    }

    /// Places in the tree of `id` of which another file system has what is there: they are left alone. Reads only.
    fn mounted_in(&self, id: &ResourceId) -> Vec<TreePath> {
        let _ = id;
        Vec::new()
    }

    /// Who made what is there now, where a write that was to make it of nothing, `made`, was interrupted. A system that
    /// makes a whole target by one call adds to it of its own, and only the target itself can tell whose it is.
    async fn maker(&self, run: &str, made: &[&Resource]) -> Result<Maker> {
        let _ = (run, made);
        Ok(Maker::Unsaid)
    }

    /// Takes the target for this session, in the target itself, so that it holds for every machine: asked before each
    /// batch is written, and nothing is done where the session has it already. Where another has it the error is
    /// [`ErrorKind::Held`], unless `takes_over`, which is good for one time: an operator decided it once. Answers what
    /// must be on record, if anything: from whom it was taken.
    ///
    /// From now on a `write` looks before each resource, a short moment of trust apart, whether the target is still
    /// this session's. Where it is not, the resource is not touched, and the error is [`ErrorKind::Held`] and *not
    /// applied*. Systems with no place to write a name into do nothing here.
    async fn hold(&self, holder: &TargetHolder, takes_over: bool) -> Result<Option<String>> {
        let _ = (holder, takes_over);
        Ok(None)
    }

    /// The session has ended: whoever comes next finds the target free. What it no longer has stays as it is.
    async fn let_go(&self) -> Result<()> {
        Ok(())
    }

    /// How work is looked at that a write has only begun. A system of which every write ends with its call has none.
    fn long_work(&self) -> Option<&dyn LongWork> {
        None
    }

    /// The former state of a tree, made of the records that its write handed over: touched paths only.
    fn former(&self, id: &ResourceId, records: Vec<UndoRecord>) -> Result<Arc<dyn Tree>> {
        let _ = records;
        Err(Error::new(ErrorKind::Unsupported, format!("read the former state of {id}"), "this system keeps no trees"))
    }

    /// Takes back what an interrupted write of these resources changed for its own time only, as the mode of a directory
    /// that its owner had to write in. Nothing writes to them meanwhile.
    async fn clean_up_after(&self, run: &str, interrupted: &[ResourceId]) -> Result<()> {
        let _ = (run, interrupted);
        Ok(())
    }

    /// Whether former states are kept here beside a run's record: then [`Component::kept_runs`] names each run that wrote
    /// here and can be undone.
    fn keeps_former(&self) -> bool {
        false
    }

    /// The runs for which something is kept here, by id: what [`Component::release`] lets go.
    async fn kept_runs(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// The run is closed: what was kept for its undo can go.
    async fn release(&self, run: &str) -> Result<()> {
        let _ = run;
        Ok(())
    }
}

/// A system whose work goes on by itself after a call has begun it: a build, a job.
#[async_trait]
pub trait LongWork: Send + Sync {
    /// How far the work of this reference is. Reads only. Errors: it failed, with what is known of its effect; or, as
    /// [`ErrorKind::Unreachable`] or [`ErrorKind::TimedOut`], it could not be looked at this time.
    async fn look(&self, id: &ResourceId, reference: &str) -> Result<Look>;

    /// Asks the system to end it. No: it has no way to; the work goes on.
    async fn cancel(&self, id: &ResourceId, reference: &str) -> Result<bool> {
        let _ = (id, reference);
        Ok(false)
    }
}

/// What a look at long work found.
#[derive(Clone, Debug)]
pub enum Look {
    Ended(Effect),
    UnderWay(UnderWay),
}

/// Work that goes on, as far as it can be told.
#[derive(Clone, Debug, Default)]
pub struct UnderWay {
    /// When it is worth looking again.
    pub again_in: Duration,
    /// How far it is, in a few words: "12 of 40 packages".
    pub progress: String,
    /// What the work has said since the last look, line by line.
    pub said: Vec<String>,
}

/// Who created a target that was absent at planning time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Maker {
    /// It is not there, or says nothing of it.
    #[default]
    Unsaid,
    ThisRun,
    /// In words: what is there, and how it is known that this run did not make it.
    Another {
        what: String,
    },
}

/// How a system likes to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Changes in one `write` or `check`, resources in one `read`.
    pub batch: usize,
    /// Calls side by side, reads, checks and writes together. One is left to reading where there are two.
    pub parallel: usize,
    pub unit: Unit,
    /// Whether `read` answers otherwise beside the other side: then the source is read first, else both are read at once.
    pub reads_beside: bool,
}

/// What is never spread over two calls that check or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Change,
    /// All changes of a task go in one call, however many they are: a realm is made of all that is wanted in it, a
    /// transaction holds or is rolled back. Then [`Limits::batch`] bounds the tasks of a call.
    Task,
}

/// One change that was approved, with the bodies it was planned from.
#[derive(Clone, Debug)]
pub struct Approved {
    /// Names the run, for what is kept on the target's side for undo.
    pub run: Arc<str>,
    pub change: Arc<Change>,
    /// Positions in `change.hunks` that are not to be written.
    pub left_out: BTreeSet<u32>,
    pub live: Option<Resource>,
    pub desired: Option<Resource>,
    /// For documents: `apply(live, chosen hunks)`; `None` deletes. What must be there afterwards: where the system foretold
    /// what it would store, that. In a `check`, what is wanted.
    pub expected: Option<Resource>,
}

impl Approved {
    pub fn takes(&self, hunk: usize) -> bool {
        u32::try_from(hunk).is_ok_and(|hunk| !self.left_out.contains(&hunk))
    }
}

#[derive(Clone, Debug, Default)]
pub struct Checked {
    pub preview: Preview,
    pub warnings: Vec<String>,
    /// Of a document that is text: whether what is written is byte by byte the text that the desired document has. None
    /// for one that has no text.
    pub is_as_desired: Option<bool>,
    /// Of a document's file that would be made: what the write must give it. It becomes a part of the plan.
    pub file: Option<FileOwnership>,
    /// Of a system that can tell it without writing: the document as it would be stored if [`Approved::expected`] were
    /// written, with what the system fills in, normalises or drops. The plan then leads there, and the read-back is
    /// compared with it. None for systems that store what they are given.
    pub would_be: Option<Document>,
}

/// What a successful write says of itself; the proof is the engine's reading back.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    pub bytes: u64,
    /// For trees: what each written regular file's bytes hashed to on their way from the source.
    pub contents: Vec<(TreePath, Fingerprint)>,
    /// The writer has read all of `contents` again where they lie, in a place of its own, and they were these:
    /// it was proved before it went live, and no byte is read a third time.
    pub read_back: bool,
    /// What was written otherwise than the source has it: stripped bits and capabilities …
    pub notes: Vec<String>,
    /// For trees: nodes that could not be given all of their approved metadata, as they are now. The notes say what they
    /// lack and why.
    pub held: Vec<(TreePath, Meta)>,
    /// For documents.
    pub found: Found,
    /// The write has only begun: what it does goes on by itself. Its reference was told to [`Ledger::under_way`].
    pub under_way: Option<UnderWay>,
    /// Of a document: what the system did not take, place by place. All else of the change is written, and what is
    /// refused is as it was.
    pub refused: Vec<Refusal>,
}

/// A part of a document that a system does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub place: DocumentPath,
    pub why: String,
}

/// What lay in a document's place just before the first effect. Where somebody else made or changed it meanwhile, and
/// as was wanted, that is theirs: an undo leaves it.
#[derive(Clone, Debug, Default)]
pub enum Found {
    /// What the change was planned from.
    #[default]
    AsPlanned,
    Nothing,
    Document(Document),
}

/// Where a write leaves what must be on record, and tells how far it is. `index` is the position in
/// the slice that `write` was given. Called from any thread.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Durable on return. An error here must stop the write before its next effect.
    fn keep(&self, index: usize, records: &[UndoRecord]) -> Result<()>;

    /// Files and bytes written since the last call.
    fn progress(&self, index: usize, files: u64, bytes: u64);

    /// Bytes read back since the last call, by a writer that proves its work itself.
    fn read_back(&self, _index: usize, _bytes: u64) {}

    /// By what the work is found again that this write begins: a build's id, a job's uid. Durable on return, so tell it
    /// before the work begins where the reference can be chosen, else at once after. An error must stop the write.
    async fn under_way(&self, _index: usize, _reference: &str) -> Result<()> {
        Ok(())
    }

    /// Whether the operator wants this write to stop at the next safe point.
    fn cancelled(&self) -> bool;
}

/// The former state of one touched path, written down before it was touched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UndoRecord {
    pub path: TreePath,
    /// What was there; `None`: nothing.
    pub before: Option<Entry>,
    /// Where the former content is kept, below the component's root.
    pub kept: Option<TreePath>,
}
