use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Digest, Selection, event::Counts};

/// A person's or a policy's yes to one plan. Used once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub digest: Digest,
    /// `name@host`, or the flag that approved.
    pub by: String,
}

/// Who approves plans when nobody is asked.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ApprovalPolicy {
    /// Every plan waits for a command.
    #[default]
    Ask,
    /// `--yes`: each plan as computed; deletes and irreversible changes only where allowed.
    Yes { deletes: bool, irreversible: bool },
    /// `--decisions FILE`: plans whose digest a review approved, with the hunks it left out,
    /// by the task's name.
    Decisions(BTreeMap<String, (Digest, Selection)>),
}

/// Why a policy did not approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    Asks,
    Deletes(u32),
    Irreversible,
    NotDecided,
    DecidedForAnotherPlan,
}

impl ApprovalPolicy {
    /// The selection that this policy approves for a plan, or why it does not.
    /// `digest_with` names the plan with a selection.
    pub fn approves(
        &self,
        task: &str,
        counts: Counts,
        irreversible: bool,
        digest_with: impl Fn(&Selection) -> Digest,
    ) -> Result<Selection, Withheld> {
        match self {
            Self::Ask => Err(Withheld::Asks),
            Self::Yes { deletes, .. } if counts.deletes() > 0 && !deletes => Err(Withheld::Deletes(counts.deletes())),
            Self::Yes { irreversible: allowed, .. } if irreversible && !allowed => Err(Withheld::Irreversible),
            Self::Yes { .. } => Ok(Selection::all()),
            Self::Decisions(decided) => match decided.get(task) {
                None => Err(Withheld::NotDecided),
                Some((digest, selection)) if digest_with(selection) == *digest => Ok(selection.clone()),
                Some(_) => Err(Withheld::DecidedForAnotherPlan),
            },
        }
    }
}
