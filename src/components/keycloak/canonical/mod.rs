//! From a representation, as the server answers it or `kc.sh export` writes it, to the one canonical document of its
//! kind: sets sorted, nothing where the server means nothing, names in place of ids. Pure, and the same for the live
//! side and for backups, so that what is equal there is equal here.
//!
//! Seen on Keycloak 26.5.3: an export's realm file and `POST partial-export` have the same shape, but for secrets,
//! users and organizations.

mod blank;
mod client;
mod component;
mod credential;
mod default_role;
mod fields;
mod flow;
mod loose;
mod names;
mod permission;
mod provider;
mod realm;
mod role;
#[cfg(test)]
mod tests;
mod user;

pub use blank::as_said;
#[cfg(test)]
pub use client::CLIENT_FIELDS;
pub use client::with_addresses;
pub use component::DIRECTORY;
pub(super) use component::USER_PROFILE;
pub use credential::{OF_EVERY_SERVER, Side, Undated, undated, without_dates};
pub use names::{DEFAULT_ROLE, Names, address_in, default_role_of, key_of};
pub(super) use names::{list, text};
pub use permission::with_people;
pub use provider::ACTIONS;
pub use realm::{FLOWS_IN_USE, HOLDER, ORDERED, Realm, organization, realm, user_profile};
pub use user::{OF_THE_DIRECTORY, user};

use serde_json::Value;

use crate::model::{Body, Document, Error, ErrorKind, Resource, ResourceId};

/// What the server shows in place of a secret.
pub const MASK: &str = "**********";

/// One resource in its canonical form.
#[derive(Clone)]
pub struct Canonical {
    pub id: ResourceId,
    pub document: Value,
    /// What the representation holds and this version does not know, in words: it is not restored.
    pub unknown: Vec<String>,
}

impl Canonical {
    pub fn resource(&self) -> Resource {
        self.resource_of(self.document.clone())
    }

    /// The same with this document.
    pub fn resource_of(&self, document: Value) -> Resource {
        Resource { id: self.id.clone(), body: Body::Document(Document::new(document)) }
    }
}

/// Secrets may be inside.
impl std::fmt::Debug for Canonical {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Canonical({})", self.id)
    }
}

fn invalid(doing: &str, why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, doing, why).next("make the backup again, or mend that file")
}
