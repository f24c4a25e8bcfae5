use std::ops::Range;

use serde_json::Value;

use super::node::{Kind, Node};
use super::origin::There;
use super::splice::{Slot, Splices};
use super::style;

impl<'t> Splices<'t> {
    /// Another value in this place. A comment on the line of its key or dash stays there: it is about the field, whatever
    /// its value.
    pub fn replace(&mut self, node: &Node, wanted: &Value, there: There<'t>, slot: Slot) -> Option<()> {
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
        let is_inline =
            !is_container || matches!(node.kind, Kind::Map { flow: true, .. } | Kind::List { flow: true, .. });
        let comment = self.comment_behind(slot, node);
        let end = self.end_of(node, slot);
        if is_inline {
            let new = match written {
                Some(written) => written.to_owned(),
                None => style::inline(self.notation, wanted)?,
            };
            let comment = comment.map(|comment| format!(" {comment}")).unwrap_or_default();
            self.splice(slot.after..end, format!(" {new}{comment}"));
            return Some(());
        }
        let is_root = slot.after == node.start;
        let lines = style::block(wanted, if is_root { slot.column } else { slot.column + 2 })?;
        let behind_dash = self.text.get(..slot.after).is_some_and(|before| before.ends_with('-'));
        match comment {
            _ if is_root => self.splice(slot.after..end, lines.trim_start()),
            Some(comment) => self.splice(slot.after..end, format!(" {comment}\n{lines}")),
            None if node.is_block_collection() => {
                let new = if behind_dash { format!(" {}", lines.trim_start()) } else { format!("\n{lines}") };
                self.splice(slot.after..end, new);
            }
            None if behind_dash && !self.is_followed_by_comment(end) => {
                self.splice(slot.after..end, format!(" {}", lines.trim_start()));
            }
            None => {
                self.splice(slot.after..end, "");
                self.insert_lines(end, &lines, false);
            }
        }
        Some(())
    }

    /// A block collection that loses all of its members: their lines go, and what is said of the collection itself stays
    /// behind its key or dash. `false`, and nothing is spliced, where it does not stand on lines of its own.
    pub fn emptied(&mut self, node: &Node, slot: Slot, brackets: &str) -> bool {
        let spans: Option<Vec<Range<usize>>> = match &node.kind {
            Kind::Map { flow: false, entries } => {
                Some(entries.iter().map(|entry| entry.key_start..self.entry_end(entry)).collect())
            }
            Kind::List { flow: false, items } => {
                let span = |item: &Node| self.dash(item).map(|dash| dash..item.content_end().max(dash + 1));
                items.iter().map(span).collect()
            }
            _ => None,
        };
        let Some(line) = self.text.get(slot.after..self.line_end(slot.after)) else { return false };
        let is_apart = spans
            .as_ref()
            .and_then(|spans| spans.first())
            .is_some_and(|first| first.start >= slot.after + line.len() && self.line_start(first.start).is_some());
        let is_free = line.trim().is_empty() || line.trim_start().starts_with('#');
        let Some(spans) = spans.filter(|_| !slot.flow && is_apart && is_free) else { return false };
        // Of two spaces before a comment one makes room.
        let room = usize::from(line.starts_with("  "));
        self.splice(slot.after..slot.after + room, format!(" {brackets}"));
        self.remove(&spans, &vec![true; spans.len()], false).is_some()
    }

    /// Where a replaced value's text ends. What is said of the last member of a block collection goes with it.
    fn end_of(&self, node: &Node, slot: Slot) -> usize {
        let end = node.content_end().max(slot.after);
        let end = if node.is_block_collection() { self.line_end(end) } else { end };
        // Block scalars end behind their last line break, which the next line needs.
        let trimmed = self.text.get(..end).map_or(end, |text| text.trim_end_matches(['\r', '\n', ' ']).len());
        trimmed.max(slot.after)
    }

    /// As it stands in the text that it comes from, else in the style of the one that it replaces.
    fn scalar(&self, written: Option<&str>, wanted: &Value, former: &Kind) -> Option<String> {
        written.map(str::to_owned).or_else(|| style::scalar(self.notation, wanted, former))
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
}
