use std::ops::Range;

use serde_json::Value;

use super::super::notation::Notation;
use super::node::{Entry, Kind, Node};
use super::splice::Splices;
use super::style;

impl<'t> Splices<'t> {
    /// New lines below the line on which something ends, a comment behind it included; that line may be one that goes.
    pub fn insert_lines(&mut self, end: usize, lines: &str, is_gone: bool) {
        let at = self.line_end(end);
        let is_closed = is_gone || self.text.get(..at).is_some_and(|text| text.ends_with('\n'));
        self.splice(at..at, if is_closed { format!("{lines}\n") } else { format!("\n{lines}") });
    }

    /// Behind the element that ends there, and behind what is said of it.
    pub fn insert_flow(&mut self, node: &Node, spans: &[Range<usize>], at: usize, new: &str) -> Option<()> {
        let between = self.between(node, spans);
        if self.notation == Notation::Json || !self.is_followed_by_comment(at) {
            self.splice(at..at, format!(",{between}{new}"));
            return Some(());
        }
        let column = match self.margin(at).len() {
            margin if margin > self.margin(node.start).len() => margin,
            _ => self.column(spans.first()?.start),
        };
        let between = if between.contains('\n') { between } else { format!("\n{}", " ".repeat(column)) };
        let line = self.text.get(at..self.line_end(at))?;
        let end = at + line.trim_end_matches(['\r', '\n']).len();
        if line.trim_start().starts_with(',') {
            self.splice(end..end, format!("{between}{new},"));
        } else {
            self.splice(at..at, ",");
            self.splice(end..end, format!("{between}{new}"));
        }
        Some(())
    }

    /// What stands between two elements: a space, or a line break with the first one's indentation.
    pub fn between(&self, node: &Node, spans: &[Range<usize>]) -> String {
        let first = spans.first().map_or(node.start, |span| span.start);
        let lead = self.text.get(node.start + 1..first).unwrap_or_default();
        match lead.rfind('\n') {
            Some(line) => lead.get(line..).unwrap_or("\n").to_owned(),
            None if self.notation == Notation::Json && self.is_compact() => String::new(),
            None => " ".to_owned(),
        }
    }

    fn is_compact(&self) -> bool {
        !self.text.trim_end().contains(['\n', ' '])
    }

    /// A value between brackets, in the layout of its neighbours: `near` stands on a neighbour's line.
    pub fn flow_value(&self, value: &Value, near: usize) -> Option<String> {
        let margin = self.margin(near);
        let is_spread = self.notation == Notation::Json && self.text.trim_end().contains('\n');
        if !is_spread {
            return style::inline(self.notation, value);
        }
        let unit = self.text.split('\n').find_map(|line| {
            let indent = line.len() - line.trim_start().len();
            (indent > 0).then(|| line.get(..indent)).flatten()
        });
        style::indented(value, unit.unwrap_or("  "), margin)
    }

    pub fn entry_end(&self, entry: &Entry) -> usize {
        let colon = self.colon(entry).map_or(entry.key_end, |colon| colon + 1);
        entry.value.content_end().max(colon)
    }

    pub fn colon(&self, entry: &Entry) -> Option<usize> {
        let rest = self.text.get(entry.key_end..)?;
        let space = rest.len() - rest.trim_start().len();
        rest.trim_start().starts_with(':').then_some(entry.key_end + space)
    }

    /// The dash before an item of a block list; comments may stand between.
    pub fn dash(&self, item: &Node) -> Option<usize> {
        let mut before = without_comments(self.text.get(..item.start)?);
        if matches!(item.kind, Kind::Literal | Kind::Other | Kind::Alias(_)) && !before.ends_with('-') {
            before = before.get(..before.rfind(['|', '>'])?)?.trim_end();
        }
        before.ends_with('-').then(|| before.len() - 1)
    }

    pub fn column(&self, at: usize) -> usize {
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
    pub fn line_start(&self, at: usize) -> Option<usize> {
        let before = self.text.get(..at)?;
        let line = before.rfind('\n').map_or(0, |line| line + 1);
        before.get(line..)?.trim().is_empty().then_some(line)
    }

    /// Where the next line begins; `at` itself where that is one already.
    pub fn line_end(&self, at: usize) -> usize {
        if self.text.get(..at).is_some_and(|before| before.ends_with('\n')) {
            return at;
        }
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.find('\n').map_or(rest.len(), |line| line + 1)
    }
}

/// Up to what stands before the comments at the end.
fn without_comments(text: &str) -> &str {
    let mut left = text.trim_end();
    loop {
        let line = left.rfind('\n').map_or(0, |end| end + 1);
        let last = left.get(line..).unwrap_or_default();
        let sign = if last.starts_with('#') { Some(0) } else { last.find(" #") };
        let Some(sign) = sign else { return left };
        left = left.get(..line + sign).unwrap_or_default().trim_end();
    }
}
