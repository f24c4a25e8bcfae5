//! What keys do beyond deciding: an operator's own, all of them by name, and what is handed to other programs.

use crate::platform::{Platform, exists};
use crate::stories::leave;
use crate::terminal::ESC;

#[test]
fn the_operators_own_keys_are_in_force_and_in_help() {
    let platform = Platform::damaged();
    platform.keys("[everywhere]\nshow-matrix = \"M\"\n[steps]\nskip = [\"S\", \"f5\"]\n");
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2").sees("S skip");
    terminal.sees("─ M Matrix ─");
    terminal.press("M").sees("TOTAL");
    terminal.press("1").sees("by step");
    terminal.press(":skip").sees("> S f5");
    terminal.press_until(ESC, "the list", |screen| !screen.contains("S f5"));
    terminal.press("?").sees("S f5");
    terminal.press_until(ESC, "the list", |screen| !screen.contains("S f5"));
    leave(&mut terminal);
    terminal.ends();
}

#[test]
fn keys_that_could_not_work_are_refused_before_anything_is_begun() {
    let platform = Platform::damaged();
    platform.keys("[steps]\nskip = \"q\"\n");
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    assert_eq!(terminal.ends(), 1);
    let text = terminal.text().replace('\n', "");
    assert!(text.contains("keys.toml:2: the key q is bound to both"), "{text}");
    assert!(!exists(&platform.path("state/runs")), "no run was begun");
}

#[test]
fn an_action_and_a_task_are_found_by_name() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    terminal.press(":matr").sees("> 2");
    terminal.press("\r").sees("TOTAL");
    terminal.press(":home/bob").sees("> go to");
    terminal.press("\r").sees("home/bob: review");
    leave(&mut terminal);
    terminal.ends();
}

#[test]
fn the_diff_is_viewed_in_a_pager_and_the_screen_comes_back() {
    let platform = Platform::damaged();
    platform.pager();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    terminal.press("3").sees("takes 2 of 2 hunks").sees("exact: what is shown");
    terminal.press("\r").sees("TWO");
    terminal.press("e").sees("-r--------").sees("- TWO");
    assert!(!terminal.text().contains("3 Review"), "{}", terminal.text());
    terminal.press("\n").sees("3 Review").sees("takes 2 of 2 hunks");
    // First the file's diff is closed, then the review is left.
    terminal.press(ESC).wait("the diff's end", |screen| !screen.contains("TWO"));
    terminal.press(ESC).sees("by step");
    leave(&mut terminal);
    terminal.ends();
    terminal.is_given_back();
}
