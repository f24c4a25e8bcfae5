use std::fmt;

use serde::{Deserialize, Serialize};

/// What a system calls itself, so that nothing is written to another one of the same name:
/// realm id, cluster UID, file system and inode of a directory, restic repository id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TargetIdentity {
    /// Adapter's word for the system, as in "directory" or "restic repository".
    pub system: String,
    /// Where it was reached: path or URL, without credentials.
    pub address: String,
    pub id: Identity,
}

/// The identity proper: another one when another system answers at the same address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Identity {
    Present(String),
    /// Nothing is there yet, which a restore can make: a realm of a server that is there.
    Absent,
}

/// As journals have it.
const ABSENT: &str = "absent";

impl Identity {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Present(id) => id,
            Self::Absent => ABSENT,
        }
    }

    /// Of a store with several states: the store's own, and which state.
    pub fn split(&self) -> Option<(&str, &str)> {
        self.as_str().split_once('@')
    }
}

impl From<String> for Identity {
    fn from(id: String) -> Self {
        if id == ABSENT { Self::Absent } else { Self::Present(id) }
    }
}

impl From<&str> for Identity {
    fn from(id: &str) -> Self {
        Self::from(id.to_owned())
    }
}

impl From<Identity> for String {
    fn from(id: Identity) -> Self {
        match id {
            Identity::Present(id) => id,
            Identity::Absent => ABSENT.to_owned(),
        }
    }
}

/// A hash's first eight digits tell it apart for a person; what is compared is the whole.
fn shortened(part: &str) -> &str {
    let is_hash = part.len() > 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    part.get(..8).filter(|_| is_hash).unwrap_or(part)
}

impl TargetIdentity {
    /// Part of [`Self::system`] where a run does not check who it talks to; shown in red.
    pub const UNCHECKED: &str = "certificate not checked";

    /// Whether `now` is what this target calls itself once it was made: it was absent before.
    pub fn is_made_as(&self, now: &Self) -> bool {
        let is_same_place = self.system == now.system && self.address == now.address;
        self.id == Identity::Absent && now.id != Identity::Absent && is_same_place
    }
}

impl fmt::Display for TargetIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id: Vec<&str> = self.id.as_str().split('@').map(shortened).collect();
        let text = format!("{} {} ({})", self.system, self.address, id.join("@"));
        f.write_str(&super::visible(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(id: &str) -> TargetIdentity {
        TargetIdentity { system: "realm".to_owned(), address: "here".to_owned(), id: id.into() }
    }

    #[test]
    fn what_was_absent_is_the_same_target_once_it_is_made() {
        assert!(target("absent").is_made_as(&target("1")));
        assert!(!target("absent").is_made_as(&target("absent")));
        assert!(!target("1").is_made_as(&target("2")));
        let elsewhere = TargetIdentity { address: "there".to_owned(), ..target("1") };
        assert!(!target("absent").is_made_as(&elsewhere));
    }

    #[test]
    fn an_identity_is_recorded_as_its_text() {
        for id in ["absent", "8:1:2"] {
            let text = serde_json::to_string(&target(id)).unwrap();
            assert!(text.contains(&format!("\"id\":\"{id}\"")), "{text}");
            assert_eq!(serde_json::from_str::<TargetIdentity>(&text).unwrap(), target(id));
        }
        assert_eq!(target("absent").id, Identity::Absent);
    }
}
