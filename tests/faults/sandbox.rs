//! Three users, their backup in a repository that the real restic wrote, damage, and the built binary beside it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use rekindle::model::{Entry, NodeKind};

use crate::nodes::{comparable, on_disk};

pub const PASSWORD: &str = "correct horse";
pub const USERS: [&str; 3] = ["ana", "bob", "cyd"];

/// Made once for all stories: the backup, and what is live after the damage.
struct Pattern(tempfile::TempDir);

impl Pattern {
    fn get() -> &'static Path {
        static PATTERN: OnceLock<Pattern> = OnceLock::new();
        PATTERN.get_or_init(Self::make).0.path()
    }

    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |below: &str| folder.path().join(below);
        for user in USERS {
            settle(&at("truth"), user);
        }
        sh(folder.path(), "cp -a truth live; restic init -q; restic backup -q --no-cache truth");
        strike(&at("live"));
        Self(folder)
    }
}

fn settle(platform: &Path, user: &str) {
    let home = platform.join("home").join(user);
    fs::create_dir_all(home.join("projects/deep")).unwrap();
    fs::create_dir_all(platform.join("accounts")).unwrap();
    fs::write(home.join("notes.txt"), format!("notes of {user}\n")).unwrap();
    fs::write(home.join("projects/model.py"), format!("print('{user}')\n").repeat(300)).unwrap();
    fs::hard_link(home.join("projects/model.py"), home.join("projects/deep/same.py")).unwrap();
    fs::write(home.join("key"), "secret").unwrap();
    symlink("notes.txt", home.join("current")).unwrap();
    let script = "truncate -s 100000 hole; setfattr -n user.note -v kept notes.txt; chmod 600 key; chmod 750 projects; chown -hR 1234:1235 .; touch -h -d '2020-02-02 02:02:02.25' current; \
                  find . -type f | xargs touch -d '2021-03-04 05:06:07.5'; \
                  touch -d 2022-01-01 projects/deep projects .";
    sh(&home, script);
    let account = format!("# {user}\nname: {user}\nquota: 10 # GB\nroles:\n- editor\n");
    fs::write(platform.join("accounts").join(format!("{user}.yaml")), account).unwrap();
}

/// A missing home, changed and lost files, a wrong mode, an unlinked pair, a wrong link; two wrong accounts.
fn strike(platform: &Path) {
    let script = "rm -r home/ana; cd home/bob; echo scribble > notes.txt; chmod 644 key; \
                  rm projects/deep/same.py hole; ln -sfn projects current; echo later > later; \
                  cd ../cyd; rm -r projects; rm notes.txt; mkdir notes.txt; \
                  cd ../../accounts; sed -i 's/10/3/' bob.yaml; rm cyd.yaml";
    sh(platform, script);
}

