use std::borrow::Cow;
use std::collections::HashSet;

use super::inputs::Inputs;
use super::interpreted::code_with_a_variable;
use super::owners::{check_owner_name, wrong_with_owner_name};
use super::runbook::{Known, Runbook, asked, fill};
use super::step::{Action, ProbeStep, Program, RunStep, Step};
use super::task_spec::{Question, TaskCondition, TaskSpec, TaskWork};
use super::template::Template;
use crate::adapter::Places;
use crate::model::{
    EnvironmentValue, Error, ErrorKind, Outputs, Owner, OwnerSet, Probe, Result, Scope, Secret, StepHeader, TreePath,
    UnusableOwner, output_of, output_variable,
};

/// More tasks than this do not fit a run.
const MAX_TASKS: usize = 10_000_000;

impl Runbook {
    /// The steps and owners of a run, in their order. `owners`: the names found for each set that a step
    /// walks, filtered already; a name that could break out of a path cannot be walked.
    pub fn header(&self, inputs: &Inputs, owners: &[OwnerSet]) -> Result<(Vec<StepHeader>, Vec<OwnerSet>)> {
        self.require_order(inputs)?;
        let mut sets = Vec::new();
        let walked = |set: &str| self.steps.iter().any(|step| step.each.as_ref().is_some_and(|each| each.value == set));
        for declared in self.owners.iter().filter(|declared| walked(&declared.set)) {
            let set = declared.set.as_str();
            let found = owners.iter().find(|owners| owners.set == set).ok_or_else(|| {
                Error::new(ErrorKind::Bug, format!("expand '{}'", self.title), format!("no {set}s were looked up"))
            })?;
            let mut seen = HashSet::new();
            let (mut names, mut unusable) = (Vec::with_capacity(found.names.len()), found.unusable.clone());
            for name in found.names.iter().filter(|name| seen.insert(name.as_str())) {
                match wrong_with_owner_name(name) {
                    None => names.push(name.clone()),
                    Some(why) => unusable.push(UnusableOwner::new(name, format!("{why}; rename it to restore it"))),
                }
            }
            sets.push(OwnerSet { set: set.to_owned(), names, unusable });
        }
        let steps = self.steps.iter().zip(&self.needs).map(|(step, needs)| self.step_header(step, needs, inputs));
        let steps: Vec<StepHeader> = steps.collect::<Result<_>>()?;
        let count = |step: &StepHeader| match &step.each {
            Some(each) => sets.iter().find(|set| set.set == *each).map_or(0, |set| set.names.len()),
            None => 1,
        };
        let tasks: usize = steps.iter().map(count).sum();
        if tasks > MAX_TASKS {
            let why = format!("{tasks} tasks are more than one run can hold ({MAX_TASKS})");
            let error = Error::new(ErrorKind::Invalid, format!("expand '{}'", self.title), why);
            return Err(error.next("take fewer owners at once with --only"));
        }
        Ok((steps, sets))
    }

    fn step_header(&self, step: &Step, needs: &[u16], inputs: &Inputs) -> Result<StepHeader> {
        let component = match &step.action {
            Action::Restore(restore) => Some(restore.component.value.clone()),
            Action::Apply(apply) => Some(apply.component.value.clone()),
            _ => match step.action.probe() {
                Some(probe) => Some(self.asked(probe)?.to_owned()),
                None => None,
            },
        };
        Ok(StepHeader {
            id: step.id.clone(),
            kind: step.action.kind(),
            each: step.each.as_ref().map(|each| each.value.clone()),
            needs: needs.to_vec(),
            component,
            about: self.about(step, inputs)?,
            question: self.question_shown(step, inputs)?,
            probe: step.action.probe().map(|probe| probe.question.value.clone()),
            policy: step.policy,
        })
    }

    fn about(&self, step: &Step, inputs: &Inputs) -> Result<String> {
        let shown = |template: &Template| for_all_owners(template, step, inputs);
        if let Some(about) = &step.about {
            return shown(about);
        }
        Ok(match &step.action {
            Action::Restore(restore) => match &restore.below {
                Some(below) => {
                    format!("restore {} from {}, below {}", restore.component.value, restore.from.value, shown(below)?)
                }
                None => format!("restore {} from {}", restore.component.value, restore.from.value),
            },
            Action::Apply(apply) => {
                format!("apply {} documents to {}", apply.documents.len(), apply.component.value)
            }
            Action::Run(run) => match &run.program {
                Program::Argv(argv) => {
                    let argv: Vec<String> = argv.iter().map(shown).collect::<Result<_>>()?;
                    format!("run {}", argv.join(" "))
                }
                Program::Shell(script) => format!("run a script: {}", script.lines().next().unwrap_or_default()),
            },
            Action::Wait(wait) => format!("wait for {}", wait.probe.question.value),
            Action::Check(probe) => format!("check {}", probe.question.value),
            Action::Confirm(confirm) => shown(&confirm.text)?,
        })
    }

