use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{Holder, Keys, Lock};
use crate::model::{Error, ErrorKind, Result, visible};

/// Where runs and their keys are kept: `$REKINDLE_STATE`, else `$XDG_STATE_HOME/rekindle`, else
/// `~/.local/state/rekindle`.
#[derive(Clone, Debug)]
pub struct StateFolder {
    root: PathBuf,
}

impl StateFolder {
    pub fn from_environment() -> Result<Self> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = set("REKINDLE_STATE")
            .or_else(|| set("XDG_STATE_HOME").map(|state| state.join("rekindle")))
            .or_else(|| set("HOME").map(|home| home.join(".local/state/rekindle")));
        root.map(Self::at).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "find a place for runs", "neither REKINDLE_STATE nor HOME is set")
                .next("set REKINDLE_STATE to a folder on a local disk")
        })
    }

    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// One folder a run.
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// What opens the runs' undo stores and proves their journals' ends; apart from the runs, so that a run
    /// can be handed over without it.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Of all runs, oldest first by name; a folder without a journal is none.
    pub fn list(&self) -> Result<Vec<RunFolder>> {
        let runs = self.runs();
        let doing = || format!("list the runs in {}", runs.display());
        let entries = match std::fs::read_dir(&runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(no_place(doing(), error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Error::io(doing(), error))?;
            if let Some(id) = entry.file_name().to_str()
                && check_id(id).is_ok()
                && entry.path().join("journal.db").is_file()
            {
                found.push(self.folder(id));
            }
        }
        found.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(found)
    }

    /// What digests of secrets are keyed with, in every run and dry run of this state folder.
    pub fn digest_key(&self) -> Result<crate::model::DigestKey> {
        let keys = self.keys();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&keys)
            .map_err(|error| no_place(format!("make the folder {}", keys.display()), error))?;
        Keys::of_digests(&keys.join("digests"))
    }

    /// Those that began, the latest first: of a run that died before its first event nothing is known and nothing was
    /// done. One that somebody holds may begin in this moment.
    pub fn begun(&self) -> Result<impl Iterator<Item = RunFolder>> {
        let began = |folder: &RunFolder| folder.holder().is_some() || !super::ReadJournal::is_unbegun(folder);
        Ok(self.list()?.into_iter().rev().filter(began))
    }

    pub fn latest(&self) -> Result<RunFolder> {
        self.begun()?.next().ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "find the latest run",
                format!("there is none in {}", self.runs().display()),
            )
            .next(match self.kept().iter().find_map(|kept| kept.list().ok()?.pop()) {
                Some(demo) => format!("a demo's run was kept: name it, as in 'rekindle resume {}'", demo.id),
                None => "start one with 'rekindle run RUNBOOK'".to_owned(),
            })
        })
    }

    /// The run of that name, or the one whose name begins so.
    pub fn named(&self, name: &str) -> Result<RunFolder> {
        const MOST_NAMED: usize = 12;
        check_id(name)?;
        let exact = self.folder(name);
        if exact.journal().is_file() {
            return Ok(exact);
        }
        let mut found: Vec<RunFolder> = self.list()?.into_iter().filter(|run| run.id.starts_with(name)).collect();
        let doing = format!("open the run {name}");
        // Of demos that were kept, where no run of the operator's own is called so.
        let mut elsewhere: Vec<RunFolder> = match found.is_empty() {
            true => self.kept().iter().flat_map(|kept| kept.list().unwrap_or_default()).collect(),
            false => Vec::new(),
        };
        elsewhere.retain(|run| run.id.starts_with(name));
        match (found.pop(), found.len()) {
            (None, _) if elsewhere.len() == 1 => Ok(elsewhere.remove(0)),
            (None, _) => Err(Error::new(ErrorKind::NotFound, doing, "there is none of that name, and none begins so")
                .next("'rekindle runs' lists them")),
            (Some(run), 0) => Ok(run),
            (Some(run), others) => {
                let others_of = found.into_iter().rev().map(|run| run.id);
                let names: Vec<String> = std::iter::once(run.id).chain(others_of).take(MOST_NAMED).collect();
                let more = if others >= MOST_NAMED { ", …" } else { "" };
                let why = format!("{} runs begin so: {}{more}", others + 1, names.join(", "));
                Err(Error::new(ErrorKind::NotFound, doing, why).next("give more of the name"))
            }
        }
    }

    fn folder(&self, id: &str) -> RunFolder {
        RunFolder { id: id.to_owned(), path: self.runs().join(id), keys: Some(self.root.join("keys")) }
    }
}

/// The folder of one run: `journal.db`, `undo.db`, `log`, `lock`, at times `waits` and `progress`; mode 0700. Its keys lie elsewhere.
#[derive(Clone, Debug)]
pub struct RunFolder {
    id: String,
    path: PathBuf,
    /// None for a folder that was handed over: it can only be read.
    keys: Option<PathBuf>,
}

