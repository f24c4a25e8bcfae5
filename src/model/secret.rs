use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::Digest;

/// A value that is never shown, logged or written: it has no `Display`, its `Debug` is dots,
/// and it compares by keyed digest.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself, for the one call that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub fn digest(&self, key: &DigestKey) -> Digest {
        key.digest(self.expose())
    }
}

/// Stands where a secret stood.
pub const COVERED: &str = "••••";
/// Stands for a value that a server keeps to itself.
pub const MASKED: &str = "•••• (masked by the server, unknown)";

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(COVERED)
    }
}

/// The key of a run's digests of secrets. A plain hash of a password can be guessed; this one
/// cannot without the key, which lies outside the run's folder.
#[derive(Clone)]
pub struct DigestKey(zeroize::Zeroizing<[u8; 32]>);

impl DigestKey {
    pub fn new(key: [u8; 32]) -> Self {
        Self(zeroize::Zeroizing::new(key))
    }

    pub fn digest(&self, value: impl AsRef<[u8]>) -> Digest {
        Digest::from_bytes(*blake3::keyed_hash(&self.0, value.as_ref()).as_bytes())
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(••••)")
    }
}
