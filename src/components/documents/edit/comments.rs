use std::ops::Range;

use super::super::notation::Notation;
use super::node::{Kind, Node};
use super::splice::{Slot, Splices};

impl<'t> Splices<'t> {
    /// The comment on the line of a key or dash whose value stands on the lines below.
    pub fn comment_behind(&self, slot: Slot, node: &Node) -> Option<&'t str> {
        let line = self.text.get(slot.after..self.line_end(slot.after))?;
        let is_below = node.start < node.end && node.start >= slot.after + line.len();
        let sign = line.find(" #").or_else(|| line.find("\t#")).filter(|_| is_below)?;
        line.get(sign + 1..).map(str::trim_end)
    }

    /// Whether the rest of the line is a comment; a comma may come first.
    pub fn is_followed_by_comment(&self, at: usize) -> bool {
        let rest = self.text.get(at..self.line_end(at)).unwrap_or_default();
        let rest = rest.trim_start();
        rest.strip_prefix(',').unwrap_or(rest).trim_start().starts_with('#')
    }

    /// Where the lines of an entry begin. Comments right above it, in its column, are about it; above the first entry they
    /// may be about all of them, unless the second one has its own.
    pub fn first_line(&self, spans: &[Range<usize>], at: usize) -> Option<usize> {
        let line = self.line_start(spans.get(at)?.start)?;
        let above = self.said_above(line);
        let Some(former) = at.checked_sub(1) else {
            let is_header = matches!(self.text.get(..above)?.trim(), "" | "---");
            let is_said = |line: usize| self.said_above(line) < line;
            let each_is_said = spans.get(1).and_then(|next| self.line_start(next.start)).is_some_and(is_said);
            return Some(if each_is_said && !is_header { above } else { line });
        };
        Some(above.max(self.line_end(spans.get(former)?.end)).min(line))
    }

    /// Where the comments begin that stand right above a line, in its column; the line itself where there are none.
    pub fn said_above(&self, line: usize) -> usize {
        let rest = self.text.get(line..).unwrap_or_default();
        let margin = rest.get(..rest.len() - rest.trim_start_matches(' ').len()).unwrap_or_default();
        let mut start = line;
        while let Some(before) = self.text.get(..start).and_then(|before| before.strip_suffix('\n')) {
            let former = before.rfind('\n').map_or(0, |end| end + 1);
            if !self.text.get(former..).and_then(|text| text.strip_prefix(margin)).is_some_and(|it| it.starts_with('#'))
            {
                break;
            }
            start = former;
        }
        start
    }

    pub fn is_said_between(&self, from: usize, to: usize) -> bool {
        self.notation == Notation::Yaml && self.text.get(from..to).is_some_and(|gap| gap.contains('#'))
    }

    /// Whether something is said of an element: right above it, in it or behind it.
    pub fn has_comment(&self, item: &Node, span: &Range<usize>) -> bool {
        if self.line_start(span.start).is_some_and(|line| self.said_above(line) < line) {
            return true;
        }
        let mut scalars = Vec::new();
        gather(item, &mut scalars);
        let mut at = span.start;
        for scalar in &scalars {
            if self.is_said_between(at, scalar.start) {
                return true;
            }
            at = scalar.end.max(at);
        }
        self.is_said_between(at, span.end) || self.is_followed_by_comment(span.end)
    }
}

/// The ranges of keys and scalars: what is in them is no comment.
fn gather(node: &Node, ranges: &mut Vec<Range<usize>>) {
    match &node.kind {
        Kind::Map { entries, .. } => {
            for entry in entries {
                ranges.push(entry.key_start..entry.key_end);
                gather(&entry.value, ranges);
            }
        }
        Kind::List { items, .. } => items.iter().for_each(|item| gather(item, ranges)),
        _ => ranges.push(node.start..node.end),
    }
}
