use std::time::Duration;

use super::condition::When;
use super::fields::{Fields, argv, template, text, wrong_type};
use super::finding::{Finding, Findings, Placed, Span};
use super::near::suggestion;
use super::node::{Key, Node, Value};
use super::step::{
    Action, ApplyStep, ConfirmStep, OnTimeout, ProbeStep, Program, RestoreStep, RunStep, Step, WaitStep,
};
use super::step_policy;
use super::template::Template;
use super::value::TemplateValue;
use crate::model::{ComparePrecision, Mode};

/// A step as a file has it.
pub(super) enum StepForm {
    Step(Box<Step>, Needs),
    Include { id: Option<String>, at: Span, path: Placed<String>, needs: Needs },
}

/// As far as a file says.
pub(super) type Needs = Option<Vec<Placed<String>>>;

const ACTIONS: [&str; 7] = ["restore", "apply", "run", "wait", "check", "confirm", "include"];
const RUN_DEADLINE: Duration = Duration::from_secs(3600);
const WAIT_DEADLINE: Duration = Duration::from_secs(300);
const WAIT_EVERY: Duration = Duration::from_secs(5);

impl StepForm {
    pub fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if matches!(node.value, Value::Null) {
            findings.error(node.span, "this step is empty");
            return None;
        }
        let mut fields = Fields::of("a step", node.span, node, findings)?;
        let id = fields.text("id", findings);
        let about = fields.template("about", findings);
        let each = fields.text("each", findings);
        let needs = fields.entry("needs").map(|_| fields.texts("needs", findings));
        let when = When::decode(&mut fields, findings);
        let policy = step_policy::decode(&mut fields, findings);
        let given: Vec<(&str, &Key, &Node)> =
            ACTIONS.iter().filter_map(|action| fields.entry(action).map(|(key, node)| (*action, key, node))).collect();
        let [(action, key, value)] = given[..] else {
            let at = given.get(1).map_or(node.span, |(_, key, _)| key.span);
            let message = if given.is_empty() { "a step needs an action" } else { "a step has one action only" };
            let unknown =
                fields.rest().find_map(|(key, _)| super::near::nearest(&key.name, ACTIONS).map(|near| (key, near)));
            let finding = Finding::error(unknown.map_or(at, |(key, _)| key.span), message);
            findings.push(match unknown {
                Some((_, near)) => finding.help(format!("did you mean '{near}'?")),
                None => finding.help(format!("give one of {}", ACTIONS.join(", "))),
            });
            return None;
        };
        let span = id.as_ref().map_or(key.span, |id| id.span);
        if action == "include" {
            let path = text(value, "include", findings);
            for taken in ["each", "when", "retry", "on_failure", "parallel", "window", "notify"] {
                if let Some((key, _)) = fields.entry(taken) {
                    let message = format!("an include takes no '{taken}'");
                    findings.push(Finding::error(key.span, message).help("give it to the steps of the included file"));
                }
            }
            fields.finish(findings);
            return Some(Self::Include { id: id.map(|id| id.value), at: key.span, path: path?, needs });
        }
        let Some(id) = id else {
            findings.push(Finding::error(key.span, "a step needs an 'id'").help("name it, as in id: home"));
            return None;
        };
        let action = self::action(action, key, value, &mut fields, findings);
        fields.finish(findings);
        let (needs_none, within) = (Vec::new(), String::new());
        let step = Step { id: id.value, span, about, each, needs: needs_none, when, policy, action: action?, within };
        step_policy::check(&step, findings);
        Some(Self::Step(Box::new(step), needs))
    }
}

fn action(name: &str, key: &Key, value: &Node, fields: &mut Fields, findings: &mut Findings) -> Option<Action> {
    Some(match name {
        "restore" => Action::Restore(restore(value, fields, findings)?),
        "apply" => Action::Apply(apply(value, fields, findings)?),
        "run" => Action::Run(run(value, fields, findings)?),
        "wait" => {
            let deadline = fields.duration("deadline", findings).unwrap_or(WAIT_DEADLINE);
            let every = fields.duration("every", findings).unwrap_or(WAIT_EVERY);
            let on_timeout = [("fail", OnTimeout::Fail), ("go_on", OnTimeout::GoOn)];
            let on_timeout = fields.choice("on_timeout", &on_timeout, findings).unwrap_or_default();
            Action::Wait(WaitStep { probe: probe(key, value, fields, findings)?, deadline, every, on_timeout })
        }
        "check" => Action::Check(probe(key, value, fields, findings)?),
        _ => {
            let text = template(value, "confirm", findings);
            let asked = fields.entry("probe");
            let probe = match asked {
                Some((key, node)) => Some(probe(key, node, fields, findings)?),
                None => None,
            };
            Action::Confirm(ConfirmStep { text: text?, probe })
        }
    })
}

