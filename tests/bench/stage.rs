//! One tree of many files in a restic repository, and the commands that restore it to a file system of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::measure::{make_tree, root as measure_root, scratch};

pub struct Stage {
    pub scratch: PathBuf,
    pub tree: PathBuf,
    /// As restic writes it.
    pub repository: String,
    pub password: PathBuf,
    runbook: PathBuf,
    /// What every command is given.
    environment: Vec<(&'static str, &'static str)>,
}

/// Room for 100,000 files.
const IMAGE_BYTES: u64 = 6 << 30;

impl Stage {
    /// `repository` below the scratch folder, or an address.
    pub fn new(name: &str, repository: &str, environment: &[(&'static str, &'static str)], files: usize) -> Self {
        unmount(&measure_root(name).join("target"));
        let scratch = scratch(name);
        let tree = scratch.join("source/ana");
        make_tree(&tree, files);
        let repository = match repository.split_once(':') {
            Some(_) => repository.to_owned(),
            None => scratch.join(repository).to_str().expect("a plain path").to_owned(),
        };
        let password = scratch.join("password");
        fs::write(&password, "bench").expect("a password file");
        let runbook = scratch.join("bench.yaml");
        let environment = environment.to_vec();
        let stage = Self { scratch, tree, repository, password, runbook, environment };
        fs::write(&stage.runbook, stage.runbook_text()).expect("a runbook");
        for words in [vec!["init"], vec!["backup", stage.tree.to_str().expect("a plain path")]] {
            let status = stage.restic(&words).stdout(Stdio::null()).status();
            assert!(status.as_ref().is_ok_and(|status| status.success()), "restic {words:?}: {status:?}");
        }
        stage
    }

    pub fn homes(&self) -> PathBuf {
        self.target().join("homes")
    }

    /// Where restic restores to, and the tree in it.
    pub fn place(&self) -> PathBuf {
        self.target().join("place")
    }

    pub fn tree_of_restic(&self) -> PathBuf {
        self.place().join(self.tree.strip_prefix("/").expect("an absolute path"))
    }

    /// Where everything is restored to.
    pub fn target(&self) -> PathBuf {
        self.scratch.join("target")
    }

    /// An empty folder on a file system that was made this moment. On one that is used again ext4 steps for minutes over
    /// each inode that was just freed, one by one, and whoever comes next is measured by that. Needs root.
    pub fn empty(&self, folder: PathBuf) -> Box<dyn Fn() + '_> {
        Box::new(move || {
            let (image, target) = (self.scratch.join("image"), self.target());
            unmount(&target);
            let _ = fs::remove_file(&image);
            fs::create_dir_all(&target).expect("a folder to mount at");
            fs::File::create(&image).and_then(|image| image.set_len(IMAGE_BYTES)).expect("an image");
            let made = ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"];
            done(Command::new("mkfs.ext4").args(made).arg(&image));
            done(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&target));
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
        unmount(&self.target());
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

fn unmount(target: &Path) {
    // Mostly nothing is mounted there yet.
    let _ = Command::new("umount").arg(target).stderr(Stdio::null()).status();
}

fn done(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status();
    assert!(status.as_ref().is_ok_and(|status| status.success()), "{command:?}: {status:?}");
}
