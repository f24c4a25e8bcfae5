use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::RunFolder;
use super::private_file::open_private;

/// What goes on in a run at this moment, in a file beside the journal for those who watch: whom its holder waits for,
/// or how far its tasks have come. It is no event: nothing depends on it, it is not made durable, and it goes with its
/// writer. Of a killed one it is left behind: believe it of a run that is held, and no other.
pub struct Present {
    path: PathBuf,
    told: BTreeMap<String, String>,
    /// At most so often; always without one.
    every: Option<Duration>,
    written: Option<Instant>,
    is_there: bool,
}

const MAX_BYTES: u64 = 64 * 1024;
/// Who watches sees no more of them at once.
const MOST_TASKS: usize = 64;
const SELDOM: Duration = Duration::from_secs(1);

impl Present {
    /// Whom a process waits for that holds the run now: nobody yet.
    pub fn waits(folder: &RunFolder) -> Self {
        Self::begin(folder.waits_file(), None)
    }

    /// How far the tasks have come, at most once a second.
    pub fn progress(folder: &RunFolder) -> Self {
        Self::begin(folder.progress_file(), Some(SELDOM))
    }

    fn begin(path: PathBuf, every: Option<Duration>) -> Self {
        let mut present = Self { path, told: BTreeMap::new(), every, written: None, is_there: true };
        present.write();
        present.written = None;
        present
    }

    /// Words about a component or a task; without words there is nothing to tell of it any more.
    pub fn tell(&mut self, of: &str, words: Option<&str>) {
        match words {
            Some(_) if self.every.is_some() && self.told.len() >= MOST_TASKS && !self.told.contains_key(of) => return,
            Some(words) => drop(self.told.insert(of.to_owned(), words.to_owned())),
            None if self.told.remove(of).is_none() => return,
            None => {}
        }
        let is_due = self.every.zip(self.written).is_none_or(|(every, written)| written.elapsed() >= every);
        if is_due || (self.told.is_empty() && self.is_there) {
            self.write();
        }
    }

    fn write(&mut self) {
        let written = match self.told.is_empty() {
            true => removed(&self.path),
            false => replaced(&self.path, &self.told),
        };
        (self.is_there, self.written) = (!self.told.is_empty(), Some(Instant::now()));
        if let Err(error) = written {
            tracing::debug!(target: "journal", "who watches is not told what goes on: {error}");
        }
    }
}

impl Drop for Present {
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
        let mut waits = Present::waits(&folder);
        assert_eq!(folder.waits(), BTreeMap::new());
        waits.tell("realm", Some("Keycloak asks to wait 4 s"));
        waits.tell("hub", Some("slow down"));
        waits.tell("hub", None);
        assert_eq!(folder.waits(), BTreeMap::from([("realm".to_owned(), "Keycloak asks to wait 4 s".to_owned())]));
        drop(waits);
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is left in the folder");
    }

    #[test]
    fn how_far_tasks_are_is_written_seldom_and_goes_with_the_last_of_them() {
        let root = tempfile::tempdir().unwrap();
        let (folder, _) = RunFolder::create(&StateFolder::at(root.path()), "one").unwrap();
        let mut progress = Present::progress(&folder);
        progress.tell("17", Some("writing 1 of 2 files"));
        progress.tell("17", Some("writing 2 of 2 files"));
        let first = BTreeMap::from([("17".to_owned(), "writing 1 of 2 files".to_owned())]);
        assert_eq!(folder.progress(), first, "not twice in a second");
        progress.tell("17", None);
        assert_eq!(folder.progress(), BTreeMap::new());
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
