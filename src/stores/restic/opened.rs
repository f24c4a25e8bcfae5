use std::num::NonZeroU32;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustic_backend::{LocalBackend, RestBackend};
use rustic_core::repofile::{BlobType, PackId, SnapshotFile};
use rustic_core::{
    Credentials, DataId, FileType, Id, IndexedFullStatus, PackedId, ReadBackend, Repository, RepositoryBackends,
    RepositoryOptions, TreeId, WriteBackend,
};
use sha2::{Digest, Sha256};

use super::address::Address;
use super::layer::{Held, Layer};
use super::listing::{Listing, Listings};
use super::node::{Node, nodes};
use super::problem::{self, During, explained};
use super::quiet::{guarded, guarded_in_pool};
use super::s3::S3Backend;
use super::sealed::SealKey;
use super::{Config, S3Keys, Snapshot};
use crate::model::{Error, ErrorKind, Result, TreePath};

/// A repository whose index is in memory. Every call into rustic is behind [`guarded`].
pub(super) struct Opened {
    repository: Repository<IndexedFullStatus>,
    layer: Arc<Layer>,
    key: SealKey,
    listings: Listings,
    pub address: Address,
}

/// Where a blob lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub pack: PackId,
    pub offset: u32,
    pub length: u32,
    /// Bytes, where it is compressed.
    pub uncompressed: Option<NonZeroU32>,
}

impl Opened {
    /// Opens, reads every snapshot's description and the whole index.
    pub(super) fn open(config: &Config) -> Result<(Self, Vec<(Snapshot, TreeId)>)> {
        let address = Address::parse(&config.repository)?;
        let layer = guarded(|| format!("reach {address}"), || reach(&address, config.keys.as_ref()).map(Arc::new))?;
        let backends = RepositoryBackends::new(Arc::clone(&layer) as Arc<dyn WriteBackend>, None);
        let mut options = RepositoryOptions::default();
        options.no_cache = config.cache.is_none();
        options.cache_dir = config.cache.clone();
        let credentials = Credentials::password(config.password.expose());

        let doing = || format!("open the repository {address}");
        let opened = guarded_in_pool(doing, || {
            Repository::new(&options, &backends)
                .and_then(|repository| repository.open(&credentials))
                .map_err(|error| explained(During::Opening, doing(), &address, error))
        })?;
        let doing = || format!("read the snapshots of {address}");
        let snapshots: Vec<SnapshotFile> = guarded_in_pool(doing, || {
            opened.get_all_snapshots().map_err(|error| explained(During::Snapshots, doing(), &address, error))
        })?;
        let doing = || format!("read the index of {address}");
        let repository = guarded_in_pool(doing, || {
            opened.to_indexed().map_err(|error| explained(During::Index, doing(), &address, error))
        })?;
        let snapshots = snapshots.iter().map(|file| (Snapshot::of(file), file.tree)).collect();
        let key = SealKey::new(&repository.key()).ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, doing(), "its key has not the length that the format fixes")
                .next("run `restic check`")
        })?;
        Ok((Self { repository, layer, key, listings: Listings::default(), address }, snapshots))
    }

    /// 64 hex digits, given to the repository when it was made.
    pub(super) fn id(&self) -> String {
        self.repository.config().id.to_hex().as_str().to_owned()
    }

    pub(super) fn is_remote(&self) -> bool {
        self.layer.is_remote()
    }

    pub(super) fn requests(&self) -> u64 {
        self.layer.requests()
    }

    /// The directory that the tree blob `id` lists.
    pub(super) fn listing(&self, id: &TreeId) -> Result<Arc<Listing>> {
        if let Some(listing) = self.listings.get(id) {
            return Ok(listing);
        }
        let blob = self.blob(BlobType::Tree, id, self.place(id)?)?;
        let nodes = nodes(&blob).map_err(|why| {
            Error::new(ErrorKind::Corrupt, format!("read directory {} of {}", short(id), self.address), why)
                .next("choose another snapshot; `restic check` says whether others are affected")
        })?;
        let listing = Arc::new(Listing::new(nodes));
        self.listings.keep(*id, &listing);
        Ok(listing)
    }

    /// The node at `path` below the tree `root`; the root itself is none.
    pub(super) fn find(&self, root: &TreeId, path: &TreePath) -> Result<Option<Node>> {
        let mut directory = *root;
        let mut parts = path.parts().peekable();
        while let Some(part) = parts.next() {
            let listing = self.listing(&directory)?;
            let Some(node) = listing.find(part) else { return Ok(None) };
            if parts.peek().is_none() {
                return Ok(Some(node.clone()));
            }
            let Some(subtree) = node.subtree.filter(|_| node.is_directory()) else { return Ok(None) };
            directory = subtree;
        }
        Ok(None)
    }

    pub(super) fn place<I: PackedId + Deref<Target = Id>>(&self, id: &I) -> Result<Place> {
        let doing = || format!("find blob {} of {}", short(id), self.address);
        let entry = guarded(doing, || self.repository.get_index_entry(id).map_err(|_| self.unindexed(doing())))?;
        let at = entry.location;
        Ok(Place { pack: entry.pack, offset: at.offset, length: at.length, uncompressed: at.uncompressed_length })
    }

    /// The bytes of a file's blob, proved by its id.
    pub(super) fn data(&self, id: &DataId, place: Place) -> Result<Vec<u8>> {
        self.blob(BlobType::Data, id, place)
    }

    /// Fetches a range of a pack at once and keeps it while the answer lives.
    pub(super) fn hold(&self, pack: PackId, start: u32, length: u32) -> Result<Held> {
        let doing = || format!("read pack {} of {}", short(&pack), self.address);
        guarded(doing, || {
            self.layer
                .hold(*pack, start, length)
                .map_err(|error| explained(During::Blob, doing(), &self.address, error))
        })
    }

    fn blob(&self, kind: BlobType, id: &Id, place: Place) -> Result<Vec<u8>> {
        let doing = || format!("read {kind} blob {} of {}", short(id), self.address);
        let Place { pack, offset, length, uncompressed } = place;
        let is_tree = kind == BlobType::Tree;
        let sealed = guarded(doing, || {
            self.layer
                .read_partial(FileType::Pack, &pack, is_tree, offset, length)
                .map_err(|error| explained(During::Blob, doing(), &self.address, error))
        })?;
        let bytes = self
            .key
            .unseal(&sealed, uncompressed)
            .map_err(|why| Error::new(ErrorKind::Corrupt, doing(), why).next(problem::check(During::Blob)))?;
        // The pack's own checksum proves the bytes, but not that the index means these.
        if Id::new(Sha256::digest(&bytes).into()) != *id {
            return Err(Error::new(ErrorKind::Corrupt, doing(), "the index points at other bytes")
                .next("run `restic repair index` (`restic rebuild-index` before 0.15), then retry"));
        }
        Ok(bytes)
    }

    fn unindexed(&self, doing: String) -> Error {
        Error::new(ErrorKind::Corrupt, doing, "it is not in the repository's index").next(
            "run `restic repair index` (`restic rebuild-index` before 0.15), then retry; \
             if it is still missing, choose another snapshot",
        )
    }
}

