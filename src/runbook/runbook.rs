use std::borrow::Cow;

use super::check::check;
use super::component::ComponentSettings;
use super::finding::{Findings, SourceFile};
use super::input::Input;
use super::inputs::Inputs;
use super::order::in_order;
use super::owners::OwnersFrom;
use super::runbook_file::{Collected, Collector, bundle};
use super::source::Source;
use super::step::{Action, ProbeStep, Step};
use super::template::Template;
use crate::declared::{Given, Password};
use crate::model::{Digest, Error, ErrorKind, Outputs, Owner, Result, output_of};

/// A runbook without errors: all names are known, steps stand in an order where needs point backwards.
#[derive(Clone, Debug, Default)]
pub struct Runbook {
    pub title: String,
    /// The time in which all of it is to be restored.
    pub goal: Option<std::time::Duration>,
    pub inputs: Vec<Input>,
    pub sources: Vec<Source>,
    pub components: Vec<ComponentSettings>,
    pub owners: Vec<OwnersFrom>,
    pub steps: Vec<Step>,
    /// Of each step, the positions of those it needs.
    pub(super) needs: Vec<Vec<u16>>,
    pub files: Vec<SourceFile>,
    /// With what it includes; [`Runbook::parse`] reads it again without any other file.
    pub text: String,
    pub digest: Digest,
}

impl Runbook {
    /// Reads a runbook. `load` reads an included file, named by its path below the runbook's folder.
    ///
    /// # Errors
    /// All findings, where one of them is an error. Warnings come along with the runbook.
    pub fn parse(
        path: &str,
        text: &str,
        load: &dyn Fn(&str) -> Result<String>,
    ) -> Result<(Self, Findings), Box<Findings>> {
        Self::read(path, text, load, super::dangers::check)
    }

    /// Reads the runbook of a run that has begun: what is refused since then keeps no run from being undone.
    ///
    /// # Errors
    /// As with [`Runbook::parse`].
    pub fn parse_recorded(path: &str, text: &str) -> Result<(Self, Findings), Box<Findings>> {
        let none = |name: &str| {
            let doing = format!("read the included runbook {name}");
            Err(Error::new(ErrorKind::Corrupt, doing, "the journal does not hold it"))
        };
        Self::read(path, text, &none, |_, _| {})
    }

    fn read(
        path: &str,
        text: &str,
        load: &dyn Fn(&str) -> Result<String>,
        dangers: fn(&Self, &mut Findings),
    ) -> Result<(Self, Findings), Box<Findings>> {
        let mut collected = Collector::collect(path, text, load);
        let needs = in_order(&mut collected);
        check(&mut collected);
        let Collected { mut runbook, mut findings, .. } = collected;
        if let Some(needs) = &needs {
            super::outputs::check(&runbook.steps, needs, &mut findings);
            super::overlap::check(&runbook.steps, &runbook.components, needs, &mut findings);
        }
        dangers(&runbook, &mut findings);
        findings.in_order_of_place();
        let Some(needs) = needs.filter(|_| findings.errors == 0) else { return Err(Box::new(findings)) };
        runbook.text = bundle(&findings.files);
        runbook.digest = Digest::of(&runbook.text);
        runbook.needs = needs;
        runbook.files = findings.files.clone();
        Ok((runbook, findings))
    }

    /// Inputs that have no value yet, to be asked for.
    pub fn unset<'a>(&'a self, inputs: &'a Inputs) -> impl Iterator<Item = &'a Input> {
        self.inputs.iter().filter(|input| !inputs.has(&input.name))
    }

    /// An error that lists all inputs without a value.
    pub fn require_inputs(&self, inputs: &Inputs) -> Result<()> {
        let unset: Vec<&Input> = self.unset(inputs).collect();
        let Some(first) = unset.first() else { return Ok(()) };
        let names: Vec<&str> = unset.iter().map(|input| input.name.as_str()).collect();
        let next = if first.secret {
            format!("set the environment variable {}", first.variable())
        } else {
            format!("give --input {}=VALUE or set {}", first.name, first.variable())
        };
        let why = format!("no value is given for {}", names.join(", "));
        Err(Error::new(ErrorKind::Invalid, format!("start '{}'", self.title), why).next(next))
    }

    pub fn component(&self, name: &str) -> Option<&ComponentSettings> {
        self.components.iter().find(|component| component.name == name)
    }

