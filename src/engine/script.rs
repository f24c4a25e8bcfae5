use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::component::Component;
use crate::model::{
    ComparePrecision, Condition, EnvironmentValue, Mode, Outputs, Owner, Probe, Result, Run, Scope, Secret, TaskId,
};
use crate::reader::Reader;

/// What a run's steps mean, resolved against real systems: the engine asks it and knows no adapter.
pub trait Script: Send + Sync {
    /// The work of one task. Pure: the same answer for the same outputs.
    fn work(&self, step: usize, owner: Option<&Owner>, outputs: Outputs<'_>) -> Result<Work>;

    /// What must hold for a task to be carried out, if anything. Pure as well.
    fn when(&self, step: usize, owner: Option<&Owner>, outputs: Outputs<'_>) -> Result<Option<When>>;

    /// The steps whose outputs the work of this one is made of.
    fn outputs_used(&self, _step: usize) -> Vec<String> {
        Vec::new()
    }

    /// Every component that is written, by name: for identities and release.
    fn components(&self) -> Vec<(String, Arc<dyn Component>)>;
}

#[derive(Clone)]
pub enum Work {
    Restore(Restore),
    Run(CommandLine),
    Ask(Ask),
}

/// What the run knows of earlier outputs, for one task.
pub fn outputs(run: &Run, task: TaskId) -> impl Fn(&str) -> Option<String> + '_ {
    move |step| run.output(task, step).map(str::to_owned)
}

/// A condition of the runbook.
#[derive(Clone)]
pub struct When {
    pub condition: Condition,
    /// Probes, by the positions that the condition names.
    pub asks: Vec<Ask>,
    /// As it is written in the runbook.
    pub words: String,
}

/// Bringing resources of a component to what a source holds.
#[derive(Clone)]
pub struct Restore {
    pub source_name: Arc<str>,
    pub source: Arc<dyn Reader>,
    pub component_name: Arc<str>,
    pub component: Arc<dyn Component>,
    pub scope: Scope,
    pub mode: Mode,
    pub precision: ComparePrecision,
}

/// A command of the runbook: opaque, shown in full, run as it is shown.
#[derive(Clone, Debug)]
pub struct CommandLine {
    /// Without a shell; a `shell: true` step has `sh -c SCRIPT` here.
    pub argv: Vec<String>,
    pub env: Vec<(String, EnvironmentValue)>,
    /// No output of the command is shown with one of these in it.
    pub secrets: Vec<Secret>,
    /// Absolute. Without one it runs where this process does.
    pub cwd: Option<PathBuf>,
    pub deadline: Duration,
    /// What it prints goes on record, for later steps.
    pub captures: bool,
}

/// A question to a system, or to a person.
#[derive(Clone)]
pub struct Ask {
    pub how: Asking,
    pub reader: Option<Arc<dyn Reader>>,
    pub probe: Option<Probe>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asking {
    Check,
    Wait {
        every: Duration,
        deadline: Duration,
        go_on: bool,
    },
    /// A person says so; the probe, if any, must hold too.
    Confirm {
        text: String,
    },
}
