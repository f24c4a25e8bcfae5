use std::collections::HashMap;

use serde_json::Value;

use super::node::{Entry, Kind, Node};

/// The text that a wanted value comes from: what is taken from it is written as it stands there, for `01234` and `1.10`
/// can be written in several ways and mean the same to one reader only.
#[derive(Clone, Copy, Default)]
pub(super) struct Origin<'t>(Option<(&'t str, &'t Node, &'t Value)>);

/// A place in it.
#[derive(Clone, Copy, Default)]
pub(super) struct There<'t>(Option<(&'t Node, &'t Value)>);

impl<'t> Origin<'t> {
    pub fn new(text: &'t str, root: &'t Node, value: &'t Value) -> Self {
        Self(Some((text, root, value)))
    }

    pub fn root(self) -> There<'t> {
        There(self.0.map(|(_, root, value)| (root, value)))
    }

    /// How `wanted` is written there, if it is a scalar on one line.
    pub fn scalar(self, there: There<'t>, wanted: &Value, between_brackets: bool) -> Option<&'t str> {
        let (text, (node, value)) = (self.0?.0, there.0?);
        let written = text.get(node.start..node.end)?;
        let fits = match node.kind {
            Kind::Plain => !(written.is_empty() || between_brackets && written.contains([',', '[', ']', '{', '}'])),
            Kind::Single | Kind::Double => true,
            _ => false,
        };
        (fits && value == wanted && !written.contains('\n')).then_some(written)
    }

    /// The lines of a field that is new where they go to, moved to that column, without a line break at the end.
    pub fn lines(self, fields: &HashMap<&str, &'t Entry>, name: &str, wanted: &Value, column: usize) -> Option<String> {
        let (text, entry) = (self.0?.0, fields.get(name)?);
        let end = entry.value.content_end().max(entry.key_end);
        let line = text.get(..entry.key_start)?.rfind('\n').map_or(0, |line| line + 1);
        let margin = text.get(line..entry.key_start)?;
        let raw = text.get(entry.key_start..end)?.trim_end().replace("\r\n", "\n");
        let is_plain = margin.bytes().all(|byte| byte == b' ') && !raw.contains(['&', '*', '\r', '\t']);
        if !is_plain || wanted.is_null() {
            return None;
        }
        let space = " ".repeat(column);
        let moved = raw.split('\n').enumerate().map(|(at, line)| match line.strip_prefix(margin) {
            _ if at == 0 => Some(format!("{space}{line}")),
            _ if line.trim().is_empty() => Some(String::new()),
            Some(rest) => Some(format!("{space}{rest}")),
            None => None,
        });
        Some(moved.collect::<Option<Vec<_>>>()?.join("\n"))
    }
}

impl<'t> There<'t> {
    pub fn fields(self) -> HashMap<&'t str, &'t Entry> {
        match self.0.map(|(node, _)| &node.kind) {
            Some(Kind::Map { entries, .. }) => entries.iter().map(|entry| (entry.key.as_str(), entry)).collect(),
            _ => HashMap::new(),
        }
    }

    pub fn field(self, fields: &HashMap<&str, &'t Entry>, name: &str) -> Self {
        let value = self.0.and_then(|(_, value)| value.get(name));
        Self(fields.get(name).zip(value).map(|(entry, value)| (&entry.value, value)))
    }

    pub fn item(self, at: usize) -> Self {
        let Some((Node { kind: Kind::List { items, .. }, .. }, Value::Array(values))) = self.0 else {
            return Self::default();
        };
        Self(items.get(at).zip(values.get(at)))
    }
}
