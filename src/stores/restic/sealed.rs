use std::cell::RefCell;
use std::num::NonZeroU32;

use aes256ctr_poly1305aes::aead::AeadInPlace;
use aes256ctr_poly1305aes::{Aes256CtrPoly1305Aes, Key, Nonce, Tag};
use rustic_core::repofile::MasterKey;
use zstd::bulk::Decompressor;

/// Initialisation vector before the ciphertext, and code after it, 16 bytes each.
const AROUND: usize = 32;

/// The key that every blob of a repository is sealed with: AES-256 in counter mode under Poly1305-AES, see
/// "Keys, Encryption and MAC" in restic's design document.
///
/// rustic opens each file of the backend and makes a decompressor anew for every blob, which for small files is most
/// of the work; this one keeps what it can.
pub(super) struct SealKey(Aes256CtrPoly1305Aes);

/// What one thread needs to unseal, kept from blob to blob.
#[derive(Default)]
struct Bench {
    plain: Vec<u8>,
    decompressor: Option<Decompressor<'static>>,
}

thread_local! {
    static BENCH: RefCell<Bench> = RefCell::default();
}

impl SealKey {
    /// `None` where the key has not the lengths that the format fixes.
    pub(super) fn new(key: &MasterKey) -> Option<Self> {
        let parts = [(&key.encrypt, 32), (&key.mac.k, 16), (&key.mac.r, 16)];
        if parts.iter().any(|(part, length)| part.len() != *length) {
            return None;
        }
        let whole: Vec<u8> = parts.iter().flat_map(|(part, _)| part.iter().copied()).collect();
        Some(Self(Aes256CtrPoly1305Aes::new(Key::from_slice(&whole))))
    }

    #[cfg(test)]
    pub(super) fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let nonce = [7; AROUND / 2];
        let mut sealed = plain.to_vec();
        let tag = self.0.encrypt_in_place_detached(Nonce::from_slice(&nonce), &[], &mut sealed).unwrap();
        [&nonce[..], &sealed, &tag].concat()
    }

    /// The bytes of a blob as it lies in a pack; compressed where the index knows another length.
    /// An error is the reason, without a name.
    pub(super) fn unseal(&self, sealed: &[u8], uncompressed: Option<NonZeroU32>) -> Result<Vec<u8>, String> {
        let length = sealed.len().checked_sub(AROUND).ok_or("it is shorter than its checksum")?;
        let (nonce, rest) = sealed.split_at(AROUND / 2);
        let (ciphertext, tag) = rest.split_at(length);
        let open = |plain: &mut Vec<u8>| {
            plain.clear();
            plain.extend_from_slice(ciphertext);
            self.0
                .decrypt_in_place_detached(Nonce::from_slice(nonce), &[], plain, Tag::from_slice(tag))
                .map_err(|_| "its bytes do not match their own checksum".to_owned())
        };
        let Some(uncompressed) = uncompressed else {
            let mut plain = Vec::new();
            return open(&mut plain).map(|()| plain);
        };
        BENCH.with_borrow_mut(|bench| {
            open(&mut bench.plain)?;
            let length = uncompressed.get() as usize;
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(length).map_err(|_| format!("there is no memory for its {length} bytes"))?;
            if bench.decompressor.is_none() {
                bench.decompressor = Some(Decompressor::new().map_err(|error| error.to_string())?);
            }
            if let Some(decompressor) = &mut bench.decompressor {
                let failed = |error| format!("it cannot be decompressed to its {length} bytes: {error}");
                decompressor.decompress_to_buffer(&bench.plain, &mut bytes).map_err(failed)?;
            }
            if bytes.len() != length {
                return Err(format!("it is {} bytes long and should be {length}", bytes.len()));
            }
            Ok(bytes)
        })
    }
}
