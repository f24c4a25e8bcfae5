use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle};

use super::node::{Entry, Kind, Node};

/// Where each value of a YAML document stands. The text was read before, so its depth is bounded.
pub(in crate::components::documents) fn nodes(text: &str) -> Option<Node> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut events = Parser::new_from_str_with_options(text, options).filter_map(|event| match event {
        Ok((Event::StreamStart | Event::DocumentStart(..), _)) => None,
        Ok((event, span)) => Some((event, span)),
        Err(_) => Some((Event::StreamEnd, Span::default())),
    });
    let first = events.next()?;
    let mut root = node(first, &mut events)?;
    trim(text, &mut root);
    Some(root)
}

/// The parser's spans of block scalars reach into the next line's indentation.
fn trim(text: &str, node: &mut Node) {
    match &mut node.kind {
        Kind::Literal | Kind::Other => {
            let trimmed = text.get(..node.end).unwrap_or_default().trim_end_matches(' ');
            if trimmed.ends_with('\n') {
                node.end = trimmed.len().max(node.start);
            }
        }
        Kind::Map { entries, .. } => entries.iter_mut().for_each(|entry| trim(text, &mut entry.value)),
        Kind::List { items, .. } => items.iter_mut().for_each(|item| trim(text, item)),
        Kind::Plain | Kind::Single | Kind::Double | Kind::Alias(_) => {}
    }
}

/// The parser numbers anchors from 1.
fn named(anchor: usize) -> Option<usize> {
    (anchor != 0).then_some(anchor)
}

type Spanned<'t> = (Event<'t>, Span);

fn node<'t>((event, span): Spanned<'t>, events: &mut impl Iterator<Item = Spanned<'t>>) -> Option<Node> {
    let range = span.byte_range()?;
    let leaf = |anchor, kind| Some(Node { start: range.start, end: range.end, anchor: named(anchor), kind });
    match event {
        Event::Alias(anchor) => leaf(0, Kind::Alias(anchor)),
        Event::Scalar(_, style, anchor, ..) => leaf(
            anchor,
            match style {
                ScalarStyle::Plain => Kind::Plain,
                ScalarStyle::SingleQuoted => Kind::Single,
                ScalarStyle::DoubleQuoted => Kind::Double,
                ScalarStyle::Literal => Kind::Literal,
                ScalarStyle::Folded => Kind::Other,
            },
        ),
        Event::SequenceStart(style, anchor, ..) => {
            let mut items = Vec::new();
            loop {
                let (event, span) = events.next()?;
                if matches!(event, Event::SequenceEnd) {
                    let kind = Kind::List { flow: style == StructureStyle::Flow, items };
                    let end = span.byte_range()?.end;
                    return Some(Node { start: range.start, end, anchor: named(anchor), kind });
                }
                items.push(node((event, span), events)?);
            }
        }
        Event::MappingStart(style, anchor, ..) => {
            let mut entries = Vec::new();
            loop {
                let (event, span) = events.next()?;
                let at = span.byte_range()?;
                let key = match event {
                    Event::MappingEnd => {
                        let kind = Kind::Map { flow: style == StructureStyle::Flow, entries };
                        return Some(Node { start: range.start, end: at.end, anchor: named(anchor), kind });
                    }
                    Event::Scalar(key, ..) => key.into_owned(),
                    _ => return None,
                };
                let value = node(events.next()?, events)?;
                entries.push(Entry { key, key_start: at.start, key_end: at.end, value });
            }
        }
        _ => None,
    }
}