    /// All sources with their inputs filled in.
    pub fn filled_sources(&self, inputs: &Inputs) -> Result<Vec<Source<String>>> {
        self.sources
            .iter()
            .map(|source| source.fill(&|template| fill(template, Known::before_all_steps(inputs))))
            .collect()
    }

    /// All components with their inputs filled in.
    pub fn filled_components(&self, inputs: &Inputs) -> Result<Vec<ComponentSettings<String>>> {
        self.components
            .iter()
            .map(|component| component.fill(&|template| fill(template, Known::before_all_steps(inputs))))
            .collect()
    }

    /// Of each set of owners: its name, the source or component that knows them, below what, and of which kind.
    pub fn filled_owners(&self, inputs: &Inputs) -> Result<Vec<OwnersAt>> {
        let filled = self.owners.iter().map(|owners| {
            let below = match &owners.below {
                Some(below) => super::expand::path(below, Known::before_all_steps(inputs))?,
                None => crate::model::TreePath::root(),
            };
            Ok(OwnersAt { set: owners.set.clone(), from: owners.from.value.clone(), below, kind: owners.kind.clone() })
        });
        filled.collect()
    }

    /// All that this runbook executes on the operator's machine, in words; told before anything runs.
    pub fn commands(&self) -> Vec<String> {
        let runs =
            |given: &Given<Template>| given.passwords().iter().any(|password| matches!(password, Password::Command(_)));
        let sources = self.sources.iter().filter(|source| runs(&source.given));
        let passwords = sources.map(|source| format!("the password of source '{}'", source.name));
        let components = self.components.iter().filter(|component| runs(&component.given));
        let passwords = passwords.chain(components.map(|one| format!("the secret of component '{}'", one.name)));
        let steps = self.steps.iter().filter(|step| matches!(step.action, Action::Run(_)));
        passwords.chain(steps.map(|step| format!("step '{}'", step.id))).collect()
    }
}

/// Where the names of a set of owners are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnersAt {
    pub set: String,
    pub from: String,
    pub below: crate::model::TreePath,
    pub kind: Option<String>,
}

/// The component that a probe asks: the one it names, else the only one that knows the question, else
/// the only one there is.
pub(super) fn asked<'a>(probe: &'a ProbeStep, components: &'a [ComponentSettings]) -> Result<&'a str, String> {
    if let Some(on) = &probe.on {
        return Ok(&on.value);
    }
    let question = probe.question.value.as_str();
    let knowing: Vec<&ComponentSettings> =
        components.iter().filter(|component| component.adapter.questions.contains(&question)).collect();
    match (&knowing[..], components) {
        ([knowing], _) => Ok(&knowing.name),
        ([], [only]) => Ok(&only.name),
        ([], []) => Err("there is no component to ask".to_owned()),
        ([], _) => Err(format!("no component's adapter knows the question '{question}'")),
        _ => {
            let names: Vec<&str> = knowing.iter().map(|component| component.name.as_str()).collect();
            Err(format!("{} could be asked; say which by on: NAME", names.join(" and ")))
        }
    }
}

/// What the variables of a text may stand for.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub inputs: &'a Inputs,
    pub owner: Option<&'a Owner>,
    /// By the ids that the step's own file gives its steps.
    pub outputs: Outputs<'a>,
}

impl<'a> Known<'a> {
    /// Of what is opened before any step runs.
    pub fn before_all_steps(inputs: &'a Inputs) -> Self {
        Self { inputs, owner: None, outputs: &|_| None }
    }
}

/// The text with inputs, the owner's name and earlier outputs filled in; it may hold a secret then.
pub(super) fn fill(template: &Template, known: Known<'_>) -> Result<String> {
    template.fill(|name| {
        let of_owner = known.owner.filter(|owner| &*owner.set == name).map(|owner| Cow::Borrowed(&*owner.name));
        if let Some(step) = output_of(name) {
            return (known.outputs)(step).map(Cow::Owned).ok_or_else(|| no_output(step));
        }
        of_owner.or_else(|| known.inputs.any(name)).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("fill in ${{{name}}}"), "it has no value")
                .next(format!("give --input {name}=VALUE"))
        })
    })
}

fn no_output(step: &str) -> Error {
    let why = "that step has printed nothing in this run: it was skipped, or settled by hand";
    Error::new(ErrorKind::NotMet, format!("fill in the output of '{step}'"), why)
        .next(format!("retry '{step}', then this task"))
}
