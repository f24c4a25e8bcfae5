use std::collections::HashMap;

use serde_json::Value;

use super::super::notation::Notation;
use super::node::{Kind, Node};
use super::style;

/// The text with each alias replaced by what it stands for, so that one place can change and the others stay.
pub(super) fn unshared(text: &str, root: &Node, live: &Value) -> Option<String> {
    let mut places = Places { text, anchors: HashMap::new(), found: Vec::new() };
    places.node(root, live)?;
    if places.found.is_empty() {
        return None;
    }
    let mut unshared = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end, new) in places.found {
        unshared.push_str(text.get(at..start)?);
        unshared.push_str(&new);
        at = end;
    }
    unshared.push_str(text.get(at..)?);
    Some(unshared)
}

struct Places<'t, 'v> {
    text: &'t str,
    /// How each anchored value is written where it has to fit on one line, and the value.
    anchors: HashMap<usize, (Option<&'t str>, &'v Value)>,
    found: Vec<(usize, usize, String)>,
}

impl<'v> Places<'_, 'v> {
    fn node(&mut self, node: &Node, live: &'v Value) -> Option<()> {
        if let Some(anchor) = node.anchor {
            let is_short = matches!(node.kind, Kind::Plain | Kind::Single | Kind::Double);
            let is_flow = matches!(node.kind, Kind::Map { flow: true, .. } | Kind::List { flow: true, .. });
            let written = self.text.get(node.start..node.end).filter(|written| {
                (is_short || is_flow) && !written.is_empty() && !written.contains(['\n', '*', '&', '#'])
            });
            self.anchors.insert(anchor, (written, live));
        }
        match (&node.kind, live) {
            (Kind::Alias(anchor), _) => self.replace(node, *anchor)?,
            (Kind::Map { entries, .. }, Value::Object(fields)) => {
                for entry in entries {
                    match (fields.get(&entry.key), &entry.value.kind) {
                        (Some(value), _) => self.node(&entry.value, value)?,
                        (None, Kind::Alias(anchor)) => self.replace(&entry.value, *anchor)?,
                        (None, _) => {}
                    }
                }
            }
            (Kind::List { items, .. }, Value::Array(values)) => {
                for (item, value) in items.iter().zip(values) {
                    self.node(item, value)?;
                }
            }
            _ => {}
        }
        Some(())
    }

    fn replace(&mut self, node: &Node, anchor: usize) -> Option<()> {
        let (written, value) = *self.anchors.get(&anchor)?;
        let new = match written {
            Some(written) => written.to_owned(),
            None => style::inline(Notation::Yaml, value)?,
        };
        self.found.push((node.start, node.end, new));
        Some(())
    }
}
