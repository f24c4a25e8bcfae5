#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rekindle::model::Secret;
use rekindle::stores::restic::{Config, ResticStore, SnapshotChoice};

pub const PASSWORD: &str = "correct horse";

/// A repository that the installed restic writes, in a folder of its own.
pub struct Repository {
    folder: tempfile::TempDir,
    compression: &'static str,
}

/// How one `restic backup` is called.
#[derive(Clone, Copy)]
pub struct Backup<'a> {
    pub host: &'a str,
    pub tags: &'a [&'a str],
    /// As restic takes it: `2026-01-31 03:00:00`, local time.
    pub time: &'a str,
}

impl Default for Backup<'_> {
    fn default() -> Self {
        Self { host: "mars", tags: &[], time: "2026-01-31 03:00:00" }
    }
}

impl Repository {
    pub fn init(version: u8, compression: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Self { folder, compression };
        made.restic(&["init", "--repository-version", &version.to_string()]);
        made
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// Runs restic and demands that it succeeds.
    pub fn restic(&self, arguments: &[&str]) -> Output {
        let output = self.try_restic(arguments);
        assert!(output.status.success(), "restic {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    pub fn try_restic(&self, arguments: &[&str]) -> Output {
        Command::new("restic")
            .args(arguments)
            .arg("--no-cache")
            .args((self.compression != "default").then(|| format!("--compression={}", self.compression)))
            .env("RESTIC_REPOSITORY", self.path())
            .env("RESTIC_PASSWORD", PASSWORD)
            .env("TZ", "UTC")
            .output()
            .expect("restic is not installed: run tests/run, or tests/services/restic.sh install")
    }

    /// Backs a directory up under its absolute path; answers the snapshot's id.
    pub fn backup(&self, source: &Path, how: Backup<'_>) -> String {
        let mut arguments = vec!["backup", "--json", "--host", how.host, "--time", how.time];
        how.tags.iter().for_each(|tag| arguments.extend(["--tag", tag]));
        arguments.push(source.to_str().unwrap());
        let output = self.restic(&arguments);
        let said = String::from_utf8(output.stdout).unwrap();
        let summary: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        summary["snapshot_id"].as_str().unwrap().to_owned()
    }

    pub fn config(&self) -> Config {
        config(self.path().to_str().unwrap())
    }

    pub fn open(&self) -> rekindle::model::Result<ResticStore> {
        ResticStore::open(&self.config())
    }

    /// The files of one kind: `data`, `index`, `snapshots`, `keys`; sorted.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        fn below(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() { below(&entry.path(), found) } else { found.push(entry.path()) }
            }
        }
        let mut found = Vec::new();
        below(&self.path().join(folder), &mut found);
        found.sort();
        found
    }

    /// Changes a file of the repository, which restic writes read-only.
    pub fn damage(&self, file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = std::fs::read(file).unwrap();
        change(&mut bytes);
        std::fs::remove_file(file).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
}

pub fn config(repository: &str) -> Config {
    Config {
        repository: repository.to_owned(),
        password: Secret::new(PASSWORD),
        keys: None,
        snapshot: SnapshotChoice::default(),
        owners: Default::default(),
        cache: None,
    }
}
