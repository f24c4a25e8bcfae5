//! A realm of a Keycloak server, live over its Admin REST API, and the formats of its backups. A tour:
//!
//! - [`kinds`]: what a realm is made of, and how each thing's key is written: everything but people lies below `realm`,
//!   people below `users`.
//! - [`canonical`]: pure; from a representation (the server's or an export's) to the one document of its kind.
//! - [`schema`]: sets, keyed lists, secrets, fidelity and order of those documents.
//! - [`config`]: how a realm is reached. `http`: its API as calls, with a token that renews itself,
//!   and this session's right to write, which stands in the realm itself.
//! - `live`: the realm as a reader: one call for all but the people, people in bulk or one by one.
//! - `write`: the realm as a component.
//! - [`older`]: pure; what a server of today makes of a realm that an older one wrote.
//! - `export`: what `kc.sh export` wrote, as a source. `fit`: a source as one server can hold it.
//! - `held`: what a removal takes from others, so that a plan can show it and an undo give it back.
//!
//! Seen on Keycloak 26.5.3 with PostgreSQL 15.
//!
#![doc = include_str!("README.md")]

mod adapter;
mod always_shown;
pub mod canonical;
pub mod config;
mod escape;
mod export;
mod fit;
mod held;
mod http;
pub mod kinds;
mod live;
mod older;
mod place;
pub mod schema;
#[cfg(test)]
mod table;
mod write;

pub use adapter::ADAPTER;
pub use export::{ExportConfig, KeycloakExport};
pub use live::Keycloak;
