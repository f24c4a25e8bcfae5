use serde_json::{Map, Value};

use super::node::{Kind, Node};
use super::style;

/// The text with only those entries of its outermost map written anew that changed or share something with others: what
/// nobody planned to change keeps its bytes.
pub(super) fn pieces(text: &str, root: &Node, live: &Value, wanted: &Value) -> Option<String> {
    let (Kind::Map { flow: false, entries }, Value::Object(live), Value::Object(wanted)) = (&root.kind, live, wanted)
    else {
        return None;
    };
    let line_of = |at: usize| text.get(..at).map(|before| before.rfind('\n').map_or(0, |line| line + 1));
    let starts: Vec<usize> = entries.iter().map(|entry| line_of(entry.key_start)).collect::<Option<_>>()?;
    let mut made = text.get(..*starts.first()?)?.to_owned();
    let fresh = |name: &str, value: &Value| {
        let lines = style::block(&Value::Object(Map::from_iter([(name.to_owned(), value.clone())])), 0)?;
        Some(if text.contains("\r\n") { lines.replace('\n', "\r\n") + "\r\n" } else { lines + "\n" })
    };
    for (at, entry) in entries.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(text.len());
        let raw = text.get(*starts.get(at)?..end)?;
        match wanted.get(&entry.key) {
            None => {}
            Some(value) if live.get(&entry.key) == Some(value) && !raw.contains(['&', '*']) => made.push_str(raw),
            Some(value) => made.push_str(&fresh(&entry.key, value)?),
        }
        if !made.is_empty() && !made.ends_with('\n') {
            made.push('\n');
        }
    }
    for (name, value) in wanted.iter().filter(|(name, _)| !entries.iter().any(|entry| entry.key == **name)) {
        made.push_str(&fresh(name, value)?);
    }
    if !text.ends_with('\n') {
        made.truncate(made.trim_end_matches(['\r', '\n']).len());
    }
    Some(made)
}
