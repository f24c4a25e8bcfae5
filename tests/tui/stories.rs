use rustix::process::Signal;

use crate::platform::{NOTES, Platform, exists};
use crate::terminal::{CLEAR, ESC, Terminal};

fn is_asking(screen: &str) -> bool {
    screen.contains("Esc goes back")
}

/// Approves the plan on the screen, whatever the question demands.
pub fn approve(terminal: &mut Terminal) {
    // Before that it is still being recorded.
    terminal.sees("exact: what is shown");
    terminal.press("a").wait("the question", is_asking);
    let text = terminal.text();
    let demanded = text.split("Type ").nth(1).and_then(|rest| rest.split(' ').next()).map(str::to_owned);
    match demanded {
        Some(text) => {
            let typed = format!("confirm > {text}_");
            terminal.press_until(&format!("{CLEAR}{text}"), &typed, |screen| screen.contains(&typed));
            terminal.press("\r")
        }
        None => terminal.press_until("y", "an answer", |screen| !is_asking(screen)),
    };
    terminal.wait("an answer", |screen| !is_asking(screen));
}

pub fn leave(terminal: &mut Terminal) {
    terminal.press("q").sees("Leave?");
    terminal.press_until("y", "the shell", |screen| !screen.contains("Leave?"));
}

/// Answers what a resume asks where something is written at once; whether it asks depends on when the kill came.
pub fn go_on(terminal: &mut Terminal) {
    terminal.wait("the question or the screen", |screen| screen.contains("[y/N]") || screen.contains("1 Steps"));
    if terminal.text().contains("[y/N]") {
        terminal.press("y\r");
    }
}

#[test]
fn a_hunk_is_left_out_and_the_rest_is_restored() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    terminal.press("3").sees("takes 2 of 2 hunks");
    terminal.press("\r").sees("TWO");
    // The cursor is at notes.txt, the first of its hunks.
    terminal.press("n").sees("takes 1 of 2 hunks");
    approve(&mut terminal);
    terminal.sees("Applied and read back");
    assert_eq!(platform.read("ana", "notes.txt"), "one\nTWO\nthree\n");
    assert_eq!(platform.read("ana", "quota"), "50 GB\n");
    leave(&mut terminal);
    assert_eq!(terminal.ends(), 2, "bob still waits for a decision");
    terminal.is_given_back();
    assert!(terminal.text().contains("next: rekindle resume"), "{}", terminal.text());
}

#[test]
fn a_task_that_failed_is_retried_when_its_cause_is_mended() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    terminal.press("j3").sees("home/bob");
    terminal.sees("takes");
    let lost = platform.lose_packs();
    approve(&mut terminal);
    terminal.sees("failed 1").sees("home/bob failed");
    terminal.press("1").sees("by step");
    terminal.press("\r").sees("is missing");
    lost.bring_back();
    terminal.press_until("r", "a new plan", |screen| !screen.contains("failed 1"));
    terminal.sees("review 2");
    terminal.press("3").sees("takes");
    approve(&mut terminal);
    terminal.sees("Applied and read back");
    assert_eq!(platform.read("bob", "notes.txt"), NOTES);
    assert!(exists(&platform.home("bob").join("data/table")));
    leave(&mut terminal);
    terminal.ends();
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_was() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    terminal.press("3").sees("takes");
    approve(&mut terminal);
    // What is shown as approved is on record: a kill before that would rightly leave it in review.
    terminal.sees("review 1");
    terminal.signal(Signal::KILL);
    terminal.ends();
    let mut terminal = platform.rekindle(&["resume"]);
    go_on(&mut terminal);
    // What was being written is settled, and done.
    terminal.sees("done 1").sees("review 1");
    // Both plans were made before this screen looked: it knows all the same which are equal.
    terminal.press("j3").sees("home/bob");
    terminal.sees("takes");
    terminal.press("A").sees("Approve home/bob?");
    terminal.press_until(ESC, "the plan", |screen| !is_asking(screen));
    approve(&mut terminal);
    terminal.sees("done 2").sees("every task is settled");
    for user in ["ana", "bob"] {
        assert_eq!(
            (platform.read(user, "notes.txt").as_str(), platform.read(user, "quota").as_str()),
            (NOTES, "50 GB\n")
        );
    }
    leave(&mut terminal);
    assert_eq!(terminal.ends(), 0);
    terminal.is_given_back();
}

