//! What `kc.sh export` wrote, as a source. A tour:
//!
//! - [`layout`]: which files make the export: `R-realm.json` with `R-users-N.json`, or one file with everything.
//! - [`pieces`]: a large JSON file in pieces, each bounded, the whole never in memory.
//! - [`realm_file`]: the realm but for its people, and where in the file they lie.
//! - [`encoding`]: files in UTF-16, or with a mark at their begin, read as UTF-8.
//! - [`yaml`]: a realm file in YAML, read as JSON.
//! - [`index`]: who is where, by one pass over all people; refuses what is not whole.
//! - [`people`]: reads the people that are asked for, from where they lie.
//! - [`notes`]: what the export holds and a restore will not bring back, in words.
//! - [`opened`]: all of it together. [`reader`]: the traits' side.
//!
//! Seen with exports of Keycloak 26.5.3: a realm without people has no users file; each users file but the last
//! holds equally many, sorted by name over all files; the two forms hold the same.

mod encoding;
mod index;
mod layout;
pub(super) mod notes;
mod opened;
mod people;
mod pieces;
mod reader;
mod realm_file;
#[cfg(test)]
mod tests;
mod yaml;

pub use reader::{ExportConfig, KeycloakExport};

use crate::model::Error;

/// One failure as the answer to several questions.
fn again(doing: &str, error: &Error) -> Error {
    let made = Error::new(error.kind(), doing, error.chain());
    match error.hint() {
        Some(hint) => made.next(hint),
        None => made,
    }
}
