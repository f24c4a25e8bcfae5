use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Fields, check_name, text, wrong_type};
use super::finding::{Finding, Findings, Span};
use super::node::{Node, Value};
use super::template::Template;

/// A longer value is refused: a few values that repeat one another grow without bound.
const MOST_BYTES: usize = 64 * 1024;
/// Of all that is put into a runbook and the files it includes.
const MOST_FILLED: usize = 16 * 1024 * 1024;

/// Texts that a runbook names once and uses often: `${name}` stands for them wherever a text may hold a variable.
/// They are put in as they are written, so that lint sees what is carried out.
#[derive(Default)]
pub(super) struct Vars {
    texts: BTreeMap<String, (String, Span)>,
    used: BTreeSet<String>,
    bytes_filled: usize,
}

impl Vars {
    /// Of one file; what an including runbook declared counts more.
    pub fn declare(&mut self, fields: &mut Fields, findings: &mut Findings) {
        let Some(node) = fields.get("vars") else { return };
        let Value::Map(pairs) = &node.value else { return findings.push(wrong_type(node, "vars", "a map of names")) };
        for (key, node) in pairs {
            if !check_name(key, "vars", findings) {
                continue;
            }
            let Some(given) = text(node, &key.name, findings) else { continue };
            if self.texts.contains_key(&key.name) {
                continue;
            }
            let filled = self.filled(&given.value);
            if filled.len() > MOST_BYTES {
                findings.error(given.span, format!("the var '{}' is longer than 64 KiB", key.name));
                continue;
            }
            if let Ok(template) = Template::parse(&filled, given.span)
                && template.variables().any(|name| name == key.name)
            {
                findings.error(given.span, format!("the var '{}' stands for itself", key.name));
                continue;
            }
            self.texts.insert(key.name.clone(), (filled, key.span));
        }
    }

    /// Puts the texts in everywhere below `node`, except where a shell would run them.
    pub fn fill(&mut self, node: &mut Node, name: &str) {
        match &mut node.value {
            Value::Text(text) if name != "run" => *text = self.filled(text),
            Value::List(nodes) => nodes.iter_mut().for_each(|node| self.fill(node, "")),
            Value::Map(pairs) => {
                for (key, node) in pairs {
                    if name == "documents" {
                        key.name = self.filled(&key.name);
                    }
                    self.fill(node, &key.name);
                }
            }
            _ => {}
        }
    }

    /// What is no template is left for who reads it next: they point at it.
    fn filled(&mut self, text: &str) -> String {
        let Ok(template) = Template::parse(text, Span::default()) else { return text.to_owned() };
        let Self { texts, used, bytes_filled } = self;
        template.written(|name| {
            let (text, _) = texts.get(name).filter(|_| *bytes_filled <= MOST_FILLED)?;
            *bytes_filled += text.len();
            used.insert(name.to_owned());
            Some(text)
        })
    }

    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.texts.keys()
    }

    /// What nothing uses, and what is called like an input or a set of owners.
    pub fn check<'a>(&self, others: impl Iterator<Item = &'a str>, findings: &mut Findings) {
        let others: BTreeSet<&str> = others.collect();
        for (name, (_, span)) in &self.texts {
            if self.bytes_filled > MOST_FILLED {
                return findings.error(*span, "these vars make the runbook larger than 16 MB");
            }
            if others.contains(name.as_str()) {
                let finding = Finding::error(*span, format!("'{name}' is both a var and an input or a set of owners"));
                findings.push(finding.help("call one of them otherwise"));
            } else if !self.used.contains(name) {
                findings.push(Finding::warning(*span, format!("the var '{name}' is not used")).label("unused"));
            }
        }
    }
}
