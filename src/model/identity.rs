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
    /// The identity proper: changes when another system answers at the same address.
    pub id: String,
}

/// A hash's first eight digits tell it apart for a person; what is compared is the whole.
fn shortened(part: &str) -> &str {
    let is_hash = part.len() > 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    part.get(..8).filter(|_| is_hash).unwrap_or(part)
}

impl TargetIdentity {
    /// Part of [`Self::system`] where a run does not check who it talks to; shown in red.
    pub const UNCHECKED: &str = "certificate not checked";
}

impl fmt::Display for TargetIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id: Vec<&str> = self.id.split('@').map(shortened).collect();
        let text = format!("{} {} ({})", self.system, self.address, id.join("@"));
        f.write_str(&super::visible(&text))
    }
}
