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
        digest_with: impl Fn(&Selection) -> Digest,
    ) -> Result<Selection, Withheld> {
        match self {
            Self::Ask => Err(Withheld::Asks),
            Self::Yes { deletes, .. } if counts.deletes() > 0 && !deletes => Err(Withheld::Deletes(counts.deletes())),
            Self::Yes { irreversible, .. } if counts.irreversible > 0 && !irreversible => Err(Withheld::Irreversible),
            Self::Yes { .. } => Ok(Selection::all()),
            Self::Decisions(decided) => match decided.get(task) {
                None => Err(Withheld::NotDecided),
                Some((digest, selection)) if digest_with(selection) == *digest => Ok(selection.clone()),
                Some(_) => Err(Withheld::DecidedForAnotherPlan),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Counts =
        Counts { create: 0, update: 1, delete: 0, hunks: 2, delete_hunks: 0, irreversible: 0, unreadable: 0 };
    const DELETING: Counts = Counts { delete_hunks: 1, ..PLAIN };

    const IRREVERSIBLE: Counts = Counts { irreversible: 1, ..PLAIN };

    fn asked(policy: &ApprovalPolicy, counts: Counts) -> Result<Selection, Withheld> {
        policy.approves("home/ana", counts, |_| Digest::of("plan"))
    }

    #[test]
    fn yes_is_no_yes_to_deletes_nor_to_what_cannot_be_undone() {
        let yes = |deletes, irreversible| ApprovalPolicy::Yes { deletes, irreversible };
        assert!(asked(&yes(false, false), PLAIN).is_ok());
        assert_eq!(asked(&yes(false, true), DELETING), Err(Withheld::Deletes(1)));
        assert!(asked(&yes(true, false), DELETING).is_ok());
        assert_eq!(asked(&yes(true, false), IRREVERSIBLE), Err(Withheld::Irreversible));
        assert!(asked(&yes(false, true), IRREVERSIBLE).is_ok());
    }

    #[test]
    fn decisions_hold_for_the_plan_they_name_only() {
        let decided = |digest: &str| {
            let decision = (Digest::of(digest), Selection::all());
            ApprovalPolicy::Decisions(BTreeMap::from([("home/ana".to_owned(), decision)]))
        };
        assert!(asked(&decided("plan"), PLAIN).is_ok());
        assert_eq!(asked(&decided("another"), PLAIN), Err(Withheld::DecidedForAnotherPlan));
        assert_eq!(asked(&ApprovalPolicy::Decisions(BTreeMap::new()), PLAIN), Err(Withheld::NotDecided));
    }
}
