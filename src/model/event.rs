use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Answer, Digest, Fingerprint, Known, Preview, Problem, ResourceId, RunHeader, Selection, TargetIdentity, TaskId,
};

/// Stands as who decided where the runbook did, by a condition or a policy.
pub const BY_RUNBOOK: &str = "the runbook";

/// Whether a task is on its way to the backup's state or back to the former one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pass {
    #[default]
    Restore,
    Undo,
}

/// Of a plan: changes by their kind, hunks chosen, and how many of those delete something or cannot be undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    #[serde(rename = "c", default)]
    pub create: u32,
    #[serde(rename = "u", default)]
    pub update: u32,
    #[serde(rename = "d", default)]
    pub delete: u32,
    #[serde(rename = "h", default)]
    pub hunks: u32,
    #[serde(rename = "dh", default)]
    pub delete_hunks: u32,
    #[serde(rename = "i", default, skip_serializing_if = "is_zero")]
    pub irreversible: u32,
    /// Files among them that are known not to be readable in the backup.
    #[serde(rename = "x", default, skip_serializing_if = "is_zero")]
    pub unreadable: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The same in whole words: the journal's names are short because there are millions of them.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CountsInWords {
    pub create: u32,
    pub update: u32,
    pub delete: u32,
    pub hunks: u32,
    pub delete_hunks: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub irreversible: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable: u32,
}

impl Counts {
    pub fn in_words(self) -> CountsInWords {
        let Self { create, update, delete, hunks, delete_hunks, irreversible, unreadable } = self;
        CountsInWords { create, update, delete, hunks, delete_hunks, irreversible, unreadable }
    }

    pub fn deletes(self) -> u32 {
        self.delete.max(self.delete_hunks)
    }
}

