use crate::model::{Entry, HunkAt, NodeKind, Shown, visible};

const MAX_CHARACTERS: usize = 200;

/// Both sides of a hunk in one line each; a secret is dots.
pub(super) fn sides(at: &HunkAt) -> (Option<String>, Option<String>) {
    match at {
        HunkAt::Field { before, after, .. } => (before.as_ref().map(value), after.as_ref().map(value)),
        HunkAt::Node { before, after, content, .. } => {
            let mut new = after.as_deref().map(node);
            if let (Some(_), Some(new), true) = (before, &mut new, content) {
                new.push_str(", other content");
            }
            (before.as_deref().map(node), new)
        }
    }
}

fn value(shown: &Shown) -> String {
    match shown {
        Shown::Plain(value) => shortened(&value.to_string()),
        Shown::Secret(_) => crate::model::COVERED.to_owned(),
        Shown::Masked => "(masked by the server)".to_owned(),
    }
}

fn node(entry: &Entry) -> String {
    let kind = match &entry.kind {
        NodeKind::Directory => "directory".to_owned(),
        NodeKind::File { size, .. } => format!("file of {size} bytes"),
        NodeKind::Symlink { target } => format!("link to {}", shortened(&String::from_utf8_lossy(target))),
        NodeKind::Special { special } => format!("{special:?}"),
    };
    let meta = &entry.meta;
    format!("{kind}, {:04o} {}:{}", meta.mode, meta.uid, meta.gid)
}

/// One visible line of bounded length.
pub(super) fn shortened(text: &str) -> String {
    shortened_to(text, MAX_CHARACTERS)
}

pub(super) fn shortened_to(text: &str, most: usize) -> String {
    let cut = text.char_indices().nth(most).map(|(at, _)| at);
    match cut {
        Some(at) => format!("{}…", visible(&text[..at])),
        None => visible(text).into_owned(),
    }
}
