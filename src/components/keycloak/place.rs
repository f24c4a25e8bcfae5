use super::escape::unescaped;
use super::kinds::Kind;
use crate::model::{Error, ErrorKind, ResourceId, Result, TreePath, visible};

/// Where the resources of a kind lie, by the kind's name in a runbook.
pub(super) fn folder_of(kind: &str) -> Result<TreePath> {
    let kind = Kind::of_name(kind).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
        let doing = format!("list the owners of kind '{}'", visible(kind));
        Error::new(ErrorKind::Invalid, doing, format!("a realm knows {}", names.join(", ")))
    })?;
    TreePath::new(kind.folder())
}

/// A place that a realm can have: a mistyped one is an error and not a place where nothing is.
pub(super) fn known(place: &TreePath) -> Result<()> {
    match Kind::ALL.into_iter().any(|kind| touches(place, kind)) {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::NotFound, format!("list {place}"), "a realm has no such place")
            .next("give a place below 'realm' or 'users', as in users/ana or realm/groups/staff")),
    }
}

/// Whether resources of that kind can lie at `place`, or it among them.
pub(super) fn touches(place: &TreePath, kind: Kind) -> bool {
    TreePath::new(kind.folder())
        .is_ok_and(|folder| folder.relative_to(place).is_some() || place.relative_to(&folder).is_some())
}

/// The user that an owner is. Owners carry escaped names, as keys do.
pub(super) fn owner_id(owner: &str) -> ResourceId {
    let name = unescaped(owner.as_bytes());
    Kind::User.id(&[name.unwrap_or_else(|| owner.to_owned())])
}

/// The first part below `folder` of each key, sorted, each once: the owners there.
pub(super) fn owners_in<'k>(folder: &TreePath, keys: impl Iterator<Item = &'k TreePath>) -> Vec<String> {
    let first = |key: &TreePath| {
        let below = key.relative_to(folder)?;
        below.parts().next().map(|part| String::from_utf8_lossy(part).into_owned())
    };
    let names: std::collections::BTreeSet<String> = keys.filter_map(first).collect();
    names.into_iter().collect()
}
