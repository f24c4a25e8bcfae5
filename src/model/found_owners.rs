use serde::{Deserialize, Serialize};

use super::visible;

/// Whom a reader finds in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundOwners {
    /// Sorted, without repetition.
    pub names: Vec<String>,
    pub unusable: Vec<UnusableOwner>,
}

/// What is there in an owner's place and cannot be walked. It has no tasks, and the others go on without it; it is told
/// of wherever the run is, for what is not understood is not absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusableOwner {
    /// Made visible: it may be no text at all.
    pub name: String,
    /// Why it cannot be walked, and what to do about it.
    pub why: String,
    /// False where --only, --user or --except chose others: then the run does not miss it.
    pub is_wanted: bool,
}

impl From<Vec<String>> for FoundOwners {
    fn from(names: Vec<String>) -> Self {
        Self { names, unusable: Vec::new() }
    }
}

impl FoundOwners {
    /// Takes in one name as it stands there.
    pub fn add(&mut self, name: &[u8]) {
        match std::str::from_utf8(name) {
            Ok(name) => self.names.push(name.to_owned()),
            Err(_) => self.unusable.push(UnusableOwner::new(name, "its name is not UTF-8; rename it to restore it")),
        }
    }

    /// As they must be answered.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.names.sort_unstable();
        self.names.dedup();
        self.unusable.sort_by(|one, other| one.name.cmp(&other.name));
        self.unusable.dedup_by(|one, other| one.name == other.name);
        self
    }
}

impl UnusableOwner {
    pub fn new(name: impl AsRef<[u8]>, why: impl Into<String>) -> Self {
        Self { name: visible(name.as_ref()).into_owned(), why: why.into(), is_wanted: true }
    }
}
