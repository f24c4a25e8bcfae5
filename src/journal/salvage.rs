use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::model::{Error, ErrorKind, Result};

/// A copy of a cut database, filled up with zeros to the size that its header names: SQLite refuses the cut file
/// as a whole, of the copy it reads what is there. The original is not touched.
pub(super) struct Salvaged {
    _folder: TempDir,
    pub(super) path: PathBuf,
}

/// No journal is larger; the zeros take no space.
const MAX_BYTES: u64 = 64 * 1024 * 1024 * 1024;

/// `None` where nothing is cut off.
pub(super) fn salvage(journal: &Path) -> Result<Option<Salvaged>> {
    let doing = || format!("save what is left of {}", journal.display());
    let fail = |error| Error::io(doing(), error);
    let Some(whole) = named_size(journal).map_err(fail)? else { return Ok(None) };
    let found = std::fs::metadata(journal).map_err(fail)?.len();
    if found >= whole {
        return Ok(None);
    }
    if whole > MAX_BYTES {
        return Err(Error::new(ErrorKind::Invalid, doing(), "its header names more than 64 GiB"));
    }
    let folder = tempfile::tempdir().map_err(fail)?;
    let path = folder.path().join("journal.db");
    for suffix in ["", "-wal"] {
        let with = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        if with(journal).exists() {
            std::fs::copy(with(journal), with(&path)).map_err(fail)?;
        }
    }
    OpenOptions::new().write(true).open(&path).and_then(|copy| copy.set_len(whole)).map_err(fail)?;
    Ok(Some(Salvaged { _folder: folder, path }))
}

/// Page size times page count: bytes 16-17 and 28-31 of the SQLite file header.
fn named_size(journal: &Path) -> std::io::Result<Option<u64>> {
    let mut header = [0; 100];
    match File::open(journal)?.read_exact_at(&mut header, 0) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65536,
        size => size,
    };
    Ok(Some(page * u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]))))
}
