use std::time::Duration;

use super::step::{OnTimeout, Program};
use crate::model::{ComparePrecision, Condition, EnvironmentValue, Mode, Owner, Probe, Scope, TreePath};

/// One step for one owner with everything filled in, ready for the systems that its names stand for.
#[derive(Clone, Debug)]
pub struct TaskSpec {
    pub step: usize,
    pub owner: Option<Owner>,
    pub work: TaskWork,
}

#[derive(Clone, Debug)]
pub enum TaskWork {
    Restore {
        source: String,
        component: String,
        scope: Scope,
        mode: Mode,
        precision: ComparePrecision,
    },
    /// The documents that shall be there, by their names below `scope.to`.
    Apply {
        component: String,
        scope: Scope,
        documents: Vec<(TreePath, serde_json::Value)>,
    },
    Run {
        program: Program<String>,
        env: Vec<(String, EnvironmentValue)>,
        cwd: Option<String>,
        deadline: Duration,
        captures: bool,
    },
    Wait {
        asked: Question,
        deadline: Duration,
        every: Duration,
        on_timeout: OnTimeout,
    },
    Check(Question),
    Confirm {
        text: String,
        asked: Option<Question>,
    },
}

/// What one step's `when` means for one owner.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskCondition {
    pub condition: Condition,
    /// By the positions that the condition names.
    pub asked: Vec<Question>,
    /// As it is written in the runbook.
    pub words: String,
}

/// A probe and the component that it is put to.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub component: String,
    pub probe: Probe,
}
