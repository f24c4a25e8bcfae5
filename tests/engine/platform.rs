//! A little platform in a temporary folder, its backup in a directory, and an engine on both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::component::Component;
use rekindle::components::documents::YamlAndJson;
use rekindle::components::files::{FilesComponent, FilesConfig, FilesSource};
use rekindle::document_files::{DocumentFiles, DocumentFilesConfig, DocumentFilesSource};
use rekindle::engine::{Engine, Notice, Restore, Script, When, Work};
use rekindle::journal::{Journal, RunFolder, StateFolder};
use rekindle::model::{
    ApprovalPolicy, ComparePrecision, Digest, Error, ErrorKind, Event, Fidelity, FieldRule, FieldShape, KindSchema,
    Mode, Outputs, Owner, OwnerSet, Recorded, Result, Run, RunHeader, Scope, StepHeader, StepKind, TaskStatus,
    TreePath,
};
use rekindle::reader::Reader;
use rekindle::stores::{DirectoryStore, Store};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::one_step::{new_session, session};

pub const USERS: [&str; 3] = ["ana", "bob", "cyd"];

/// The run "story", as a resume finds it in that folder.
pub fn reopened(
    script: Arc<dyn Script>,
    state: &StateFolder,
    purpose: rekindle::engine::Purpose,
    policy: ApprovalPolicy,
) -> Engine {
    let folder = RunFolder::open(state, "story").unwrap();
    let opened = Journal::open_writer(&folder, 0).unwrap();
    let mut run = Run::default();
    for recorded in &opened.events {
        run.apply(recorded).unwrap();
    }
    session(script, state, folder, opened.journal, policy).resume(run, purpose)
}

pub struct Platform {
    folder: tempfile::TempDir,
    pub mode: Mode,
    pub precision: ComparePrecision,
}

