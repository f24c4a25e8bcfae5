use std::collections::BTreeSet;

use super::condition::When;
use super::finding::{Finding, Findings, Placed, Span};
use super::near::suggestion;
use super::runbook::{Runbook, asked};
use super::runbook_file::Collected;
use super::source::SourceFrom;
use super::step::{Action, ProbeStep, Step};
use super::step_form::unknown_name;
use super::template::Template;
use crate::adapter::Places;
use crate::declared::{Given, Password};
use crate::model::{OnFailure, TaskStatus, output_of};

/// Looks up every name that a runbook uses, and points at what is probably not meant.
pub(super) fn check(collected: &mut Collected) {
    let mut findings = std::mem::take(&mut collected.findings);
    let mut checker = Checker {
        runbook: &collected.runbook,
        declared: &collected.declared,
        findings: &mut findings,
        used: BTreeSet::new(),
    };
    checker.declarations();
    for step in &collected.runbook.steps {
        checker.step(step);
    }
    checker.unused();
    collected.findings = findings;
}

struct Checker<'a> {
    runbook: &'a Runbook,
    /// Names by section, of those with findings too.
    declared: &'a BTreeSet<(&'static str, String)>,
    findings: &'a mut Findings,
    used: BTreeSet<(&'static str, &'a str)>,
}

impl<'a> Checker<'a> {
    fn declarations(&mut self) {
        let runbook = self.runbook;
        for source in &runbook.sources {
            self.given(&source.given);
            if let SourceFrom::Component(name) = &source.from {
                self.component(name);
            }
        }
        for component in &runbook.components {
            self.given(&component.given);
        }
        for owners in &runbook.owners {
            let names: Vec<&str> = self.sources().chain(self.components()).collect();
            if !names.contains(&owners.from.value.as_str()) {
                self.findings.push(unknown_name("source or component", &owners.from, names));
            }
            self.used.insert(("source", &owners.from.value));
            self.used.insert(("component", &owners.from.value));
            if let Some(template) = &owners.below {
                self.variables(template, None, false);
            }
            if runbook.inputs.iter().any(|input| input.name == owners.set) {
                let message = format!("'{}' is both an input and a set of owners", owners.set);
                self.findings.push(Finding::error(owners.span, message).help("call one of them otherwise"));
            }
        }
    }

    fn given(&mut self, given: &'a Given<Template>) {
        for template in given.texts() {
            self.variables(template, None, false);
        }
        for password in given.passwords() {
            if let Password::Input(name) = password {
                self.password_input(name);
            }
        }
    }

    fn step(&mut self, step: &'a Step) {
        if let Some(each) = &step.each {
            let sets: Vec<&str> = self.declared("owners").collect();
            if !sets.contains(&each.value.as_str()) {
                self.findings.push(unknown_name("set of owners", each, sets));
            }
            self.used.insert(("set of owners", &each.value));
        }
        let secret_ok: Vec<Span> = match &step.action {
            Action::Run(run) => run.env.iter().map(|(_, value)| value.span).collect(),
            _ => Vec::new(),
        };
        for template in step.templates() {
            self.variables(template, Some(step), secret_ok.contains(&template.span));
        }
        match &step.action {
            Action::Restore(restore) => {
                self.component(&restore.component);
                if !self.sources().any(|source| source == restore.from.value) {
                    let names: Vec<&str> = self.sources().collect();
                    self.findings.push(unknown_name("source", &restore.from, names));
                }
                self.used.insert(("source", &restore.from.value));
                self.own_places(step);
            }
            Action::Apply(apply) => self.component(&apply.component),
            _ => {}
        }
        self.condition(step);
        for probe in step.action.probe().into_iter().chain(step.when.iter().flat_map(When::probes)) {
            self.probe(probe);
        }
    }

    fn condition(&mut self, step: &'a Step) {
        for part in step.when.iter().flat_map(When::parts) {
            match part {
                When::Input { name, .. } => {
                    self.used.insert(("input", &name.value));
                    match self.runbook.inputs.iter().find(|input| input.name == name.value) {
                        None => {
                            let names: Vec<&str> = self.inputs().collect();
                            self.findings.push(unknown_name("input", name, names));
                        }
                        Some(input) if input.secret => {
                            let message = format!("a condition would show the secret '{}'", input.name);
                            self.findings.push(Finding::error(name.span, message).help("ask for another input"));
                        }
                        Some(_) => {}
                    }
                }
                When::Step { id, is } => self.can_be_met(id, is),
                When::Output { .. } | When::Probe(_) | When::All(_) | When::Any(_) | When::Not(_) => {}
            }
        }
    }

    /// Unknown steps are found where steps are put in order.
    fn can_be_met(&mut self, id: &Placed<String>, is: &[TaskStatus]) {
        let Some(step) = self.runbook.steps.iter().find(|step| step.id == id.value) else { return };
        if is == [TaskStatus::Failed, TaskStatus::Unknown] && step.policy.on_failure != OnFailure::Continue {
            let message = format!("what needs '{}' never begins while it is failed", id.value);
            let help = format!("add on_failure: continue to '{}'", id.value);
            self.findings.push(Finding::warning(id.span, message).label("never met").help(help));
        }
    }