fn restore(component: &Node, fields: &mut Fields, findings: &mut Findings) -> Option<RestoreStep> {
    let component = text(component, "restore", findings);
    fields.require("from", findings);
    let from = fields.text("from", findings);
    let below = fields.template("below", findings);
    let to = fields.template("to", findings);
    let mode = fields.choice("mode", &[("merge", Mode::Merge), ("exact", Mode::Exact)], findings).unwrap_or_default();
    let content = fields.flag("content", findings).unwrap_or(false);
    let precision = if content { ComparePrecision::Content } else { ComparePrecision::Quick };
    Some(RestoreStep { component: component?, from: from?, below, to, mode, precision })
}

fn apply(component: &Node, fields: &mut Fields, findings: &mut Findings) -> Option<ApplyStep> {
    let component = text(component, "apply", findings);
    let to = fields.template("to", findings);
    let documents = match fields.require("documents", findings).map(|node| (node, &node.value)) {
        Some((_, Value::Map(pairs))) if !pairs.is_empty() => pairs
            .iter()
            .filter_map(|(key, node)| match Template::parse(&key.name, key.span) {
                Ok(name) => Some((name, TemplateValue::decode(node, "document", findings))),
                Err(finding) => {
                    findings.push(*finding);
                    None
                }
            })
            .collect(),
        Some((node, _)) => {
            findings.push(wrong_type(node, "documents", "a map of names and documents that is not empty"));
            return None;
        }
        None => return None,
    };
    Some(ApplyStep { component: component?, to, documents })
}

fn run(program: &Node, fields: &mut Fields, findings: &mut Findings) -> Option<RunStep> {
    let shell = fields.flag("shell", findings).unwrap_or(false);
    let env = match fields.entry("env") {
        Some((key, node)) => environment(key, node, findings),
        None => Vec::new(),
    };
    let cwd = fields.template("cwd", findings);
    let deadline = fields.duration("deadline", findings).unwrap_or(RUN_DEADLINE);
    let captures = fields.flag("capture", findings).unwrap_or(false);
    let program = match &program.value {
        Value::Text(_) if !shell => {
            findings.push(
                Finding::error(program.span, "'run' must be a list of arguments, not text")
                    .help("write each argument apart, as in run: [systemctl, restart, hub], or add shell: true"),
            );
            return None;
        }
        Value::Text(script) => {
            let holds_variable =
                Template::parse(script, program.span).map_or(true, |script| script.variables().next().is_some());
            if holds_variable {
                findings.push(
                    Finding::error(program.span, "'${…}' never reaches a shell by itself")
                        .label("this script holds '${'")
                        .help("give the value by env: { NAME: ${name} } and write \"$NAME\" in the script"),
                );
                return None;
            }
            if script.trim().is_empty() {
                findings.error(program.span, "this script is empty");
            }
            Program::Shell(script.replace("$${", "${"))
        }
        _ if shell => {
            findings.push(wrong_type(program, "run", "text where shell: true is set"));
            return None;
        }
        _ => Program::Argv(argv(program, "run", findings)?),
    };
    Some(RunStep { program, env, cwd, deadline, captures })
}

fn environment(key: &Key, node: &Node, findings: &mut Findings) -> Vec<(String, Template)> {
    let Some(fields) = Fields::of("an environment", key.span, node, findings) else { return Vec::new() };
    let mut env = Vec::new();
    for (name, node) in fields.rest() {
        if name.name.is_empty() || name.name.contains(['=', '\0']) {
            findings.error(name.span, format!("'{}' cannot be the name of an environment variable", name.name));
            continue;
        }
        env.extend(template(node, &name.name, findings).map(|value| (name.name.clone(), value)));
    }
    env
}

pub(super) fn probe(key: &Key, node: &Node, fields: &mut Fields, findings: &mut Findings) -> Option<ProbeStep> {
    let on = fields.text("on", findings);
    let pairs = match &node.value {
        Value::Map(pairs) => pairs.as_slice(),
        _ => {
            findings.push(
                wrong_type(node, &key.name, "a map with one question")
                    .help("write it as in { file: /home/ana/.profile }"),
            );
            return None;
        }
    };
    let [(question, of)] = pairs else {
        let at = pairs.get(1).map_or(key.span, |(key, _)| key.span);
        findings.error(at, "a probe asks exactly one question");
        return None;
    };
    let of = TemplateValue::decode(of, &question.name, findings);
    Some(ProbeStep { on, question: Placed { value: question.name.clone(), span: question.span }, of })
}

/// Used where a name must be one of those declared.
pub(super) fn unknown_name<'a>(
    what: &str,
    name: &Placed<String>,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Finding {
    Finding::error(name.span, format!("there is no {what} '{}'", name.value))
        .label(format!("unknown {what}"))
        .maybe_help(suggestion(&name.value, known))
}
