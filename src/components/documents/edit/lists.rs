use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use crate::model::{Digest, Document};

use super::matched;
use super::node::Node;
use super::origin::There;
use super::splice::{Slot, Splices, Way};
use super::style;

/// A list's elements in the text, and which of them go.
struct Elements {
    spans: Vec<Range<usize>>,
    gone: Vec<bool>,
    /// Of those that go: one that comes back at another place brings its own lines.
    leaving: HashMap<Digest, Vec<usize>>,
}

impl<'t> Splices<'t> {
    /// `false`, and nothing is spliced, where the list has to be written as a whole.
    pub fn list(
        &mut self,
        node: &Node,
        items: &[Node],
        (live, wanted): (&[Value], &[Value]),
        way: &Way<'t>,
    ) -> Option<bool> {
        let flow = !node.is_block_collection();
        let mut spans = Vec::with_capacity(items.len());
        for item in items {
            let start = if flow { item.start } else { self.dash(item)? };
            spans.push(start..item.content_end().max(start + 1));
        }
        let is_bare =
            |at: usize| items.get(at).zip(spans.get(at)).is_some_and(|(item, span)| !self.has_comment(item, span));
        let pairs = matched::pairs(live, wanted, self.rules.shape(&way.at), is_bare);
        if pairs.is_empty() && (flow || self.line_start(spans.first()?.start).is_none()) {
            return Some(false);
        }
        let mut gone = vec![true; items.len()];
        let below = self.rules.element(&way.at);
        for (from, to) in &pairs {
            *gone.get_mut(*from)? = false;
            let start = spans.get(*from)?.start;
            let slot = Slot { after: start + usize::from(!flow), column: self.column(start), flow };
            let way = Way { there: way.there.item(*to), at: below.clone() };
            self.edit(items.get(*from)?, live.get(*from)?, wanted.get(*to)?, &way, slot)?;
        }
        self.remove(&spans, &gone, flow)?;
        let mut leaving: HashMap<Digest, Vec<usize>> = HashMap::new();
        for (at, value) in live.iter().enumerate().rev().filter(|(at, _)| gone.get(*at) == Some(&true)) {
            leaving.entry(Document::fingerprint_of(value)).or_default().push(at);
        }
        let mut elements = Elements { spans, gone, leaving };
        let mut next = pairs.iter().copied().peekable();
        for (to, value) in wanted.iter().enumerate() {
            if next.next_if(|(_, paired)| *paired == to).is_some() {
                continue;
            }
            let before = next.peek().map_or(items.len(), |(from, _)| *from);
            self.insert(node, &mut elements, before, value, way.there.item(to))?;
        }
        Some(true)
    }

    /// Puts a new element before the one at that position.
    fn insert(
        &mut self,
        node: &Node,
        elements: &mut Elements,
        before: usize,
        value: &Value,
        there: There<'t>,
    ) -> Option<()> {
        let leaving = if elements.leaving.is_empty() { None } else { elements.take(value) };
        let (spans, gone) = (&elements.spans, &elements.gone);
        if !node.is_block_collection() {
            let written = leaving.and_then(|at| self.text.get(spans.get(at)?.clone()));
            let value = match written.or_else(|| self.origin.scalar(there, value, true)) {
                Some(written) => written.to_owned(),
                None => self.flow_value(value, spans.first()?.start)?,
            };
            match gone.get(..before)?.iter().rposition(|gone| !gone) {
                Some(last) => self.insert_flow(node, spans, spans.get(last)?.end, &value)?,
                None => {
                    let start = spans.get(before)?.start;
                    let between = self.between(node, spans);
                    self.splice(start..start, format!("{value},{between}"));
                }
            }
            return Some(());
        }
        let column = self.column(spans.first()?.start);
        let lines = match leaving.and_then(|at| self.lines_of(spans, at)) {
            Some(lines) => lines.to_owned(),
            None => match self.origin.scalar(there, value, false) {
                Some(written) => format!("{}- {written}", " ".repeat(column)),
                None => style::block(&Value::Array(vec![value.clone()]), column)?,
            },
        };
        match before.checked_sub(1) {
            Some(last) => self.insert_lines(spans.get(last)?.end, &lines, *gone.get(last)?),
            None => {
                let start = self.said_above(self.line_start(spans.first()?.start)?);
                self.splice(start..start, format!("{lines}\n"));
            }
        }
        Some(())
    }

    /// The lines of an element, its comments included, if no anchor or alias ties them to others.
    fn lines_of(&self, spans: &[Range<usize>], at: usize) -> Option<&'t str> {
        let lines = self.text.get(self.first_line(spans, at)?..self.line_end(spans.get(at)?.end))?;
        (!lines.contains(['&', '*'])).then(|| lines.trim_end_matches(['\r', '\n']))
    }
}

impl Elements {
    fn take(&mut self, value: &Value) -> Option<usize> {
        self.leaving.get_mut(&Document::fingerprint_of(value))?.pop()
    }
}
