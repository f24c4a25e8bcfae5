use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use zeroize::Zeroizing;

use crate::model::{DigestKey, Error, ErrorKind, Result};

/// A run's secret: what its pre-images are sealed with. A file of 64 random bytes, outside the run's folder: who
/// is given the folder is not given it. What digests of secrets are keyed with is one for all runs of a state folder,
/// so that a plan that was reviewed has the same digest when it is run.
pub struct Keys {
    bytes: Zeroizing<[u8; 64]>,
}

impl Keys {
    /// Makes new ones; never over existing ones. Durable on return.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 64]);
        getrandom::fill(&mut *bytes)
            .map_err(|error| Error::new(ErrorKind::Io, "draw a run's keys", error.to_string()))?;
        let doing = || format!("write {}", path.display());
        // Under its name it is whole or not there: a full disk or a kill leaves no half a key for every later run.
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{}", std::process::id()));
        let draft = PathBuf::from(draft);
        let written = Self::write(&draft, &bytes)
            .and_then(|()| Ok(renameat_with(CWD, &draft, CWD, path, RenameFlags::NOREPLACE)?))
            .and_then(|()| File::open(path.parent().unwrap_or(path))?.sync_all());
        if let Err(error) = written {
            // A draft that stays is replaced by the next of this name.
            let _ = std::fs::remove_file(&draft);
            return Err(Error::io(doing(), error));
        }
        Ok(Self { bytes })
    }

    fn write(draft: &Path, bytes: &[u8; 64]) -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        let doing = || format!("read the run's key file {}", path.display());
        let mut file = File::open(path).map_err(|error| {
            Error::io(doing(), error).next("without it the run can be read, but neither resumed nor undone")
        })?;
        let found = file.metadata().map_err(|error| Error::io(doing(), error))?;
        if found.mode() & 0o077 != 0 {
            return Err(Error::new(ErrorKind::Refused, doing(), "others may read it").next("chmod 600 it"));
        }
        let mut bytes = Zeroizing::new([0; 64]);
        if found.len() != 64 {
            return Err(Error::new(ErrorKind::Corrupt, doing(), "it is not 64 bytes long"));
        }
        file.read_exact(&mut *bytes).map_err(|error| Error::io(doing(), error))?;
        Ok(Self { bytes })
    }

    /// The state folder's key of digests, made when it is first asked for.
    pub(super) fn of_digests(path: &Path) -> Result<DigestKey> {
        let keys = match Self::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => match Self::create(path) {
                // Another process was faster.
                Err(error) if error.kind() == ErrorKind::Io => Self::read(path)?,
                made => made?,
            },
            read => read?,
        };
        let mut key = [0; 32];
        key.copy_from_slice(&keys.bytes[32..]);
        Ok(DigestKey::new(key))
    }

    pub(super) fn seal_key(&self) -> &[u8] {
        &self.bytes[..32]
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(••••)")
    }
}
