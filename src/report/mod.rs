//! What a run did, for people and for programs: a pure projection of its events and plans.

mod csv;
mod first_page;
mod fold;
mod group;
mod html;
mod markdown;
mod overview;
mod recovery;
mod run_row;
mod shown;
mod task_report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

pub use fold::PlanOf;
pub use html::escaped;
pub use overview::{Overview, Owners, Reason, StepLine};
pub use recovery::{Goal, Took};
pub use run_row::{RunRow, STATES, table, wide_table};
pub use task_report::{Approved, ChangeReport, HunkReport, Outcome, Round, Settled, TaskReport};

use crate::model::{Counts, RunState, TargetIdentity, UndoneShare};

/// The report as data; serialised it is the JSON form. Holds no secrets, since events and plans hold none.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub id: String,
    pub title: String,
    /// Who started it.
    pub by: String,
    /// Of the program that started it.
    pub version: String,
    /// As in the list of runs.
    pub state: &'static str,
    #[serde(skip)]
    run_state: RunState,
    /// Nothing is left that goes on by itself.
    #[serde(skip)]
    is_over: bool,
    /// How much of what it did was undone.
    #[serde(skip)]
    undone: UndoneShare,
    /// Who works on it now, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Every task is settled well; only a close is missing, or was made.
    pub complete: bool,
    /// As all times here: RFC 3339 for programs.
    pub started: String,
    pub last: String,
    /// The name of the time zone of all times here.
    pub zone: String,
    /// How long it took until all was restored that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took: Option<Took>,
    /// The runbook's own, and whether it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// What is to be known first.
    pub overview: Overview,
    /// The sets of owners, as in `user`.
    #[serde(skip)]
    sets: Vec<String>,
    /// Whose tasks alone it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    pub runbook: String,
    pub runbook_digest: Option<String>,
    pub policy: String,
    pub inputs: BTreeMap<String, String>,
    /// What each source and component called itself at the start.
    pub identities: BTreeMap<String, TargetIdentity>,
    /// Owners that cannot be walked, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unusable_owners: Vec<String>,
    pub chain: Chain,
    pub totals: Totals,
    /// Something it changed can be brought back.
    pub can_be_undone: bool,
    pub tasks: Vec<TaskReport>,
    /// What happened to the run as a whole, in order.
    pub notes: Vec<Note>,
}

/// The journal's form is short; this one is for people.
fn in_words<S: serde::Serializer>(counts: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
    counts.in_words().serialize(serializer)
}

impl Report {
    /// The same of these owners' tasks alone; tasks that are for nobody in particular are left out.
    pub fn only(mut self, owners: &[String]) -> Self {
        self.tasks.retain(|task| task.owner.as_ref().is_some_and(|owner| owners.contains(owner)));
        self.overview = Overview::of(&self.tasks);
        self.only = owners.to_vec();
        self
    }

    /// What its owners are called: `users` where all are users.
    fn owners_word(&self) -> String {
        match self.sets.as_slice() {
            [one] => format!("{one}s"),
            _ => "owners".to_owned(),
        }
    }

    /// By whom the run is worked on now, in words.
    pub fn held_by(mut self, holder: Option<String>) -> Self {
        self.state = run_row::word(self.run_state, self.is_over, self.undone, holder.is_some());
        self.holder = holder;
        self
    }
}

/// Whether the record itself is whole.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Chain {
    pub sound: bool,
    pub events: u64,
    /// The last event's link, 64 hex digits: to be kept elsewhere, it proves this report later.
    pub head: String,
    pub findings: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    pub tasks: u32,
    /// Those that are not zero.
    pub by_status: BTreeMap<&'static str, u32>,
    /// Of what was applied and stands.
    #[serde(serialize_with = "in_words")]
    pub applied: Counts,
}

#[derive(Clone, Debug, Serialize)]
pub struct Note {
    pub at: String,
    pub text: String,
}
#[cfg(test)]
mod first_page_tests;
