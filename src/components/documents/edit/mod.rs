//! New text for a document that changed a little, with the old text's comments, order and layout.

use crate::model::Document;

use super::text::{self, Syntax};

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
    let text = text::render(syntax, &expected.value)?;
    Some(Rewritten { text, loses_layout: live_text.is_some() })
}
