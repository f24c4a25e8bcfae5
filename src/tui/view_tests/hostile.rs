//! What comes from backups, servers, commands and journals means no good: on every pane it is shown, and obeyed nowhere.

use std::sync::Arc;

use crate::engine::{Activity, Notice};
use crate::model::{
    DocumentPath, Error, ErrorKind, Event, Fidelity, Hunk, HunkAt, Op, PathStep, PlannedCommand, Proposal, Selection,
    Shown, TreePath,
};
use crate::tui::fixtures::{Desk, Story, document_proposal, header, identity, tree_proposal};
use crate::tui::msg::Msg;

use super::SIZES;

/// Escape sequences that clear, name the window and fill the clipboard; a line's end; signs that turn or hide text;
/// wide and combining characters; an end that cannot be seen.
const BAD: &str =
    "X\x1b[2J\x1b]0;owned\x07\x1b]52;c;QUFB\x07\r\n\t\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}日本語e\u{301} ";

/// As long as a name or a reason can be.
fn long() -> String {
    format!("{BAD}{}", "a".repeat(5_000))
}

/// A line of a megabyte.
fn longest() -> String {
    format!("{BAD}{}", "a".repeat(1_000_000))
}

fn story() -> Story {
    let mut header = header();
    (header.id, header.title, header.by) = (BAD.to_owned(), long(), BAD.to_owned());
    header.owners[0].names = vec![BAD.to_owned(), format!("other{BAD}"), long(), "dee".to_owned()];
    for step in &mut header.steps {
        (step.id, step.about) = (format!("{}{BAD}", step.id), long());
        step.component = step.component.take().map(|name| format!("{name}{BAD}"));
    }
    header.identities = ["accounts", "homes"].map(|name| (format!("{name}{BAD}"), identity(BAD, &long(), BAD))).into();
    Story::open(header)
}

fn document() -> Proposal {
    let mut proposal = document_proposal("document");
    let plan = Arc::make_mut(&mut proposal.plan);
    (plan.target, plan.source) = (identity(BAD, BAD, BAD), identity(BAD, &long(), BAD));
    plan.warnings = vec![BAD.to_owned(), long()];
    plan.command = Some(PlannedCommand {
        argv: vec!["echo".to_owned(), BAD.to_owned(), long()],
        environment: vec![(BAD.to_owned(), Shown::Plain(long().into()))],
        directory: Some(BAD.to_owned()),
    });
    let change = Arc::make_mut(&mut plan.changes[0]);
    (change.id.kind, change.id.key) = (BAD.into(), TreePath::new(BAD.trim_end().replace('/', "")).unwrap());
    change.warnings = vec![long()];
    let path = DocumentPath(vec![PathStep::Field(BAD.to_owned()), PathStep::Field(long())]);
    let (before, after) = (Some(Shown::Plain(BAD.into())), Some(Shown::Plain(longest().into())));
    let at = HunkAt::Field { path, before, after };
    change.hunks.push(Hunk { op: Op::Update, at, fidelity: Fidelity::Irreversible, needs: Vec::new(), said: None });
    proposal
}

/// No character that a terminal obeys or that cannot be seen stands in any cell.
fn is_harmless(desk: &mut Desk, place: &str) {
    let terminal = desk.draw();
    for cell in &terminal.backend().buffer().content {
        let bad = cell.symbol().chars().find(|one| {
            one.is_control() || matches!(*one, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        });
        assert_eq!(bad, None, "{place} at {}x{}", desk.model.width, desk.model.height);
    }
}

/// Every tab, list, question and line of the screen for the task under the cursor.
fn walk(desk: &mut Desk, proposal: &Proposal, place: &str) {
    for keys in
        ["1", "t", "2", "z", "f", "t", "3", "enter", "e", "Y", "4", "f", "l", "C", "F", "T", "?", ":", "/", "a", "A"]
    {
        desk.press(keys).answer(proposal);
        is_harmless(desk, &format!("{place} {keys}"));
        desk.send(Msg::Paste { text: long(), at: desk.now });
        is_harmless(desk, &format!("{place} {keys}, pasted into"));
        desk.press("esc esc esc");
    }
    desk.press("1");
    for keys in ["s", "o", "X", "enter", "q"] {
        desk.press(keys);
        is_harmless(desk, &format!("{place} {keys}"));
        desk.press("esc esc");
    }
}

#[test]
fn hostile_names_values_and_texts_are_shown_on_every_pane_and_obeyed_on_none() {
    let (document, mut tree) = (document(), tree_proposal("tree"));
    let change = Arc::make_mut(&mut Arc::make_mut(&mut tree.plan).changes[0]);
    for hunk in &mut change.hunks {
        if let HunkAt::Node { path, .. } = &mut hunk.at {
            *path = TreePath::new([path.as_bytes(), BAD.as_bytes(), b"\xff"].concat()).unwrap();
        }
    }
    let mut story = story();
    let names: Vec<String> = (0..4).map(|at| story.run.name(crate::model::TaskId(at))).collect();
    story.planned(&names[0], &document.plan);
    story.planned(&names[1], &tree.plan);
    let failed = story.task(&names[2]);
    let problem = Error::new(ErrorKind::NoSpace, long(), BAD).next(long()).problem();
    story.add(Event::Failed { task: failed, problem });
    story.planned(&names[3], &document.plan);
    let skipped = story.task(&names[3]);
    story.add(Event::Skipped { task: skipped, why: long(), by: BAD.to_owned() });
    for (width, height) in SIZES {
        let mut desk = Desk::new(&story, width, height);
        desk.model.by = BAD.to_owned();
        let task = story.task(&names[0]);
        for notice in [
            Notice::Activity { task, activity: Activity::Waiting(long()) },
            Notice::Output { task, line: longest() },
            Notice::BackOff { component: BAD.to_owned(), words: Some(long()) },
        ] {
            desk.send(Msg::Notice(notice));
        }
        desk.send(Msg::Warned { text: crate::model::visible(BAD).into_owned(), is_news: false });
        is_harmless(&mut desk, "at first");
        for (name, proposal) in [(&names[0], &document), (&names[1], &tree), (&names[2], &document), (&names[3], &tree)]
        {
            desk.model.notes = Default::default();
            desk.at(name);
            walk(&mut desk, proposal, &crate::model::visible(&name[..8]));
        }
        let mut digest = document.plan.digest(&Selection::all());
        if let Some(now) = desk.model.run.tasks[task.index()].digest() {
            digest = now;
        }
        for event in [
            Event::Voided { task, why: long() },
            Event::Approved { task, digest, by: long() },
            Event::Paused { by: BAD.to_owned(), why: Some(long()) },
        ] {
            let seq = desk.model.run.seq + 1;
            let recorded = Arc::new(crate::model::Recorded { seq, at: 0, event });
            desk.send(Msg::Notice(Notice::Event(recorded)));
            is_harmless(&mut desk, "after an event");
        }
    }
}
