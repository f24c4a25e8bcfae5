use std::collections::HashSet;
use std::ops::Range;

use serde_json::{Map, Value};

use crate::diff::documents::{Cursor, Rules};

use super::super::notation::Notation;
use super::node::{Entry, Kind, Node};
use super::origin::{Origin, There};
use super::style;

/// The splices that turn a document's text into one of another value. Nothing here is trusted: what comes
/// out is read again before it is used, so a layout that is not understood costs comments, never values.
pub(super) struct Splices<'t> {
    pub text: &'t str,
    pub notation: Notation,
    pub origin: Origin<'t>,
    pub rules: &'t Rules<'t>,
    splices: Vec<(Range<usize>, String)>,
}

/// Where the wanted value stands in the text that it comes from, and in the schema.
pub(super) struct Way<'t> {
    pub there: There<'t>,
    pub at: Cursor,
}

/// Where a value hangs: behind its key's colon or its dash.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub after: usize,
    /// Of the key or dash.
    pub column: usize,
    pub flow: bool,
}

impl<'t> Splices<'t> {
    pub fn new(text: &'t str, notation: Notation, origin: Origin<'t>, rules: &'t Rules<'t>) -> Self {
        Self { text, notation, origin, rules, splices: Vec::new() }
    }

    pub fn root(mut self, node: &Node, live: &Value, wanted: &Value) -> Option<String> {
        match (&node.kind, wanted) {
            (Kind::Map { .. }, Value::Object(_)) | (Kind::List { .. }, Value::Array(_)) => {
                let flow = !node.is_block_collection();
                let way = Way { there: self.origin.root(), at: self.rules.root() };
                self.edit(node, live, wanted, &way, Slot { after: node.start, column: 0, flow })?;
                self.spliced()
            }
            _ => None,
        }
    }

    fn spliced(mut self) -> Option<String> {
        self.splices.sort_by_key(|(range, _)| (range.start, range.end));
        let mut spliced = String::with_capacity(self.text.len() + 64);
        let mut at = 0;
        for (range, new) in &self.splices {
            spliced.push_str(self.text.get(at..range.start)?);
            spliced.push_str(new);
            at = range.end;
        }
        spliced.push_str(self.text.get(at..)?);
        // What is gone may have been the last line, which had no line break.
        if !self.text.ends_with('\n') && spliced.ends_with('\n') {
            spliced.truncate(spliced.trim_end_matches(['\r', '\n']).len());
        }
        Some(spliced)
    }

    pub fn splice(&mut self, range: Range<usize>, new: impl Into<String>) {
        let new = new.into();
        let has_returns = self.text.contains("\r\n") && !new.contains('\r');
        self.splices.push((range, if has_returns { new.replace('\n', "\r\n") } else { new }));
    }

    pub fn edit(&mut self, node: &Node, live: &Value, wanted: &Value, way: &Way<'t>, slot: Slot) -> Option<()> {
        if live == wanted {
            return Some(());
        }
        match (&node.kind, live, wanted) {
            (Kind::Map { entries, .. }, Value::Object(live), Value::Object(wanted)) => {
                let any_kept = entries.iter().any(|entry| wanted.contains_key(&entry.key) || entry.key == "<<");
                if any_kept && !wanted.is_empty() {
                    return self.map(node, entries, live, wanted, way);
                }
                if wanted.is_empty() && self.emptied(node, slot, "{}") {
                    return Some(());
                }
            }
            (Kind::List { items, .. }, Value::Array(live), Value::Array(wanted))
                if items.len() == live.len() && !items.is_empty() =>
            {
                let is_edited = match wanted.as_slice() {
                    [] => self.emptied(node, slot, "[]"),
                    wanted => self.list(node, items, (live, wanted), way)?,
                };
                if is_edited {
                    return Some(());
                }
            }
            _ => {}
        }
        self.replace(node, wanted, way.there, slot)
    }

    fn map(
        &mut self,
        node: &Node,
        entries: &[Entry],
        live: &Map<String, Value>,
        wanted: &Map<String, Value>,
        way: &Way<'t>,
    ) -> Option<()> {
        let (flow, there) = (!node.is_block_collection(), way.there);
        let fields = there.fields();
        let spans: Vec<Range<usize>> = entries.iter().map(|entry| entry.key_start..self.entry_end(entry)).collect();
        let gone: Vec<bool> =
            entries.iter().map(|entry| entry.key != "<<" && !wanted.contains_key(&entry.key)).collect();
        for entry in entries {
            if let (Some(live), Some(wanted)) = (live.get(&entry.key), wanted.get(&entry.key)) {
                let colon = self.colon(entry)?;
                let slot = Slot { after: colon + 1, column: self.column(entry.key_start), flow };
                if live != wanted {
                    let at = self.rules.field(&way.at, &entry.key);
                    self.edit(&entry.value, live, wanted, &Way { there: there.field(&fields, &entry.key), at }, slot)?;
                }
            }
        }
        self.remove(&spans, &gone, flow)?;
        let here: HashSet<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let is_here = |name: &str| here.contains(name);
        let new: Vec<(&String, &Value)> =
            wanted.iter().filter(|(name, value)| !is_here(name) && live.get(*name) != Some(*value)).collect();
        for (own, value) in new {
            let name = own;
            let last = gone.iter().rposition(|gone| !gone)?;
            if flow {
                let name = match self.notation {
                    Notation::Json => Value::from(name.as_str()).to_string(),
                    Notation::Yaml => style::inline(self.notation, &Value::from(name.as_str()))?,
                };
                let value = match self.origin.scalar(there.field(&fields, own), value, true) {
                    Some(written) => written.to_owned(),
                    None => self.flow_value(value, spans.first()?.start)?,
                };
                self.insert_flow(node, &spans, spans.get(last)?.end, &format!("{name}: {value}"))?;
            } else {
                let column = self.column(entries.first()?.key_start);
                let lines = match self.origin.lines(&fields, own, value, column) {
                    Some(lines) => lines,
                    None => {
                        let one = Value::Object(Map::from_iter([(name.clone(), value.clone())]));
                        style::block(&one, column)?
                    }
                };
                self.insert_lines(spans.last()?.end, &lines, *gone.last()?);
            }
        }
        Some(())
    }

    /// Takes out entries or items: each with what is said right above it where it has lines of its own, else run by run.
    pub fn remove(&mut self, spans: &[Range<usize>], gone: &[bool], flow: bool) -> Option<()> {
        let mut at = 0;
        while at < spans.len() {
            if !*gone.get(at)? {
                at += 1;
                continue;
            }
            let first = at;
            if !flow && let Some(start) = self.first_line(spans, at) {
                let end = self.line_end(spans.get(at)?.end);
                self.splice(start..end, "");
                at += 1;
                continue;
            }
            while gone.get(at).copied().unwrap_or(false) {
                at += 1;
            }
            let start = spans.get(first)?.start;
            let range = match (spans.get(at), first.checked_sub(1)) {
                (Some(next), _) => start..next.start,
                // What is said of the one before stays, behind its comma.
                (None, Some(former)) if self.is_said_between(spans.get(former)?.end, start) => {
                    start..spans.get(at - 1)?.end
                }
                (None, Some(former)) if flow => spans.get(former)?.end..spans.get(at - 1)?.end,
                _ => return None,
            };
            self.splice(range, "");
        }
        Some(())
    }
}
