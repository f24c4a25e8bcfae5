use std::collections::HashMap;

use serde_json::Value;

use super::edit::{Kind, Node};
use super::notation::Notation;
use super::wide;

/// Numbers that YAML 1.1 and 1.2 read differently, as `0755`, `01234`, `0o17` and `1_000`: no number is what all readers
/// take them for. Here they are the text that stands in the file.
pub(super) fn is_odd(text: &str) -> bool {
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut bytes = bare.bytes();
    let (first, second) = (bytes.next(), bytes.next());
    match (first, second) {
        (Some(b'0'), Some(b'0'..=b'9' | b'_' | b'o' | b'b')) => true,
        (Some(b'0'..=b'9' | b'.'), Some(_)) => bare.contains('_') && !bare.starts_with("0x"),
        _ => false,
    }
}

/// Whether a document may hold one. Most hold none, and looking for where one stands costs a second reading.
pub(super) fn may_hold_one(text: &str) -> bool {
    let is_edge = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b',' | b'[' | b'{' | b':' | b'+' | b'-');
    text.as_bytes().windows(3).any(|window| match window {
        [before, b'0', b'0'..=b'9' | b'_' | b'o' | b'b'] => is_edge(*before),
        [b'0'..=b'9', b'_', b'0'..=b'9' | b'_'] => true,
        _ => false,
    })
}

/// Puts the text of odd and of wide numbers into the value that was read from it.
pub(super) fn restore(notation: Notation, text: &str, node: &Node, value: &mut Value) {
    let mut anchors = HashMap::new();
    Restorer { notation, text, anchors: &mut anchors }.node(node, value);
}

struct Restorer<'a, 'n> {
    notation: Notation,
    text: &'a str,
    anchors: &'a mut HashMap<usize, &'n Node>,
}

impl<'n> Restorer<'_, 'n> {
    fn node(&mut self, node: &'n Node, value: &mut Value) {
        if let Some(anchor) = node.anchor {
            self.anchors.insert(anchor, node);
        }
        match (&node.kind, value) {
            (Kind::Plain, value) if value.is_number() || wide::number(value).is_some() => {
                let written = self.text.get(node.start..node.end).unwrap_or_default();
                if self.notation == Notation::Yaml && is_odd(written) {
                    *value = Value::from(written);
                } else if wide::is_wide(written) {
                    *value = wide::stand_in(written);
                }
            }
            (Kind::Alias(anchor), value) => {
                if let Some(node) = self.anchors.get(anchor).copied() {
                    self.node(node, value);
                }
            }
            (Kind::List { items, .. }, Value::Array(values)) => {
                items.iter().zip(values).for_each(|(item, value)| self.node(item, value));
            }
            (Kind::Map { entries, .. }, Value::Object(fields)) => {
                for entry in entries {
                    match fields.get_mut(&entry.key) {
                        Some(value) => self.node(&entry.value, value),
                        None => self.merged(&entry.value, fields),
                    }
                }
            }
            _ => {}
        }
    }

    /// Fields that a `<<` takes over from another map. A field that both have may be either's: both are looked at, and
    /// what is a text already stays.
    fn merged(&mut self, node: &'n Node, fields: &mut serde_json::Map<String, Value>) {
        let known = match &node.kind {
            Kind::Alias(anchor) => self.anchors.get(anchor).copied(),
            _ => Some(node),
        };
        match known.map(|node| &node.kind) {
            Some(Kind::Map { entries, .. }) => {
                for entry in entries {
                    if let Some(value) = fields.get_mut(&entry.key) {
                        self.same(&entry.value, value);
                    }
                }
            }
            Some(Kind::List { items, .. }) => items.iter().for_each(|item| self.merged(item, fields)),
            _ => {}
        }
    }

    /// Only where it is what this value was read from.
    fn same(&mut self, node: &'n Node, value: &mut Value) {
        let written = self.text.get(node.start..node.end).unwrap_or_default();
        let is_it = !matches!(node.kind, Kind::Plain) || reads_as(written, value);
        if is_it {
            self.node(node, value);
        }
    }
}

fn reads_as(written: &str, value: &Value) -> bool {
    match serde_saphyr::from_str::<Value>(written) {
        Ok(read) => read == *value,
        // Beyond the largest float, as the value is.
        Err(_) => wide::is_wide(written) && wide::number(value).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_readers_of_yaml_disagree_about_are_odd() {
        for odd in ["0755", "01234", "-012", "+007", "00", "0o17", "0b101", "1_000", "0_1", "01.5", "018561471342"] {
            assert!(is_odd(odd) && may_hold_one(&format!("a: {odd}\n")), "{odd}");
        }
        for plain in ["0", "0.5", "-0", "755", "1.10", "1e3", ".5", "+491701234567", "0x1F", "0x_1F", "10", "100"] {
            assert!(!is_odd(plain), "{plain}");
        }
        assert!(!may_hold_one("when: 2024\nat: x0755\nn: 100\n"));
    }
}
