//! Hand-made runs and plans for the tests of this folder.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;

use crate::engine::Notice;
use crate::model::{
    Body, Change, Digest, Document, DocumentPath, Entry, Error, ErrorKind, Event, Fidelity, Hunk, HunkAt, Known, Meta,
    Mode, NodeKind, Op, OwnerSet, Pass, PathStep, Plan, Preview, Proposal, Recorded, Resource, ResourceId, Run,
    RunHeader, Selection, Shown, StepHeader, StepKind, TargetIdentity, TaskId, Times, Tree, TreePath,
};

use crate::diff::files::{self, Bounds, Sight};

use super::effect::Effect;
use super::keymap::Key;
use super::msg::Msg;
use super::state::Model;
use super::theme::{Palette, Theme};
use super::update::{refresh, update};
use super::view::view;

pub fn identity(system: &str, address: &str, id: &str) -> TargetIdentity {
    TargetIdentity { system: system.to_owned(), address: address.to_owned(), id: id.to_owned().into() }
}

pub fn header() -> RunHeader {
    let step = |id: &str, kind, component: &str, needs: &[u16], about: &str| StepHeader {
        each: Some("user".to_owned()),
        needs: needs.to_vec(),
        component: (!component.is_empty()).then(|| component.to_owned()),
        about: about.to_owned(),
        ..StepHeader::new(id, kind)
    };
    RunHeader {
        id: "20261121-044300-demo".to_owned(),
        title: "Restore home directories".to_owned(),
        by: "ops@bastion".to_owned(),
        steps: vec![
            step("account", StepKind::Restore, "accounts", &[], "account documents"),
            step("home", StepKind::Restore, "homes", &[0], "home directories"),
            StepHeader {
                needs: vec![1],
                about: "users have opened their files".to_owned(),
                question: Some("has ana opened it?".to_owned()),
                ..StepHeader::new("seen", StepKind::Confirm)
            },
        ],
        owners: vec![OwnerSet::new("user", ["ana", "bob", "cyd", "dee"].map(str::to_owned).to_vec())],
        identities: [
            ("accounts".to_owned(), identity("directory", "/etc/accounts.d", "ext4:51a0/131")),
            ("homes".to_owned(), identity("directory", "/home", "ext4:51a0/2")),
        ]
        .into(),
        ..RunHeader::default()
    }
}

/// A run's events, one after another.
pub struct Story {
    pub events: Vec<Arc<Recorded>>,
    pub run: Run,
}

impl Story {
    pub fn open(header: RunHeader) -> Self {
        let mut story = Self { events: Vec::new(), run: Run::default() };
        story.add(Event::Opened { run: Arc::new(header) });
        story
    }

    pub fn add(&mut self, event: Event) -> Notice {
        let seq = self.run.seq + 1;
        let at = 1_795_236_180_000 + i64::try_from(seq).unwrap() * 1_000;
        let recorded = Arc::new(Recorded { seq, at, event });
        self.run.apply(&recorded).unwrap();
        self.events.push(recorded.clone());
        Notice::Event(recorded)
    }

    pub fn task(&self, name: &str) -> TaskId {
        self.run.find(name).unwrap()
    }

    pub fn planned(&mut self, name: &str, plan: &Plan) -> Notice {
        let cohort = Digest::of(plan.changes.iter().map(|change| change.hunks.len()).sum::<usize>().to_string());
        self.add(Event::Planned {
            task: self.task(name),
            pass: plan.pass,
            digest: plan.digest(&Selection::all()),
            preview: plan.preview,
            counts: plan.counts(&Selection::all()),
            cohort,
        })
    }

