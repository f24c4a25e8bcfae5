use std::collections::HashSet;
use std::ops::Range;

use serde_json::{Map, Value};
use similar::{Algorithm, DiffOp};

use crate::model::{Digest, Document};

use super::super::text::Syntax;
use super::node::{Entry, Kind, Node};
use super::origin::{Origin, There};
use super::style;

/// The splices that turn a document's text into one of another value. Nothing here is trusted: what comes
/// out is read again before it is used, so a layout that is not understood costs comments, never values.
pub(super) struct Splices<'t> {
    pub text: &'t str,
    pub syntax: Syntax,
    origin: Origin<'t>,
    splices: Vec<(Range<usize>, String)>,
}

/// Where a value hangs: behind its key's colon or its dash.
#[derive(Clone, Copy)]
struct Slot {
    after: usize,
    /// Of the key or dash.
    column: usize,
    flow: bool,
}

/// What stands about a value on its first and its last line.
struct Comments<'t> {
    /// About the value itself, with the space before it.
    own: &'t str,
    /// A map or list that begins below its key: the comment on its last line is about its last member.
    is_spread: bool,
    /// Where the comment on its last line ends; the value's end where there is none.
    last_ends: usize,
}

impl<'t> Splices<'t> {
    pub fn new(text: &'t str, syntax: Syntax, origin: Origin<'t>) -> Self {
        Self { text, syntax, origin, splices: Vec::new() }
    }

