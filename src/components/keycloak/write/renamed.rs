use std::collections::HashMap;

use serde_json::Value;

use super::super::kinds::Kind;
use super::standing::Standing;
use super::target::text;
use crate::model::{Error, ErrorKind, Known, ResourceId, TreePath, visible};

/// Who has each id of a realm: what a backup knows by another name has been renamed on the server.
pub(super) struct Holders<'s>(HashMap<(&'s str, &'s str), &'s TreePath>);

/// Something else that has the id which a new resource is to have.
pub(super) struct Holder {
    pub kind: Kind,
    pub name: String,
    pub key: TreePath,
    id: String,
}

impl<'s> Holders<'s> {
    pub fn of(standing: &'s Standing) -> Self {
        let of = |(key, one): (&'s TreePath, &'s super::super::canonical::Canonical)| {
            Some(((&*one.id.kind, text(&one.document, "id")?), key))
        };
        Self(standing.view().resources().filter_map(of).collect())
    }

    /// The holder of the id that `wanted` has, if that is another than `id` itself.
    pub fn holder(&self, id: &ResourceId, wanted: &Value) -> Option<Holder> {
        let server_id = text(wanted, "id")?;
        let key = self.0.get(&(&*id.kind, server_id)).filter(|key| ***key != id.key)?;
        let (kind, names) = Kind::of_key(key)?;
        Some(Holder { kind, name: names.join("/"), key: (*key).clone(), id: server_id.to_owned() })
    }
}

impl Holder {
    /// Whether the two cannot be there side by side: of some kinds a new one has the backup's id, and of others the
    /// server gives it another one.
    pub fn is_in_the_way(&self) -> bool {
        !matches!(self.kind, Kind::RealmRole | Kind::ClientRole | Kind::Group | Kind::Organization)
    }

    /// What there is, and what can be done about it.
    pub fn said(&self, own: &str) -> String {
        format!("{}; {}", self.why(), self.choice(own))
    }

    fn why(&self) -> String {
        let kind = self.kind.name().replace('-', " ");
        format!(
            "its id {} is the one of the {kind} {} here, perhaps itself renamed",
            visible(&self.id),
            visible(&self.name)
        )
    }

    fn choice(&self, own: &str) -> String {
        let own = visible(own);
        match self.is_in_the_way() {
            true => format!(
                "to go on with that one, name it {own} on the server and plan again; to have {own} beside it, leave out \
                 the hunk 'id'"
            ),
            false => format!("to go on with that one instead, name it {own} on the server and plan again"),
        }
    }

    pub fn warning(&self, own: &str) -> String {
        let how = if self.is_in_the_way() { "refused as it stands" } else { "made beside another one" };
        format!("{how}: {}", self.said(own))
    }

    pub fn error(&self, id: &ResourceId, own: &str) -> Error {
        Error::new(ErrorKind::Conflict, format!("write {id}"), self.why())
            .known(Known::NotApplied)
            .next(self.choice(own))
    }

    /// Why the holder is not removed while what may be itself under its former name could not be made.
    pub fn stays(&self, id: &ResourceId, wanted: &ResourceId) -> Error {
        let why = format!("it has the id of {wanted}, and may be that one under a new name");
        Error::new(ErrorKind::Conflict, format!("remove {id}"), why)
            .known(Known::NotApplied)
            .next("name it as the backup does and plan again, or leave it out")
    }
}
