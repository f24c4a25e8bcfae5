use serde::Serialize;

use crate::model::{Counts, Known, Op, Pass, Preview, Problem, TargetIdentity, TaskStatus, without_owner};

/// One task: each plan it had, with what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct TaskReport {
    /// `step/owner`, or `step`.
    pub task: String,
    pub step: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    pub status: TaskStatus,
    /// How far an undo is that has not ended, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<&'static str>,
    /// Plans that were approved or failed, and the last one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Round>,
    /// Why it failed or is unknown now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// The runbook's own condition skipped it: it was not to be done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skipped_by_condition: bool,
    /// It asked about something that was undone since.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub outdated: bool,
    /// Who asked for its undo last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_asked_by: Option<String>,
    /// What was left as it is where there was nothing to write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What its undo did not bring back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stays: Vec<String>,
    /// Retries, answers, skips: `time: what, by whom`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<String>,
}

impl TaskReport {
    /// `text` with a placeholder where it names the task or its owner, as whole words.
    pub(super) fn without_owner(&self, text: &str) -> String {
        without_owner(text, self.owner.as_deref().unwrap_or_default(), "…")
    }
}

/// One plan of a task and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    pub pass: Pass,
    pub preview: Preview,
    /// Of the plan with the hunks that are taken: what an approval names.
    pub digest: String,
    #[serde(serialize_with = "super::in_words")]
    pub counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetIdentity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approved>,
    /// Why the approval was void.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voided: Option<String>,
    /// Of the writing; none where none was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Where the command ran, and its variables; secrets are masked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    pub changes: Vec<ChangeReport>,
    /// Changes beyond the report's bound.
    #[serde(skip_serializing_if = "is_none")]
    pub more_changes: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Why the plan's content is not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_missing: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Approved {
    pub at: String,
    pub by: String,
    pub digest: String,
}

/// What reading back showed.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    pub at: String,
    pub known: Known,
    /// Some of it is there, the rest is as before.
    pub partial: bool,
    pub evidence: String,
    /// Fingerprint of what is live now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Settled {
    pub at: String,
    pub known: Known,
    pub how: String,
    pub by: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct ChangeReport {
    pub kind: String,
    pub key: String,
    pub op: Op,
    pub hunks: Vec<HunkReport>,
    /// Hunks beyond the report's bound.
    #[serde(skip_serializing_if = "is_none")]
    pub more_hunks: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct HunkReport {
    pub op: Op,
    pub place: String,
    pub before: Option<String>,
    pub after: Option<String>,
    /// False: the operator left it out.
    pub taken: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub(super) fn is_none(count: &usize) -> bool {
    *count == 0
}
