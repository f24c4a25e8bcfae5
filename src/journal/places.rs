use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::model::{Error, ErrorKind, Result};

/// The files of a run that are written, and where they were when they were opened. A file that is removed or replaced
/// takes every write and keeps none of it, so a commit counts only while each is still in its place.
pub(super) struct Places(Vec<Place>);

struct Place {
    path: PathBuf,
    /// Device and inode; none for a file that is made with the first commit.
    found: Option<(u64, u64)>,
}

impl Places {
    /// A database, its log, and what is needed to read them later.
    pub(super) fn of(database: &Path, others: &[PathBuf]) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let paths = [database.to_owned(), PathBuf::from(log)].into_iter().chain(others.iter().cloned());
        Self(paths.map(|path| Place { found: inode(&path).ok(), path }).collect())
    }

    /// Whether all are where they were.
    pub(super) fn check(&mut self) -> Result<()> {
        for Place { path, found } in &mut self.0 {
            let now = inode(path);
            match (&now, &found) {
                (Ok(now), Some(found)) if now == found => {}
                (Ok(now), None) => *found = Some(*now),
                _ => {
                    let why = match now {
                        Ok(_) => "another file is in its place".to_owned(),
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "it was removed".to_owned(),
                        Err(error) => error.to_string(),
                    };
                    return Err(Error::new(ErrorKind::NotFound, format!("record the run in {}", path.display()), why)
                        .next(
                            "nothing more is written; find out who took the run's files away. What the run replaced is \
                             still kept below its targets, in .rekindle: 'rekindle plan' names it",
                        ));
                }
            }
        }
        Ok(())
    }
}

fn inode(path: &Path) -> std::io::Result<(u64, u64)> {
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}
