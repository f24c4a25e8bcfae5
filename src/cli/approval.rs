use super::ApprovalArgs;
use super::decisions::DecisionsFile;
use crate::model::{ApprovalPolicy, Result};

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
        if given.is_empty() { "each plan is approved by a person".to_owned() } else { given.join(" ") }
    }
}
