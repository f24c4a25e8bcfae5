use crate::model::{Entry, Error, ErrorKind, NodeKind, Result};
use crate::stores::{Store, followed};

/// The regular file that a link in a backup leads to.
pub(super) fn document_behind(store: &dyn Store, entry: &Entry) -> Result<Entry> {
    let doing = || format!("read {}", entry.path);
    if !matches!(entry.kind, NodeKind::Symlink { .. }) {
        return Err(Error::new(ErrorKind::Unsupported, doing(), "it is neither a regular file nor a link to one")
            .next("leave it out of the backup, or restore the others by name"));
    }
    let found = followed(store, &entry.path)?;
    match store.entry(&found)? {
        Some(found) if matches!(found.kind, NodeKind::File { .. }) => Ok(found),
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            doing(),
            format!("it is a link to {found}, which is no regular file"),
        )
        .next("restore what it leads to by another step")),
    }
}