    pub fn root(mut self, node: &Node, live: &Value, wanted: &Value) -> Option<String> {
        match (&node.kind, wanted) {
            (Kind::Map { .. }, Value::Object(_)) | (Kind::List { .. }, Value::Array(_)) => {
                let flow = !node.is_block_collection();
                let there = self.origin.root();
                self.edit(node, live, wanted, there, Slot { after: node.start, column: 0, flow })?;
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

    fn splice(&mut self, range: Range<usize>, new: impl Into<String>) {
        let new = new.into();
        let has_returns = self.text.contains("\r\n") && !new.contains('\r');
        self.splices.push((range, if has_returns { new.replace('\n', "\r\n") } else { new }));
    }

    /// `there`: where the wanted value stands in the text that it comes from.
    fn edit(&mut self, node: &Node, live: &Value, wanted: &Value, there: There<'t>, slot: Slot) -> Option<()> {
        if live == wanted {
            return Some(());
        }
        match (&node.kind, live, wanted) {
            (Kind::Map { flow, entries }, Value::Object(live), Value::Object(wanted)) if !wanted.is_empty() => {
                let any_kept = entries.iter().any(|entry| wanted.contains_key(&entry.key) || entry.key == "<<");
                if any_kept {
                    return self.map(node, *flow, entries, live, wanted, there);
                }
            }
            (Kind::List { flow, items }, Value::Array(live), Value::Array(wanted))
                if !wanted.is_empty() && items.len() == live.len() && !items.is_empty() =>
            {
                return self.list(node, *flow, items, live, wanted, there);
            }
            _ => {}
        }
        self.replace(node, wanted, there, slot)
    }

    fn map(
        &mut self,
        node: &Node,
        flow: bool,
        entries: &[Entry],
        live: &Map<String, Value>,
        wanted: &Map<String, Value>,
        there: There<'t>,
    ) -> Option<()> {
        let fields = there.fields();
        let spans: Vec<Range<usize>> = entries.iter().map(|entry| entry.key_start..self.entry_end(entry)).collect();
        let gone: Vec<bool> =
            entries.iter().map(|entry| entry.key != "<<" && !wanted.contains_key(&entry.key)).collect();
        for entry in entries {
            if let (Some(live), Some(wanted)) = (live.get(&entry.key), wanted.get(&entry.key)) {
                let colon = self.colon(entry)?;
                let slot = Slot { after: colon + 1, column: self.column(entry.key_start), flow };
                if live != wanted {
                    self.edit(&entry.value, live, wanted, there.field(&fields, &entry.key), slot)?;
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
                let name = match self.syntax {
                    Syntax::Json => Value::from(name.as_str()).to_string(),
                    Syntax::Yaml => style::inline(self.syntax, &Value::from(name.as_str()))?,
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
                self.insert_lines(spans.last()?.end, &lines);
            }
        }
        Some(())
    }

    fn list(
        &mut self,
        node: &Node,
        flow: bool,
        items: &[Node],
        live: &[Value],
        wanted: &[Value],
        there: There<'t>,
    ) -> Option<()> {
        let mut spans = Vec::with_capacity(items.len());
        for item in items {
            let start = if flow { item.start } else { self.dash(item)? };
            spans.push(start..item.content_end().max(start + 1));
        }
        let names = |list: &[Value]| -> Vec<Digest> { list.iter().map(Document::fingerprint_of).collect() };
        let mut gone = vec![false; items.len()];
        let mut new: Vec<(usize, &[Value])> = Vec::new();
        for op in similar::capture_diff_slices(Algorithm::Myers, &names(live), &names(wanted)) {
            let (old, fresh) = (op.old_range(), op.new_range());
            if matches!(op, DiffOp::Equal { .. }) {
                continue;
            }
            let both = old.len().min(fresh.len());
            for step in 0..both {
                let (at, to) = (old.start + step, fresh.start + step);
                let start = spans.get(at)?.start;
                let slot = Slot { after: start + usize::from(!flow), column: self.column(start), flow };
                self.edit(items.get(at)?, live.get(at)?, wanted.get(to)?, there.item(to), slot)?;
            }
            gone.get_mut(old.start + both..old.end)?.fill(true);
            if fresh.len() > both {
                new.push((old.start + both, wanted.get(fresh.start + both..fresh.end)?));
            }
        }
        if gone.iter().all(|gone| *gone) {
            return None;
        }
        self.remove(&spans, &gone, flow)?;
        for (before, values) in new {
            for value in values {
                if flow {
                    let value = self.flow_value(value, spans.first()?.start)?;
                    match gone.get(..before)?.iter().rposition(|gone| !gone) {
                        Some(last) => self.insert_flow(node, &spans, spans.get(last)?.end, &value)?,
                        None => {
                            let start = spans.get(before)?.start;
                            let between = self.between(node, &spans);
                            self.splice(start..start, format!("{value},{between}"));
                        }
                    }
                } else {
                    let column = self.column(spans.first()?.start);
                    let lines = style::block(&Value::Array(vec![value.clone()]), column)?;
                    match before.checked_sub(1) {
                        Some(last) => self.insert_lines(spans.get(last)?.end, &lines),
                        None => {
                            let start = self.line_start(spans.first()?.start)?;
                            self.splice(start..start, format!("{lines}\n"));
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// Takes out entries or items, run by run.
    fn remove(&mut self, spans: &[Range<usize>], gone: &[bool], flow: bool) -> Option<()> {
        let mut at = 0;
        while at < spans.len() {
            if !*gone.get(at)? {
                at += 1;
                continue;
            }
            let first = at;
            while gone.get(at).copied().unwrap_or(false) {
                at += 1;
            }
            let start = spans.get(first)?.start;
            let range = match (spans.get(at), first.checked_sub(1)) {
                _ if !flow && self.line_start(start).is_some() => {
                    self.line_start(start)?..self.line_end(spans.get(at - 1)?.end)
                }
                (Some(next), _) => start..next.start,
                (None, Some(former)) if flow => spans.get(former)?.end..spans.get(at - 1)?.end,
                _ => return None,
            };
            self.splice(range, "");
        }
        Some(())
    }

    fn replace(&mut self, node: &Node, wanted: &Value, there: There<'t>, slot: Slot) -> Option<()> {
        let written = self.origin.scalar(there, wanted, slot.flow);
        let is_container = wanted.as_array().is_some_and(|items| !items.is_empty())
            || wanted.as_object().is_some_and(|fields| !fields.is_empty());
        if slot.flow {
            let new = if is_container {
                self.flow_value(wanted, node.start)?
            } else {
                self.scalar(written, wanted, &node.kind)?
            };
            self.splice(node.start..node.end, new);
            return Some(());
        }
        if let (Kind::Literal, Value::String(text)) = (&node.kind, wanted)
            && let Some(lines) = self.literal(node, text)
        {
            self.splice(node.start..node.end, lines);
            return Some(());
        }
        let is_line = matches!(node.kind, Kind::Plain | Kind::Single | Kind::Double) && node.start < node.end;
        if is_line && !is_container {
            let new = self.scalar(written, wanted, &node.kind)?;
            self.splice(node.start..node.end, new);
            return Some(());
        }
        let end = node.content_end().max(slot.after);
        // Block scalars end behind their last line break, which the next line needs.
        let end = self.text.get(..end)?.trim_end_matches(['\r', '\n', ' ']).len().max(slot.after);
        let Comments { own, is_spread, last_ends } = self.comments(node, slot, end);
        let stays_inline = matches!(node.kind, Kind::Map { flow: true, .. } | Kind::List { flow: true, .. });
        let new = if is_container && !stays_inline {
            let lines = style::block(wanted, slot.column + 2)?;
            self.splice(slot.after..last_ends, format!("{own}\n{lines}"));
            return Some(());
        } else {
            written.map_or_else(|| style::inline(self.syntax, wanted), |written| Some(written.to_owned()))?
        };
        match is_spread {
            true => self.splice(slot.after..last_ends, format!(" {new}{own}")),
            false => self.splice(slot.after..end, format!(" {new}")),
        }
        Some(())
    }

    fn comments(&self, node: &Node, slot: Slot, end: usize) -> Comments<'t> {
        let rest = |from: usize| -> &'t str {
            let line = self.text.get(from..).unwrap_or_default().split('\n').next().unwrap_or_default();
            line.trim_end()
        };
        let comment = |rest: &'t str| if rest.trim_start().starts_with('#') { rest } else { "" };
        let last = comment(rest(end));
        let below = self.text.get(slot.after..node.start).is_some_and(|head| head.contains('\n'));
        let is_spread = below && node.is_block_collection();
        Comments {
            own: if is_spread { comment(rest(slot.after)) } else { last },
            is_spread,
            last_ends: end + last.len(),
        }
    }

    /// As it stands in the text that it comes from, else in the style of the one that it replaces.
    fn scalar(&self, written: Option<&str>, wanted: &Value, former: &Kind) -> Option<String> {
        written.map(str::to_owned).or_else(|| style::scalar(self.syntax, wanted, former))
    }

    /// The lines of a literal block scalar whose header stays.
    fn literal(&self, node: &Node, text: &str) -> Option<String> {
        let column = self.column(node.start);
        let body = text.strip_suffix('\n')?;
        if body.is_empty()
            || body.starts_with([' ', '\n'])
            || body.ends_with('\n')
            || text.contains(|c: char| c.is_control() && c != '\n')
        {
            return None;
        }
        let former = self.text.get(node.start..node.end)?;
        let tail = former.len() - former.trim_end_matches('\n').len();
        let space = " ".repeat(column);
        let lines: Vec<String> = body
            .split('\n')
            .enumerate()
            .map(|(at, line)| if at == 0 || line.is_empty() { line.to_owned() } else { format!("{space}{line}") })
            .collect();
        Some(lines.join("\n") + &"\n".repeat(tail))
    }

    /// New lines below the line on which something ends, a comment behind it included.
    fn insert_lines(&mut self, end: usize, lines: &str) {
        let at = self.line_end(end);
        let is_closed = self.text.get(..at).is_some_and(|text| text.ends_with('\n'));
        self.splice(at..at, if is_closed { format!("{lines}\n") } else { format!("\n{lines}") });
    }

    fn insert_flow(&mut self, node: &Node, spans: &[Range<usize>], at: usize, new: &str) -> Option<()> {
        let between = self.between(node, spans);
        self.splice(at..at, format!(",{between}{new}"));
        Some(())
    }

    /// What stands between two elements: a space, or a line break with the first one's indentation.
    fn between(&self, node: &Node, spans: &[Range<usize>]) -> String {
        let first = spans.first().map_or(node.start, |span| span.start);
        let lead = self.text.get(node.start + 1..first).unwrap_or_default();
        match lead.rfind('\n') {
            Some(line) => lead.get(line..).unwrap_or("\n").to_owned(),
            None if self.syntax == Syntax::Json && self.is_compact() => String::new(),
            None => " ".to_owned(),
        }
    }

    fn is_compact(&self) -> bool {
        !self.text.trim_end().contains(['\n', ' '])
    }

    /// A value between brackets, in the layout of its neighbours: `near` stands on a neighbour's line.
    fn flow_value(&self, value: &Value, near: usize) -> Option<String> {
        let margin = self.margin(near);
        let is_spread = self.syntax == Syntax::Json && self.text.trim_end().contains('\n');
        if !is_spread {
            return style::inline(self.syntax, value);
        }
        let unit = self.text.split('\n').find_map(|line| {
            let indent = line.len() - line.trim_start().len();
            (indent > 0).then(|| line.get(..indent)).flatten()
        });
        style::indented(value, unit.unwrap_or("  "), margin)
    }

    fn entry_end(&self, entry: &Entry) -> usize {
        let colon = self.colon(entry).map_or(entry.key_end, |colon| colon + 1);
        entry.value.content_end().max(colon)
    }

    fn colon(&self, entry: &Entry) -> Option<usize> {
        let rest = self.text.get(entry.key_end..)?;
        let space = rest.len() - rest.trim_start().len();
        rest.trim_start().starts_with(':').then_some(entry.key_end + space)
    }

    /// The dash before an item of a block list.
    fn dash(&self, item: &Node) -> Option<usize> {
        let mut before = self.text.get(..item.start)?.trim_end();
        if matches!(item.kind, Kind::Literal | Kind::Other | Kind::Alias(_)) && !before.ends_with('-') {
            before = before.get(..before.rfind(['|', '>'])?)?.trim_end();
        }
        before.ends_with('-').then(|| before.len() - 1)
    }

    fn column(&self, at: usize) -> usize {
        let line = self.text.get(..at).map_or(0, |before| before.rfind('\n').map_or(0, |line| line + 1));
        self.text.get(line..at).map_or(0, |lead| lead.chars().count())
    }

    /// The white space at the start of the line.
    fn margin(&self, at: usize) -> &'t str {
        let line = self.text.get(..at).map_or(0, |before| before.rfind('\n').map_or(0, |line| line + 1));
        let rest = self.text.get(line..).unwrap_or_default();
        rest.get(..rest.len() - rest.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
    }

    /// Where the line begins, if `at` is the first on it.
    fn line_start(&self, at: usize) -> Option<usize> {
        let before = self.text.get(..at)?;
        let line = before.rfind('\n').map_or(0, |line| line + 1);
        before.get(line..)?.trim().is_empty().then_some(line)
    }

    /// Where the next line begins; `at` itself where that is one already.
    fn line_end(&self, at: usize) -> usize {
        if self.text.get(..at).is_some_and(|before| before.ends_with('\n')) {
            return at;
        }
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.find('\n').map_or(rest.len(), |line| line + 1)
    }
}
