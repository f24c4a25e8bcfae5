//! A file's own diff in a review: opened, covered, closed, and where the cursor stands meanwhile.

use std::sync::Arc;

use super::*;
use serde_json::json;

use crate::model::{Body, Document, HunkAt, Proposal, TreePath};
use crate::tui::fixtures::{Desk, document_proposal, story, tree_proposal};

fn open(proposal: &Proposal) -> Desk {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/ana").press("3").answer(proposal).press("enter").answer(proposal);
    desk
}

#[test]
fn esc_closes_a_files_diff_before_it_leaves_the_review() {
    let proposal = tree_proposal("home/ana");
    let mut desk = open(&proposal);
    assert!(desk.text().contains("export A=1"), "{}", desk.text());
    desk.press("down esc");
    assert_eq!(desk.model.tab, Tab::Review);
    assert!(!desk.text().contains("export A=1"), "{}", desk.text());
    desk.press("esc");
    assert_eq!(desk.model.tab, Tab::Steps);
}

/// As in plain mode: whoever looks over a shoulder sees no key of a user's.
#[test]
fn a_file_that_holds_secrets_is_covered_until_it_is_opened_once_more() {
    let mut proposal = tree_proposal("home/ana");
    let change = Arc::make_mut(Arc::make_mut(&mut proposal.plan).changes.first_mut().unwrap());
    if let HunkAt::Node { path, .. } = &mut change.hunks[0].at {
        *path = TreePath::new(".env").unwrap();
    }
    let mut desk = open(&proposal);
    let text = desk.text();
    assert!(text.contains("this file holds secrets") && text.contains("open it once more to see them"), "{text}");
    assert!(!text.contains("export A=1"), "{text}");
    desk.press("enter").answer(&proposal);
    assert!(desk.text().contains("export A=1"), "{}", desk.text());
    desk.press("enter");
    assert!(!desk.text().contains("export A=1"), "the third time closes it: {}", desk.text());
}

/// Whoever stands in the lines of a value decides on its hunk: it is pointed at too.
#[test]
fn the_hunk_that_a_decision_is_about_is_pointed_at_from_its_own_lines() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/bob").press("3").answer(&document_proposal("home/bob"));
    let pointed = |desk: &mut Desk| {
        let text = desk.text();
        text.lines().filter(|line| line.starts_with("\">[")).map(str::to_owned).collect::<Vec<_>>()
    };
    desk.press("down");
    let first = pointed(&mut desk);
    assert!(matches!(&first[..], [line] if line.contains("mail.quota")), "{}", desk.text());
    desk.press("down down");
    let next = pointed(&mut desk);
    assert!(matches!(&next[..], [line] if line.contains("mail.forward")), "{}", desk.text());
}

/// A window that is too low for a list says so, and where in the list it is.
#[test]
fn what_does_not_fit_says_which_part_is_shown() {
    let proposal = tree_proposal("home/ana");
    let mut desk = Desk::new(&story(), 80, 15);
    desk.at("home/ana").press("3").answer(&proposal);
    let text = desk.text();
    assert!(text.contains(" of ") && text.contains(" lines "), "{text}");
    let mut desk = Desk::new(&story(), 80, 40);
    desk.at("home/ana").press("3").answer(&proposal);
    assert!(!desk.text().contains(" lines "), "{}", desk.text());
}

#[test]
fn a_field_is_opened_to_the_lines_of_its_document_around_it() {
    let mut proposal = document_proposal("home/ana");
    let document = Document::new(json!({"mail": {"quota": "10G", "spam": "filtered"}, "name": "ana"}));
    proposal.live[0].as_mut().unwrap().body = Body::Document(document);
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/ana").press("3").answer(&proposal);
    assert!(!desk.text().contains("spam: filtered"), "{}", desk.text());
    desk.press("enter").answer(&proposal);
    let text = desk.text();
    assert!(
        text.contains("-   quota: \"10G\"") && text.contains("spam: filtered") && text.contains("name: ana"),
        "{text}"
    );
    assert_eq!(text.matches("10G").count(), 1, "the values are not said twice: {text}");
    desk.press("enter");
    assert!(!desk.text().contains("spam: filtered"), "{}", desk.text());
}

/// Nobody opens a thousand files one by one to read a plan in a pager.
#[test]
fn the_whole_diff_in_a_pager_has_the_lines_of_files_that_were_not_opened() {
    let proposal = tree_proposal("home/ana");
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/ana").press("3").answer(&proposal).press("e").answer(&proposal);
    let viewed = desk.effects.iter().find_map(|effect| match effect {
        Effect::View { text } => Some(text.clone()),
        _ => None,
    });
    let text = viewed.unwrap();
    assert!(text.contains("- export A=1^M") && text.contains("+ export A=1\n"), "{text}");
    assert!(!desk.text().contains("export A=1"), "what is open on the screen stays as it was");
}
