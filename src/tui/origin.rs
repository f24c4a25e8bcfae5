use super::groups::{GroupKey, Kind};
use super::state::{Model, Tab};

/// Where a task was opened from, so that going back leads there: nobody looks for their place again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Matrix,
    /// Over that tab.
    Groups {
        kind: Kind,
        at: Option<GroupKey>,
        tab: Tab,
    },
}

impl Origin {
    /// The list of tasks is where going back leads without being told.
    pub fn of(model: &Model) -> Option<Self> {
        match (&model.groups, model.tab) {
            (Some(groups), tab) => Some(Self::Groups { kind: groups.kind, at: groups.at.clone(), tab }),
            (None, Tab::Matrix) => Some(Self::Matrix),
            _ => None,
        }
    }
}
