//! While plans are written: how fast, by whom, what is waited for, and how to stop it for a while.

use super::*;
use crate::engine::{Activity, Command, Notice};
use crate::model::Event;
use crate::tui::fixtures::{Desk, document_proposal, story};

fn waits(desk: &mut Desk, words: Option<&str>) {
    let (component, words) = ("accounts".to_owned(), words.map(str::to_owned));
    desk.send(Msg::Notice(Notice::BackOff { component, words }));
}

#[test]
fn while_it_writes_the_screen_says_how_fast_and_who_is_busy() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    assert!(!desk.text().contains("/s  "), "nothing is under way: {}", desk.text());
    let (task, digest) =
        (story.task("home/bob"), document_proposal("home/bob").plan.digest(&crate::model::Selection::all()));
    for event in [
        Event::Approved { task, digest, by: "ana".to_owned() },
        Event::Intent { task, attempt: 1, digest, pre: digest, undoable: true },
    ] {
        let notice = story.add(event);
        desk.send(Msg::Notice(notice));
    }
    assert!(desk.text().contains("/s  3 s left  homes 1 "), "a watcher has the events alone: {}", desk.text());
    for (name, activity) in
        [("home/bob", Activity::ReadingBack(Default::default())), ("account/bob", Activity::Planning)]
    {
        let task = desk.model.run.find(name).unwrap();
        desk.send(Msg::Notice(Notice::Activity { task, activity }));
    }
    let text = desk.text();
    assert!(text.contains("accounts 1  ho") && text.contains("reading back"), "{text}");
    let task = desk.model.run.find("home/dee").unwrap();
    let waiting = Activity::Waiting("waits for the condition, 40 s left".to_owned());
    desk.send(Msg::Notice(Notice::Activity { task, activity: waiting }));
    assert!(desk.text().contains("waits for the condition, 40 s left"), "{}", desk.text());
    desk.send(Msg::Resize { width: 120, height: 30 });
    assert!(desk.text().contains("homes 1 (1 wait)"), "{}", desk.text());
}

#[test]
fn a_server_that_asks_to_wait_is_told_in_words_until_it_takes_calls_again() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.model.notes = Default::default();
    waits(&mut desk, Some("Keycloak asks to wait 4 s"));
    for tab in ["1", "2", "3", "4"] {
        let text = desk.press(tab).text();
        assert!(text.contains("accounts: Keycloak asks to wait 4 s; nothing is lost meanwhile"), "{tab}: {text}");
    }
    waits(&mut desk, Some("Keycloak \u{1b}[2J"));
    assert!(desk.text().contains("Keycloak ^[[2J"), "{}", desk.text());
    waits(&mut desk, None);
    assert!(!desk.text().contains("Keycloak"), "{}", desk.text());
}

#[test]
fn a_pause_and_its_end_leave_the_operator_where_they_were() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    desk.at("home/bob").press("/").type_text("home").press("enter").press("3").answer(&document_proposal("home/bob"));
    desk.press("down down");
    let place = |desk: &Desk| {
        let loaded = desk.model.review.loaded().unwrap();
        (desk.model.tab, desk.model.cursor, loaded.cursor, loaded.top, desk.model.rows.filter.text.clone())
    };
    let before = place(&desk);
    desk.press("p");
    assert_eq!(desk.commands(), [Command::Pause]);
    let paused = story.add(Event::Paused { by: "ana".to_owned(), why: None });
    desk.send(Msg::Notice(paused));
    let text = desk.text();
    assert!(text.contains("PAUSED") && text.contains("p go on"), "{text}");
    assert_eq!(place(&desk), before);
    desk.press("p");
    assert_eq!(desk.commands(), [Command::Continue]);
    let continued = story.add(Event::Continued { by: "ana".to_owned() });
    desk.send(Msg::Notice(continued));
    assert!(!desk.text().contains("PAUSED"), "{}", desk.text());
    assert_eq!(place(&desk), before);
}
