use std::collections::{BTreeMap, BTreeSet};

use super::component::ComponentSettings;
use super::fields::{Fields, list};
use super::finding::{Finding, Findings, Placed, SourceFile, Span};
use super::input::Input;
use super::node::{Key, MAX_BYTES, Node, Value};
use super::owners::OwnersFrom;
use super::runbook::Runbook;
use super::source::Source;
use super::step::Step;
use super::step_form::{Needs, StepForm};
use super::vars::Vars;
use super::written_order::{Format, WrittenOrder};
use crate::model::{Result, TreePath};

pub(super) const MAX_STEPS: usize = 10_000;
const MAX_FILES: usize = 64;
const MAX_INCLUDE_DEPTH: usize = 8;
/// Stands before each included file's text where a runbook is kept in one piece.
const SEPARATOR: &str = "#%included ";

/// What one file and all it includes declare, before names are looked up.
#[derive(Default)]
pub(super) struct Collected {
    /// As far as it is read.
    pub runbook: Runbook,
    /// Steps that an include stands for: those between two positions.
    pub groups: BTreeMap<String, std::ops::Range<usize>>,
    /// Names by section, of those with findings too: they are not unknown.
    pub declared: BTreeSet<(&'static str, String)>,
    pub findings: Findings,
}

pub(super) struct Collector<'a> {
    pub collected: Collected,
    load: &'a dyn Fn(&str) -> Result<String>,
    kept: BTreeMap<String, String>,
    vars: Vars,
    open: Vec<String>,
    bytes: usize,
}

/// An entry that stands for the steps of another file.
struct Include<'a> {
    /// The file that it stands in.
    by: &'a str,
    at: Span,
    included: Placed<String>,
    prefix: &'a str,
    /// What all steps of the including file need.
    needs: &'a [Placed<String>],
}

impl<'a> Collector<'a> {
    /// `load` reads an included file by its path below the runbook's own folder.
    pub fn collect(path: &str, text: &str, load: &'a dyn Fn(&str) -> Result<String>) -> Collected {
        let (text, kept) = unbundle(text);
        let vars = Vars::default();
        let mut collector = Self { collected: Collected::default(), load, kept, vars, open: Vec::new(), bytes: 0 };
        collector.file(path, text, "", &[]);
        let Self { mut collected, vars, .. } = collector;
        let Runbook { inputs, owners, .. } = &collected.runbook;
        let others = inputs.iter().map(|input| input.name.as_str()).chain(owners.iter().map(|one| one.set.as_str()));
        vars.check(others, &mut collected.findings);
        collected.declared.extend(vars.names().map(|name| ("vars", name.clone())));
        collected
    }

