//! New text for a document that changed a little, with the old text's comments, order and layout.

mod comments;
mod json;
mod lists;
mod matched;
mod node;
mod origin;
mod pieces;
mod places;
mod replace;
mod splice;
mod style;
#[cfg(test)]
mod tests;
mod unshared;
mod yaml;

use serde_json::Value;

use crate::diff::documents::{Rules, alike};
use crate::model::{Document, KindSchema};

use super::text::{self, BYTE_ORDER_MARK, Syntax};
pub(super) use json::nodes as json_nodes;
pub(super) use node::{Kind, Node};
use origin::Origin;
use splice::Splices;
pub(super) use yaml::nodes as yaml_nodes;

pub(super) struct Rewritten {
    pub text: String,
    /// Comments and layout of the live file could not be kept.
    pub loses_layout: bool,
    /// It is the text that the wanted document comes from, byte by byte.
    pub is_origin: bool,
}

/// What a file is written by.
#[derive(Clone, Copy)]
pub(super) struct Manner<'s> {
    pub syntax: Syntax,
    pub schema: &'s KindSchema,
}

/// The text to write so that the file means `expected`; always checked by reading it again. `origin`: the document that
/// the wanted values come from.
pub(super) fn rewrite(
    live: Option<&Document>,
    expected: &Document,
    origin: Option<&Document>,
    manner: Manner<'_>,
) -> Option<Rewritten> {
    let live_text = live.and_then(|live| live.source.as_deref());
    let own = expected.source.as_deref().filter(|own| Some(*own) != live_text);
    let own = own.filter(|own| text::means(manner.syntax, own, &expected.value));
    if let Some(own) = own.or_else(|| origin_text(live?, expected, origin?, manner)) {
        return Some(Rewritten { text: own.to_owned(), loses_layout: false, is_origin: true });
    }
    written(live, &expected.value, origin, manner)
}

/// The origin's own text, where the live text is what an edit of it left: then it loses nothing of anybody's. That is how
/// an undo brings a file back byte by byte, the order of sets and keyed lists included, which no value tells.
fn origin_text<'o>(live: &Document, expected: &Document, origin: &'o Document, manner: Manner<'_>) -> Option<&'o str> {
    let own = origin.source.as_deref()?;
    let live_text = live.source.as_deref()?;
    let former = text::read(manner.syntax, own).filter(|value| alike(value, &expected.value, manner.schema))?;
    let former = Document { source: origin.source.clone(), ..Document::new(former) };
    let left_it = |by: Option<&Document>| {
        written(Some(&former), &live.value, by, manner).is_some_and(|left| left.text == live_text)
    };
    (left_it(Some(live)) || left_it(None)).then_some(own)
}

fn written(
    live: Option<&Document>,
    wanted: &Value,
    origin: Option<&Document>,
    manner: Manner<'_>,
) -> Option<Rewritten> {
    let syntax = manner.syntax;
    let live_text = live.and_then(|live| live.source.as_deref());
    if let Some((live, bare)) = live.zip(live_text.and_then(|text| text.strip_prefix(BYTE_ORDER_MARK))) {
        let bare = Document { source: Some(bare.into()), ..live.clone() };
        let made = written(Some(&bare), wanted, origin, manner)?;
        return Some(Rewritten { text: format!("{BYTE_ORDER_MARK}{}", made.text), ..made });
    }
    let made = |text, loses_layout| Some(Rewritten { text, loses_layout, is_origin: false });
    if let Some((live, text)) = live.zip(live_text) {
        let value = &live.value;
        let by_origin = origin.and_then(|origin| edited(text, value, wanted, Some(origin), manner));
        if let Some(text) = by_origin.or_else(|| edited(text, value, wanted, None, manner)) {
            return made(text, false);
        }
        if syntax == Syntax::Yaml
            && let Some(root) = yaml::nodes(text)
        {
            let apart = unshared::unshared(text, &root, value).filter(|apart| text::means(syntax, apart, value));
            if let Some(text) = apart.and_then(|apart| edited(&apart, value, wanted, origin, manner)) {
                return made(text, false);
            }
            let pieces = pieces::pieces(text, &root, value, wanted);
            if let Some(text) = pieces.filter(|pieces| text::means(syntax, pieces, wanted)) {
                return made(text, has_layout(syntax, live_text.unwrap_or_default()));
            }
        }
    }
    let mut text = text::render(syntax, wanted)?;
    if let Some(former) = live_text {
        if former.contains("\r\n") {
            text = text.replace('\n', "\r\n");
        }
        if !former.ends_with('\n') {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
    }
    let loses_layout = live_text.is_some_and(|text| has_layout(syntax, text));
    text::means(syntax, &text, wanted).then_some(())?;
    made(text, loses_layout)
}

fn edited(text: &str, live: &Value, wanted: &Value, origin: Option<&Document>, manner: Manner<'_>) -> Option<String> {
    let syntax = manner.syntax;
    let root = nodes(syntax, text)?;
    let there = origin.and_then(|origin| {
        let text = origin.source.as_deref()?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let is_same = (syntax == Syntax::Json) == is_json(text);
        let root = if is_same { nodes(syntax, text) } else { None };
        // What stands in the text: an origin's value may have another order than its text.
        root.and_then(|root| Some((text, root, text::read(syntax, text)?)))
    });
    let origin = there.as_ref().map_or_else(Origin::default, |(text, root, value)| Origin::new(text, root, value));
    let rules = Rules::new(manner.schema);
    let edited = Splices::new(text, syntax, origin, &rules).root(&root, live, wanted)?;
    text::means(syntax, &edited, wanted).then_some(edited)
}

fn nodes(syntax: Syntax, text: &str) -> Option<Node> {
    match syntax {
        Syntax::Yaml => yaml::nodes(text),
        Syntax::Json => json::nodes(text),
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start_matches(BYTE_ORDER_MARK).trim_start().starts_with(['{', '['])
}

/// Whether fresh text would lose more than quoting: comments, aliases, the order of keys.
fn has_layout(syntax: Syntax, text: &str) -> bool {
    syntax == Syntax::Json || text.lines().count() > 1 || text.contains(['#', '&'])
}