    /// What a person is asked. Only this, never a step's `about`, goes on record as confirmed.
    fn question_shown(&self, step: &Step, inputs: &Inputs) -> Result<Option<String>> {
        match &step.action {
            Action::Confirm(confirm) => for_all_owners(&confirm.text, step, inputs).map(Some),
            _ => Ok(None),
        }
    }

    /// What one step means for one owner. Pure: the same answer each time, for the same outputs of earlier steps.
    pub fn task(&self, step: usize, owner: Option<&Owner>, inputs: &Inputs, outputs: Outputs<'_>) -> Result<TaskSpec> {
        let bug = |why: &str| Error::new(ErrorKind::Bug, format!("expand step {step} of '{}'", self.title), why);
        let found = self.steps.get(step).ok_or_else(|| bug("there is no such step"))?;
        if found.each.as_ref().map(|each| each.value.as_str()) != owner.map(|owner| &*owner.set) {
            return Err(bug("it is not repeated for that set of owners"));
        }
        if let Some(owner) = owner {
            check_owner_name(&owner.set, &owner.name)?;
        }
        let outputs = |step: &str| outputs(&found.named(step));
        let known = Known { inputs, owner, outputs: &outputs };
        let text = |template: &Template| fill(template, known);
        let place = |template: &Option<Template>| match template {
            Some(template) => path(template, known),
            None => Ok(TreePath::root()),
        };
        let work = match &found.action {
            Action::Restore(restore) => {
                let below = place(&restore.below)?;
                let to = self.place_in(&restore.component.value, &restore.to, &below, known)?;
                TaskWork::Restore {
                    source: restore.from.value.clone(),
                    component: restore.component.value.clone(),
                    scope: Scope { below, to, owner: owner.cloned() },
                    mode: restore.mode,
                    precision: restore.precision,
                }
            }
            Action::Apply(apply) => {
                let to = place(&apply.to)?;
                let documents = apply.documents.iter();
                let documents = documents.map(|(name, value)| Ok((path(name, known)?, value.fill(&text)?)));
                TaskWork::Apply {
                    component: apply.component.value.clone(),
                    scope: Scope { below: TreePath::root(), to, owner: owner.cloned() },
                    documents: documents.collect::<Result<_>>()?,
                }
            }
            Action::Run(run) if runs_a_variable(run) => {
                let doing = format!("run the command of step '{}'", found.id);
                let why = "what '${…}' stands for would be run as code";
                return Err(Error::new(ErrorKind::Refused, doing, why)
                    .next("start a new run, with a runbook that gives the value as an argument of its own"));
            }
            Action::Run(run) => TaskWork::Run {
                program: match &run.program {
                    Program::Argv(argv) => Program::Argv(argv.iter().map(text).collect::<Result<_>>()?),
                    Program::Shell(script) => Program::Shell(script.clone()),
                },
                env: run
                    .env
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), environment_value(value, known)?)))
                    .collect::<Result<_>>()?,
                cwd: run.cwd.as_ref().map(text).transpose()?,
                deadline: run.deadline,
                captures: run.captures,
            },
            Action::Wait(wait) => TaskWork::Wait {
                asked: self.question(&wait.probe, &text)?,
                deadline: wait.deadline,
                every: wait.every,
                on_timeout: wait.on_timeout,
            },
            Action::Check(probe) => TaskWork::Check(self.question(probe, &text)?),
            Action::Confirm(confirm) => TaskWork::Confirm {
                text: text(&confirm.text)?,
                asked: confirm.probe.as_ref().map(|probe| self.question(probe, &text)).transpose()?,
            },
        };
        Ok(TaskSpec { step, owner: owner.cloned(), work })
    }

    /// Whether one step is carried out for one owner, and what is to be asked for that. Pure like [`Runbook::task`].
    pub fn condition(
        &self,
        step: usize,
        owner: Option<&Owner>,
        inputs: &Inputs,
        outputs: Outputs<'_>,
    ) -> Result<Option<TaskCondition>> {
        let Some(found) = self.steps.get(step) else { return Ok(None) };
        let Some(when) = &found.when else { return Ok(None) };
        let at = |id: &str| self.steps.iter().position(|step| step.id == id).and_then(|at| u16::try_from(at).ok());
        let condition = when.fill(inputs, &at, outputs)?;
        let outputs = |step: &str| outputs(&found.named(step));
        let known = Known { inputs, owner, outputs: &outputs };
        let text = |template: &Template| fill(template, known);
        let asked = when.probes().map(|probe| self.question(probe, &text)).collect::<Result<_>>()?;
        Ok(Some(TaskCondition { condition, asked, words: when.words() }))
    }

    /// The steps whose outputs one step is made of, each once.
    pub fn outputs_used(&self, step: usize) -> Vec<String> {
        let Some(step) = self.steps.get(step) else { return Vec::new() };
        let mut used: Vec<String> =
            step.action.templates().iter().flat_map(|one| one.outputs()).map(|of| step.named(of)).collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Where in the component: as written, else the same place as in the backup or the owner's own one, where the
    /// adapter has such.
    fn place_in(&self, component: &str, to: &Option<Template>, below: &TreePath, known: Known<'_>) -> Result<TreePath> {
        let places = self.component(component).map(|settings| settings.adapter.places);
        match (to, known.owner, places) {
            (Some(to), ..) => path(to, known),
            (None, Some(owner), Some(Places::DirectoryOfOwner)) => TreePath::root().join(owner.name.as_bytes()),
            (None, _, Some(Places::KeysOfServer { .. })) => Ok(below.clone()),
            _ => Ok(TreePath::root()),
        }
    }

    fn asked<'a>(&'a self, probe: &'a ProbeStep) -> Result<&'a str> {
        asked(probe, &self.components)
            .map_err(|why| Error::new(ErrorKind::Invalid, format!("ask '{}'", probe.question.value), why))
    }

    fn question(&self, probe: &ProbeStep, text: &dyn Fn(&Template) -> Result<String>) -> Result<Question> {
        let of = probe.of.fill(text)?;
        let component = self.asked(probe)?.to_owned();
        Ok(Question { component, probe: Probe { question: probe.question.value.clone(), of } })
    }
}

