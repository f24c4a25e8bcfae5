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

use crate::diff::documents::Rules;
use crate::document_files::{Edit, Edited};
use crate::model::Document;

use super::notation::{self, Notation};
pub(super) use json::nodes as json_nodes;
pub(super) use node::{Kind, Node};
use origin::Origin;
use splice::Splices;
pub(super) use yaml::nodes as yaml_nodes;

/// The live text with as little changed as can be, else fresh text.
pub(super) fn edit(notation: Notation, edit: &Edit<'_>) -> Option<Edited> {
    let Edit { text, live, wanted, origin, .. } = *edit;
    let by_origin = origin.and_then(|origin| edited(text, Some(origin), notation, edit));
    if let Some(text) = by_origin.or_else(|| edited(text, None, notation, edit)) {
        return Some(Edited { text, loses_layout: false });
    }
    if notation == Notation::Yaml
        && let Some(root) = yaml::nodes(text)
    {
        let apart = unshared::unshared(text, &root, live).filter(|apart| notation::means(notation, apart, live));
        if let Some(text) = apart.and_then(|apart| edited(&apart, origin, notation, edit)) {
            return Some(Edited { text, loses_layout: false });
        }
        let pieces = pieces::pieces(text, &root, live, wanted);
        if let Some(fresh) = pieces.filter(|pieces| notation::means(notation, pieces, wanted)) {
            return Some(Edited { text: fresh, loses_layout: has_layout(notation, text) });
        }
    }
    let mut fresh = notation::render(notation, wanted)?;
    if text.contains("\r\n") {
        fresh = fresh.replace('\n', "\r\n");
    }
    if !text.ends_with('\n') {
        fresh.truncate(fresh.trim_end_matches(['\r', '\n']).len());
    }
    Some(Edited { text: fresh, loses_layout: has_layout(notation, text) })
}

fn edited(text: &str, origin: Option<&Document>, notation: Notation, edit: &Edit<'_>) -> Option<String> {
    let root = nodes(notation, text)?;
    let there = origin.and_then(|origin| {
        let text = origin.source.as_deref()?;
        let is_same = (notation == Notation::Json) == is_json(text);
        let root = if is_same { nodes(notation, text) } else { None };
        // What stands in the text: an origin's value may have another order than its text.
        root.and_then(|root| Some((text, root, notation::read(notation, text)?)))
    });
    let origin = there.as_ref().map_or_else(Origin::default, |(text, root, value)| Origin::new(text, root, value));
    let rules = Rules::new(edit.schema);
    let edited = Splices::new(text, notation, origin, &rules).root(&root, edit.live, edit.wanted)?;
    notation::means(notation, &edited, edit.wanted).then_some(edited)
}

fn nodes(notation: Notation, text: &str) -> Option<Node> {
    match notation {
        Notation::Yaml => yaml::nodes(text),
        Notation::Json => json::nodes(text),
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Whether fresh text would lose more than quoting: comments, aliases, the order of keys.
fn has_layout(notation: Notation, text: &str) -> bool {
    notation == Notation::Json || text.lines().count() > 1 || text.contains(['#', '&'])
}
