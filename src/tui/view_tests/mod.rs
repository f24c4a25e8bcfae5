//! How the screen looks: every screen in every size and look, and what must hold of all of them.

mod frames;
mod hostile;
mod screens;

use super::fixtures::{Desk, Story, document_proposal, header, identity, story, tree_proposal};
use super::msg::Msg;
use super::theme::{Palette, Theme};
use crate::model::{Digest, HunkAt, TargetIdentity, TreePath};

/// The smallest that is served, a plain terminal, and a wide one with two panes.
const SIZES: [(u16, u16); 3] = [(60, 15), (80, 24), (200, 60)];

#[test]
fn the_smallest_window_hides_no_danger_behind_a_yes() {
    let mut desk = Desk::new(&story(), 60, 15);
    desk.at("home/ana").press("3").answer(&tree_proposal("home/ana"));
    desk.press("a");
    let text = desk.text();
    assert!(text.contains("DELETES 1") && text.contains("tmp/junk"), "{text}");
    desk.type_text("delete").press("enter");
    assert_eq!(desk.commands(), [], "lines below were not read");
    desk.press("down down down down down").press("enter");
    assert_eq!(desk.commands().len(), 1);
}

#[test]
fn a_window_too_small_says_so() {
    let mut desk = Desk::new(&story(), 59, 15);
    assert!(desk.text().contains("too small"));
    desk.send(Msg::Resize { width: 3, height: 1 });
    desk.text();
}

#[test]
fn hostile_names_are_shown_and_obeyed_by_nobody() {
    let mut header = header();
    header.title = "\x1b]0;owned\x07 title\u{202e}".to_owned();
    header.owners[0].names =
        ["\x1b[2J\r", "日本語の長い名前の利用者です", "e\u{301}\u{200b}", "a".repeat(5_000).as_str()]
            .map(str::to_owned)
            .to_vec();
    header.steps[1].about = "\x1b]52;c;AAAA\x07".to_owned();
    let story = Story::open(header);
    for (width, height) in SIZES {
        let mut desk = Desk::new(&story, width, height);
        for tab in ["1", "t", "2", "3", "4", "?"] {
            desk.press(tab);
            let text = desk.text();
            assert!(!text.contains(['\x1b', '\r', '\x07', '\u{202e}', '\u{200b}']), "{tab}: {text}");
            desk.press("esc");
        }
        desk.press("1");
        assert!(desk.text().contains("^[[2J^M"));
    }
}

#[test]
fn paths_that_differ_only_where_they_are_cut_stand_in_full_below() {
    let mut story = Story::open(header());
    let mut proposal = tree_proposal("account/ana");
    let long = |middle: &str| TreePath::new(format!("{}{middle}{}", "a".repeat(60), "z".repeat(60))).unwrap();
    let plan = std::sync::Arc::make_mut(&mut proposal.plan);
    let change = std::sync::Arc::make_mut(&mut plan.changes[0]);
    for (hunk, middle) in change.hunks.iter_mut().zip(["-one-", "-two-"]) {
        let HunkAt::Node { path, .. } = &mut hunk.at else { panic!() };
        *path = long(middle);
    }
    story.planned("account/ana", &proposal.plan);
    let mut desk = Desk::new(&story, 60, 24);
    desk.at("account/ana").press("3").answer(&proposal);
    let text: String = desk.text().replace(['"', '\n', ' '], "");
    assert!(text.contains("-one-") && text.contains("-two-"), "{text}");
}

#[test]
fn secrets_show_neither_their_value_nor_their_digest() {
    let mut desk = Desk::new(&story(), 200, 60);
    desk.at("home/bob").press("3").answer(&document_proposal("home/bob"));
    let text = desk.text();
    assert!(text.contains("•••• → •••• (changed)"), "{text}");
    assert!(!text.contains(&Digest::of("new").short()));
}

#[test]
fn only_the_visible_rows_of_a_long_run_are_drawn() {
    let mut header = header();
    header.owners[0].names = (0..40_000).map(|number| format!("user{number:05}")).collect();
    let mut desk = Desk::new(&Story::open(header), 80, 24);
    desk.press("G");
    assert!(desk.text().contains("seen"));
    desk.press("k");
    assert!(desk.text().contains("user39999"));
    desk.press("2");
    assert!(desk.text().contains("user39999"));
}

#[test]
fn the_row_under_the_cursor_looks_the_same_from_end_to_end() {
    for palette in [Palette::Dark, Palette::Light, Palette::Mono] {
        let mut desk = Desk::with_theme(&story(), 80, 24, Theme { palette, ascii: false });
        for (task, tab) in [("home/cyd", "1"), ("home/ana", "1"), ("home/ana", "3"), ("home/bob", "3")] {
            desk.at(task).press(tab).answer(&tree_proposal(task));
            let terminal = desk.draw();
            let buffer = terminal.backend().buffer();
            let row = (4..22).find(|y| buffer[(0, *y)].symbol() == ">").unwrap();
            let looks = (0..80).map(|x| &buffer[(x, row)]).map(|cell| (cell.fg, cell.bg, cell.modifier));
            let looks: std::collections::HashSet<_> = looks.collect();
            assert_eq!(looks.len(), 1, "{palette:?} {task} {tab}: {looks:?}");
        }
    }
}

#[test]
fn a_head_line_that_does_not_fit_says_so() {
    let mut desk = Desk::new(&story(), 60, 15);
    let mut proposal = tree_proposal("home/ana");
    std::sync::Arc::make_mut(&mut proposal.plan).preview = crate::model::Preview::Opaque;
    desk.at("home/ana").press("3").answer(&proposal);
    let text = desk.text();
    let plan = text.lines().find(|line| line.contains(" plan ")).unwrap();
    assert!(plan.trim_end_matches('"').ends_with('…'), "{text}");
}

#[test]
fn a_target_whose_certificate_nobody_checks_is_in_red_wherever_it_stands() {
    let mut header = header();
    let system = format!("Keycloak realm, {},", TargetIdentity::UNCHECKED);
    let unchecked = identity(&system, "https://sso.example.org/realms/people", "7f0c");
    header.identities.insert("homes".to_owned(), unchecked);
    let story = Story::open(header);
    for (width, height) in SIZES {
        let mut desk = Desk::new(&story, width, height);
        desk.at("home/ana");
        let danger = desk.model.theme.style(super::theme::Role::Danger);
        for tab in ["1", "2", "3", "4"] {
            let terminal = desk.press(tab).draw();
            let buffer = terminal.backend().buffer();
            let row: String = (0..width).map(|x| buffer[(x, 1)].symbol()).collect();
            let style = buffer[(10, 1)].style();
            assert_eq!((style.fg, style.bg), (danger.fg.or(style.fg), danger.bg.or(style.bg)), "{tab} {width}: {row}");
            assert!(row.contains(TargetIdentity::UNCHECKED), "in words too: {row}");
            // A target that is checked is not.
            let terminal = desk.at("account/ana").draw();
            let other = terminal.backend().buffer()[(10, 1)].style();
            assert_ne!(
                (style.fg, style.bg, style.add_modifier),
                (other.fg, other.bg, other.add_modifier),
                "{tab} {width}"
            );
            desk.at("home/ana");
        }
    }
}