/// The text with inputs filled in. The variable of the owner stays, for the line stands for all owners; so do outputs,
/// which are not known yet.
fn for_all_owners(template: &Template, step: &Step, inputs: &Inputs) -> Result<String> {
    let each = step.each.as_ref().map(|each| each.value.as_str());
    template.fill(|name| match (inputs.plain().get(name), output_of(name)) {
        (Some(value), _) => Ok(Cow::Borrowed(value.as_str())),
        (None, Some(of)) => Ok(Cow::Owned(format!("${{{}}}", output_variable(&step.named(of))))),
        (None, None) if each == Some(name) => Ok(Cow::Owned(format!("${{{name}}}"))),
        (None, None) => Err(Error::new(ErrorKind::Invalid, format!("fill in ${{{name}}}"), "it has no value")),
    })
}

/// A value that a secret input has a part in is a secret as a whole.
fn environment_value(template: &Template, known: Known<'_>) -> Result<EnvironmentValue> {
    let value = fill(template, known)?;
    let of_owner = |name: &str| known.owner.is_some_and(|owner| &*owner.set == name);
    let is_secret = template.variables().any(|name| !of_owner(name) && known.inputs.secret(name).is_some());
    Ok(if is_secret { EnvironmentValue::Secret(Secret::new(value)) } else { EnvironmentValue::Plain(value) })
}

/// A run that began before its runbook would have been refused must not carry this out either.
fn runs_a_variable(run: &RunStep) -> bool {
    matches!(&run.program, Program::Argv(argv) if code_with_a_variable(argv).is_some())
}

/// A path below a source's or component's root. A variable that is empty is refused: `home/${name}`
/// must not become `home`.
pub(super) fn path(template: &Template, known: Known<'_>) -> Result<TreePath> {
    for name in template.variables() {
        let is_owner = known.owner.is_some_and(|owner| &*owner.set == name);
        if !is_owner && known.inputs.any(name).is_some_and(|value| value.is_empty()) {
            let why = format!("the input '{name}' is empty, which would lead to another place");
            return Err(
                Error::new(ErrorKind::Refused, "fill in a path", why).next(format!("give --input {name}=VALUE"))
            );
        }
        if output_of(name).and_then(known.outputs).is_some_and(|value| value.is_empty()) {
            let why = format!("${{{name}}} is empty, which would lead to another place");
            return Err(Error::new(ErrorKind::Refused, "fill in a path", why)
                .next("see why that step printed nothing, then retry it"));
        }
    }
    let text = fill(template, known)?;
    // `home/`, `./home` and `home//ana` mean what they say everywhere else.
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    TreePath::new(parts.join("/"))
}