    fn probe(&mut self, probe: &'a ProbeStep) {
        if let Some(on) = &probe.on {
            self.component(on);
        }
        match asked(probe, &self.runbook.components) {
            Ok(name) => {
                let name = self.components().find(|known| *known == name);
                self.used.extend(name.map(|name| ("component", name)));
            }
            Err(why) => self.findings.push(Finding::error(
                probe.question.span,
                format!("this question has no component that could be asked: {why}"),
            )),
        }
    }

    /// A step for each owner on files, that reads or writes the same place for all of them.
    fn own_places(&mut self, step: &Step) {
        let (Action::Restore(restore), Some(each)) = (&step.action, &step.each) else { return };
        let component = self.runbook.components.iter().find(|component| component.name == restore.component.value);
        if component.is_none_or(|component| component.adapter.places != Places::DirectoryOfOwner) {
            return;
        }
        let names_owner = |template: &Template| template.variables().any(|name| name == each.value);
        let variable = format!("${{{}}}", each.value);
        if let Some(to) = restore.to.as_ref().filter(|to| !names_owner(to)) {
            let message = format!("every {} is restored to the same place", each.value);
            self.findings.push(Finding::warning(to.span, message).help(format!("put {variable} into it")));
        }
        if !restore.below.as_ref().is_some_and(names_owner) {
            let span = restore.below.as_ref().map_or(restore.from.span, |below| below.span);
            let message = format!("every {} gets the same files", each.value);
            self.findings.push(Finding::warning(span, message).help(format!("put {variable} into 'below'")));
        }
    }

    fn variables(&mut self, template: &Template, of: Option<&Step>, secret_ok: bool) {
        let (is_of_step, each) = (of.is_some(), of.and_then(|step| step.each.as_ref()));
        for name in template.variables() {
            if output_of(name).is_some() {
                if is_of_step {
                    // The steps are in order by then: these are looked up where that is known.
                    continue;
                }
                let finding = Finding::error(template.span, format!("${{{name}}} is not known here"));
                self.findings.push(finding.label("no step has run by then").help(
                    "sources, components and owners are opened before the first step; name the output in a step",
                ));
                continue;
            }
            if each.is_some_and(|each| each.value == name) {
                continue;
            }
            let Some(input) = self.runbook.inputs.iter().find(|input| input.name == name) else {
                let finding = Finding::error(template.span, format!("there is no input '{name}' for ${{{name}}}"));
                let is_set = self.runbook.owners.iter().any(|owners| owners.set == name);
                let names: Vec<&str> =
                    self.inputs().chain(self.declared("vars")).chain(each.map(|each| each.value.as_str())).collect();
                let help =
                    if is_set { Some(format!("add each: {name} to this step")) } else { suggestion(name, names) };
                self.findings.push(finding.label("unknown variable").maybe_help(help));
                continue;
            };
            self.used.insert(("input", &input.name));
            if input.secret && !secret_ok {
                let finding = Finding::error(template.span, format!("the secret '{name}' would be shown here"));
                self.findings.push(finding.help("secrets go into a run step's env, or password: { input: … }"));
            }
        }
    }

    fn component(&mut self, name: &'a Placed<String>) {
        if !self.components().any(|component| component == name.value) {
            let names: Vec<&str> = self.components().collect();
            self.findings.push(unknown_name("component", name, names));
        }
        self.used.insert(("component", &name.value));
    }

    fn password_input(&mut self, named: &'a Template) {
        let name = named.literal_text().unwrap_or_default();
        self.used.insert(("input", name));
        match self.runbook.inputs.iter().find(|input| input.name == name) {
            None => {
                let names: Vec<&str> = self.inputs().collect();
                let name = Placed { value: name.to_owned(), span: named.span };
                self.findings.push(unknown_name("input", &name, names));
            }
            Some(input) if !input.secret => {
                let message = format!("the input '{}' is a password but no secret", input.name);
                self.findings.push(Finding::error(input.span, message).help("add secret: true to it"));
            }
            Some(_) => {}
        }
    }

    fn unused(&mut self) {
        let runbook = self.runbook;
        let inputs = runbook.inputs.iter().map(|input| ("input", input.name.as_str(), input.span));
        let sources = runbook.sources.iter().map(|source| ("source", source.name.as_str(), source.span));
        let components = runbook.components.iter().map(|one| ("component", one.name.as_str(), one.span));
        let owners = runbook.owners.iter().map(|one| ("set of owners", one.set.as_str(), one.span));
        for (what, name, span) in inputs.chain(sources).chain(components).chain(owners) {
            if !self.used.contains(&(what, name)) {
                self.findings.push(Finding::warning(span, format!("the {what} '{name}' is not used")).label("unused"));
            }
        }
    }

    fn declared(&self, section: &'static str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.declared.iter().filter(move |(of, _)| *of == section).map(|(_, name)| name.as_str())
    }

    fn inputs(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.declared("inputs")
    }

    fn sources(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.declared("sources")
    }

    fn components(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.declared("components")
    }
}
