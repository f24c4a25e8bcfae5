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

    fn said(&self) -> String {
        format!("its id {} is here the one of the {} {}", visible(&self.id), self.kind, visible(&self.name))
    }

    pub fn warning(&self, own: &str) -> String {
        let own = visible(own);
        match self.is_in_the_way() {
            true => {
                format!("refused as it stands: {}, perhaps itself under a new name; {}", self.said(), self.choice(&own))
            }
            false => format!(
                "made beside another one: {}, perhaps itself under a new name; to go on with that one, name it {own} on \
                 the server and plan again",
                self.said()
            ),
        }
    }

    fn choice(&self, own: &str) -> String {
        format!(
            "to go on with that one, name it {own} on the server and plan again; to have {own} beside it, leave out \
             the hunk 'id'"
        )
    }

    pub fn error(&self, id: &ResourceId, own: &str) -> Error {
        let why = format!("{}, perhaps itself under a new name", self.said());
        Error::new(ErrorKind::Conflict, format!("write {id}"), why)
            .known(Known::NotApplied)
            .next(self.choice(&visible(own)))
    }

    /// Why the holder is not removed while what may be itself under its former name could not be made.
    pub fn stays(&self, id: &ResourceId, wanted: &ResourceId) -> Error {
        let why = format!("it has the id of {wanted}, and may be that one under a new name");
        Error::new(ErrorKind::Conflict, format!("remove {id}"), why)
            .known(Known::NotApplied)
            .next("name it as the backup does and plan again, or leave it out")
    }
}