pub fn sh(folder: &Path, script: &str) {
    let output = Command::new("bash")
        .args(["-ec", script])
        .current_dir(folder)
        .env("RESTIC_REPOSITORY", "repository")
        .env("RESTIC_PASSWORD", PASSWORD)
        .env("RESTIC_PROGRESS_FPS", "0")
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

pub struct Sandbox {
    folder: tempfile::TempDir,
    repository: PathBuf,
}

impl Sandbox {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pattern = Pattern::get();
        sh(folder.path(), &format!("cp -a {}/live live", pattern.display()));
        let sandbox = Self { folder, repository: pattern.join("repository") };
        sandbox.password(PASSWORD);
        sandbox.runbook(&sandbox.homes_and_accounts("truth/accounts", "truth/home"));
        sandbox
    }

    /// The same backup as a directory: a sweep of hundreds of runs need not derive hundreds of keys.
    pub fn on_directory() -> Self {
        let sandbox = Self::new();
        let text = fs::read_to_string(sandbox.path("runbook.yaml")).unwrap();
        let folder = sandbox.repository.parent().unwrap().display();
        let restic =
            format!("restic: {folder}/repository, password: {{ file: {}/password }}", sandbox.folder.path().display());
        assert!(text.contains(&restic));
        sandbox.runbook(&text.replace(&restic, &format!("directory: {folder}")));
        sandbox
    }

    /// A backup of its own, a directory, as `script` changes it.
    pub fn with_own_backup(script: &str) -> Self {
        let sandbox = Self::on_directory();
        let pattern = Pattern::get().display().to_string();
        sh(sandbox.folder.path(), &format!("cp -a {pattern}/truth truth; cd truth; {script}"));
        let text = fs::read_to_string(sandbox.path("runbook.yaml")).unwrap();
        sandbox.runbook(&text.replace(&pattern, &sandbox.folder.path().display().to_string()));
        sandbox
    }

    /// A repository of its own, to be damaged.
    pub fn with_own_repository() -> Self {
        let mut sandbox = Self::new();
        sh(sandbox.folder.path(), &format!("cp -a {} repository", sandbox.repository.display()));
        sandbox.repository = sandbox.path("repository");
        sandbox.runbook(&sandbox.homes_and_accounts("truth/accounts", "truth/home"));
        sandbox
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn repository(&self) -> &Path {
        &self.repository
    }

    pub fn password(&self, password: &str) {
        fs::write(self.path("password"), password).unwrap();
    }

    pub fn runbook(&self, text: &str) {
        fs::write(self.path("runbook.yaml"), text).unwrap();
    }

    /// `restic backup truth` keeps the relative path.
    pub fn homes_and_accounts(&self, accounts: &str, homes: &str) -> String {
        let (repository, root) = (self.repository.display(), self.folder.path().display());
        format!(
            "rekindle: 1\n\
             title: Faults\n\
             sources:\n\
             \x20 accounts-backup: {{ restic: {repository}, password: {{ file: {root}/password }}, format: documents }}\n\
             \x20 homes-backup: {{ restic: {repository}, password: {{ file: {root}/password }}, format: files }}\n\
             components:\n\
             \x20 accounts: {{ documents: {root}/live/accounts }}\n\
             \x20 homes: {{ files: {root}/live/home }}\n\
             owners:\n\
             \x20 user: {{ from: homes-backup, below: {homes} }}\n\
             steps:\n\
             \x20 - {{ id: account, each: user, restore: accounts, from: accounts-backup, below: {accounts} }}\n\
             \x20 - {{ id: home, each: user, needs: [account], restore: homes, from: homes-backup, below: '{homes}/${{user}}' }}\n"
        )
    }

    /// The built binary with this sandbox's state.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.around(&[env!("CARGO_BIN_EXE_rekindle")], arguments)
    }

    /// The same below `strace` or another wrapper, whose words come first.
    pub fn around(&self, wrapper: &[&str], arguments: &[&str]) -> Command {
        let (program, words) = wrapper.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(words).args(arguments).current_dir(self.folder.path());
        command.env("REKINDLE_STATE", self.path("state")).env("HOME", self.folder.path()).stdin(Stdio::null());
        command.env_remove("FAILPOINTS").env("RAYON_NUM_THREADS", "1");
        command
    }

    pub fn rekindle(&self, arguments: &[&str]) -> Told {
        Told::of(self.command(arguments).output().unwrap())
    }

    pub fn run(&self) -> Told {
        self.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"])
    }

    pub fn resume(&self) -> Told {
        self.rekindle(&["resume", "--plain", "--yes", "--yes-deletes"])
    }

    pub fn undo(&self) -> Told {
        self.rekindle(&["undo", "--yes", "--yes-deletes"])
    }

    /// Bytes are compared by their hash through `sum`; accounts without their times, for they are rewritten.
    pub fn live(&self) -> Live {
        let (homes, accounts) = (self.path("live/home"), self.path("live/accounts"));
        let mut entries: Vec<Entry> =
            on_disk(&homes).into_iter().filter(|entry| !entry.path.as_bytes().starts_with(b".rekindle")).collect();
        // A directory whose time was never set has that of its last change: another at every run.
        let recent = |entry: &&mut Entry| entry.is_directory() && entry.meta.times.mtime_s > 1_700_000_000;
        entries.iter_mut().filter(recent).for_each(|entry| entry.meta.times = Default::default());
        // A file whose only other name is the one that an interrupted undo still keeps: it goes when the run is closed.
        let links: Vec<Option<u64>> = entries.iter().map(|entry| link(&entry.kind)).collect();
        for entry in &mut entries {
            if let NodeKind::File { link: link @ Some(_), .. } = &mut entry.kind
                && links.iter().filter(|other| **other == *link).count() == 1
            {
                *link = None;
            }
        }
        let mut files: Vec<(String, u32, Vec<u8>)> = Vec::new();
        for entry in entries.iter().filter(|entry| matches!(entry.kind, NodeKind::File { .. })) {
            let path = homes.join(std::ffi::OsStr::from_bytes(entry.path.as_bytes()));
            files.push((entry.path.to_string(), 0, fs::read(path).unwrap()));
        }
        for entry in fs::read_dir(&accounts).unwrap() {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            let owner = format!("{}:{}:{}", entry.file_name().display(), meta.uid(), meta.gid());
            files.push((owner, meta.permissions().mode(), fs::read(entry.path()).unwrap()));
        }
        files.sort();
        Live { entries: comparable(entries), files }
    }

    /// What an undisturbed run leaves.
    pub fn undisturbed() -> &'static Live {
        static LIVE: OnceLock<Live> = OnceLock::new();
        LIVE.get_or_init(|| {
            let sandbox = Self::new();
            sandbox.run().exits(0);
            sandbox.live()
        })
    }

    pub fn has_a_run(&self) -> bool {
        fs::read_dir(self.path("state/runs")).is_ok_and(|mut runs| runs.next().is_some())
    }

    pub fn report(&self) -> serde_json::Value {
        let told = self.rekindle(&["report", "--json"]);
        serde_json::from_str(&told.out).unwrap_or_else(|error| panic!("{error}: {told:?}"))
    }

    pub fn status(&self, task: &str) -> String {
        let report = self.report();
        let tasks = report["tasks"].as_array().unwrap();
        tasks.iter().find(|one| one["task"] == task).unwrap()["status"].as_str().unwrap().to_owned()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    entries: Vec<Entry>,
    /// Name, mode, bytes.
    files: Vec<(String, u32, Vec<u8>)>,
}

