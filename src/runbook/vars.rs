use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Fields, text, wrong_type};
use super::finding::{Finding, Findings, Span};
use super::node::{Node, Value};
use super::template::{Template, is_name};

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
            if !is_name(&key.name) {
                let finding = Finding::error(key.span, format!("'{}' cannot be a name in vars", key.name));
                findings.push(finding.help("begin with a letter; use letters, digits, '-' and '_', at most 64"));
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

    fn filled(&mut self, text: &str) -> String {
        if self.texts.is_empty() || !text.contains("${") {
            return text.to_owned();
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, tail) = rest.split_at(at);
            filled.push_str(before);
            let named = tail.strip_prefix("${").and_then(|tail| tail.split_once('}'));
            match named.and_then(|(name, after)| Some((self.texts.get(name)?, name, after))) {
                Some(((text, _), name, after)) if !before.ends_with('$') && self.bytes_filled <= MOST_FILLED => {
                    filled.push_str(text);
                    self.bytes_filled += text.len();
                    self.used.insert(name.to_owned());
                    rest = after;
                }
                _ => {
                    filled.push_str("${");
                    rest = tail.get(2..).unwrap_or_default();
                }
            }
        }
        filled.push_str(rest);
        filled
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
