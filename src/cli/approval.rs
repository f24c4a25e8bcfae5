use super::ApprovalArgs;
use super::decisions::DecisionsFile;
use crate::model::{ApprovalPolicy, Result, Run, TaskStatus};

/// More would only scroll the totals away.
const MOST_WAITING: usize = 20;

impl ApprovalArgs {
    pub fn policy(&self) -> Result<ApprovalPolicy> {
        if let Some(path) = &self.decisions {
            let decided = DecisionsFile::read(path)?.tasks;
            let decided = decided.into_iter().map(|(task, decision)| (task, (decision.digest, decision.left_out)));
            return Ok(ApprovalPolicy::Decisions(decided.collect()));
        }
        if self.yes {
            return Ok(ApprovalPolicy::Yes { deletes: self.yes_deletes, irreversible: self.yes_irreversible });
        }
        Ok(ApprovalPolicy::Ask)
    }

    /// For the run's header: how approval was set.
    pub fn words(&self) -> String {
        let flags = [
            (self.yes, "--yes"),
            (self.yes_deletes, "--yes-deletes"),
            (self.yes_irreversible, "--yes-irreversible"),
            (self.decisions.is_some(), "--decisions"),
        ];
        let given: Vec<&str> = flags.iter().filter(|(given, _)| *given).map(|(_, flag)| *flag).collect();
        let mut words = if given.is_empty() { "each plan is approved by a person".to_owned() } else { given.join(" ") };
        if self.take_over {
            words.push_str(" --take-over");
        }
        words
    }
}

/// Which plans the flags did not approve, and what would; one line each.
pub fn waiting(run: &Run, policy: &ApprovalPolicy) -> Vec<String> {
    let tasks = run.tasks.iter().zip(0_u32..).filter(|(state, _)| state.status == TaskStatus::Review);
    let mut lines: Vec<String> = tasks
        .filter_map(|(state, number)| {
            let name = run.name(crate::model::TaskId(number));
            let deletes = state.counts.deletes();
            let why = match policy {
                ApprovalPolicy::Ask => return None,
                ApprovalPolicy::Yes { deletes: false, .. } if deletes > 0 => {
                    format!("its plan deletes {deletes}; --yes --yes-deletes approves that too")
                }
                ApprovalPolicy::Yes { irreversible: false, .. } => {
                    "it cannot be undone, or keeps changing; --yes --yes-irreversible approves the former too"
                        .to_owned()
                }
                ApprovalPolicy::Yes { .. } => "its target keeps changing".to_owned(),
                ApprovalPolicy::Decisions(decided) if decided.contains_key(&name) => {
                    "it is no longer as it was reviewed; plan and review it again".to_owned()
                }
                ApprovalPolicy::Decisions(_) => "the review did not approve it".to_owned(),
            };
            Some(format!("{} waits: {why}", crate::model::visible(&name)))
        })
        .collect();
    if lines.len() > MOST_WAITING {
        let more = lines.len() - MOST_WAITING;
        lines.truncate(MOST_WAITING);
        lines.push(format!("… and {more} more wait"));
    }
    lines
}

/// The flags with which a run goes on where it waits: those that were given, and those that were missing.
pub fn flags_to_go_on(run: &Run, policy: &ApprovalPolicy) -> String {
    let ApprovalPolicy::Yes { deletes, irreversible } = *policy else { return String::new() };
    let waits = |wanted: &dyn Fn(u32) -> bool| {
        run.tasks.iter().any(|state| state.status == TaskStatus::Review && wanted(state.counts.deletes()))
    };
    // What deletes nothing, or may, waits for another reason.
    let irreversible = irreversible || waits(&|count| count == 0 || deletes);
    let deletes = deletes || waits(&|count| count > 0);
    let flags = [(true, " --yes"), (deletes, " --yes-deletes"), (irreversible, " --yes-irreversible")];
    flags.iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| *flag).collect()
}
