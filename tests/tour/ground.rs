use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rekindle::model::{Entry, NodeKind};

use crate::support::nodes::{comparable, make_every_kind, on_disk};
use crate::support::repository::{Backup, PASSWORD, Repository};

/// Two users' homes and accounts, live, their backup, and a place for runs: what the README's tour makes.
pub struct Ground {
    folder: tempfile::TempDir,
    repository: Option<Repository>,
}

/// How one call of the built binary ended.
pub struct Told {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ground {
    /// For what needs no backup.
    pub fn bare() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), repository: None }
    }

    /// `ana` has a node of every kind, `bob` a few plain files.
    pub fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        make_every_kind(&root.join("live/home/ana"));
        fs::create_dir_all(root.join("live/home/bob/notes")).unwrap();
        fs::write(root.join("live/home/bob/.profile"), "umask 077\n").unwrap();
        fs::write(root.join("live/home/bob/notes/today"), "call ana\n").unwrap();
        fs::create_dir_all(root.join("live/accounts")).unwrap();
        for user in ["ana", "bob"] {
            let text = format!("# the account of {user}\nname: {user}\nquota: 10G\ngroups: [users, backup]\n");
            fs::write(root.join(format!("live/accounts/{user}.yaml")), text).unwrap();
        }
        let repository = Repository::init(2, "auto");
        repository.backup(&root.join("live"), Backup::default());
        Self { folder, repository: Some(repository) }
    }

    /// A home gone, a file of another's changed, removed, relinked and added; accounts that say something else.
    pub fn damage(&self) {
        let live = self.live();
        fs::remove_dir_all(live.join("home/bob")).unwrap();
        fs::write(live.join("home/ana/deep/er/still/leaf"), "overwritten\n").unwrap();
        fs::remove_file(live.join("home/ana/sorted/a")).unwrap();
        fs::remove_file(live.join("home/ana/link")).unwrap();
        std::os::unix::fs::symlink("elsewhere", live.join("home/ana/link")).unwrap();
        fs::write(live.join("home/ana/came-later"), "stays\n").unwrap();
        // Odd spacing: an undo of what was said, not of how, would lose it.
        fs::write(
            live.join("accounts/ana.yaml"),
            "# the account of ana\nname:   ana # her\nquota: 1G\ngroups: [users, backup]\n",
        )
        .unwrap();
        fs::write(live.join("accounts/bob.yaml"), "name: bob\nquota: 10G\ngroups:\n- users\n").unwrap();
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn repository(&self) -> PathBuf {
        self.repository.as_ref().unwrap().path()
    }

    pub fn live(&self) -> PathBuf {
        self.path("live")
    }

    /// A runbook of accounts and homes of both users, as in the README.
    pub fn runbook(&self) -> PathBuf {
        let path = self.path("runbook.yaml");
        let text = include_str!("runbook.yaml")
            .replace("REPOSITORY", self.repository().to_str().unwrap())
            .replace("LIVE", self.live().to_str().unwrap());
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs the built binary in the ground's folder and demands that exit code.
    pub fn rekindle(&self, arguments: &[&str], code: i32) -> Told {
        self.answering("", arguments, code)
    }

    /// Likewise, with lines typed at its questions.
    pub fn answering(&self, typed: &str, arguments: &[&str], code: i32) -> Told {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rekindle"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("REKINDLE_STATE", self.path("state"))
            .env("RESTIC_PASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who asks nothing may be gone by now.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |raw: Vec<u8>| String::from_utf8(raw).unwrap();
        let told = Told { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        assert_eq!(told.code, Some(code), "rekindle {arguments:?}\n{}{}", told.out, told.err);
        told
    }

    /// Everything that is live: bytes, kinds, modes, owners, link groups, extended attributes and times.
    pub fn manifest(&self) -> Vec<(Entry, Option<Vec<u8>>)> {
        manifest(&self.live())
    }
}

/// Without the times of directories, which change with what is in them, and of documents: an undo brings their
/// bytes back and is a change of its own time.
pub fn manifest(root: &Path) -> Vec<(Entry, Option<Vec<u8>>)> {
    use std::os::unix::ffi::OsStrExt;
    let reserved = |entry: &Entry| entry.path.parts().any(|part| part == b".rekindle");
    let each = comparable(on_disk(root)).into_iter().filter(|entry| !reserved(entry)).map(|mut entry| {
        let full = root.join(std::ffi::OsStr::from_bytes(entry.path.as_bytes()));
        let bytes = matches!(entry.kind, NodeKind::File { .. }).then(|| fs::read(full).unwrap());
        let is_document = [&b".yaml"[..], b".env"].iter().any(|end| entry.path.as_bytes().ends_with(end));
        if entry.kind == NodeKind::Directory || is_document {
            entry.meta.times = Default::default();
        }
        (entry, bytes)
    });
    each.collect()
}

/// Fails with the first difference alone: whole manifests hold megabytes.
pub fn assert_same(one: &[(Entry, Option<Vec<u8>>)], other: &[(Entry, Option<Vec<u8>>)]) {
    for (one, other) in one.iter().zip(other) {
        assert_eq!(one.0, other.0);
        assert!(one.1 == other.1, "{} holds other bytes", one.0.path);
    }
    assert_eq!(one.len(), other.len(), "one of them holds more");
}

impl Told {
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.out.contains(text), "{text:?} is not in {}", self.out);
        self
    }

    pub fn complains(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "{text:?} is not in {}", self.err);
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {}", self.out))
    }

    /// One JSON value a line, as a followed run prints them.
    pub fn lines(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
