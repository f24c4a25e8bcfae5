use std::sync::Arc;

use tokio::sync::oneshot;

use super::long_work::Following;
use super::made::Made;
use super::notice::Activity;
use super::recovery::Recovered;
use super::writer::{Intended, Written};
use crate::model::{Answer, Problem, Proposal, ResourceId, Result, TargetIdentity, TaskId};

/// What workers hand back to the actor. Only the actor records events.
pub(super) enum Done {
    /// Everything up to this event is in the journal.
    Durable {
        seq: u64,
    },
    /// The journal cannot be written any more.
    JournalLost {
        problem: Problem,
    },
    Planned {
        made: Vec<(TaskId, Result<Arc<Made>>)>,
    },
    /// A planning batch's worker has ended, however it did.
    PlanningFree {
        lane: usize,
        batch: u64,
        tasks: Vec<TaskId>,
    },
    Intended {
        intents: Vec<Intended>,
        durable: oneshot::Sender<()>,
    },
    Voided {
        task: TaskId,
        why: String,
    },
    Failed {
        task: TaskId,
        problem: Problem,
    },
    /// The targets were looked at: these are held by others.
    Looked {
        problems: Vec<Problem>,
    },
    /// Somebody else has the target of these approved tasks.
    Held {
        tasks: Vec<TaskId>,
        problem: Problem,
    },
    Noted {
        text: String,
    },
    /// A component that this run has made has an identity of its own now.
    Became {
        component: String,
        now: TargetIdentity,
    },
    /// By what is found again what a write begins, which waits until that is durable.
    UnderWay {
        task: TaskId,
        resource: ResourceId,
        reference: String,
        durable: oneshot::Sender<()>,
    },
    /// Writes of this batch have begun what goes on by itself.
    GoesOn {
        following: Box<Following>,
    },
    /// That worker has ended, however it did.
    FollowingEnded {
        batch: u64,
        task: TaskId,
    },
    /// The session ends before what goes on by itself does.
    LeftUnderWay {
        task: TaskId,
    },
    Wrote {
        written: Vec<Written>,
    },
    /// A writing batch's worker has ended, however it did.
    WritingFree {
        lane: usize,
        batch: u64,
        tasks: Vec<TaskId>,
    },
    Activity {
        task: TaskId,
        activity: Activity,
    },
    BackOff {
        component: String,
        words: Option<String>,
    },
    Output {
        task: TaskId,
        line: String,
    },
    Answered {
        task: TaskId,
        answer: Result<Answer>,
        by: Option<String>,
    },
    /// The probes of a task's condition were asked.
    ConditionAsked {
        task: TaskId,
        answers: Result<Vec<Answer>>,
    },
    /// A task that failed waited as long as its step says.
    RetryDue {
        task: TaskId,
    },
    /// The window of this step may be open now.
    WindowDue {
        step: usize,
    },
    Recovered {
        recovered: Recovered,
    },
    ProposalRead {
        task: TaskId,
        made: Result<Arc<Made>>,
        answer: oneshot::Sender<Result<Arc<Proposal>>>,
    },
}
