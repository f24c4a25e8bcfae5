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
    desk.send(Msg::Warned { is_news: false, text: "cannot read Data blob 9f2c".to_owned() });
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

fn cause(desk: &mut Desk) {
    desk.model.notes = Default::default();
    desk.at("home/cyd").press("F r");
}

#[test]
fn what_was_promised_is_gone_with_what_comes_and_what_was_said_with_time() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    cause(&mut desk);
    assert!(desk.text().contains("planning anew: 1 task"), "{}", desk.text());
    let task = story.task("home/cyd");
    desk.send(Msg::Notice(story.add(Event::Retried { task, by: "ana".to_owned() })));
    assert!(desk.text().contains("planning anew"), "its plan has not come");
    let plan = crate::tui::fixtures::document_proposal("home/cyd").plan;
    let planned = story.planned("home/cyd", &plan);
    desk.send(Msg::Notice(planned));
    assert!(!desk.text().contains("planning anew"), "{}", desk.text());
    desk.press("T");
    assert!(desk.text().contains("3 plans in review now: esc goes back, and ] leads there"), "{}", desk.text());

    desk.press("esc 4 y");
    assert!(desk.text().contains("handed to the terminal's clipboard: home/cyd"), "{}", desk.text());
    let seen = desk.now;
    desk.send(Msg::Passed { at: seen + crate::tui::notes::SAID_MS - 1 });
    assert!(desk.text().contains("handed to"), "{}", desk.text());
    desk.send(Msg::Passed { at: seen + crate::tui::notes::SAID_MS });
    assert!(!desk.text().contains("handed to"), "{}", desk.text());
}

#[test]
fn a_refused_retry_promises_nothing() {
    let story = story();
    let mut desk = Desk::new(&story, 80, 24);
    cause(&mut desk);
    let [command] = desk.commands().try_into().unwrap();
    let problem = Error::new(ErrorKind::Refused, "retry", "the run has ended").problem();
    desk.send(Msg::Answered { command, problem: Some(problem) });
    assert!(desk.text().contains("the run has ended"), "{}", desk.text());
    desk.model.notes.put_away();
    assert_eq!(desk.model.notes.shown(), None);
}

#[test]
fn a_complaint_stays_in_its_place_and_hides_no_answer_of_a_later_key() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.model.notes = Default::default();
    let hasty = |desk: &mut Desk, key: &str| {
        desk.now += 100;
        desk.key(key);
        desk.text()
    };
    desk.at("home/bob").draw();
    assert!(hasty(&mut desk, "c").contains("nothing here for a person to confirm"));
    assert!(hasty(&mut desk, "Y").contains("handed to the terminal's clipboard: home/bob"));
    assert!(hasty(&mut desk, "c").contains("nothing here for a person to confirm"));
    let there = hasty(&mut desk, "4");
    assert!(!there.contains("a person to confirm"), "{there}");
}

/// In Evidence `y` copies, as elsewhere; a question that opens at the same moment is not answered by it.
#[test]
fn a_y_for_copying_answers_no_question() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/cyd").press("4");
    assert!(desk.text().contains("y copy"), "{}", desk.text());
    let keys = ["q", "y"].into_iter().chain(std::iter::repeat_n("y", 5));
    for key in keys {
        desk.key(key);
        desk.draw();
        desk.now += 40;
    }
    assert_eq!(desk.model.dialog.as_ref().map(|dialog| &dialog.question), Some(&Question::Quit));
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Leave | Effect::Command(_))));
    desk.press("esc y");
    let copied = desk.effects.iter().filter(|effect| matches!(effect, Effect::Copy { .. })).count();
    assert_eq!((copied, desk.model.dialog.is_none()), (1, true));
}

#[test]
fn the_group_of_the_first_row_is_named_where_its_heading_is_out_of_sight() {
    let mut desk = Desk::new(&story(), 80, 15);
    assert!(!desk.text().contains("continued"), "{}", desk.text());
    desk.press("G");
    assert!(desk.text().contains("continued"), "{}", desk.text());
    let text = desk.press("t G").text();
    assert!(text.contains("by user") && text.contains("bob, continued"), "{text}");
}

#[test]
fn a_question_about_several_marked_tasks_names_them() {
    let mut desk = Desk::new(&story(), 80, 24);
    let text = desk.press("v s").text();
    assert!(text.contains("Skip ") && text.contains("home/cyd"), "{text}");
    let text = desk.press("esc o").text();
    assert!(text.contains("user/ana user/bob"), "{text}");
}

#[test]
fn a_megabyte_that_is_pasted_is_searched_for_as_far_as_there_is_room() {
    let mut desk = reviewing("home/bob");
    desk.press("/");
    desk.send(Msg::Paste { text: "quota\x1b\r\n".repeat(130_000), at: desk.now });
    assert_eq!(desk.model.search.text.len(), crate::tui::search::MAX_INPUT);
    assert!(desk.text().contains(" search / …") && desk.text().contains("quota   quota   _"), "{}", desk.text());
    assert!(!desk.model.search.text.contains(char::is_control) && desk.commands().is_empty());
    desk.press("esc /");
    desk.send(Msg::Paste { text: "quota".to_owned(), at: desk.now });
    assert!(desk.text().contains("search / quota_   1 of "), "{}", desk.text());
}