impl Platform {
    /// Backup and live are equal to begin with.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for side in ["backup", "live"] {
            for user in USERS {
                let home = folder.path().join(side).join("home").join(user);
                fs::create_dir_all(home.join("projects")).unwrap();
                fs::write(home.join("notes.txt"), format!("notes of {user}\n")).unwrap();
                fs::write(home.join("projects/x.py"), format!("print('{user}')\n")).unwrap();
                let accounts = folder.path().join(side).join("accounts");
                fs::create_dir_all(&accounts).unwrap();
                let account =
                    format!("# {user}\nname: {user}\nquota: 10 # GB\nroles:\n- editor\npassword: secret-of-{user}\n");
                fs::write(accounts.join(format!("{user}.yaml")), account).unwrap();
            }
        }
        let platform = Self { folder, mode: Mode::Merge, precision: ComparePrecision::Content };
        set_times(&platform.path("backup"));
        set_times(&platform.path("live"));
        platform
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn write(&self, below: &str, text: &str) {
        fs::write(self.path(below), text).unwrap();
    }

    /// Other bytes, as many, with the former time.
    pub fn replace_slyly(&self, below: &str, text: &str) {
        let path = self.path(below);
        let before = fs::metadata(&path).unwrap();
        assert_eq!(before.len(), text.len() as u64);
        fs::write(&path, text).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(before.modified().unwrap()).unwrap();
    }

    pub fn read(&self, below: &str) -> Option<String> {
        fs::read_to_string(self.path(below)).ok()
    }

    /// Every path and content of the live side, rekindle's own area left out.
    pub fn live(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        collect(&self.path("live"), &self.path("live"), &mut found);
        found
    }

    pub fn state(&self) -> StateFolder {
        StateFolder::at(self.path("state"))
    }

    fn script(&self) -> PlatformScript {
        let store: Arc<dyn Store> = Arc::new(DirectoryStore::open(&self.path("backup")).unwrap());
        let rule = |path: &str| FieldRule { path: path.to_owned(), ..FieldRule::default() };
        let schema = KindSchema {
            fields: vec![
                FieldRule { shape: FieldShape::Set, ..rule("roles") },
                FieldRule { secret: true, ..rule("password") },
                FieldRule { fidelity: Fidelity::Irreversible, ..rule("seal") },
            ],
            identity: Some("id".to_owned()),
            ..KindSchema::default()
        };
        let accounts = DocumentFilesConfig {
            syntax: &YamlAndJson,
            root: self.path("live/accounts"),
            owner_field: None,
            schema: schema.clone(),
        };
        let homes = FilesConfig { root: self.path("live/home"), ignore: Vec::new(), setuid: Default::default() };
        PlatformScript {
            accounts: Arc::new(DocumentFiles::new(accounts)),
            account_backup: Arc::new(DocumentFilesSource::new(&YamlAndJson, store.clone(), None, schema)),
            homes: Arc::new(FilesComponent::new(homes)),
            home_backup: Arc::new(FilesSource::new(store, KindSchema::default())),
            mode: self.mode,
            precision: self.precision,
        }
    }

    async fn header(&self, script: &PlatformScript) -> RunHeader {
        let step = |id: &str, needs: &[u16], component: &str| StepHeader {
            each: Some("user".to_owned()),
            needs: needs.to_vec(),
            component: Some(component.to_owned()),
            ..StepHeader::new(id, StepKind::Restore)
        };
        let backup = script.home_backup.identity().await.unwrap();
        RunHeader {
            id: "story".to_owned(),
            title: "a story".to_owned(),
            by: "test@here".to_owned(),
            digest: Some(Digest::of("story")),
            steps: vec![step("account", &[], "accounts"), step("home", &[0], "homes")],
            owners: vec![OwnerSet::new("user", USERS.map(str::to_owned).to_vec())],
            identities: [
                ("accounts".to_owned(), script.accounts.identity().await.unwrap()),
                ("homes".to_owned(), script.homes.identity().await.unwrap()),
                ("backup".to_owned(), backup),
            ]
            .into(),
            ..RunHeader::default()
        }
    }

    pub async fn begin(&self, policy: ApprovalPolicy) -> Follower {
        let script = self.script();
        let header = self.header(&script).await;
        Follower::of(new_session(Arc::new(script), &self.state(), "story", policy).begin(header))
    }

    pub async fn resume(&self, policy: ApprovalPolicy) -> Follower {
        self.resume_for(rekindle::engine::Purpose::GoOn, policy).await
    }

    pub async fn resume_for(&self, purpose: rekindle::engine::Purpose, policy: ApprovalPolicy) -> Follower {
        Follower::of(self.reopen(purpose, policy))
    }

    /// Nothing happens before the engine gets its first request.
    pub fn reopen(&self, purpose: rekindle::engine::Purpose, policy: ApprovalPolicy) -> Engine {
        reopened(Arc::new(self.script()), &self.state(), purpose, policy)
    }
}

fn set_times(root: &Path) {
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            set_times(&path);
        } else {
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).unwrap();
        }
    }
}

