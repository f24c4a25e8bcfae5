//! Many at once: plans that are equal, and failures of one cause.

use crate::platform::{Platform, exists};
use crate::stories::leave;
use crate::terminal::{CLEAR, ESC, Terminal};

const USERS: [&str; 5] = ["ana", "bob", "cyd", "dee", "eli"];

/// Types what a question demands, once it listens.
pub fn answer(terminal: &mut Terminal, text: &str) {
    let typed = format!("confirm > {text}_");
    terminal.press_until(&format!("{CLEAR}{text}"), &typed, |screen| screen.contains(&typed));
    terminal.press("\r").wait("the answer", |screen| !screen.contains("Esc goes back"));
}

#[test]
fn equal_plans_are_approved_after_their_canary_was_read_back() {
    let platform = Platform::alike(&USERS, "cyd");
    let mut terminal = platform.rekindle(&["run", "accounts.yaml"]);
    terminal.sees("review 5").sees("WAITS FOR YOU");
    terminal
        .press("C")
        .sees("5 plans in review, 2 different changes")
        .sees("ODD ONE: only account/cyd has this change");
    terminal.sees("> NOT OPENED  4 have");
    terminal.press("A").sees("none of these plans was opened yet");
    // The message is put away, then the first of the four is looked at.
    terminal.press(ESC).wait("the keys", |screen| !screen.contains("none of these plans"));
    terminal.press("\r").sees("account/ana").sees("exact: what is shown").sees("roles[write]");
    terminal.press("C").sees("> opened");
    terminal.press("A").sees("Approve 4 plans?");
    answer(&mut terminal, "4");
    terminal.sees("done 4").sees("review 1");
    let record = platform.record();
    let at = |what: &str, user: &str| {
        let line = record.lines().position(|line| line.starts_with(&format!("account/{user} ")) && line.contains(what));
        line.unwrap_or_else(|| panic!("{user} was never {what}:\n{record}"))
    };
    for user in ["bob", "dee", "eli"] {
        assert!(at(" done ", "ana") < at(" approved ", user), "{record}");
        assert!(std::fs::read_to_string(platform.account(user)).unwrap().contains("write"));
    }
    assert_eq!(std::fs::read_to_string(platform.account("cyd")).unwrap(), "name: cyd\nroles: [write]\n");
    leave(&mut terminal);
    assert_eq!(terminal.ends(), 2, "cyd waits for a decision");
}

#[test]
fn failures_of_one_cause_are_retried_by_one_decision() {
    let platform = Platform::alike(&USERS, "cyd");
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 5").sees("WAITS FOR YOU");
    let lost = platform.lose_packs();
    terminal.press("A").sees("Approve 5 plans?");
    answer(&mut terminal, "5");
    terminal.sees("failed 5").sees("WAITS FOR YOU");
    terminal.press("F").sees("5 failed, 1 cause").sees("5 × homes: ");
    lost.bring_back();
    terminal.press("r").sees("review 5").sees("nothing has failed");
    terminal.press(ESC).sees("by step").sees("WAITS FOR YOU");
    terminal.press("A").sees("Approve 5 plans?");
    answer(&mut terminal, "5");
    terminal.sees("done 5").sees("every task is settled");
    assert!(USERS.iter().all(|user| exists(&platform.home(user).join("table"))));
    leave(&mut terminal);
    assert_eq!(terminal.ends(), 0);
}
