use std::fs::{self, DirBuilder};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use super::StateFolder;
use crate::model::{Digest, Error, Result};

/// More demos than this are not looked into.
const MOST: usize = 1_000;

/// State folders beside the operator's own, of demos that were kept. Each is a file that holds the folder's path.
impl StateFolder {
    /// Notes that runs lie in `other` too.
    pub fn keep(&self, other: &Self) -> Result<()> {
        let doing = || format!("note where runs are kept in {}", self.elsewhere().display());
        let io = |error| Error::io(doing(), error);
        DirBuilder::new().recursive(true).mode(0o700).create(self.elsewhere()).map_err(io)?;
        let path = other.root().as_os_str().as_bytes();
        let name = Digest::of(other.root().to_string_lossy().as_ref()).to_hex();
        fs::write(self.elsewhere().join(&name[..16]), path).map_err(io)
    }

    /// Those that were noted and are still there.
    pub fn kept(&self) -> Vec<Self> {
        let Ok(notes) = fs::read_dir(self.elsewhere()) else { return Vec::new() };
        let paths = notes.take(MOST).filter_map(|note| fs::read(note.ok()?.path()).ok());
        let paths = paths.map(|path| PathBuf::from(std::ffi::OsString::from_vec(path)));
        let mut folders: Vec<PathBuf> = paths.filter(|path| path.is_absolute() && path.join("runs").is_dir()).collect();
        folders.sort();
        folders.into_iter().map(Self::at).collect()
    }

    fn elsewhere(&self) -> PathBuf {
        self.root().join("elsewhere")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_noted_is_found_until_it_is_gone() {
        let ground = tempfile::tempdir().unwrap();
        let (own, demo) = (StateFolder::at(ground.path().join("own")), StateFolder::at(ground.path().join("demo")));
        assert!(own.kept().is_empty());
        fs::create_dir_all(demo.runs()).unwrap();
        own.keep(&demo).unwrap();
        own.keep(&demo).unwrap();
        let kept: Vec<PathBuf> = own.kept().iter().map(|state| state.root().to_owned()).collect();
        assert_eq!(kept, [demo.root()]);
        fs::remove_dir_all(demo.root()).unwrap();
        assert!(own.kept().is_empty());
    }
}
