use serde_json::Value;

use super::text::{bare, means, read};
use super::{BYTE_ORDER_MARK, Edit, Syntax};
use crate::diff::documents::alike;
use crate::model::{Document, KindSchema};

/// What is written so that a file means what it should.
#[derive(Clone, Debug)]
pub struct Rewritten {
    pub text: String,
    /// Comments and layout of the live file could not be kept.
    pub loses_layout: bool,
    /// It is the text that the wanted document comes from, byte by byte.
    pub is_origin: bool,
}

/// One file, and how it is written.
#[derive(Clone, Copy)]
struct Manner<'s> {
    syntax: &'s dyn Syntax,
    name: &'s [u8],
    schema: &'s KindSchema,
}

/// The text to write so that the file `name` means `expected`; always checked by reading it again. `origin`: the document
/// that the wanted values come from. `None`: no text means that.
pub fn rewrite(
    syntax: &dyn Syntax,
    name: &[u8],
    live: Option<&Document>,
    expected: &Document,
    origin: Option<&Document>,
    schema: &KindSchema,
) -> Option<Rewritten> {
    let manner = Manner { syntax, name, schema };
    let live_text = live.and_then(|live| live.source.as_deref());
    let own = expected.source.as_deref().filter(|own| Some(*own) != live_text);
    let own = own.filter(|own| means(syntax, name, own, &expected.value));
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
    let former = read(manner.syntax, manner.name, own).filter(|value| alike(value, &expected.value, manner.schema))?;
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
    let Manner { syntax, name, schema } = manner;
    let Some((live, text)) = live.and_then(|live| Some((live, live.source.as_deref()?))) else {
        let text = syntax.write(name, wanted).filter(|text| means(syntax, name, text, wanted))?;
        return Some(Rewritten { text, loses_layout: false, is_origin: false });
    };
    let without_mark = |origin: &Document| Document {
        source: origin.source.as_deref().map(|text| bare(text).into()),
        ..origin.clone()
    };
    let origin = origin.map(without_mark);
    let edit = Edit { name, text: bare(text), live: &live.value, wanted, origin: origin.as_ref(), schema };
    let edited = syntax.edit(&edit).filter(|edited| means(syntax, name, &edited.text, wanted))?;
    let mark = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.to_string() } else { String::new() };
    Some(Rewritten { text: mark + &edited.text, loses_layout: edited.loses_layout, is_origin: false })
}
