use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;
use crate::engine::{Command, Notice};
use crate::model::{Digest, Event, Proposal, Selection, TaskId, TaskStatus};
use crate::tui::dialogs::{DEAF_MS, Question};
use crate::tui::fixtures::{Story, document_proposal, story, tree_proposal};
use crate::tui::theme::Theme;

/// What a person, a clock and an engine can do in any order.
#[derive(Clone, Debug)]
enum Happens {
    Key(&'static str),
    Wait(u64),
    Drawn,
    Loaded,
    Voided,
    Replanned,
    Pasted(&'static str),
    Resized(u16, u16),
}

fn happens() -> impl Strategy<Value = Happens> {
    let keys = [
        "1",
        "2",
        "3",
        "4",
        "tab",
        "a",
        "A",
        "y",
        "n",
        "Y",
        "space",
        "enter",
        "esc",
        "j",
        "k",
        "h",
        "l",
        "g",
        "G",
        "]",
        "[",
        "u",
        "r",
        "s",
        "o",
        "c",
        "X",
        "p",
        "q",
        "?",
        "/",
        ":",
        "C",
        "F",
        "Y",
        "e",
        "t",
        "0",
        "2",
        "1",
        "e",
        "s",
        "ctrl-c",
        "ctrl-u",
        "ctrl-d",
        "shift-tab",
    ];
    prop_oneof![
        12 => prop::sample::select(keys.to_vec()).prop_map(Happens::Key),
        3 => prop::sample::select(vec![1_u64, 299, 300, 1_000]).prop_map(Happens::Wait),
        5 => Just(Happens::Drawn),
        4 => Just(Happens::Loaded),
        1 => Just(Happens::Voided),
        1 => Just(Happens::Replanned),
        1 => prop::sample::select(vec!["y", "1\n", "2\n", "yes\n", "a\ry\r"]).prop_map(Happens::Pasted),
        1 => prop::sample::select(vec![(80, 24), (200, 60), (60, 15), (20, 5)])
            .prop_map(|(width, height)| Happens::Resized(width, height)),
    ]
}

/// A purposeful walk now and then, so that approvals do happen.
fn walks() -> impl Strategy<Value = Vec<Happens>> {
    let approve = vec![
        Happens::Key("3"),
        Happens::Loaded,
        Happens::Drawn,
        Happens::Key("a"),
        Happens::Drawn,
        Happens::Wait(300),
        Happens::Key("1"),
        Happens::Key("enter"),
        Happens::Key("y"),
    ];
    let all = vec![
        Happens::Key("1"),
        Happens::Key("A"),
        Happens::Drawn,
        Happens::Wait(300),
        Happens::Key("1"),
        Happens::Key("enter"),
    ];
    let piece = prop_oneof![
        6 => prop::collection::vec(happens(), 1..6),
        2 => rushed(approve),
        1 => rushed(all),
    ];
    prop::collection::vec(piece, 1..25).prop_map(|pieces| pieces.concat())
}

/// The same walk by someone who waits, or does not.
fn rushed(walk: Vec<Happens>) -> impl Strategy<Value = Vec<Happens>> {
    let waits = prop::sample::select(vec![0_u64, 150, 299, 300, 300, 300, 900]);
    waits.prop_map(move |wait| {
        let at_pace = |happens: &Happens| match happens {
            Happens::Wait(_) => Happens::Wait(wait),
            other => other.clone(),
        };
        walk.iter().map(at_pace).collect()
    })
}

struct World {
    story: Story,
    model: Model,
    now: u64,
    loads: Vec<(u64, TaskId)>,
    /// Digests that a frame of Review had on the screen.
    shown: BTreeSet<Digest>,
    /// The question that was on the last frame, and since when it is on frames.
    asked: Option<(Question, u64)>,
    approvals: usize,
}

impl World {
    fn new() -> Self {
        let story = story();
        let model = Model::new("ana@bastion".to_owned(), Theme::default(), false, jiff::tz::TimeZone::UTC);
        let mut world =
            Self { story, model, now: 0, loads: Vec::new(), shown: BTreeSet::new(), asked: None, approvals: 0 };
        for event in world.story.events.clone() {
            world.send(Msg::Notice(Notice::Event(event)));
        }
        let cursor = world.model.run.find("home/bob");
        world.model.cursor = cursor;
        world
    }

    fn send(&mut self, msg: Msg) {
        let before = self.model.cursor;
        let is_notice = matches!(msg, Msg::Notice(_));
        let effects = update(&mut self.model, msg);
        let more = refresh(&mut self.model);
        if is_notice && before.is_some() {
            assert_eq!(self.model.cursor, before, "an event moved the cursor");
        }
        for effect in effects.into_iter().chain(more) {
            match effect {
                Effect::LoadProposal { generation, task } => self.loads.push((generation, task)),
                Effect::Wake { generation } => {
                    if let [Effect::LoadProposal { generation, task }] =
                        update(&mut self.model, Msg::Wake { generation }).as_slice()
                    {
                        self.loads.push((*generation, *task));
                    }
                }
                Effect::Command(Command::Approve { task, digest }) => self.check_approval(task, digest),
                _ => {}
            }
        }
        if self.model.dialog.as_ref().map(|dialog| &dialog.question) != self.asked.as_ref().map(|(asked, _)| asked) {
            self.asked = None;
        }
    }

    fn check_approval(&mut self, task: TaskId, digest: Digest) {
        self.approvals += 1;
        let (question, since) = self.asked.as_ref().expect("approved without a question on the screen");
        assert!(self.now >= since + DEAF_MS, "answered by a key that was typed ahead");
        match question {
            Question::Approve(approve) => {
                assert_eq!((approve.task, approve.digest), (task, digest));
                assert!(self.shown.contains(&digest), "approved what no frame has shown");
            }
            Question::ApproveAll(all) => assert!(all.plans.contains(&(task, digest))),
            other => panic!("approved by {other:?}"),
        }
    }

    fn proposal(&self, task: TaskId) -> Proposal {
        let name = self.story.run.name(task);
        if name == "home/ana" { tree_proposal(&name) } else { document_proposal(&name) }
    }

    fn step(&mut self, happens: &Happens) {
        match happens {
            Happens::Key(name) => {
                let key = Key::parse(name).expect(name);
                self.send(Msg::Key { key, at: self.now });
            }
            Happens::Wait(milliseconds) => {
                self.now += milliseconds;
                self.send(Msg::Passed { at: self.now });
            }
            Happens::Drawn => {
                self.send(Msg::Drawn { at: self.now });
                if self.model.is_too_small() {
                    return;
                }
                match self.model.dialog.as_ref().map(|dialog| dialog.question.clone()) {
                    Some(question) if self.asked.is_none() => self.asked = Some((question, self.now)),
                    None if self.model.tab == Tab::Review => {
                        let on_screen = self.model.review.task == self.model.cursor;
                        self.shown.extend(self.model.review.loaded().filter(|_| on_screen).map(|loaded| loaded.digest));
                    }
                    _ => {}
                }
            }
            Happens::Loaded => {
                for (generation, task) in std::mem::take(&mut self.loads) {
                    let answer = Ok(Arc::new(self.proposal(task)));
                    self.send(Msg::Proposal { generation, task, answer });
                }
            }
            Happens::Voided => {
                let task = self.story.task("home/bob");
                if self.story.run.tasks[task.index()].status == TaskStatus::Review {
                    let notice = self.story.add(Event::Voided { task, why: "moved".to_owned() });
                    self.send(Msg::Notice(notice));
                }
            }
            Happens::Replanned => {
                let task = self.story.task("home/bob");
                let status = self.story.run.tasks[task.index()].status;
                if matches!(status, TaskStatus::Ready | TaskStatus::Review) {
                    let mut plan = document_proposal("home/bob").plan;
                    std::sync::Arc::make_mut(&mut plan).warnings.push(self.story.run.seq.to_string());
                    let notice = self.story.planned("home/bob", &plan);
                    assert_ne!(
                        plan.digest(&Selection::all()),
                        document_proposal("home/bob").plan.digest(&Selection::all())
                    );
                    self.send(Msg::Notice(notice));
                }
            }
            Happens::Pasted(text) => self.send(Msg::Paste { text: (*text).to_owned(), at: self.now }),
            Happens::Resized(width, height) => self.send(Msg::Resize { width: *width, height: *height }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing is approved but what a frame has shown and a question, itself on the screen for long
    /// enough, has named; and no event moves the cursor.
    #[test]
    fn approval_needs_what_was_shown_and_a_question_that_was_read(walk in walks()) {
        let mut world = World::new();
        for happens in &walk {
            world.step(happens);
        }
    }
}

#[test]
fn the_walks_do_reach_approvals() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut approvals = 0;
    for _ in 0..64 {
        let walk = walks().new_tree(&mut runner).unwrap().current();
        let mut world = World::new();
        walk.iter().for_each(|happens| world.step(happens));
        approvals += world.approvals;
    }
    assert!(approvals > 10, "only {approvals}");
}
