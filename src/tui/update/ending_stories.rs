//! A run that ends says what it has done, and an undo that was asked for at the shell begins by itself.

use crate::engine::{Command, Notice};
use crate::model::Event;
use crate::tui::dialogs::Question;
use crate::tui::fixtures::{Desk, Story, header, story};
use crate::tui::msg::Msg;
use crate::tui::state::Tab;

/// Everything is skipped but one home, which is done while the screen looks on.
fn at_its_end(desk: &mut Desk, story: &mut Story) {
    for name in ["home/ana", "home/bob", "home/cyd", "home/dee", "seen"] {
        let task = story.task(name);
        let skipped = story.add(Event::Skipped { task, why: "test".to_owned(), by: "x".to_owned() });
        desk.send(Msg::Notice(skipped));
    }
    let task = story.task("home/ana");
    let retried = story.add(Event::Retried { task, by: "x".to_owned() });
    desk.send(Msg::Notice(retried));
    let before = story.events.len();
    story.done("home/ana");
    for event in story.events[before..].iter().cloned() {
        desk.send(Msg::Notice(Notice::Event(event)));
    }
    desk.send(Msg::Notice(Notice::Idle));
}

fn is_open(desk: &Desk) -> bool {
    desk.model.dialog.as_ref().is_some_and(|dialog| dialog.question == Question::Summary)
}

#[test]
fn a_run_that_ends_says_what_was_done_and_what_can_be_undone() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    at_its_end(&mut desk, &mut story);
    let text = desk.text();
    for told in ["done     account of 4 users: 3 done, 1 equal already", "took ", "wrote ", "undo     4 tasks"] {
        assert!(text.contains(told), "{told} is not told: {text}");
    }
    desk.press("esc");
    assert!(!is_open(&desk));
    desk.send(Msg::Notice(Notice::Idle));
    assert!(!is_open(&desk), "nothing has happened since");
    desk.press("=");
    assert!(is_open(&desk), "it can be looked at again");
}

#[test]
fn a_key_at_the_summary_does_what_it_always_does() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    at_its_end(&mut desk, &mut story);
    // Without haste or with it: nothing is asked here, so nothing is answered by mistake.
    desk.key("4");
    assert!(!is_open(&desk) && desk.model.tab == Tab::Evidence, "{}", desk.text());
    desk.press("=").key("q");
    assert_eq!(desk.model.dialog.as_ref().map(|dialog| &dialog.question), Some(&Question::Quit));
}

#[test]
fn a_summary_lies_over_nobodys_question_and_comes_not_to_a_run_that_only_waits() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    desk.send(Msg::Notice(Notice::Idle));
    assert!(!is_open(&desk), "plans are in review");
    desk.press("q");
    at_its_end(&mut desk, &mut story);
    assert_eq!(desk.model.dialog.as_ref().map(|dialog| &dialog.question), Some(&Question::Quit));
}

#[test]
fn an_undo_that_was_asked_for_at_the_shell_is_planned_what_came_last_first() {
    let mut story = Story::open(header());
    for name in ["account/ana", "account/bob", "home/ana"] {
        story.done(name);
    }
    let mut desk = Desk::new(&story, 80, 24);
    let tasks = ["home/ana", "account/bob", "account/ana"].map(|name| story.task(name));
    desk.model.to_undo = tasks.to_vec();
    desk.send(Msg::Notice(Notice::Idle));
    assert_eq!(desk.commands(), tasks.map(|task| Command::Undo { task }));
    assert!(desk.text().contains("3 shown"), "the others are hidden: {}", desk.text());
    desk.send(Msg::Notice(Notice::Idle));
    assert_eq!(desk.commands(), [], "once");
}