    pub fn done(&mut self, name: &str) {
        let task = self.task(name);
        let plan = document_proposal(name).plan;
        let digest = plan.digest(&Selection::all());
        self.planned(name, &plan);
        self.add(Event::Approved { task, digest, by: "ops@bastion".to_owned() });
        self.add(Event::Intent { task, attempt: 1, digest, pre: Digest::of("before"), undoable: true });
        self.add(Event::Outcome {
            task,
            known: Known::Applied,
            post: Some(Digest::of("after")),
            evidence: "1 document, 412 B, read back equal".to_owned(),
            problem: None,
            partial: false,
            kept: None,
            dependents_go_on: false,
            bytes: None,
            output: None,
        });
    }
}

/// account: ana done, bob unchanged, cyd and dee done; home: ana in review, cyd failed, dee ready;
/// bob's home in review.
pub fn story() -> Story {
    let mut story = Story::open(header());
    story.done("account/ana");
    let bob = story.task("account/bob");
    story.add(Event::Unchanged { task: bob });
    story.done("account/cyd");
    story.done("account/dee");
    story.planned("home/ana", &tree_proposal("home/ana").plan);
    story.planned("home/bob", &document_proposal("home/bob").plan);
    let cyd = story.task("home/cyd");
    let problem = Error::new(ErrorKind::NoSpace, "write /home/cyd/mail.mbox", "no space left on device")
        .next("free space on /home, then retry this task");
    story.add(Event::Failed { task: cyd, problem: problem.problem() });
    story
}

pub fn run() -> Run {
    story().run
}

fn field(path: &str, op: Op, before: Option<Shown>, after: Option<Shown>, fidelity: Fidelity) -> Hunk {
    let path = DocumentPath(path.split('.').map(|name| PathStep::Field(name.to_owned())).collect());
    Hunk { op, at: HunkAt::Field { path, before, after }, fidelity, needs: Vec::new(), said: None }
}

fn plan(task: &str, changes: Vec<Change>) -> Plan {
    Plan {
        task: task.to_owned(),
        pass: Pass::Restore,
        runbook: Digest::of("runbook"),
        target: identity("directory", "/home", "ext4:51a0/2"),
        source: identity("restic repository", "/srv/repo", "9f2c41ab"),
        mode: Mode::Merge,
        preview: Preview::Exact,
        changes: changes.into_iter().map(Into::into).collect(),
        command: None,
        warnings: Vec::new(),
    }
}

/// One document with a plain, a secret, an irreversible and a hostile field.
pub fn document_proposal(task: &str) -> Proposal {
    let plain = |value: serde_json::Value| Some(Shown::Plain(value));
    let mut enabled = field("mail.forward", Op::Create, None, plain(json!("x\u{202e}y\r")), Fidelity::Exact);
    enabled.needs = vec![0];
    let hunks = vec![
        field("mail.quota", Op::Update, plain(json!("10G")), plain(json!("25G ")), Fidelity::Exact),
        enabled,
        field(
            "password",
            Op::Update,
            Some(Shown::Secret(Digest::of("old"))),
            Some(Shown::Secret(Digest::of("new"))),
            Fidelity::Exact,
        ),
    ];
    let id = ResourceId { kind: "account".into(), key: TreePath::new(task).unwrap() };
    let change = change(&id, hunks, vec!["comments of the live file are lost".to_owned()]);
    let resource = || Some(Resource { id: id.clone(), body: Body::Document(Document::new(json!({}))) });
    Proposal {
        plan: std::sync::Arc::new(plan(task, vec![change])),
        live: vec![resource()],
        desired: vec![resource()],
        would_be: Default::default(),
        stays: Vec::new(),
    }
}

fn change(id: &ResourceId, hunks: Vec<Hunk>, warnings: Vec<String>) -> Change {
    let (before, after) = (Digest::of("live"), Digest::of("backup"));
    Change {
        id: id.clone(),
        op: Op::Update,
        before,
        after,
        hunks,
        warnings,
        unreadable: Vec::new(),
        file: None,
        is_foretold: false,
    }
}

