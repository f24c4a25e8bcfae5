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

impl fmt::Display for TargetIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.system, self.address, self.id)
    }
}
