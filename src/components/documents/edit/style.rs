use serde::Serialize;
use serde_json::Value;

use super::super::notation::{self, Notation};
use super::super::{odd, wide};
use super::node::Kind;

/// A value on one line, in any context.
pub(super) fn inline(notation: Notation, value: &Value) -> Option<String> {
    match (notation, value) {
        (Notation::Yaml, Value::Array(items)) => {
            let items: Option<Vec<String>> = items.iter().map(|item| inline(notation, item)).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        (Notation::Yaml, Value::Object(fields)) => {
            let field = |(name, field): (&String, &Value)| {
                Some(format!("{}: {}", plain(&Value::from(name.as_str()))?, inline(notation, field)?))
            };
            let fields: Option<Vec<String>> = fields.iter().map(field).collect();
            Some(format!("{{{}}}", fields?.join(", ")))
        }
        (Notation::Yaml, scalar) => plain(scalar),
        (Notation::Json, value) => Some(wide::bared(value.to_string())),
    }
}

/// A scalar in the style of the one that it replaces.
pub(super) fn scalar(notation: Notation, value: &Value, former: &Kind) -> Option<String> {
    match (notation, value, former) {
        _ if wide::number(value).is_some() => inline(notation, value),
        (Notation::Yaml, Value::String(text), Kind::Double) => Some(double(text)),
        (Notation::Yaml, Value::String(text), Kind::Single) if !text.chars().any(char::is_control) => {
            Some(format!("'{}'", text.replace('\'', "''")))
        }
        (notation, value, _) => inline(notation, value),
    }
}

/// The scalar as the serialiser writes it, where that is one line and safe between brackets too.
fn plain(value: &Value) -> Option<String> {
    if let Some(number) = wide::number(value) {
        return Some(number.to_owned());
    }
    let text = notation::render_scalar(value)?;
    let is_quoted = text.starts_with(['"', '\'']);
    match value {
        Value::String(raw) if !is_quoted && (odd::is_odd(raw) || wide::is_wide(raw)) => Some(double(raw)),
        Value::String(raw) if !is_quoted && (text.contains(['\n', ',', '[', ']', '{', '}']) || text != *raw) => {
            Some(double(raw))
        }
        _ if text.contains('\n') => value.as_str().map(double),
        _ => Some(text),
    }
}

/// Double-quoted as JSON and YAML both read it.
fn double(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            hidden if hidden.is_control() || matches!(hidden, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push_str(&format!("\\u{:04x}", hidden as u32));
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

/// A value as block YAML, each line after `indent` spaces, without a line break at the end.
pub(super) fn block(value: &Value, indent: usize) -> Option<String> {
    let text = notation::render(Notation::Yaml, value)?;
    let space = " ".repeat(indent);
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("{space}{line}") };
    Some(text.trim_end_matches('\n').split('\n').map(line).collect::<Vec<_>>().join("\n"))
}

/// A value as indented JSON; lines after the first begin with `margin`.
pub(super) fn indented(value: &Value, unit: &str, margin: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(unit.as_bytes());
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter)).ok()?;
    Some(wide::bared(String::from_utf8(bytes).ok()?).replace('\n', &format!("\n{margin}")))
}