impl RunFolder {
    /// Makes the folder and its keys, durably. `id` is letters, digits, `-`, `_` and `.`.
    pub fn create(state: &StateFolder, id: &str) -> Result<(Self, Keys)> {
        check_id(id)?;
        let folder = state.folder(id);
        let keys = state.root.join("keys");
        for parent in [&state.runs(), &keys] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)
                .map_err(|error| no_place(format!("make the folder {}", parent.display()), error))?;
        }
        refuse_network(&state.root)?;
        DirBuilder::new().mode(0o700).create(&folder.path).map_err(|error| {
            let doing = format!("make the run's folder {}", folder.path.display());
            match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    Error::new(ErrorKind::Conflict, doing, "there is a run of that name").next("start it again")
                }
                _ => Error::io(doing, error),
            }
        })?;
        let made = Keys::create(&keys.join(format!("{id}.key"))).and_then(|made| {
            let parents = [&folder.path, &state.runs(), &state.root];
            parents.into_iter().try_for_each(|parent| sync_directory(parent)).map(|()| made)
        });
        match made {
            Ok(made) => Ok((folder, made)),
            Err(error) => {
                folder.discard();
                Err(error)
            }
        }
    }

    /// Of a run that could not begin: nobody can do anything with it. What cannot be removed stays.
    pub fn discard(self) {
        let _ = std::fs::remove_dir_all(&self.path);
        for suffix in ["key", "head"] {
            if let Some(keys) = &self.keys {
                let _ = std::fs::remove_file(keys.join(format!("{}.{suffix}", self.id)));
            }
        }
    }

    pub fn open(state: &StateFolder, id: &str) -> Result<Self> {
        check_id(id)?;
        let folder = state.folder(id);
        if folder.journal().is_file() {
            return Ok(folder);
        }
        Err(Error::new(ErrorKind::NotFound, format!("open the run {id}"), "there is none of that name")
            .next("'rekindle runs' lists them"))
    }

    /// A run's folder anywhere, as another operator hands it over: read-only.
    pub fn foreign(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let id = path.file_name().map(|name| visible(name.as_encoded_bytes()).into_owned()).unwrap_or_default();
        let folder = Self { id, path, keys: None };
        if folder.journal().is_file() {
            return Ok(folder);
        }
        Err(Error::new(
            ErrorKind::NotFound,
            format!("open the run in {}", folder.path.display()),
            "it holds no journal.db",
        )
        .next("name the folder of a run, the one that holds its journal.db"))
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.db")
    }

    pub fn undo(&self) -> PathBuf {
        self.path.join("undo.db")
    }

    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    pub fn keys(&self) -> Result<Keys> {
        match self.key_file() {
            Some(file) => Keys::read(&file),
            None => Err(Error::new(
                ErrorKind::Refused,
                format!("use the keys of {}", self.path.display()),
                "this run was not made here, its keys are elsewhere",
            )),
        }
    }

    /// Who writes this run now, if anybody on this machine does.
    pub fn holder(&self) -> Option<Holder> {
        Lock::holder(&self.path.join("lock"))
    }

    /// Which components' servers its holder waits for, and why; asked of a run that somebody holds.
    pub fn waits(&self) -> BTreeMap<String, String> {
        super::present::read(&self.waits_file())
    }

    /// How far its holder's tasks have come, by their numbers; asked of a run that somebody holds.
    pub fn progress(&self) -> BTreeMap<String, String> {
        super::present::read(&self.progress_file())
    }

    pub(super) fn progress_file(&self) -> PathBuf {
        self.path.join("progress")
    }

    pub(super) fn waits_file(&self) -> PathBuf {
        self.path.join("waits")
    }

    /// Refused for a run that was made elsewhere: what it names is not for this machine to use.
    pub fn is_own(&self) -> Result<()> {
        if self.key_file().is_some_and(|key| key.is_file()) {
            return Ok(());
        }
        let doing = format!("go on with the run in {}", self.path.display());
        Err(Error::new(ErrorKind::Refused, doing, "it was not made here, or its keys are gone, and can only be read")
            .next("'rekindle report' shows it; start a new run to restore"))
    }

    /// `now`: milliseconds since 1970, told to whoever comes second.
    pub fn lock(&self, now: i64) -> Result<Lock> {
        self.is_own()?;
        refuse_network(&self.path)?;
        Lock::take(&self.path.join("lock"), now)
    }

    pub(super) fn key_file(&self) -> Option<PathBuf> {
        self.keys.as_ref().map(|keys| keys.join(format!("{}.key", self.id)))
    }

    pub(super) fn head(&self) -> Option<PathBuf> {
        self.keys.as_ref().map(|keys| keys.join(format!("{}.head", self.id)))
    }
}

/// The place for runs is the operator's choice; another may do.
fn no_place(doing: String, error: std::io::Error) -> Error {
    Error::io(doing, error).next("set REKINDLE_STATE to a folder on a local disk that you may write to")
}

fn check_id(id: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !id.is_empty() && id.len() <= 128 && !id.starts_with('.') && id.bytes().all(plain) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Refused,
        format!("use '{}' as a run's name", visible(id)),
        "a run's name is 1 to 128 letters, digits, '-', '_' and '.', and does not begin with '.'",
    )
    .next("'rekindle runs' lists them"))
}

pub(super) fn sync_directory(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| Error::io(format!("make {} durable", path.display()), error))
}

/// File systems of other machines, by the magic numbers of `statfs(2)`: a write-ahead log needs shared
/// memory and locks that they do not give.
fn refuse_network(path: &Path) -> Result<()> {
    const NETWORK: [(u64, &str); 8] = [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x6573_5546, "FUSE"),
        (0x0102_1997, "9P"),
        (0x00c3_6400, "Ceph"),
        (0x5346_414f, "AFS"),
    ];
    let found = rustix::fs::statfs(path)
        .map_err(|error| Error::io(format!("look at the file system of {}", path.display()), error.into()))?;
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, reason = "the field's type differs by platform")]
    let magic = found.f_type as u64 & 0xffff_ffff;
    match NETWORK.iter().find(|(number, _)| *number == magic) {
        None => Ok(()),
        Some((_, name)) => Err(Error::new(
            ErrorKind::Unsupported,
            format!("keep a run in {}", path.display()),
            format!("it is on {name}, where a journal cannot be made safe"),
        )
        .next("set REKINDLE_STATE to a folder on a local disk")),
    }
}
