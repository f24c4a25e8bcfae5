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

    /// Many users whose accounts have lost the same role, but one who has lost another; and every home its data.
    pub fn alike(users: &[&str], other: &str) -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap(), repository: Repository::init(2, "default") };
        std::fs::create_dir(made.path("accounts")).unwrap();
        for user in users {
            std::fs::create_dir_all(made.home(user)).unwrap();
            let mut table = vec![0; 60_000];
            blake3::Hasher::new().update(user.as_bytes()).finalize_xof().fill(&mut table);
            std::fs::write(made.home(user).join("table"), table).unwrap();
            std::fs::write(made.account(user), format!("name: {user}\nroles: [read, write]\n")).unwrap();
        }
        made.repository.backup(&made.path(""), Backup::default());
        for user in users {
            let kept = if *user == other { "write" } else { "read" };
            std::fs::write(made.account(user), format!("name: {user}\nroles: [{kept}]\n")).unwrap();
            std::fs::remove_file(made.home(user).join("table")).unwrap();
        }
        std::fs::write(made.path("runbook.yaml"), made.runbook()).unwrap();
        let (root, repository) = (made.path(""), made.repository.path());
        let (root, repository) = (root.display(), repository.display());
        let runbook = format!(
            "rekindle: 1\ntitle: Accounts\nsources:\n  homes:\n    restic: {repository}\n    \
             password: {{ env: RESTIC_PASSWORD }}\n    format: files\n  saved:\n    restic: {repository}\n    \
             password: {{ env: RESTIC_PASSWORD }}\n    format: documents\ncomponents:\n  accounts:\n    \
             documents: {root}accounts\n    schema: {{ fields: {{ roles: {{ set: true }} }} }}\n\
             owners:\n  user: {{ from: homes, below: \"{root}home\" }}\nsteps:\n  - id: account\n    each: user\n    \
             restore: accounts\n    from: saved\n    below: \"{root}accounts\"\n"
        );
        std::fs::write(made.path("accounts.yaml"), runbook).unwrap();
        made
    }

    pub fn account(&self, user: &str) -> PathBuf {
        self.path("accounts").join(format!("{user}.yaml"))
    }

    /// What is on record of the latest run, one event a line.
    pub fn record(&self) -> String {
        let mut watch = std::process::Command::new(env!("CARGO_BIN_EXE_rekindle"));
        let told = watch.args(["watch", "--once"]).env("REKINDLE_STATE", self.path("state")).output().unwrap();
        String::from_utf8(told.stdout).unwrap()
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
        self.start(env!("CARGO_BIN_EXE_rekindle"), arguments)
    }

    /// A shell with jobs, without anybody's own settings.
    pub fn shell(&self) -> Terminal {
        self.start("bash", &["--noprofile", "--norc", "-i"])
    }

    fn start(&self, program: &str, arguments: &[&str]) -> Terminal {
        let environment = self.environment();
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
        Terminal::start(program, arguments, &environment, self.folder.path())
    }

    pub fn environment(&self) -> [(&'static str, std::ffi::OsString); 5] {
        let state = self.path("state");
        let (config, pager) = (self.path("config"), self.path("pager"));
        [
            ("RESTIC_PASSWORD", PASSWORD.into()),
            ("REKINDLE_STATE", state.into()),
            ("XDG_CONFIG_HOME", config.into()),
            ("REKINDLE_PAGER", "".into()),
            ("PAGER", pager.into()),
        ]
    }

    /// The operator's own keys.
    pub fn keys(&self, text: &str) {
        std::fs::create_dir_all(self.path("config/rekindle")).unwrap();
        std::fs::write(self.path("config/rekindle/keys.toml"), text).unwrap();
    }

    /// A pager that shows all and waits for a line.
    pub fn pager(&self) {
        self.pager_that("cat \"$1\"; ls -l \"$1\"; read -r line");
    }

    pub fn pager_that(&self, does: &str) {
        use std::os::unix::fs::PermissionsExt;
        let pager = self.path("pager");
        std::fs::write(&pager, format!("#!/bin/sh\n{does}\n")).unwrap();
        std::fs::set_permissions(pager, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A runbook of one command that takes ten minutes and has a child.
    pub fn slow_command(&self) -> SlowCommand {
        let told = self.path("command.pid");
        let shell = format!("echo $$ > {0}.new; mv {0}.new {0}; sleep 600; true", told.display());
        let text = format!("rekindle: 1\ntitle: Slow\nsteps:\n  - {{ id: slow, run: [sh, -c, '{shell}'] }}\n");
        std::fs::write(self.path("slow.yaml"), text).unwrap();
        SlowCommand { told }
    }

    /// In place of the packs with the files' bytes, pipes that nobody writes into: who reads one waits.
    pub fn hang_packs(&self) -> Lost {
        let lost = self.lose_packs();
        for (pack, _) in &lost.0 {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(rustix::fs::CWD, pack, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        }
        lost
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

/// As the process itself says.
pub struct SlowCommand {
    told: PathBuf,
}

impl SlowCommand {
    /// Of its process group, those that live, children among them.
    pub fn processes(&self) -> Vec<String> {
        let Ok(group) = std::fs::read_to_string(&self.told) else { return Vec::new() };
        let folders = std::fs::read_dir("/proc").unwrap().flatten();
        let stats = folders.filter_map(|folder| std::fs::read_to_string(folder.path().join("stat")).ok());
        let is_alive = |stat: &String| {
            // Behind the name, which may hold anything: state, parent, group.
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
            fields.get(2) == Some(&group.trim()) && !matches!(fields[0], "Z" | "X")
        };
        stats.filter(is_alive).collect()
    }
}

pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
