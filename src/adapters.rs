//! The lists of systems and of stores, each declared in its own folder. A new one is a folder and a line here.

use crate::adapter::{Adapter, Format};
use crate::components::{documents, dotenv, files, keycloak};
use crate::stores::{StoreKind, directory, restic, tar};

pub static ADAPTERS: [&Adapter; 4] = [&files::ADAPTER, &documents::ADAPTER, &dotenv::ADAPTER, &keycloak::ADAPTER];

pub static STORES: [&StoreKind; 3] = [&directory::STORE, &tar::STORE, &restic::STORE];

/// What the stores' folder says of them all, in Markdown.
pub const STORES_PAGE: &str = include_str!("stores/README.md");

/// Of all systems. The first is that of a source which names none.
pub fn formats() -> impl Iterator<Item = &'static Format> {
    ADAPTERS.iter().flat_map(|adapter| adapter.formats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_of_a_source_means_two_things() {
        for store in STORES {
            for format in formats() {
                let names =
                    [store.name, "format"].into_iter().chain(store.keys.iter().chain(format.keys).map(|key| key.name));
                let mut names: Vec<&str> = names.collect();
                names.sort_unstable();
                let count = names.len();
                names.dedup();
                assert_eq!(names.len(), count, "{} with {}", store.name, format.name);
            }
        }
    }

    #[test]
    fn no_name_is_taken_twice() {
        let mut names: Vec<&str> = ADAPTERS.map(|adapter| adapter.name).into();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ADAPTERS.len());
        let mut names: Vec<&str> = formats().map(|format| format.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
