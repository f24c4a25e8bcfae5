//! A YAML library's errors, as a person who wrote the file is told them.

use serde_saphyr::Error;

/// One line. It names places and keys, never values.
pub(crate) fn in_words(error: &Error) -> String {
    let message = error.without_snippet().to_string();
    let line = message.lines().next().unwrap_or_default();
    let (what, place) = match line.find(" at line ").map(|at| line.split_at(at)) {
        Some((what, place)) => (what, place),
        None => (line, ""),
    };
    let breached = what.split_once("budget breached").map(|(_, breach)| breach);
    let said = match breached {
        Some(breach) if breach.contains("Documents") => {
            "it holds several documents, parted by '---': a file must hold one".to_owned()
        }
        Some(breach) if breach.contains("Depth") => "its values lie too deep inside each other".to_owned(),
        Some(breach) if breach.contains("Alias") || breach.contains("Anchor") => {
            "it has too many anchors and aliases".to_owned()
        }
        Some(_) => "it is too large, its aliases expanded".to_owned(),
        // What a program could set, its user cannot.
        None => what.split_once(", set DuplicateKeyPolicy").map_or(what, |(what, _)| what).to_owned(),
    };
    crate::model::visible(&format!("{said}{place}")).into_owned()
}
