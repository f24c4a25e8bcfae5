use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::private_file::open_private;
use crate::model::{Digest, Error, Result};

/// Number and link of the last durable event, kept outside the run's folder: a journal whose tail was
/// cut off still chains, this tells. Written after each commit without waiting for the disk, so it
/// survives a kill, and after a loss of power it names an older event, never a newer one.
pub(super) struct HeadFile {
    file: File,
}

impl HeadFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = open_private(path).map_err(|error| Error::io(format!("open {}", path.display()), error))?;
        Ok(Self { file })
    }

    /// What the file names, if it can be read.
    pub(super) fn read(path: &Path) -> Option<(u64, Digest)> {
        let mut bytes = [0; 85];
        File::open(path).ok()?.read_exact_at(&mut bytes, 0).ok()?;
        let (seq, link) = std::str::from_utf8(&bytes).ok()?.split_once(' ')?;
        Some((seq.parse().ok()?, Digest::from_bytes(*blake3::Hash::from_hex(link).ok()?.as_bytes())))
    }

    pub(super) fn write(&self, seq: u64, link: &Digest) -> std::io::Result<()> {
        self.file.write_all_at(format!("{seq:020} {link}\n").as_bytes(), 0)
    }

    pub(super) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_all()
    }
}