    fn file(&mut self, path: &str, text: &str, prefix: &str, needs: &[Placed<String>]) {
        let findings = &mut self.collected.findings;
        let number = u16::try_from(findings.files.len()).unwrap_or(u16::MAX);
        findings.files.push(SourceFile { path: path.to_owned(), text: text.to_owned() });
        let mut node = match Node::parse(number, text) {
            Ok(node) => node,
            Err(finding) => return findings.push(*finding),
        };
        let top = Span { file: number, start: 0, length: 0 };
        if let Some(mut fields) = Fields::of("a runbook", top, &node, findings) {
            self.vars.declare(&mut fields, findings);
        }
        if let Value::Map(pairs) = &mut node.value {
            pairs.iter_mut().filter(|(key, _)| key.name != "vars").for_each(|(_, node)| self.vars.fill(node, ""));
        }
        let Some(mut fields) = Fields::of("a runbook", top, &node, &mut Findings::default()) else { return };
        fields.entry("vars");
        let mut order = WrittenOrder::of(format(&mut fields, findings));
        let title = fields.text("title", findings).map(|title| title.value);
        let goal = fields.duration("goal", findings);
        let runbook = &mut self.collected.runbook;
        if prefix.is_empty() {
            runbook.title = title.unwrap_or_else(|| path.to_owned());
            runbook.goal = goal;
        }
        section(
            &mut fields,
            "inputs",
            findings,
            &mut self.collected.declared,
            &mut runbook.inputs,
            Input::decode,
            |input| &input.name,
        );
        section(
            &mut fields,
            "sources",
            findings,
            &mut self.collected.declared,
            &mut runbook.sources,
            Source::decode,
            |source| &source.name,
        );
        section(
            &mut fields,
            "components",
            findings,
            &mut self.collected.declared,
            &mut runbook.components,
            ComponentSettings::decode,
            |component| &component.name,
        );
        section(
            &mut fields,
            "owners",
            findings,
            &mut self.collected.declared,
            &mut runbook.owners,
            OwnersFrom::decode,
            |owners| &owners.set,
        );
        let steps = fields.require("steps", findings);
        fields.finish(findings);
        let Some(steps) = steps else { return };
        let nodes = list(steps, "steps", findings);
        if nodes.is_empty() && matches!(&steps.value, Value::List(_)) {
            findings.push(Finding::error(steps.span, "this runbook has no steps").label("empty"));
        }
        for node in nodes {
            if self.collected.runbook.steps.len() >= MAX_STEPS {
                self.collected.findings.error(node.span, format!("this runbook has more than {MAX_STEPS} steps"));
                return;
            }
            match StepForm::decode(node, &mut self.collected.findings) {
                None => {}
                Some(StepForm::Step(step, own)) => {
                    let name = Placed { value: step.id.clone(), span: step.span };
                    let own = order.needs(name, own, &mut self.collected.findings);
                    self.step(*step, prefix, prefixed(own, prefix, needs));
                }
                Some(StepForm::Include { id, at, path: included, needs: own }) => {
                    self.include(Include { by: path, at, included, prefix, needs }, id, own, &mut order);
                }
            }
        }
    }

    fn step(&mut self, mut step: Step, prefix: &str, needs: Vec<Placed<String>>) {
        if !is_id(&step.id) {
            let finding = Finding::error(step.span, format!("a step cannot be called '{}'", step.id));
            self.collected.findings.push(finding.help("use letters, digits, '-', '_' and '.'"));
        }
        step.id = format!("{prefix}{}", step.id);
        if let Some(when) = &mut step.when {
            when.prefix(prefix);
        }
        step.needs = needs;
        step.within = prefix.to_owned();
        self.collected.runbook.steps.push(step);
    }

    fn include(&mut self, include: Include, id: Option<String>, own: Needs, order: &mut WrittenOrder) {
        let Include { by, at, included, prefix, needs } = include;
        let refuse = |why: String| Finding::error(included.span, format!("cannot include '{}': {why}", included.value));
        let path = match self.resolve(by, &included.value) {
            Ok(path) => path,
            Err(why) => return self.collected.findings.push(refuse(why)),
        };
        let by = if self.open.is_empty() { "this runbook".to_owned() } else { self.open.join(" → ") };
        if self.open.contains(&path) || self.collected.findings.files.first().is_some_and(|first| is_same(first, &path))
        {
            return self.collected.findings.push(refuse(format!("it includes itself: {by} → {path}")));
        }
        if self.open.len() >= MAX_INCLUDE_DEPTH || self.collected.findings.files.len() >= MAX_FILES {
            return self
                .collected
                .findings
                .push(refuse(format!("more than {MAX_INCLUDE_DEPTH} deep or {MAX_FILES} files")));
        }
        let text = match self.kept.get(&path).cloned().map_or_else(|| (self.load)(&path), Ok) {
            Ok(text) => text,
            Err(error) => return self.collected.findings.push(refuse(error.chain())),
        };
        self.bytes += text.len();
        if self.bytes > MAX_BYTES {
            return self.collected.findings.push(refuse("all included files together are larger than 4 MB".to_owned()));
        }
        let stem = path.rsplit('/').next().unwrap_or(&path);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem).to_owned();
        let name = id.unwrap_or(stem);
        let own = order.needs(Placed { value: name.clone(), span: at }, own, &mut self.collected.findings);
        let needs = prefixed(own, prefix, needs);
        let name = format!("{prefix}{name}");
        let first = self.collected.runbook.steps.len();
        self.open.push(path.clone());
        self.file(&path, &text, &format!("{name}."), &needs);
        self.open.pop();
        if self.collected.groups.insert(name.clone(), first..self.collected.runbook.steps.len()).is_some() {
            let finding = Finding::error(at, format!("two includes are called '{name}'"));
            self.collected.findings.push(finding.help("give one of them an 'id' of its own"));
        }
    }

    /// Below the runbook's folder only, so that a foreign runbook cannot show other files of this machine.
    fn resolve(&self, by: &str, included: &str) -> Result<String, String> {
        if included.starts_with('/') {
            return Err("its path must be relative to the runbook".to_owned());
        }
        let folder = match by.rsplit_once('/') {
            Some((folder, _)) if !self.open.is_empty() => folder,
            _ => "",
        };
        let path = format!("{folder}/{}", included.strip_prefix("./").unwrap_or(included));
        let path = TreePath::new(&path).map_err(|error| error.to_string())?;
        String::from_utf8(path.as_bytes().to_vec()).map_err(|error| error.to_string())
    }
}

