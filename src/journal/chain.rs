use crate::model::Digest;

/// The link before the first event.
pub(super) fn first_link() -> Digest {
    Digest::of(b"rekindle journal 1")
}

/// blake3 over the former link, the number and time as little-endian 64 bits, and the event's JSON.
pub(super) fn link(former: &Digest, seq: u64, at: i64, body: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(former.as_bytes());
    hasher.update(&seq.to_le_bytes());
    hasher.update(&at.to_le_bytes());
    hasher.update(body);
    Digest::from_bytes(*hasher.finalize().as_bytes())
}