struct Files(&'static str);

impl Tree for Files {
    fn entries(&self) -> crate::model::Result<Box<dyn Iterator<Item = crate::model::Result<Entry>> + Send + '_>> {
        Ok(Box::new(std::iter::empty()))
    }

    fn open(&self, _: &TreePath) -> crate::model::Result<Box<dyn std::io::Read + Send>> {
        Ok(Box::new(self.0.as_bytes()))
    }
}

fn node(path: &[u8], size: u64, mode: u32) -> Entry {
    let times = Times { mtime_s: 1_700_000_000, mtime_ns: 0 };
    let meta = Meta { mode, uid: 1000, gid: 1000, times, xattrs: Vec::new() };
    Entry { path: TreePath::new(path).unwrap(), kind: NodeKind::File { size, link: None }, meta }
}

fn tree_hunk(op: Op, path: &[u8], before: Option<Entry>, after: Option<Entry>, content: bool) -> Hunk {
    let path = TreePath::new(path).unwrap();
    let (before, after) = (before.map(Box::new), after.map(Box::new));
    Hunk {
        op,
        at: HunkAt::Node { path, before, after, content },
        fidelity: Fidelity::Exact,
        needs: Vec::new(),
        said: None,
    }
}

/// A home with a changed, a missing, an extra, a metadata-only and a hostile file; the missing one's
/// directory is needed by it.
pub fn tree_proposal(task: &str) -> Proposal {
    let mut directory = node(b"mail", 0, 0o700);
    directory.kind = NodeKind::Directory;
    let mut inbox = tree_hunk(Op::Create, b"mail/inbox", None, Some(node(b"mail/inbox", 3_100_000, 0o600)), true);
    inbox.needs = vec![1];
    let mut extra = tree_hunk(Op::Delete, b"tmp/junk", Some(node(b"tmp/junk", 12, 0o644)), None, true);
    extra.fidelity = Fidelity::Irreversible;
    let hostile = b"evil\x1b]52;c;x\x07\xff";
    let hunks = vec![
        tree_hunk(
            Op::Update,
            b".profile",
            Some(node(b".profile", 120, 0o644)),
            Some(node(b".profile", 118, 0o600)),
            true,
        ),
        tree_hunk(Op::Create, b"mail", None, Some(directory), false),
        inbox,
        extra,
        tree_hunk(Op::Update, b"bin/run", Some(node(b"bin/run", 9, 0o644)), Some(node(b"bin/run", 9, 0o755)), false),
        tree_hunk(Op::Create, hostile, None, Some(node(hostile, 7, 0o644)), true),
    ];
    let id = ResourceId { kind: "home".into(), key: TreePath::new("ana").unwrap() };
    let change = change(&id, hunks, Vec::new());
    let side = |text| Some(Resource { id: id.clone(), body: Body::Tree(Arc::new(Files(text))) });
    Proposal {
        plan: std::sync::Arc::new(plan(task, vec![change])),
        live: vec![side("export A=1\r\nexport B=2\n")],
        desired: vec![side("export A=1\nexport B=2\n")],
        would_be: Default::default(),
        stays: Vec::new(),
    }
}

/// A screen without a terminal: messages in, effects and frames out, a clock that is told.
pub struct Desk {
    pub model: Model,
    pub now: u64,
    pub effects: Vec<Effect>,
}

impl Desk {
    pub fn new(story: &Story, width: u16, height: u16) -> Self {
        Self::with_theme(story, width, height, Theme::default())
    }

    pub fn with_theme(story: &Story, width: u16, height: u16, theme: Theme) -> Self {
        let model = Model::new("ana@bastion".to_owned(), theme, false, jiff::tz::TimeZone::UTC);
        let mut desk = Self { model, now: 1_000, effects: Vec::new() };
        desk.send(Msg::Resize { width, height });
        for event in &story.events {
            desk.send(Msg::Notice(Notice::Event(event.clone())));
        }
        desk.draw();
        desk
    }