fn short(id: &Id) -> String {
    id.to_hex().as_str().chars().take(8).collect()
}

fn reach(address: &Address, keys: Option<&S3Keys>) -> Result<Layer> {
    let failed = |error| explained(During::Opening, format!("reach {address}"), address, error);
    let inner: Arc<dyn WriteBackend> = match address {
        Address::Local(path) => {
            readable_folder(address, Path::new(path))?;
            Arc::new(LocalBackend::new(path, []).map_err(failed)?)
        }
        Address::Rest(url) => {
            let options = [("retry", "3"), ("timeout", "2m")].map(|(key, value)| (key.to_owned(), value.to_owned()));
            Arc::new(RestBackend::new(url, options).map_err(failed)?)
        }
        Address::S3(bucket) => Arc::new(S3Backend::new(bucket, keys)?),
    };
    let folder = if let Address::Local(path) = address { Some(PathBuf::from(path)) } else { None };
    Ok(Layer::new(inner, folder))
}

/// rustic takes a folder that it may not look into for one without a repository.
fn readable_folder(address: &Address, path: &Path) -> Result<()> {
    match std::fs::File::open(path.join("config")) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let why = if path.exists() { "the folder holds no restic repository" } else { "there is no such folder" };
            Err(Error::new(ErrorKind::NotFound, format!("open the repository {address}"), why)
                .next("check the path; a repository holds a file named config and a folder named data"))
        }
        Err(error) => Err(Error::io(format!("open the repository {address}"), error)),
    }
}
