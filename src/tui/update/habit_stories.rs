//! What hands do that have learned `less`, `vim`, `lazygit` and `k9s`: it works, or it is told why not.

use super::*;
use crate::tui::dialogs::Question;
use crate::tui::fixtures::{Desk, document_proposal, story, tree_proposal};

fn said(desk: &Desk) -> String {
    desk.model.notes.shown().map(|note| note.text.clone()).unwrap_or_default()
}

#[test]
fn n_after_a_search_leaves_out_nothing_unawares() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/ana").press("3").answer(&tree_proposal("home/ana"));
    desk.press("/").type_text("inbox").press("enter").answer(&tree_proposal("home/ana"));
    desk.effects.clear();
    desk.press("n");
    assert_eq!(desk.commands(), [], "{}", said(&desk));
    assert!(said(&desk).contains("ctrl-n is the next place, space leaves out, esc ends"), "{}", said(&desk));
    desk.press("space");
    assert_eq!(desk.commands().len(), 1);
    // The complaint, then the search.
    desk.press("esc n");
    assert_eq!(desk.commands().len(), 1, "with the search at its end the key means what it says");
}

#[test]
fn going_back_leads_to_where_the_task_was_opened_from() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/bob").press("2 enter").answer(&document_proposal("home/bob"));
    assert_eq!(desk.model.tab, Tab::Review);
    desk.press("esc");
    assert_eq!(desk.model.tab, Tab::Matrix);
    desk.press("1 C down enter").answer(&document_proposal("home/bob"));
    assert_eq!((desk.model.tab, desk.model.groups.is_some()), (Tab::Review, false));
    let opened = desk.model.cursor;
    desk.press("esc");
    let groups = desk.model.groups.clone().unwrap();
    assert!(
        groups.under_cursor().unwrap().tasks.contains(&opened.unwrap()),
        "the cursor is at the group that was left"
    );
    desk.press("esc");
    assert_eq!((desk.model.tab, desk.model.groups.is_some()), (Tab::Steps, false));
    // Who went elsewhere meanwhile goes back as always.
    desk.press("2 enter 4 esc");
    assert_eq!(desk.model.tab, Tab::Steps);
}

#[test]
fn a_failed_task_is_asked_about_in_review_too() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/cyd").press("3");
    assert!(desk.text().contains("enter asks what to do about it"), "{}", desk.text());
    desk.press("enter");
    assert!(matches!(desk.model.dialog.as_ref().unwrap().question, Question::Failure { .. }));
}

#[test]
fn a_wrong_answer_is_told_where_it_was_given() {
    for (width, height) in [(60, 15), (80, 24)] {
        let mut desk = Desk::new(&story(), width, height);
        desk.at("home/bob").press("A end").type_text("7").press("enter");
        assert_eq!(desk.commands(), []);
        let text = desk.text();
        assert!(text.contains("`7` is not `delete`: nothing was approved"), "{text}");
        desk.type_text("d");
        assert!(!desk.text().contains("nothing was approved"), "the next answer may be right");
    }
    let mut desk = Desk::new(&story(), 60, 15);
    desk.at("home/ana").press("3").answer(&tree_proposal("home/ana"));
    desk.press("a").type_text("delete").press("enter");
    assert!(desk.text().contains("read the question to its end"), "{}", desk.text());
}

#[test]
fn a_long_question_scrolls_as_everything_does() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.press("?");
    let first = desk.text();
    desk.press("G");
    let last = desk.text();
    assert!(last.contains("States") && !last.contains("lines below"), "{last}");
    desk.press("up");
    assert_ne!(desk.text(), last, "the end is where it ends");
    desk.press("g");
    assert_eq!(desk.text(), first);
    desk.press("ctrl-d ctrl-u");
    assert_eq!(desk.text(), first);
    let mut desk = Desk::new(&story(), 60, 15);
    desk.at("home/cyd").press("enter");
    let first = desk.text();
    desk.press("j");
    assert_ne!(desk.text(), first, "{first}");
}

#[test]
fn help_is_searched_and_its_keys_are_text_meanwhile() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.press("? /").type_text("quit");
    assert!(desk.model.dialog.is_some(), "q is a letter here");
    assert!(desk.text().contains("no key does that"), "{}", desk.text());
    desk.press("ctrl-u").type_text("way back");
    let text = desk.text();
    assert!(text.contains("Plan the way back of a done task") && !text.contains("lines below"), "{text}");
    desk.press("esc");
    assert!(desk.text().contains("lines below"));
    desk.press("q");
    assert!(desk.model.dialog.is_none());
}

#[test]
fn a_refusal_names_the_marks_that_it_was_about() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("account/ana").press("space");
    desk.at("home/bob").press("s");
    assert_eq!(said(&desk), "of the 1 marked task nothing can be skipped; esc unmarks");
    desk.press("esc esc s");
    assert!(matches!(desk.model.dialog.as_ref().unwrap().question, Question::Reason { .. }), "{}", said(&desk));
}

#[test]
fn where_a_filter_shows_nothing_the_screen_says_so_and_no_more() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.press("/").type_text("nobody").press("enter");
    let text = desk.text();
    assert!(text.contains("(no task is under the cursor)") && text.contains("? help  q quit"), "{text}");
}

#[test]
fn a_block_of_users_is_not_called_a_user() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.model.tour = true;
    desk.press("2 z");
    assert!(desk.text().contains("a row for each 100 users"), "{}", desk.text());
}