fn collect(root: &Path, at: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() == ".rekindle" {
            continue;
        }
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.insert(name, "directory".to_owned());
            collect(root, &path, found);
        } else {
            found.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

struct PlatformScript {
    accounts: Arc<dyn Component>,
    account_backup: Arc<dyn Reader>,
    homes: Arc<dyn Component>,
    home_backup: Arc<dyn Reader>,
    mode: Mode,
    precision: ComparePrecision,
}

impl Script for PlatformScript {
    fn when(&self, _step: usize, _owner: Option<&Owner>, _outputs: Outputs<'_>) -> Result<Option<When>> {
        Ok(None)
    }

    fn work(&self, step: usize, owner: Option<&Owner>, _outputs: Outputs<'_>) -> Result<Work> {
        let owner = owner.ok_or_else(|| Error::new(ErrorKind::Bug, "find the work", "every step is for a user"))?;
        let (source, component, name, below, to) = match step {
            0 => (&self.account_backup, &self.accounts, "accounts", "accounts".to_owned(), String::new()),
            _ => (&self.home_backup, &self.homes, "homes", format!("home/{}", owner.name), owner.name.to_string()),
        };
        Ok(Work::Restore(Restore {
            source_name: "backup".into(),
            source: source.clone(),
            component_name: name.into(),
            component: component.clone(),
            scope: Scope { below: TreePath::new(below)?, to: TreePath::new(to)?, owner: Some(owner.clone()) },
            mode: self.mode,
            precision: self.precision,
        }))
    }

    fn components(&self) -> Vec<(String, Arc<dyn Component>)> {
        vec![("accounts".to_owned(), self.accounts.clone()), ("homes".to_owned(), self.homes.clone())]
    }
}

impl Platform {
    /// Writes into the journal of a run that nobody holds, as a process did that was killed then.
    pub fn append(&self, events: Vec<Event>) {
        let folder = RunFolder::open(&self.state(), "story").unwrap();
        let opened = Journal::open_writer(&folder, 0).unwrap();
        let seq = opened.events.last().unwrap().seq + 1;
        let recorded = (seq..).zip(events).map(|(seq, event)| Recorded { seq, at: 0, event });
        opened.journal.append_and_wait(recorded.collect()).unwrap();
        opened.journal.close().unwrap();
    }
}

/// An engine and the fold of what it tells.
pub struct Follower {
    pub engine: Engine,
    pub run: Run,
    pub notices: UnboundedReceiver<Notice>,
}

impl Follower {
    pub fn of(engine: Engine) -> Self {
        Self { notices: engine.subscribe(), engine, run: Run::default() }
    }

    /// Follows until nothing happens without a command.
    pub async fn settle(&mut self) {
        loop {
            match self.notices.recv().await.unwrap() {
                Notice::Snapshot(run) => self.run = Arc::unwrap_or_clone(run),
                Notice::Event(recorded) => {
                    self.run.apply(&recorded).unwrap();
                }
                Notice::Idle => return,
                Notice::Stopped { problem } => panic!("stopped: {problem:?}"),
                _ => {}
            }
        }
    }

    /// Lets the engine go and waits until the run's lock is free.
    pub async fn leave(mut self) -> Run {
        drop(self.engine);
        while let Some(notice) = self.notices.recv().await {
            match notice {
                Notice::Event(recorded) => {
                    self.run.apply(&recorded).unwrap();
                }
                Notice::Stopped { problem } => assert_eq!(problem, None),
                _ => {}
            }
        }
        self.run
    }

    pub fn status(&self, name: &str) -> TaskStatus {
        self.run.tasks[self.run.find(name).unwrap().index()].status
    }

    pub fn statuses(&self) -> Vec<(String, TaskStatus)> {
        let tasks = (0..self.run.tasks.len()).map(|at| rekindle::model::TaskId(at as u32));
        tasks.map(|task| (self.run.name(task), self.run.tasks[task.index()].status)).collect()
    }

    pub fn problem(&self, name: &str) -> &str {
        &self.run.problems[&self.run.find(name).unwrap()].what
    }
}

impl Follower {
    /// Takes one notice in; answers which task was planned by it.
    pub async fn step(&mut self) -> Option<String> {
        match self.notices.recv().await.unwrap() {
            Notice::Event(recorded) => {
                self.run.apply(&recorded).unwrap();
                let planned = matches!(recorded.event, rekindle::model::Event::Planned { .. });
                recorded.event.task().filter(|_| planned).map(|task| self.run.name(task))
            }
            Notice::Stopped { problem } => panic!("stopped: {problem:?}"),
            _ => None,
        }
    }

    pub async fn until_planned(&mut self, name: &str) {
        while self.step().await.as_deref() != Some(name) {}
    }

    /// Follows until a task is in one of these states.
    pub async fn until(&mut self, name: &str, wanted: &[TaskStatus]) {
        while !wanted.contains(&self.status(name)) {
            match self.notices.recv().await.unwrap() {
                Notice::Event(recorded) => {
                    self.run.apply(&recorded).unwrap();
                }
                Notice::Stopped { problem } => panic!("stopped: {problem:?}"),
                _ => {}
            }
        }
    }
}