    pub fn send(&mut self, msg: Msg) {
        let effects = update(&mut self.model, msg);
        self.effects.extend(effects);
    }

    /// As the loop does: put in order, draw, tell that it was drawn.
    pub fn draw(&mut self) -> Terminal<TestBackend> {
        let effects = refresh(&mut self.model);
        self.effects.extend(effects);
        let mut terminal = Terminal::new(TestBackend::new(self.model.width, self.model.height)).unwrap();
        terminal.draw(|frame| view(&self.model, frame.area(), frame.buffer_mut())).unwrap();
        self.send(Msg::Drawn { at: self.now });
        terminal
    }

    pub fn text(&mut self) -> String {
        self.draw().backend().to_string()
    }

    /// A key pressed without haste: the last frame has been seen for a second.
    pub fn press(&mut self, names: &str) -> &mut Self {
        for name in names.split(' ') {
            self.draw();
            self.now += 1_000;
            self.key(name);
            self.draw();
        }
        self
    }

    /// A key pressed right now.
    pub fn key(&mut self, name: &str) {
        let key = Key::parse(name).unwrap();
        self.send(Msg::Key { key, at: self.now });
    }

    pub fn type_text(&mut self, text: &str) -> &mut Self {
        self.draw();
        self.now += 1_000;
        for character in text.chars() {
            let key = Key { code: crossterm::event::KeyCode::Char(character), control: false };
            self.send(Msg::Key { key, at: self.now });
        }
        self.draw();
        self
    }

    /// Puts the cursor on a task, as keys would.
    pub fn at(&mut self, name: &str) -> &mut Self {
        self.model.cursor = self.model.run.find(name);
        assert!(self.model.cursor.is_some(), "{name}");
        self
    }

    /// Answers every plan that was asked for.
    pub fn answer(&mut self, proposal: &Proposal) -> &mut Self {
        self.draw();
        for _ in 0..3 {
            self.answer_once(proposal);
        }
        self.draw();
        self
    }

    fn answer_once(&mut self, proposal: &Proposal) {
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::LoadProposal { generation, task } => {
                    let answer = Ok(Arc::new(proposal.clone()));
                    self.send(Msg::Proposal { generation, task, answer });
                }
                Effect::Wake { generation } => self.send(Msg::Wake { generation }),
                Effect::LoadFieldDiff { generation, proposal, change, hunk } => {
                    let schema = crate::model::Schema::default();
                    let diff = super::schema_of::field_diff(&proposal, (change, hunk), Some(&schema));
                    self.send(Msg::FileDiff { generation, change, hunk, diff });
                }
                Effect::LoadFileDiff { generation, proposal, change, hunk, secrets } => {
                    let sight = Sight::of_one_file(secrets);
                    let diff = files::compare(&proposal, (change, hunk), Bounds::ONE_FILE, sight, &mut |_| true);
                    self.send(Msg::FileDiff { generation, change, hunk, diff });
                }
                Effect::LoadWholeDiff { generation, proposal, files } => {
                    let diffs = super::whole_diff::read(&proposal, files, &|| true);
                    self.send(Msg::WholeDiff { generation, diffs });
                }
                Effect::SearchFiles { generation, proposal, text, files } => {
                    let looked = super::file_search::look(&proposal, &text, files);
                    self.send(Msg::SearchedFiles { generation, text, looked });
                }
                other => self.effects.push(other),
            }
        }
    }

    pub fn commands(&mut self) -> Vec<crate::engine::Command> {
        let effects = std::mem::take(&mut self.effects);
        let commands = effects.into_iter().filter_map(|effect| match effect {
            Effect::Command(command) => Some(command),
            _ => None,
        });
        commands.collect()
    }
}

pub fn mono() -> Theme {
    Theme { palette: Palette::Mono, ascii: false }
}

pub fn ascii() -> Theme {
    Theme { palette: Palette::Dark, ascii: true }
}
