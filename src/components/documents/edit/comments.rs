use std::ops::Range;

use super::super::text::Syntax;
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

    pub fn is_said_between(&self, from: usize, to: usize) -> bool {
        self.syntax == Syntax::Yaml && self.text.get(from..to).is_some_and(|gap| gap.contains('#'))
    }

    /// Whether something is said of an element, in it or behind it.
    pub fn has_comment(&self, item: &Node, span: &Range<usize>) -> bool {
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
