use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::finding::{Finding, Span};
use super::unquoted::variable_between_brackets;
use crate::yaml_problem;

/// A larger runbook is refused.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 400_000;

/// A YAML value that knows where it stands, so that every finding can point at it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub span: Span,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// With the digits as they were written: `12e4` may be meant as a snapshot's id.
    Number(Option<serde_json::Number>, String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub span: Span,
    pub name: String,
}

impl Node {
    /// `file` is the position of `text`'s file, for spans.
    pub fn parse(file: u16, text: &str) -> Result<Self, Box<Finding>> {
        if text.len() > MAX_BYTES {
            let at = Span { file, start: 0, length: 1 };
            return Err(Box::new(Finding::error(at, "this runbook is larger than 4 MB").label("refused unread")));
        }
        let options = serde_saphyr::options! {
            strict_booleans: true,
            with_snippet: false,
            budget: serde_saphyr::budget! {
                max_depth: MAX_DEPTH,
                flow_nesting_limit: MAX_DEPTH,
                max_nodes: MAX_NODES,
                max_events: 2 * MAX_NODES,
                max_documents: 1,
                max_total_scalar_bytes: 2 * MAX_BYTES,
            },
        };
        match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
            Ok(raw) => Ok(node(file, text, raw)),
            Err(error) => {
                let at = error.location().map_or(Span { file, start: 0, length: 0 }, |at| span(file, text, &at));
                if let Some(variable) = variable_between_brackets(file, text) {
                    let finding = Finding::error(variable, "between brackets, '${' begins a map");
                    return Err(Box::new(
                        finding
                            .label("this is not YAML that can be read")
                            .help("quote it, as in { tar: \"${root}/x\" }"),
                    ));
                }
                let message = yaml_problem::in_words(&error);
                Err(Box::new(Finding::error(at, format!("this is not YAML that can be read: {message}"))))
            }
        }
    }

    pub fn word(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a yes or no",
            Value::Number(..) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

enum Raw {
    Null,
    Bool(bool),
    Number(Option<serde_json::Number>),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(Some(value.into())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(Some(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(serde_json::Number::from_f64(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Raw::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Raw::Map(pairs))
    }
}

fn node(file: u16, text: &str, raw: Spanned<Raw>) -> Node {
    let at = span(file, text, &raw.referenced);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Number(number) => {
            let written = slice(text, span(file, text, &raw.defined)).trim();
            Value::Number(number, written.to_owned())
        }
        Raw::Text(value) => Value::Text(value),
        Raw::List(list) => Value::List(list.into_iter().map(|raw| node(file, text, raw)).collect()),
        Raw::Map(map) => Value::Map(
            map.into_iter().map(|(name, raw)| (key(file, text, name), node(file, text, raw))).collect::<Vec<_>>(),
        ),
    };
    let span = match &value {
        // The span of a collection is the place where it begins; what it begins with shows better.
        Value::Map(pairs) => pairs.first().map_or(at, |(key, _)| key.span),
        Value::List(nodes) => nodes.first().map_or(at, |node| node.span),
        _ => at,
    };
    Node { span, value }
}

fn key(file: u16, text: &str, raw: Spanned<Raw>) -> Key {
    let span = span(file, text, &raw.referenced);
    let name = match raw.value {
        Raw::Text(name) => name,
        _ => slice(text, span).trim().to_owned(),
    };
    Key { span, name }
}

fn span(file: u16, text: &str, at: &Location) -> Span {
    let end = text.len();
    let start = at.span().byte_offset().and_then(|start| usize::try_from(start).ok()).unwrap_or(end).min(end);
    let length = at.span().byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or(0).min(end - start);
    Span { file, start, length }
}

fn slice(text: &str, span: Span) -> &str {
    text.get(span.start..span.start + span.length).unwrap_or_default()
}
