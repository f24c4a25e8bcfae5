use std::num::NonZeroU32;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustic_backend::{LocalBackend, RestBackend};
use rustic_core::repofile::{BlobType, PackId, SnapshotFile};
use rustic_core::{
    Credentials, DataId, FileType, Id, OpenStatus, PackedId, ReadBackend, Repository, RepositoryBackends,
    RepositoryOptions, TreeId, WriteBackend,
};
use sha2::{Digest, Sha256};

use super::address::Address;
use super::blob_index::{self, BlobIndex};
use super::layer::{Held, Layer};
use super::listing::{Listing, Listings};
use super::lost_packs::{LostPacks, PacksSeen};
use super::node::{Node, nodes};
use super::problem::{self, During, explained};
use super::quiet::{guarded, guarded_in_pool};
use super::s3::S3Backend;
use super::sealed::SealKey;
use super::sealed_files::SealedFiles;
use super::{Config, S3Keys, Snapshot};
use crate::model::{Error, ErrorKind, Result, TreePath};
use crate::stores::BackedUpOwners;

/// A repository whose index is in memory. Every call into rustic is behind [`guarded`].
pub(super) struct Opened {
    repository: Repository<OpenStatus>,
    index: BlobIndex,
    layer: Arc<Layer>,
    key: SealKey,
    listings: Listings,
    owners: BackedUpOwners,
    packs_seen: PacksSeen,
    pub address: Address,
}

/// A snapshot by its id, its description and its root, or why that cannot be read.
pub(super) type Described = (Id, Result<(Snapshot, TreeId)>);

/// All descriptions of snapshots may unpack to this: a million of them with a few paths each.
const MOST_OF_SNAPSHOTS: u64 = 512 * 1024 * 1024;
/// A chunk of a file is 8 MiB at most as restic cuts it; a directory of half a million files needs this.
const MOST_OF_A_BLOB: u32 = 256 * 1024 * 1024;

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
    pub(super) fn open(config: &Config) -> Result<(Self, Vec<Described>)> {
        let address = Address::parse(&config.repository)?;
        let layer = guarded(|| format!("reach {address}"), || reach(&address, config.keys.as_ref()).map(Arc::new))?;
        let backends = RepositoryBackends::new(Arc::clone(&layer) as Arc<dyn WriteBackend>, None);
        let mut options = RepositoryOptions::default();
        options.no_cache = config.cache.is_none();
        options.cache_dir = config.cache.clone();
        let credentials = Credentials::password(config.password.expose());

        let doing = || format!("open the repository {address}");
        let repository = guarded_in_pool(doing, || {
            Repository::new(&options, &backends)
                .and_then(|repository| repository.open(&credentials))
                .map_err(|error| explained(During::Opening, doing(), &address, error))
        })?;
        let key = SealKey::new(&repository.key()).ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, doing(), "its key has not the length that the format fixes")
                .next("run `restic check`")
        })?;
        let files = |during, most| SealedFiles { layer: &layer, key: &key, address: &address, during, most };
        let described = files(During::Snapshots, MOST_OF_SNAPSHOTS).read_all(FileType::Snapshot, &|id, bytes| {
            let file: SnapshotFile = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
            let mut snapshot = Snapshot::of(&file);
            id.to_hex().as_str().clone_into(&mut snapshot.id);
            Ok((snapshot, file.tree))
        })?;
        let index = BlobIndex::read(&files(During::Index, blob_index::MOST_UNPACKED))?;
        let (listings, owners) = (Listings::default(), BackedUpOwners::new(config.owners));
        let packs_seen = PacksSeen::default();
        Ok((Self { repository, index, layer, key, listings, owners, packs_seen, address }, described))
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
        let listing = Arc::new(Listing::new(nodes, &self.owners)?);
        self.listings.keep(*id, &listing);
        Ok(listing)
    }

    pub(super) fn owners(&self) -> &BackedUpOwners {
        &self.owners
    }

    /// The directories on the way to `at`, the root first.
    pub(super) fn listings_above(&self, root: &TreeId, at: &TreePath) -> Result<Vec<Arc<Listing>>> {
        let mut listings = vec![self.listing(root)?];
        for part in at.parent().unwrap_or_default().parts() {
            let subtree = listings.last().and_then(|listing| listing.find(part)).and_then(|node| node.subtree);
            let Some(subtree) = subtree else { break };
            listings.push(self.listing(&subtree)?);
        }
        Ok(listings)
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

    /// Packs of the index that are missing or cut, as the place where the repository is lists them now and then.
    pub(super) fn lost_packs(&self) -> Arc<LostPacks> {
        let listed = || {
            let doing = || format!("list the packs of {}", self.address);
            guarded(doing, || {
                let listed = self.layer.list_with_size(FileType::Pack);
                listed.map_err(|error| explained(During::Index, doing(), &self.address, error))
            })
        };
        self.packs_seen.lost(&self.index, listed)
    }

    pub(super) fn place<I: PackedId + Deref<Target = Id>>(&self, id: &I) -> Result<Place> {
        let doing = || format!("find blob {} of {}", short(id), self.address);
        self.index.find(I::TYPE, id).ok_or_else(|| self.unindexed(doing()))
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
        let most = uncompressed.map_or(0, NonZeroU32::get).max(length);
        if most > MOST_OF_A_BLOB {
            let why = format!("the index says that it is {most} bytes long, more than {MOST_OF_A_BLOB}");
            return Err(Error::new(ErrorKind::Refused, doing(), why)
                .next("choose another snapshot; no restic writes such a blob"));
        }
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
