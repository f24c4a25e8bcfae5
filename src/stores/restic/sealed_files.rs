use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustic_core::{FileType, Id, ReadBackend};

use super::address::Address;
use super::layer::Layer;
use super::problem::{self, During, explained};
use super::quiet::guarded;
use super::sealed::SealKey;
use crate::model::{Error, ErrorKind, Result};

/// restic begins another index file at about 8 MiB, and a snapshot's description holds little but its paths.
const MOST_UNPACKED: u64 = 64 * 1024 * 1024;
/// Files that are unpacked side by side: each may need [`MOST_UNPACKED`] a few times over.
const MOST_AT_ONCE: usize = 4;

/// The files of one kind that lie sealed in a repository: its index, or its snapshots' descriptions. A repository may
/// come from anyone, and a few bytes of it can unpack to gigabytes: each file and all of them together are bounded.
pub(super) struct SealedFiles<'a> {
    pub layer: &'a Layer,
    pub key: &'a SealKey,
    pub address: &'a Address,
    pub during: During,
    /// Bytes that all of them may unpack to.
    pub most: u64,
}

/// Makes something of one file's bytes, or says what is wrong with them.
pub(super) type Parse<'p, T> = dyn Fn(Id, &[u8]) -> Result<T, String> + Sync + 'p;

impl SealedFiles<'_> {
    /// Unpacks each and hands it to `read`; answers what that made of each, or why it cannot be read, by its id.
    pub(super) fn read_all<T: Send>(&self, kind: FileType, read: &Parse<'_, T>) -> Result<Vec<(Id, Result<T>)>> {
        let doing = || format!("{} of {}", self.doing(), self.address);
        let files = guarded(doing, || {
            let listed = self.layer.list_with_size(kind);
            listed.map_err(|error| explained(self.during, doing(), self.address, error))
        })?;
        let made = Mutex::new(Vec::with_capacity(files.len()));
        let (next, total) = (AtomicUsize::new(0), Mutex::new(0_u64));
        let work = || {
            while let Some((id, size)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let whole = self
                    .read_one(kind, id, *size, &total)
                    .and_then(|bytes| read(*id, &bytes).map_err(|why| self.broken(id, ErrorKind::Corrupt, why)));
                made.lock().unwrap_or_else(PoisonError::into_inner).push((*id, whole));
            }
        };
        std::thread::scope(|scope| {
            let width = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            for _ in 1..width.min(MOST_AT_ONCE).min(files.len().max(1)) {
                scope.spawn(work);
            }
            work();
        });
        Ok(made.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn doing(&self) -> &'static str {
        if self.during == During::Snapshots { "read the snapshots" } else { "read the index" }
    }

    fn broken(&self, id: &Id, kind: ErrorKind, why: String) -> Error {
        let short: String = id.to_hex().as_str().chars().take(8).collect();
        Error::new(kind, format!("{} of {}", self.doing(), self.address), format!("its file {short}: {why}"))
            .next(problem::check(self.during))
    }

    fn read_one(&self, kind: FileType, id: &Id, size: u32, total: &Mutex<u64>) -> Result<Vec<u8>> {
        let doing = || format!("{} of {}", self.doing(), self.address);
        let too_much = |why: String| {
            self.broken(id, ErrorKind::Refused, why)
                .next("no restic writes such a file: do not trust this repository, restore from another copy of it")
        };
        if u64::from(size) > MOST_UNPACKED {
            return Err(too_much(format!("it is {size} bytes long, more than {MOST_UNPACKED}")));
        }
        let sealed = guarded(doing, || {
            let whole = self.layer.read_full(kind, id);
            whole.map_err(|error| explained(self.during, doing(), self.address, error))
        })?;
        let plain = self.key.unseal(&sealed, None).map_err(|why| self.broken(id, ErrorKind::Corrupt, why))?;
        drop(sealed);
        let bytes = match plain.split_first() {
            Some((b'{' | b'[', _)) => plain,
            Some((2, packed)) => {
                let mut bytes = Vec::new();
                zstd::stream::read::Decoder::new(packed)
                    .and_then(|decoder| decoder.take(MOST_UNPACKED + 1).read_to_end(&mut bytes))
                    .map_err(|error| self.broken(id, ErrorKind::Corrupt, format!("it cannot be unpacked: {error}")))?;
                bytes
            }
            _ => return Err(self.broken(id, ErrorKind::Corrupt, "it begins like none of restic's".to_owned())),
        };
        let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
        *total = total.saturating_add(bytes.len() as u64);
        if bytes.len() as u64 > MOST_UNPACKED {
            return Err(too_much(format!("it unpacks to more than {MOST_UNPACKED} bytes")));
        }
        if *total > self.most {
            return Err(too_much(format!("with it, all of them unpack to more than {} bytes", self.most)));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use rustic_backend::LocalBackend;
    use rustic_core::repofile::MasterKey;

    use super::*;

    struct Repository {
        place: tempfile::TempDir,
        key: SealKey,
    }

    impl Repository {
        fn new(files: &[&[u8]]) -> Self {
            let place = tempfile::tempdir().unwrap();
            let key = SealKey::new(&MasterKey::new()).unwrap();
            std::fs::create_dir(place.path().join("index")).unwrap();
            for (number, file) in files.iter().enumerate() {
                let name = place.path().join("index").join(format!("{number:064x}"));
                std::fs::write(name, key.seal(file)).unwrap();
            }
            Self { place, key }
        }

        /// How many were read, and the first failure.
        fn read(&self, most: u64) -> (usize, Option<Error>) {
            let folder: &Path = self.place.path();
            let inner = LocalBackend::new(folder.to_str().unwrap(), []).unwrap();
            let layer = Layer::new(Arc::new(inner), Some(folder.to_owned()));
            let address = Address::parse(folder.to_str().unwrap()).unwrap();
            let files = SealedFiles { layer: &layer, key: &self.key, address: &address, during: During::Index, most };
            let read = files.read_all(FileType::Index, &|_, bytes| Ok(bytes.len())).unwrap();
            let (whole, failed): (Vec<_>, Vec<_>) = read.into_iter().partition(|(_, read)| read.is_ok());
            (whole.len(), failed.into_iter().find_map(|(_, failed)| failed.err()))
        }
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        [vec![2], zstd::encode_all(bytes, 1).unwrap()].concat()
    }

    #[test]
    fn files_are_read_as_they_are_or_unpacked() {
        let repository = Repository::new(&[b"{}", &packed(b"{\"packs\":[]}"), b"[]"]);
        assert!(matches!(repository.read(100), (3, None)));
    }

    #[test]
    fn a_few_bytes_that_unpack_to_gigabytes_are_refused() {
        let bomb = packed(&vec![b' '; usize::try_from(MOST_UNPACKED).unwrap() + 1]);
        assert!(bomb.len() < 100_000);
        let (whole, refused) = Repository::new(&[b"{}", &bomb]).read(u64::MAX);
        let refused = refused.unwrap();
        assert_eq!((whole, refused.kind()), (1, ErrorKind::Refused));
        assert!(refused.to_string().contains("file 00000000"), "{refused}");
    }

    #[test]
    fn many_files_that_unpack_to_too_much_together_are_refused() {
        let large = packed(&[b' '; 1000]);
        let (whole, refused) = Repository::new(&[&large, &large, &large, &large]).read(2500);
        assert_eq!((whole, refused.unwrap().kind()), (2, ErrorKind::Refused));
    }
}
