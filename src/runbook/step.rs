use std::time::Duration;

use super::condition::When;
use super::finding::{Placed, Span};
use super::template::Template;
use super::value::TemplateValue;
use crate::model::{ComparePrecision, Mode, StepKind, StepPolicy};

/// One entry of a runbook, after inclusion and in an order where needs point backwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub id: String,
    pub span: Span,
    pub about: Option<Template>,
    /// The set of owners it is repeated for.
    pub each: Option<Placed<String>>,
    /// Ids of other steps, or the prefix of included ones.
    pub needs: Vec<Placed<String>>,
    /// It is skipped where this does not hold.
    pub when: Option<When>,
    pub policy: StepPolicy,
    pub action: Action,
    /// Before the names of the steps of its own file: `hub.` in an included one.
    pub within: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Restore(RestoreStep),
    Apply(ApplyStep),
    Run(RunStep),
    Wait(WaitStep),
    Check(ProbeStep),
    Confirm(ConfirmStep),
}

#[derive(Clone, Debug, PartialEq)]
pub struct RestoreStep {
    pub component: Placed<String>,
    pub from: Placed<String>,
    pub below: Option<Template>,
    pub to: Option<Template>,
    pub mode: Mode,
    pub precision: ComparePrecision,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApplyStep {
    pub component: Placed<String>,
    pub to: Option<Template>,
    /// Names below `to`, and what the documents there shall hold.
    pub documents: Vec<(Template, TemplateValue)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RunStep {
    pub program: Program<Template>,
    pub env: Vec<(String, Template)>,
    pub cwd: Option<Template>,
    pub deadline: Duration,
    /// What it prints is kept for later steps.
    pub captures: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program<Text> {
    Argv(Vec<Text>),
    /// A script for `sh -c`; never holds a variable.
    Shell(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct WaitStep {
    pub probe: ProbeStep,
    pub deadline: Duration,
    pub every: Duration,
    pub on_timeout: OnTimeout,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    #[default]
    Fail,
    GoOn,
}

/// A question, and the component that is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeStep {
    /// As written; [`super::Runbook`] finds the only one that knows the question.
    pub on: Option<Placed<String>>,
    pub question: Placed<String>,
    pub of: TemplateValue,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ConfirmStep {
    pub text: Template,
    pub probe: Option<ProbeStep>,
}

impl Step {
    /// The whole id of a step that this one names.
    pub fn named(&self, step: &str) -> String {
        format!("{}{step}", self.within)
    }

    /// Of what it does and of its condition.
    pub(super) fn templates(&self) -> Vec<&Template> {
        let mut found = self.action.templates();
        found.extend(&self.about);
        self.when.iter().flat_map(When::probes).for_each(|probe| probe.of.templates(&mut found));
        found
    }
}

impl Action {
    pub fn kind(&self) -> StepKind {
        match self {
            Self::Restore(_) => StepKind::Restore,
            Self::Apply(_) => StepKind::Apply,
            Self::Run(_) => StepKind::Run,
            Self::Wait(_) => StepKind::Wait,
            Self::Check(_) => StepKind::Check,
            Self::Confirm(_) => StepKind::Confirm,
        }
    }

    pub fn probe(&self) -> Option<&ProbeStep> {
        match self {
            Self::Wait(wait) => Some(&wait.probe),
            Self::Check(probe) => Some(probe),
            Self::Confirm(confirm) => confirm.probe.as_ref(),
            _ => None,
        }
    }

    pub(super) fn templates(&self) -> Vec<&Template> {
        let mut found: Vec<&Template> = Vec::new();
        match self {
            Self::Restore(restore) => found.extend(restore.below.iter().chain(&restore.to)),
            Self::Apply(apply) => {
                found.extend(&apply.to);
                for (name, document) in &apply.documents {
                    found.push(name);
                    document.templates(&mut found);
                }
            }
            Self::Run(run) => {
                if let Program::Argv(argv) = &run.program {
                    found.extend(argv);
                }
                found.extend(run.env.iter().map(|(_, value)| value).chain(&run.cwd));
            }
            Self::Confirm(confirm) => found.push(&confirm.text),
            Self::Wait(_) | Self::Check(_) => {}
        }
        if let Some(probe) = self.probe() {
            probe.of.templates(&mut found);
        }
        found
    }
}
