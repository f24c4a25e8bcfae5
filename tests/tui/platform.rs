use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::support::repository::{Backup, PASSWORD, Repository};
use crate::terminal::Terminal;

/// Two users' homes, damaged after a backup by the real restic.
pub struct Platform {
    folder: tempfile::TempDir,
    repository: Repository,
}

pub const NOTES: &str = "one\ntwo\nthree\n";

impl Platform {
    pub fn damaged() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap(), repository: Repository::init(2, "default") };
        for user in ["ana", "bob"] {
            std::fs::create_dir_all(made.home(user).join("data")).unwrap();
            std::fs::write(made.home(user).join("notes.txt"), NOTES).unwrap();
            std::fs::write(made.home(user).join("quota"), "50 GB\n").unwrap();
            // Not to be compressed, so that its pack is larger than those which a plan reads.
            let mut bytes = vec![0; 100_000];
            blake3::Hasher::new().update(user.as_bytes()).finalize_xof().fill(&mut bytes);
            std::fs::write(made.home(user).join("data/table"), bytes).unwrap();
        }
        made.repository.backup(&made.path("home"), Backup::default());
        for user in ["ana", "bob"] {
            std::fs::write(made.home(user).join("notes.txt"), "one\nTWO\nthree\n").unwrap();
            std::fs::write(made.home(user).join("quota"), "5 GB\n").unwrap();
        }
        std::fs::remove_dir_all(made.home("bob").join("data")).unwrap();
        std::fs::write(made.path("runbook.yaml"), made.runbook()).unwrap();
        made
    }

    fn runbook(&self) -> String {
        let (repository, home) = (self.repository.path(), self.path("home"));
        let (repository, home) = (repository.display(), home.display());
        format!(
            "rekindle: 1\ntitle: Homes\nsources:\n  backup:\n    restic: {repository}\n    \
             password: {{ env: RESTIC_PASSWORD }}\n    format: files\ncomponents:\n  homes: {{ files: {home} }}\n\
             owners:\n  user: {{ from: backup, below: \"{home}\" }}\nsteps:\n  - id: home\n    each: user\n    \
             restore: homes\n    from: backup\n    below: \"{home}/${{user}}\"\n"
        )
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn home(&self, user: &str) -> PathBuf {
        self.path("home").join(user)
    }

    pub fn read(&self, user: &str, file: &str) -> String {
        std::fs::read_to_string(self.home(user).join(file)).unwrap()
    }

    /// The built binary on this platform, in a terminal.
    pub fn rekindle(&self, arguments: &[&str]) -> Terminal {
        let state = self.path("state");
        let environment: [(&str, &OsStr); 2] =
            [("RESTIC_PASSWORD", OsStr::new(PASSWORD)), ("REKINDLE_STATE", state.as_os_str())];
        Terminal::start(env!("CARGO_BIN_EXE_rekindle"), arguments, &environment, self.folder.path())
    }

    /// Takes the packs with the files' bytes away; what is answered brings them back.
    pub fn lose_packs(&self) -> Lost {
        let size = |path: &PathBuf| std::fs::metadata(path).unwrap().len();
        let packs = self.repository.files("data").into_iter().filter(|pack| size(pack) > 20_000);
        let moved: Vec<_> =
            packs.map(|pack| (pack.clone(), self.path("lost").join(pack.file_name().unwrap()))).collect();
        assert!(!moved.is_empty());
        std::fs::create_dir_all(self.path("lost")).unwrap();
        moved.iter().for_each(|(from, to)| std::fs::rename(from, to).unwrap());
        Lost(moved)
    }
}

pub struct Lost(Vec<(PathBuf, PathBuf)>);

impl Lost {
    pub fn bring_back(self) {
        self.0.iter().for_each(|(from, to)| std::fs::rename(to, from).unwrap());
    }
}

pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