fn is_same(first: &SourceFile, path: &str) -> bool {
    first.path.rsplit('/').next() == Some(path)
}

fn prefixed(needs: Vec<Placed<String>>, prefix: &str, outer: &[Placed<String>]) -> Vec<Placed<String>> {
    let own = needs.into_iter().map(|need| Placed { value: format!("{prefix}{}", need.value), span: need.span });
    own.chain(outer.iter().cloned()).collect()
}

fn is_id(id: &str) -> bool {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    !id.is_empty() && id.len() <= 128 && id.chars().all(is_plain)
}

fn format(fields: &mut Fields, findings: &mut Findings) -> Format {
    match fields.require("rekindle", findings).map(|node| (node, &node.value)) {
        Some((_, Value::Number(_, written))) if written == "2" => Format::Written,
        Some((_, Value::Number(_, written))) if written == "1" => Format::SideBySide,
        None => Format::Written,
        Some((node, _)) => {
            let finding = Finding::error(node.span, "this version of the runbook format is not known");
            findings.push(finding.help("write rekindle: 2"));
            Format::Written
        }
    }
}

/// Takes what is not declared yet: the including runbook's word counts more than the included one's.
fn section<T>(
    fields: &mut Fields,
    name: &'static str,
    findings: &mut Findings,
    names: &mut BTreeSet<(&'static str, String)>,
    into: &mut Vec<T>,
    decode: fn(&Key, &Node, &mut Findings) -> Option<T>,
    name_of: fn(&T) -> &String,
) {
    let Some(node) = fields.get(name) else { return };
    let Value::Map(pairs) = &node.value else {
        return findings.push(super::fields::wrong_type(node, name, "a map of names"));
    };
    for (key, node) in pairs {
        super::fields::check_name(key, name, findings);
        names.insert((name, key.name.clone()));
        let declared = decode(key, node, findings);
        into.extend(
            declared.filter(|_| !into.iter().any(|known| *name_of(known) == key.name)).into_iter().collect::<Vec<_>>(),
        );
    }
}

/// A runbook with what it includes in one text, as a run's header keeps it.
pub(super) fn bundle(files: &[SourceFile]) -> String {
    let mut text = files.first().map(|file| file.text.clone()).unwrap_or_default();
    for file in files.iter().skip(1) {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("{SEPARATOR}{}\n{}", file.path, file.text));
    }
    text
}

fn unbundle(text: &str) -> (&str, BTreeMap<String, String>) {
    let Some(end) = text.find(&format!("\n{SEPARATOR}")).map(|at| at + 1) else { return (text, BTreeMap::new()) };
    let (main, rest) = text.split_at(end);
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    let mut path = None;
    for line in rest.split_inclusive('\n') {
        match line.strip_prefix(SEPARATOR) {
            Some(name) => path = Some(name.trim_end_matches('\n').to_owned()),
            None => kept.entry(path.clone().unwrap_or_default()).or_default().push_str(line),
        }
    }
    (main, kept)
}
