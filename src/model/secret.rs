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

/// `text` without the digests that tell one covered secret in a larger value from another: to a person they look like
/// the rest of the secret.
pub fn without_digests(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut parts = text.split(COVERED);
    shown.push_str(parts.next().unwrap_or_default());
    for part in parts {
        shown.push_str(COVERED);
        let digest = part.strip_prefix(' ').and_then(|rest| rest.get(..DIGEST));
        let is_digest = digest.is_some_and(|digest| digest.bytes().all(|one| one.is_ascii_hexdigit()));
        shown.push_str(if is_digest { part.get(1 + DIGEST..).unwrap_or_default() } else { part });
    }
    shown
}

/// Characters of a short digest.
const DIGEST: usize = 8;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covered_secret_in_a_value_shows_no_digits_behind_its_dots() {
        let digest = Digest::of("x").short().to_string();
        let text = format!(r#"{{"password":"•••• {digest}","note":"•••• not a digest"}}"#);
        assert_eq!(without_digests(&text), r#"{"password":"••••","note":"•••• not a digest"}"#);
        assert_eq!(without_digests("plain"), "plain");
    }
}