/// What happened, in the order it happened. Data only, and never a secret; `Run = fold(events)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// Always the first.
    Opened {
        run: Arc<RunHeader>,
    },
    Resumed {
        by: String,
    },
    /// A plan was made and waits for a decision.
    Planned {
        task: TaskId,
        pass: Pass,
        digest: Digest,
        preview: Preview,
        counts: Counts,
        /// Equal for plans that are equal once the owner's name is taken out.
        cohort: Digest,
    },
    /// Live and backup are equal already, or a check held.
    Unchanged {
        task: TaskId,
    },
    /// What the plan that was just made strips, refuses or leaves as it is, in words, for whoever sees no plan:
    /// recorded once, and again only where it became another.
    Warned {
        task: TaskId,
        warnings: Vec<String>,
        /// Those of them that say what an undo does not bring back.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stays: Vec<String>,
    },
    /// Hunks were taken or left; the plan's digest is now another.
    Decided {
        task: TaskId,
        selection: Selection,
        digest: Digest,
        counts: Counts,
    },
    Approved {
        task: TaskId,
        digest: Digest,
        by: String,
    },
    /// The live state moved under the approval, or the operator took it back.
    Voided {
        task: TaskId,
        why: String,
    },
    /// About to change the target. Durable before the effect; undo records are too.
    Intent {
        task: TaskId,
        attempt: u16,
        digest: Digest,
        pre: Fingerprint,
        #[serde(default)]
        undoable: bool,
    },
    /// What a write has begun goes on by itself, and this is by what it is found again.
    UnderWay {
        task: TaskId,
        resource: ResourceId,
        reference: String,
    },
    /// What is known of the effect after reading back.
    Outcome {
        task: TaskId,
        known: Known,
        /// What was seen when reading back: for Applied, the fingerprint of what is live now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        post: Option<Fingerprint>,
        /// In words: "412 files, 3.1 MB, every byte read back", an exit code …
        #[serde(default, skip_serializing_if = "String::is_empty")]
        evidence: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<Problem>,
        /// Not applied as a whole, and a part of it is there: every hunk in its former or its approved state.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        partial: bool,
        /// How many undo records this attempt left: fewer later, and the way back is not whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<u32>,
        /// It failed, and restores into the same component that need it go on all the same: what failed is named, and
        /// the component refuses each resource that refers to something missing.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        dependents_go_on: bool,
        /// Of files' contents that were written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
        /// What a command printed, where its step captures that for later ones. Never a secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// Failed before any effect.
    Failed {
        task: TaskId,
        problem: Problem,
    },
    /// A check, a wait or a confirmation's probe was asked.
    Answered {
        task: TaskId,
        answer: Answer,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// An INTENT without OUTCOME, or an UNKNOWN, was settled by reading the target or by a person.
    Settled {
        task: TaskId,
        known: Known,
        how: String,
        by: String,
        /// As with an OUTCOME.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<u32>,
    },
    Retried {
        task: TaskId,
        by: String,
    },
    Skipped {
        task: TaskId,
        why: String,
        by: String,
    },
    /// All tasks of this owner that are not settled are skipped.
    LeftOut {
        set: String,
        owner: String,
        why: String,
        by: String,
    },
    /// The operator asks for this task's undo; its plan follows.
    UndoAsked {
        task: TaskId,
        by: String,
    },
    Paused {
        by: String,
        /// Of a pause that no operator asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    Continued {
        by: String,
    },
    Aborted {
        by: String,
        why: String,
    },
    /// Ended for good: kept files are released, undo is no longer offered.
    Closed {
        by: String,
    },
    /// What a component calls itself since this run has made it: a realm that was not there has an id of its own now.
    Became {
        component: String,
        now: TargetIdentity,
    },
    /// Something that must be on record without changing any state, as "TLS verification is off".
    Noted {
        text: String,
    },
}

impl Event {
    pub fn task(&self) -> Option<TaskId> {
        match self {
            Self::Planned { task, .. }
            | Self::Unchanged { task }
            | Self::Warned { task, .. }
            | Self::Decided { task, .. }
            | Self::Approved { task, .. }
            | Self::Voided { task, .. }
            | Self::Intent { task, .. }
            | Self::UnderWay { task, .. }
            | Self::Outcome { task, .. }
            | Self::Failed { task, .. }
            | Self::Answered { task, .. }
            | Self::Settled { task, .. }
            | Self::Retried { task, .. }
            | Self::Skipped { task, .. }
            | Self::UndoAsked { task, .. } => Some(*task),
            _ => None,
        }
    }

    /// Of the plan it made or changed.
    pub fn counts(&self) -> Option<Counts> {
        match self {
            Self::Planned { counts, .. } | Self::Decided { counts, .. } => Some(*counts),
            _ => None,
        }
    }

    /// The tag that JSON and the log show.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Resumed { .. } => "resumed",
            Self::Planned { .. } => "planned",
            Self::Unchanged { .. } => "unchanged",
            Self::Warned { .. } => "warned",
            Self::Decided { .. } => "decided",
            Self::Approved { .. } => "approved",
            Self::Voided { .. } => "voided",
            Self::Intent { .. } => "intent",
            Self::UnderWay { .. } => "under-way",
            Self::Outcome { .. } => "outcome",
            Self::Failed { .. } => "failed",
            Self::Answered { .. } => "answered",
            Self::Settled { .. } => "settled",
            Self::Retried { .. } => "retried",
            Self::Skipped { .. } => "skipped",
            Self::LeftOut { .. } => "left-out",
            Self::UndoAsked { .. } => "undo-asked",
            Self::Paused { .. } => "paused",
            Self::Continued { .. } => "continued",
            Self::Aborted { .. } => "aborted",
            Self::Closed { .. } => "closed",
            Self::Became { .. } => "became",
            Self::Noted { .. } => "noted",
        }
    }
}

/// An event in its place: `seq` from 1 without gaps, `at` in milliseconds since 1970 (for eyes;
/// order is by `seq`, so a jumping clock does no harm).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    pub seq: u64,
    pub at: i64,
    #[serde(flatten)]
    pub event: Event,
}
