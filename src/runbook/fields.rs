use std::time::Duration;

use super::duration::parse_duration;
use super::finding::{Finding, Findings, Placed, Span};
use super::near::suggestion;
use super::node::{Key, Node, Value};
use super::template::{Template, is_name};

/// The keys of one map while they are taken out one by one; what was never asked for is unknown.
pub(super) struct Fields<'a> {
    /// As in "a step": what this map describes.
    what: &'static str,
    pub span: Span,
    pairs: &'a [(Key, Node)],
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// `at`: where the map's own key stands, for what is missing in it.
    pub fn of(what: &'static str, at: Span, node: &'a Node, findings: &mut Findings) -> Option<Self> {
        let pairs: &[_] = match &node.value {
            Value::Map(pairs) => pairs,
            Value::Null => &[],
            _ => {
                findings.push(wrong_type(node, what, "a map"));
                return None;
            }
        };
        Some(Self { what, span: at, pairs, known: Vec::new() })
    }

    /// A key that is given and not empty.
    pub fn get(&mut self, name: &'static str) -> Option<&'a Node> {
        self.entry(name).map(|(_, node)| node).filter(|node| !matches!(node.value, Value::Null))
    }

    pub fn entry(&mut self, name: &'static str) -> Option<(&'a Key, &'a Node)> {
        self.known.push(name);
        self.pairs.iter().find(|(key, _)| key.name == name).map(|(key, node)| (key, node))
    }

    pub fn require(&mut self, name: &'static str, findings: &mut Findings) -> Option<&'a Node> {
        let found = self.get(name);
        if found.is_none() {
            let at = self.pairs.iter().find(|(key, _)| key.name == name).map_or(self.span, |(key, _)| key.span);
            findings.push(
                Finding::error(at, format!("{} needs '{name}'", self.what)).label(format!("'{name}' is missing")),
            );
        }
        found
    }

    pub fn text(&mut self, name: &'static str, findings: &mut Findings) -> Option<Placed<String>> {
        self.get(name).and_then(|node| text(node, name, findings))
    }

    pub fn template(&mut self, name: &'static str, findings: &mut Findings) -> Option<Template> {
        self.get(name).and_then(|node| template(node, name, findings))
    }

    pub fn flag(&mut self, name: &'static str, findings: &mut Findings) -> Option<bool> {
        let node = self.get(name)?;
        match node.value {
            Value::Bool(value) => Some(value),
            _ => {
                findings.push(wrong_type(node, name, "true or false"));
                None
            }
        }
    }

    pub fn duration(&mut self, name: &'static str, findings: &mut Findings) -> Option<Duration> {
        let written = self.text(name, findings)?;
        match parse_duration(&written.value) {
            Ok(duration) => Some(duration),
            Err(why) => {
                findings.push(
                    Finding::error(written.span, format!("'{name}' is no duration: {why}"))
                        .help("write a number with a unit, as in 30s, 10m, 1h30m or 500ms"),
                );
                None
            }
        }
    }

    /// A whole number from 1.
    pub fn count(&mut self, name: &'static str, most: u16, findings: &mut Findings) -> Option<u16> {
        let node = self.get(name)?;
        let count = match &node.value {
            Value::Number(Some(number), _) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
            _ => None,
        };
        let count = count.filter(|count| (1..=most).contains(count));
        if count.is_none() {
            findings.push(Finding::error(node.span, format!("'{name}' must be a whole number from 1 to {most}")));
        }
        count
    }

    pub fn texts(&mut self, name: &'static str, findings: &mut Findings) -> Vec<Placed<String>> {
        let Some(node) = self.get(name) else { return Vec::new() };
        list(node, name, findings).iter().filter_map(|node| text(node, name, findings)).collect()
    }

    /// One of several words.
    pub fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        of: &[(&'static str, T)],
        findings: &mut Findings,
    ) -> Option<T> {
        let written = self.text(name, findings)?;
        let found = of.iter().find(|(word, _)| *word == written.value).map(|(_, value)| *value);
        if found.is_none() {
            let words = of.iter().map(|(word, _)| *word);
            findings.push(
                Finding::error(written.span, format!("'{name}' cannot be '{}'", written.value))
                    .maybe_help(suggestion(&written.value, words)),
            );
        }
        found
    }

    /// All that was not asked for, so as to be kept or refused.
    pub fn rest(&self) -> impl Iterator<Item = &'a (Key, Node)> + '_ {
        self.pairs.iter().filter(|(key, _)| !self.known.contains(&key.name.as_str()))
    }

    /// Those of these keys that are given and were not asked for: they belong elsewhere, and are not unknown.
    pub fn of_others(&mut self, names: impl IntoIterator<Item = &'static str>) -> Vec<&'a Key> {
        let mut given = Vec::new();
        for name in names {
            if !self.known.contains(&name) {
                given.extend(self.entry(name).map(|(key, _)| key));
            }
        }
        given
    }

    pub fn finish(self, findings: &mut Findings) {
        for (key, _) in self.rest() {
            findings.push(
                Finding::error(key.span, format!("{} knows no key '{}'", self.what, key.name))
                    .label("unknown key")
                    .maybe_help(suggestion(&key.name, self.known.iter().copied())),
            );
        }
    }
}

/// Whether a key can be a name in a section.
pub(super) fn check_name(key: &Key, section: &str, findings: &mut Findings) -> bool {
    let is_name = is_name(&key.name);
    if !is_name {
        let finding = Finding::error(key.span, format!("'{}' cannot be a name in {section}", key.name));
        findings.push(finding.help("begin with a letter; use letters, digits, '-' and '_', at most 64"));
    }
    is_name
}

pub(super) fn wrong_type(node: &Node, what: &str, wanted: &str) -> Finding {
    let what = what.strip_prefix("a ").or_else(|| what.strip_prefix("an ")).unwrap_or(what);
    Finding::error(node.span, format!("'{what}' must be {wanted}, not {}", node.word()))
        .label(format!("{} here", node.word()))
}

pub(super) fn text(node: &Node, name: &str, findings: &mut Findings) -> Option<Placed<String>> {
    let value = match &node.value {
        Value::Text(text) => text.clone(),
        Value::Number(_, written) => written.clone(),
        Value::Bool(value) => value.to_string(),
        _ => {
            findings.push(wrong_type(node, name, "text"));
            return None;
        }
    };
    Some(Placed { value, span: node.span })
}

pub(super) fn template(node: &Node, name: &str, findings: &mut Findings) -> Option<Template> {
    let text = text(node, name, findings)?;
    match Template::parse(&text.value, text.span) {
        Ok(template) => Some(template),
        Err(finding) => {
            findings.push(*finding);
            None
        }
    }
}

/// The list's nodes; a single value is no list.
pub(super) fn list<'a>(node: &'a Node, name: &str, findings: &mut Findings) -> &'a [Node] {
    match &node.value {
        Value::List(nodes) => nodes,
        Value::Null => &[],
        _ => {
            findings.push(wrong_type(node, name, "a list"));
            &[]
        }
    }
}

/// A list of arguments; a single text is refused, for it would have to be split.
pub(super) fn argv(node: &Node, name: &str, findings: &mut Findings) -> Option<Vec<Template>> {
    if matches!(node.value, Value::Text(_)) {
        findings.push(
            wrong_type(node, name, "a list of arguments").help("write each argument apart, as in [pass, show, restic]"),
        );
        return None;
    }
    let argv: Vec<Template> =
        list(node, name, findings).iter().filter_map(|node| template(node, "argument", findings)).collect();
    if argv.is_empty() && matches!(&node.value, Value::List(nodes) if nodes.is_empty()) {
        findings.error(node.span, format!("'{name}' names no program"));
    }
    Some(argv)
}