fn link(kind: &NodeKind) -> Option<u64> {
    match kind {
        NodeKind::File { link, .. } => *link,
        _ => None,
    }
}

impl Live {
    /// An undo changes directories, and leaves them the time of that.
    pub fn but_directory_times(mut self) -> Self {
        let directories = self.entries.iter_mut().filter(|entry| entry.is_directory());
        directories.for_each(|entry| entry.meta.times = Default::default());
        self
    }

    /// Every difference, for a failed test's words.
    pub fn differs(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let entries = self.entries.iter().filter(|one| !other.entries.contains(one)).map(|one| format!("has {one:?}"));
        found.extend(entries);
        let lacks = other.entries.iter().filter(|one| !self.entries.contains(one)).map(|one| format!("lacks {one:?}"));
        found.extend(lacks);
        let files = self.files.iter().filter(|one| !other.files.contains(one));
        found
            .extend(files.map(|(name, mode, bytes)| format!("has {name} {mode:o} {}", String::from_utf8_lossy(bytes))));
        let files = other.files.iter().filter(|one| !self.files.contains(one));
        found.extend(
            files.map(|(name, mode, bytes)| format!("lacks {name} {mode:o} {}", String::from_utf8_lossy(bytes))),
        );
        found
    }
}

#[track_caller]
pub fn same(live: &Live, wanted: &Live, when: &str) {
    let differs = live.differs(wanted);
    assert!(differs.is_empty(), "{when}: {differs:#?}");
}

#[derive(Debug)]
pub struct Told {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Told {
    pub fn of(output: Output) -> Self {
        let text = |raw: Vec<u8>| String::from_utf8_lossy(&raw).into_owned();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// On either stream.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "{text:?} is not in {}\n{}", self.out, self.err);
        self
    }
}
