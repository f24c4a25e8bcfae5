//! New text for a document that changed a little, with the old text's comments, order and layout.

mod json;
mod node;
mod splice;
mod style;
#[cfg(test)]
mod tests;
mod yaml;

use crate::model::Document;

use super::text::{self, Syntax};
use splice::Splices;

pub(super) struct Rewritten {
    pub text: String,
    /// Comments and layout of the live file could not be kept.
    pub loses_layout: bool,
}

/// The text to write so that the file means `expected`; always checked by reading it again.
pub(super) fn rewrite(live: Option<&Document>, expected: &Document, syntax: Syntax) -> Option<Rewritten> {
    let live_text = live.and_then(|live| live.source.as_deref());
    let own = expected.source.as_deref().filter(|own| Some(*own) != live_text);
    if let Some(own) = own.filter(|own| text::means(syntax, own, &expected.value)) {
        return Some(Rewritten { text: own.to_owned(), loses_layout: false });
    }
    if let Some(text) = live.and_then(|live| edited(live, expected, syntax)) {
        return Some(Rewritten { text, loses_layout: false });
    }
    let text = text::render(syntax, &expected.value)?;
    Some(Rewritten { text, loses_layout: live_text.is_some_and(|text| has_layout(syntax, text)) })
}

fn edited(live: &Document, expected: &Document, syntax: Syntax) -> Option<String> {
    let text = live.source.as_deref()?;
    let root = match syntax {
        Syntax::Yaml => yaml::nodes(text)?,
        Syntax::Json => json::nodes(text)?,
    };
    let edited = Splices::new(text, syntax).root(&root, &live.value, &expected.value)?;
    text::means(syntax, &edited, &expected.value).then_some(edited)
}

/// Whether fresh text would lose more than quoting: comments, aliases, the order of keys.
fn has_layout(syntax: Syntax, text: &str) -> bool {
    syntax == Syntax::Json || text.lines().count() > 1 || text.contains(['#', '&'])
}
