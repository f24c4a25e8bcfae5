use super::deciding_stories::asked;
use super::*;
use crate::engine::Command;
use crate::model::{Digest, Event, TaskId};
use crate::tui::fixtures::{Desk, Story, story};
use crate::tui::parting::Parting;

#[test]
fn a_finished_run_can_be_closed_on_leaving_and_only_then() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    desk.press("q c");
    assert_eq!(desk.commands(), [], "it is not finished");
    desk.press("esc");
    for name in ["home/ana", "home/bob", "home/cyd"] {
        let task = story.task(name);
        desk.send(Msg::Notice(story.add(Event::Skipped { task, why: "no".to_owned(), by: "x".to_owned() })));
    }
    for task in (0..).map(TaskId).take(desk.model.run.tasks.len()) {
        let status = desk.model.run.tasks[task.index()].status;
        if !status.satisfies() {
            desk.send(Msg::Notice(story.add(Event::Skipped { task, why: "no".to_owned(), by: "x".to_owned() })));
        }
    }
    assert!(desk.text().contains("every task is settled: q leaves"), "{}", desk.text());
    desk.press("q c");
    assert_eq!(desk.commands(), [], "one key gives nothing up");
    desk.press("l o s e enter");
    assert_eq!(desk.commands(), [], "the key that asked is no part of the word");
    desk.press("ctrl-u c l o s e enter");
    assert_eq!(desk.commands(), [Command::Close]);
    desk.send(Msg::Answered { command: Command::Close, problem: None });
    assert!(matches!(desk.effects.last(), Some(Effect::Leave)), "{:?}", desk.effects);
}

#[test]
fn a_command_typed_for_the_shell_gives_no_undo_up() {
    let mut desk = Desk::new(&settled(), 80, 24);
    for line in ["q c l e a r enter", "esc q c d enter", "esc q c enter", "esc q c y enter", "esc q c 3 enter"] {
        desk.press(line);
        assert_eq!(desk.commands(), [], "{line}");
        assert!(!has_left(&desk), "{line}");
    }
    let asked = desk.text();
    assert!(asked.contains("3 tasks can be undone now, and never again"), "{asked}");
    assert!(asked.contains("It can wait: rekindle close 20261121-044300-demo"), "{asked}");
    assert!(asked.contains("`3` is not `close`"), "{asked}");
    desk.send(Msg::Paste { text: "close".to_owned(), at: desk.now });
    desk.press("enter");
    assert_eq!(desk.commands(), [], "it is typed, not pasted");
    desk.press("esc q y");
    assert!(has_left(&desk) && desk.commands().is_empty(), "who leaves keeps what undo needs");
}

/// Every task of the story is settled; three of them can be undone.
fn settled() -> Story {
    let mut story = story();
    for task in (0..).map(TaskId).take(story.run.tasks.len()) {
        if !story.run.tasks[task.index()].status.satisfies() {
            story.add(Event::Skipped { task, why: "no".to_owned(), by: "x".to_owned() });
        }
    }
    story
}

fn has_left(desk: &Desk) -> bool {
    desk.effects.iter().any(|effect| matches!(effect, Effect::Leave))
}

#[test]
fn leaving_is_asked_about_in_the_smallest_window_too() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.model.parting = Parting::Removed { instead: "--keep leaves them".to_owned() };
    for (width, height) in [(59, 15), (80, 14), (20, 4), (10, 1)] {
        desk.send(Msg::Resize { width, height });
        desk.press("q q");
        assert!(!has_left(&desk), "{width}x{height}: the key that asked does not answer");
        desk.press("q x");
        assert!(!has_left(&desk), "{width}x{height}: any other key stays");
        desk.key("q");
        desk.draw();
        desk.key("y");
        assert!(!has_left(&desk), "{width}x{height}: typed before the question could be read");
        assert!(desk.text().contains("Leave? y"), "{}", desk.text());
        desk.press("esc");
    }
    desk.send(Msg::Resize { width: 40, height: 8 });
    desk.press("q");
    assert!(desk.text().contains("are removed"), "{}", desk.text());
    desk.press("y");
    assert!(has_left(&desk));
}

#[test]
fn a_question_that_does_not_fit_is_not_answered() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.send(Msg::Resize { width: 9, height: 3 });
    desk.press("q y y");
    assert!(!has_left(&desk));
}

#[test]
fn what_is_said_on_leaving_does_not_contradict_itself() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    desk.model.parting = Parting::Removed { instead: "`rekindle demo --keep` leaves them in place".to_owned() };
    desk.press("q");
    let open = desk.text();
    assert!(open.contains("removed then") && open.contains("demo --keep"), "{open}");
    assert!(!open.contains("rest waits") && !open.contains("rekindle resume"), "{open}");
    desk.press("esc");
    for task in (0..).map(TaskId).take(desk.model.run.tasks.len()) {
        if !desk.model.run.tasks[task.index()].status.satisfies() {
            desk.send(Msg::Notice(story.add(Event::Skipped { task, why: "no".to_owned(), by: "x".to_owned() })));
        }
    }
    desk.press("q");
    let settled = desk.text();
    assert!(settled.contains("nothing is left to do") && settled.contains("removed then"), "{settled}");
    assert!(!settled.contains("close and leave"), "{settled}");
    desk.press("c");
    assert_eq!(desk.commands(), [], "nothing is kept that could be released");
    desk.press("esc");
    desk.model.parting = Parting::Stays { before: "REKINDLE_STATE=/tmp/x ".to_owned() };
    desk.press("q");
    assert!(desk.text().contains("REKINDLE_STATE=/tmp/x rekindle undo"), "{}", desk.text());
}

#[test]
fn quitting_asks_and_says_how_to_come_back() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.press("q");
    assert!(desk.text().contains("rekindle resume 20261121-044300-demo"));
    desk.press("q");
    assert_eq!(asked(&desk), None, "the key that asked does not answer");
    desk.press("ctrl-c y");
    assert!(desk.effects.iter().any(|effect| matches!(effect, Effect::Leave)));
}

#[test]
fn who_leaves_or_aborts_is_told_how_much_ends_first() {
    let mut story = story();
    for (name, told) in [("home/ana", "1 task under way ends first"), ("home/bob", "2 tasks under way end first")] {
        let task = story.task(name);
        let digest = story.run.tasks[task.index()].digest().unwrap();
        story.add(Event::Approved { task, digest, by: "x".to_owned() });
        story.add(Event::Intent { task, attempt: 1, digest, pre: Digest::of("before"), undoable: true });
        for key in ["q", "X"] {
            let mut desk = Desk::new(&story, 80, 24);
            desk.press(key);
            assert!(desk.text().contains(told), "{key}: {}", desk.text());
        }
    }
}