#[test]
fn an_undo_has_its_own_review_and_a_finished_run_is_closed_on_leaving() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml", "--user", "bob"]);
    terminal.sees("review 1");
    terminal.press("3").sees("takes");
    approve(&mut terminal);
    terminal.sees("Applied and read back");
    terminal.press("u").sees("UNDO").sees("DELETE");
    assert!(exists(&platform.home("bob").join("data/table")), "nothing is undone before it is approved");
    approve(&mut terminal);
    terminal.sees("undone 1");
    assert_eq!(platform.read("bob", "notes.txt"), "one\nTWO\nthree\n");
    assert!(!exists(&platform.home("bob").join("data")));
    terminal.press("q").sees("close and leave");
    assert!(!terminal.text().contains("back to before"), "there is nothing left to undo: {}", terminal.text());
    terminal.press_until("c", "the second question", |screen| screen.contains("Close the run for good?"));
    terminal.sees("Nothing in it can be undone any more");
    let typed = "confirm > close_";
    terminal.press_until(&format!("{CLEAR}close"), typed, |screen| screen.contains(typed));
    terminal.press("\r").wait("the shell", |screen| !screen.contains("Close the run for good?"));
    assert_eq!(terminal.ends(), 0);
    let mut terminal = platform.rekindle(&["resume"]);
    assert_eq!(terminal.ends(), 1);
    assert!(terminal.text().contains("it was closed"), "{}", terminal.text());
}

#[test]
fn an_undo_that_is_asked_for_at_the_shell_opens_the_screen_with_its_plans() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml", "--user", "ana"]);
    terminal.sees("review 1");
    terminal.press("3").sees("takes");
    approve(&mut terminal);
    // The run's end says what it has done.
    terminal.sees("home of 1 user: 1 done").sees("until the run is closed").sees("rekindle undo");
    leave(&mut terminal);
    assert_eq!(terminal.ends(), 0);
    let mut terminal = platform.rekindle(&["undo"]);
    terminal.sees("filter: 1 task to be undone").sees("review 1");
    assert_eq!(platform.read("ana", "notes.txt"), NOTES, "nothing is undone before it is approved");
    terminal.press("3").sees("UNDO").sees("takes");
    approve(&mut terminal);
    terminal.sees("undone 1").sees("UNDONE");
    leave(&mut terminal);
    assert_eq!(terminal.ends(), 0);
    terminal.is_given_back();
    assert!(terminal.text().contains("everything that was asked for is undone"), "{}", terminal.text());
    assert_eq!(platform.read("ana", "notes.txt"), "one\nTWO\nthree\n");
}

#[test]
fn a_resume_says_what_is_written_without_another_question_and_no_answer_leaves_the_run_as_it_is() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    let lost = platform.hang_packs();
    terminal.press("3");
    approve(&mut terminal);
    terminal.sees("applying 1");
    terminal.signal(Signal::KILL);
    terminal.ends();
    lost.bring_back();
    let mut terminal = platform.rekindle(&["resume"]);
    terminal.sees("run ").sees("homes: directory").sees("was being written").sees("home/ana").sees("[y/N]");
    terminal.press("\r").sees("nothing was begun");
    assert_eq!(terminal.ends(), 2);
    assert_eq!(platform.read("ana", "notes.txt"), "one\nTWO\nthree\n");
    let mut terminal = platform.rekindle(&["resume"]);
    terminal.sees("[y/N]");
    terminal.press("y\r").sees("done 1");
    assert_eq!(platform.read("ana", "notes.txt"), NOTES);
    leave(&mut terminal);
    terminal.ends();
}

#[test]
fn a_second_terminal_watches_and_changes_nothing() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    let mut watcher = platform.rekindle(&["watch"]);
    watcher.sees("WATCHING, read-only").sees("review 2");
    watcher.press("X").sees("only watches");
    watcher.press("3").sees("exact: what is shown").sees("2 hunks").sees("Its hunks come into the journal");
    terminal.press("3").sees("takes");
    approve(&mut terminal);
    watcher.sees("done 1").sees("review 1");
    watcher.sees("wrote 2 of 2 hunks").sees("Applied and read back").sees("notes.txt");
    watcher.press("\r").sees("kept for undo alone");
    watcher.press("q").sees("Stop watching?");
    watcher.press_until("y", "the shell", |screen| !screen.contains("Stop watching?"));
    assert_eq!(watcher.ends(), 0);
    watcher.is_given_back();
    terminal.sees("done 1");
    leave(&mut terminal);
    terminal.ends();
}

#[test]
fn a_watcher_is_told_when_nobody_holds_the_run_any_more() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    let mut watcher = platform.rekindle(&["watch"]);
    watcher.sees("WATCHING, read-only").sees("review 2");
    // As the one who holds it tells what it waits for, and leaves that behind when it is killed.
    let run = std::fs::read_dir(platform.path("state/runs")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(run.join("waits"), r#"{"homes":"the server asks to wait 4 s"}"#).unwrap();
    watcher.sees("homes: the server asks to wait 4 s; nothing is lost meanwhile");
    terminal.signal(Signal::KILL);
    terminal.ends();
    watcher.sees("NOT RUNNING, read-only").sees("nobody holds this run: `rekindle resume");
    watcher.press("q").sees("Nobody holds this run");
    watcher.press_until(ESC, "the list", |screen| !is_asking(screen));
    let terminal = platform.rekindle(&["resume"]);
    terminal.sees("review 2");
    watcher.sees("WATCHING, read-only");
    terminal.signal(Signal::KILL);
    watcher.signal(Signal::KILL);
}
