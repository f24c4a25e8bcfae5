use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::RunFolder;
use super::private_file::open_private;

/// Whom the holder of a run waits for at this moment, in a file beside the journal for those who watch. It is no
/// event: nothing depends on it, it is not made durable, and it goes with its writer. Of a killed one it is left
/// behind: believe it of a run that is held, and no other.
pub struct Waits {
    path: PathBuf,
    told: BTreeMap<String, String>,
}

const MAX_BYTES: u64 = 64 * 1024;

impl Waits {
    /// Of a process that holds the run now: nothing is waited for yet.
    pub fn begin(folder: &RunFolder) -> Self {
        let waits = Self { path: folder.waits_file(), told: BTreeMap::new() };
        waits.write();
        waits
    }

    /// Why a component's server is waited for; without words it takes calls again.
    pub fn tell(&mut self, component: &str, words: Option<&str>) {
        match words {
            Some(words) => drop(self.told.insert(component.to_owned(), words.to_owned())),
            None => drop(self.told.remove(component)),
        }
        self.write();
    }

    fn write(&self) {
        let written = match self.told.is_empty() {
            true => removed(&self.path),
            false => replaced(&self.path, &self.told),
        };
        if let Err(error) = written {
            tracing::debug!(target: "journal", "who watches is not told what is waited for: {error}");
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let _ = removed(&self.path);
    }
}

/// Nothing where the file is not there, or is none of ours.
pub(super) fn read(path: &Path) -> BTreeMap<String, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
    read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn removed(path: &Path) -> std::io::Result<()> {
    std::fs::remove_file(path).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}

/// Whole or not at all, for whoever reads it meanwhile.
fn replaced(path: &Path, told: &BTreeMap<String, String>) -> std::io::Result<()> {
    let made = path.with_extension("new");
    let mut file = open_private(&made)?;
    file.set_len(0)?;
    file.write_all(serde_json::to_string(told).unwrap_or_default().as_bytes())?;
    std::fs::rename(&made, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::StateFolder;

    #[test]
    fn what_is_waited_for_is_there_as_long_as_it_is_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let (folder, _) = RunFolder::create(&StateFolder::at(root.path()), "one").unwrap();
        std::fs::write(folder.waits_file(), r#"{"realm":"left behind by a killed one"}"#).unwrap();
        let mut waits = Waits::begin(&folder);
        assert_eq!(folder.waits(), BTreeMap::new());
        waits.tell("realm", Some("Keycloak asks to wait 4 s"));
        waits.tell("hub", Some("slow down"));
        waits.tell("hub", None);
        assert_eq!(folder.waits(), BTreeMap::from([("realm".to_owned(), "Keycloak asks to wait 4 s".to_owned())]));
        drop(waits);
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is left in the folder");
    }

    #[test]
    fn a_file_that_is_none_of_ours_says_nothing() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("waits");
        for hostile in [&b"\xff\xfe"[..], b"[1]", b"{\"a\":", &[b' '; 100_000]] {
            std::fs::write(&path, hostile).unwrap();
            assert_eq!(read(&path), BTreeMap::new());
        }
    }
}
