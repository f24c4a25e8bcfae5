use super::deciding_stories::reviewing;
use super::*;
use crate::engine::Notice;
use crate::model::{Error, ErrorKind, Event, TaskId};
use crate::tui::fixtures::{Desk, story};

#[test]
fn a_failure_is_told_wherever_one_looks_and_found_by_one_key() {
    let mut desk = Desk::new(&story(), 80, 24);
    assert!(desk.text().contains("home/cyd failed"), "{}", desk.text());
    desk.at("home/bob").press("]");
    assert_eq!(desk.model.cursor, desk.model.run.find("home/cyd"));
    assert!(!desk.text().contains("home/cyd failed."), "a key was pressed: it was seen");
}

#[test]
fn a_failure_is_not_hidden_by_a_warning_or_a_refusal_that_comes_after_it() {
    let mut story = story();
    let mut desk = reviewing("home/bob");
    desk.press("j j");
    let task = story.task("home/bob");
    let problem = Error::new(ErrorKind::NoSpace, "write notes.txt", "the disk is full").problem();
    desk.send(Msg::Notice(story.add(Event::Failed { task, problem })));
    desk.draw();
    desk.send(Msg::Warned { text: "cannot read Data blob 9f2c".to_owned() });
    // Pressed before anybody could read what had happened.
    desk.key("y");
    assert!(desk.text().contains("home/bob failed"), "{}", desk.text());
    // Each has its turn, and none stays behind.
    desk.press("j");
    assert!(desk.text().contains("no plan in review"), "{}", desk.text());
    desk.press("j");
    assert!(desk.text().contains("cannot read Data blob"), "{}", desk.text());
    desk.press("j");
    assert_eq!(desk.model.notes.shown(), None);
}

#[test]
fn what_was_said_of_one_action_is_gone_with_the_next() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/bob").press("c");
    assert!(desk.text().contains("nothing here for a person to confirm"), "{}", desk.text());
    // The failure that came before it has its turn first, then this; then nothing is left over.
    desk.press("j");
    assert!(!desk.text().contains("nothing here for a person"), "{}", desk.text());
}

#[test]
fn a_filter_is_told_in_every_tab_that_it_narrows() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.press("/").type_text("status:review").press("enter");
    for tab in ["1", "2", "3", "4"] {
        desk.press(tab);
        assert!(desk.text().contains("filter: status:review"), "{tab}: {}", desk.text());
    }
    desk.press("1 esc 2");
    assert!(!desk.text().contains("filter:"), "{}", desk.text());
}

#[test]
fn the_help_is_no_question() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.press("?");
    assert!(!desk.text().contains("question"), "{}", desk.text());
}

#[test]
fn an_event_against_the_rules_is_told_and_stops_all_commands() {
    let story = story();
    let mut desk = Desk::new(&story, 80, 24);
    let recorded = crate::model::Recorded { seq: 999, at: 0, event: Event::Unchanged { task: TaskId(0) } };
    desk.send(Msg::Notice(Notice::Event(std::sync::Arc::new(recorded))));
    desk.at("home/cyd").press("r");
    assert_eq!(desk.commands(), []);
    assert!(desk.text().contains("NOT RELIABLE"));
}

#[test]
fn an_alarm_goes_when_its_task_goes_on_and_many_failures_are_told_as_many() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    let fail = |desk: &mut Desk, story: &mut crate::tui::fixtures::Story, name: &str| {
        let problem = Error::new(ErrorKind::NoSpace, "write", "no space left").problem();
        let failed = story.add(Event::Failed { task: story.task(name), problem });
        desk.send(Msg::Notice(failed));
    };
    fail(&mut desk, &mut story, "home/dee");
    assert!(desk.text().contains("home/dee failed. 2 failed by now: F has them"), "{}", desk.text());
    let retried = story.add(Event::Retried { task: story.task("home/dee"), by: "ana".to_owned() });
    desk.send(Msg::Notice(retried));
    assert!(!desk.text().contains("home/dee failed"), "{}", desk.text());
}

#[test]
fn a_pause_that_nobody_asked_for_says_why_until_the_run_goes_on() {
    let mut story = crate::tui::fixtures::Story::open(crate::tui::fixtures::header());
    let why = "cannot write to the realm staff: it is held by ana@bastion".to_owned();
    story.add(Event::Paused { by: "rekindle".to_owned(), why: Some(why) });
    let mut desk = Desk::new(&story, 80, 24);
    desk.press("j j");
    let text = desk.text();
    assert!(
        text.contains("PAUSED") && text.contains("! paused: cannot write to the realm staff: it is held"),
        "{text}"
    );
    desk.send(Msg::Notice(story.add(Event::Continued { by: "ops@bastion".to_owned() })));
    assert!(!desk.text().contains("held by"), "{}", desk.text());
}
