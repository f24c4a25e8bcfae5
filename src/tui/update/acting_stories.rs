use super::deciding_stories::{asked, reviewing};
use super::*;
use crate::engine::Command;
use crate::model::{Event, TaskStatus};
use crate::tui::dialogs::Question;
use crate::tui::fixtures::{Desk, document_proposal, story};

#[test]
fn events_never_move_the_cursor_even_when_its_row_stops_matching() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    desk.press("/").type_text("status:review step:home").press("enter");
    desk.at("home/bob");
    let cursor = desk.model.cursor;
    for name in ["home/ana", "home/bob"] {
        let task = story.task(name);
        desk.send(Msg::Notice(story.add(Event::Skipped { task, why: "no".to_owned(), by: "x".to_owned() })));
        desk.draw();
        assert_eq!(desk.model.cursor, cursor);
    }
    assert!(desk.model.rows.shows(cursor.unwrap()), "the cursor's row is never hidden");
    assert!(desk.text().contains("does not match any more"));
}

#[test]
fn a_filter_that_matches_nothing_leaves_nothing_to_act_on() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/cyd").press("/").type_text("zzz").press("enter");
    desk.press("r").press("s").press("o").press("u").press("A").press("enter").press("space");
    assert_eq!(desk.commands(), []);
    assert_eq!(asked(&desk), None);
    desk.press("esc esc");
    assert!(desk.model.cursor.is_some());
}

#[test]
fn marked_rows_that_are_hidden_are_left_alone() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/ana").press("space").at("home/cyd").press("space");
    desk.press("/").type_text("status:failed").press("enter");
    desk.press("r");
    let task = desk.model.run.find("home/cyd").unwrap();
    assert_eq!(desk.commands(), [Command::Retry { task }]);
}

#[test]
fn a_failed_task_offers_four_ways_on_and_skipping_wants_a_reason() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/cyd").press("enter");
    assert!(matches!(asked(&desk), Some(Question::Failure { .. })));
    desk.press("s").press("enter");
    assert_eq!(desk.commands(), []);
    desk.type_text("disk is full").press("enter");
    let task = desk.model.run.find("home/cyd").unwrap();
    assert_eq!(desk.commands(), [Command::Skip { task, why: "disk is full".to_owned() }]);
}

#[test]
fn what_is_being_undone_is_not_undone_again() {
    let mut desk = Desk::new(&story(), 80, 24);
    let task = desk.model.run.find("home/bob").unwrap();
    let state = &mut desk.model.run.tasks[task.index()];
    (state.undoable, state.pass) = (true, crate::model::Pass::Undo);
    desk.at("home/bob").press("u");
    assert_eq!(desk.commands(), []);
}

#[test]
fn a_watcher_commands_nothing() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.model.read_only = true;
    desk.at("home/cyd").press("r s o X p u A c 3 y n space a");
    assert_eq!(desk.commands(), []);
    assert_eq!(asked(&desk), None);
}

#[test]
fn nothing_is_acted_on_where_nothing_can_be_seen() {
    let mut desk = reviewing("home/bob");
    desk.send(Msg::Resize { width: 40, height: 10 });
    desk.press("n a y r p");
    assert_eq!(desk.commands(), []);
}

#[test]
fn skipping_an_undo_says_what_stays() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    let task = story.task("account/ana");
    let mut proposal = document_proposal("account/ana");
    std::sync::Arc::make_mut(&mut proposal.plan).pass = crate::model::Pass::Undo;
    desk.send(Msg::Notice(story.add(Event::UndoAsked { task, by: "ana".to_owned() })));
    desk.send(Msg::Notice(story.planned("account/ana", &proposal.plan)));
    desk.at("account/ana").press("s");
    let text = desk.text();
    assert!(text.contains("Drop the undo of account/ana?") && text.contains("what was restored stays"), "{text}");
    assert!(!text.contains("as if it were done"), "{text}");
    // Among others each is told for itself.
    desk.press("esc").at("account/ana").press("space").at("home/bob").press("space s");
    let text = desk.text();
    assert!(text.contains("1 restore: nothing is written. 1 undo: what was restored stays."), "{text}");
}

#[test]
fn undo_shows_its_own_plan_before_anything() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    let task = story.task("account/ana");
    desk.at("account/ana").press("u");
    assert_eq!(desk.commands(), [Command::Undo { task }]);
    assert_eq!(desk.model.tab, Tab::Review);
    let mut proposal = document_proposal("account/ana");
    std::sync::Arc::make_mut(&mut proposal.plan).pass = crate::model::Pass::Undo;
    desk.send(Msg::Notice(story.add(Event::UndoAsked { task, by: "ana".to_owned() })));
    desk.send(Msg::Notice(story.planned("account/ana", &proposal.plan)));
    desk.answer(&proposal).press("a");
    let Some(Question::Approve(approve)) = asked(&desk) else { panic!("{:?}", desk.model.notes) };
    assert!(approve.is_undo);
}

#[test]
fn a_confirm_step_is_confirmed_by_a_person() {
    let mut story = story();
    for name in ["home/ana", "home/bob", "home/cyd", "home/dee"] {
        let task = story.task(name);
        story.add(Event::Skipped { task, why: "test".to_owned(), by: "x".to_owned() });
    }
    let task = story.task("seen");
    assert_eq!(story.run.tasks[task.index()].status, TaskStatus::Ready);
    let mut desk = Desk::new(&story, 80, 24);
    desk.at("seen").press("c").press("y");
    assert_eq!(desk.commands(), [Command::Confirm { task, question: "has ana opened it?".to_owned() }]);
}

#[test]
fn the_way_back_of_all_that_is_marked_is_planned_by_one_key_what_came_last_first() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("account/ana").press("/").type_text("step:account").press("enter").press("v");
    assert!(desk.text().contains("4 selected, 0 hidden"), "{}", desk.text());
    desk.press("u");
    let tasks = ["account/dee", "account/cyd", "account/ana"].map(|name| desk.model.run.find(name).unwrap());
    assert_eq!(desk.commands(), tasks.map(|task| Command::Undo { task }), "bob's was unchanged: nothing to undo");
    desk.press("v");
    assert!(desk.model.marks.is_empty());
    desk.press("esc").at("home/ana").press("space").at("home/bob").press("u");
    assert_eq!(desk.commands(), [], "the cursor's task is not meant, and what is marked cannot be undone");
}

#[test]
fn what_a_failed_task_has_written_can_be_undone_where_it_is_asked_about() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/cyd").press("enter");
    assert!(!desk.text().contains("plan the way back"), "nothing is there: {}", desk.text());
    desk.press("esc");
    let task = desk.model.run.find("home/cyd").unwrap();
    desk.model.run.tasks[task.index()].undoable = true;
    desk.press("enter");
    assert!(desk.text().contains("u    Undo: plan the way back"), "{}", desk.text());
    desk.press("u");
    assert_eq!(desk.commands(), [Command::Undo { task }]);
}
