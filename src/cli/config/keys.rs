use toml::de::DeValue;

use super::reading::{Found, Table};
use crate::tui::{Keymap, keymap_of};

/// The operator's own keys, as `keys.toml` has them: a table for each place.
pub fn read(text: &str, settings: &Table<'_>) -> Found<Option<Keymap>> {
    let Some(value) = settings.get("keys") else { return Ok(None) };
    match value.get_ref() {
        DeValue::Table(table) => keymap_of(text, table).map(Some),
        _ => {
            let next = "write [keys.steps], and below it: skip = \"ctrl-s\"".to_owned();
            Err(settings.at("keys", "keys is no table".to_owned(), next))
        }
    }
}
