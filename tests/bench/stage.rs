//! One tree of 20,000 files in a restic repository, and the commands that restore it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::measure::{make_tree, scratch};

pub struct Stage {
    pub scratch: PathBuf,
    pub tree: PathBuf,
    /// As restic writes it.
    pub repository: String,
    pub password: PathBuf,
    runbook: PathBuf,
    /// What every command is given.
    environment: Vec<(&'static str, &'static str)>,
    /// Former places, kept until the end.
    moved: Cell<u32>,
}

impl Stage {
    /// `repository` below the scratch folder, or an address.
    pub fn new(name: &str, repository: &str, environment: &[(&'static str, &'static str)]) -> Self {
        let scratch = scratch(name);
        let tree = scratch.join("source/ana");
        make_tree(&tree);
        let repository = match repository.split_once(':') {
            Some(_) => repository.to_owned(),
            None => scratch.join(repository).to_str().expect("a plain path").to_owned(),
        };
        let password = scratch.join("password");
        fs::write(&password, "bench").expect("a password file");
        let runbook = scratch.join("bench.yaml");
        let environment = environment.to_vec();
        let stage = Self { scratch, tree, repository, password, runbook, environment, moved: Cell::default() };
        fs::write(&stage.runbook, stage.runbook_text()).expect("a runbook");
        for words in [vec!["init"], vec!["backup", stage.tree.to_str().expect("a plain path")]] {
            let status = stage.restic(&words).stdout(Stdio::null()).status();
            assert!(status.as_ref().is_ok_and(|status| status.success()), "restic {words:?}: {status:?}");
        }
        stage
    }

    pub fn homes(&self) -> PathBuf {
        self.scratch.join("homes")
    }

    /// Where restic restores to, and the tree in it.
    pub fn place(&self) -> PathBuf {
        self.scratch.join("place")
    }

    pub fn tree_of_restic(&self) -> PathBuf {
        self.place().join(self.tree.strip_prefix("/").expect("an absolute path"))
    }

    pub fn empty(&self, folder: PathBuf) -> Box<dyn Fn() + '_> {
        Box::new(move || {
            // Moved, not removed: for minutes ext4 steps over each inode that was just freed, one by one, and
            // whoever comes next would be measured by that.
            self.moved.set(self.moved.get() + 1);
            let _ = fs::rename(&folder, self.scratch.join(format!("moved-{}", self.moved.get())));
            fs::create_dir_all(&folder).expect("an empty folder");
        })
    }

    pub fn rekindle(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command.args(words).arg(&self.runbook).env("XDG_STATE_HOME", self.scratch.join("state"));
        command.envs(self.environment.iter().copied());
        command
    }

    pub fn restic(&self, words: &[&str]) -> Command {
        let mut command = Command::new("restic");
        command.args(["-q", "-r"]).arg(&self.repository).arg("--password-file").arg(&self.password).args(words);
        command.envs(self.environment.iter().copied());
        command
    }

    pub fn restic_restore(&self) -> Command {
        let mut command = self.restic(&["restore", "latest", "--target"]);
        command.arg(self.place());
        command
    }

    fn runbook_text(&self) -> String {
        let above = self.tree.parent().unwrap_or(Path::new("/")).display();
        format!(
            "rekindle: 1\ntitle: bench\nsources:\n  backup:\n    restic: {}\n    password: {{ file: {} }}\n    \
             format: files\ncomponents:\n  homes: {{ files: {} }}\nowners:\n  user: {{ from: backup, below: {above} }}\n\
             steps:\n  - id: home\n    each: user\n    restore: homes\n    from: backup\n    \
             below: {above}/${{user}}\n",
            self.repository,
            self.password.display(),
            self.homes().display(),
        )
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.scratch);
    }
}
