//! An undo that was asked for and has not been approved takes nothing back, and nobody is told that it did.

use std::fs;

use crate::ground::Ground;

/// Two homes that were restored whole.
fn restored() -> Ground {
    let ground = Ground::bare();
    for user in ["ana", "bob"] {
        fs::create_dir_all(ground.path(&format!("backup/{user}"))).unwrap();
        fs::write(ground.path(&format!("backup/{user}/notes.txt")), format!("of {user}\n")).unwrap();
    }
    fs::create_dir_all(ground.path("live")).unwrap();
    let root = ground.path("").display().to_string();
    let text = format!(
        "rekindle: 2\nsources: {{ b: {{ directory: {root}backup }} }}\ncomponents: {{ homes: {{ files: {root}live }} }}\n\
         owners: {{ user: {{ from: b }} }}\nsteps:\n\
         - {{ id: home, each: user, restore: homes, from: b, below: \"${{user}}\" }}\n\
         - {{ id: seen, each: user, check: {{ file: \"${{user}}/notes.txt\" }}, on: homes }}\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0).says("4 done");
    ground
}

#[test]
fn a_question_is_no_deed() {
    let ground = restored();
    let took = |report: &str| report.lines().find(|line| line.starts_with("| took")).map(str::to_owned);
    let before = ground.rekindle(&["report"], 0).out;
    ground.answering("l\n", &["undo", "--user", "bob"], 2);
    let report = ground.rekindle(&["report"], 0);
    report.says("**Complete: 2 of 2 users restored.**").says("| undo asked | 1 task, not done: home/bob |");
    report.says("'rekindle undo' goes on with what was asked to be undone");
    assert_eq!(took(&report.out), took(&before));
    assert!(ground.path("live/bob/notes.txt").exists());
    // The question is still open, and all is as restored.
    ground.rekindle(&["verify"], 1).says("home/bob waits to be undone").says("4 tasks are as restored, 0 differ");
}

#[test]
fn an_undo_that_was_dropped_is_not_advised_again() {
    let ground = restored();
    let told = ground.answering("s\nnot today\nyes\n", &["undo", "--user", "bob"], 2);
    told.says("nothing more is undone: what was restored stays");
    assert!(!told.out.contains("held back") && !told.out.contains("next: rekindle undo"), "{}", told.out);
}

#[test]
fn what_was_asked_of_something_that_is_undone_now_is_no_difference() {
    let ground = restored();
    ground.rekindle(&["undo", "--user", "bob", "--yes", "--yes-deletes"], 0);
    ground.rekindle(&["verify"], 0);
    ground.rekindle(&["report"], 0).says("(1 answered before an undo)").says("**Undone in part: ");
    ground.rekindle(&["close"], 0);
    ground.rekindle(&["report"], 0).says("**Undone in part, and closed: ");
}

#[test]
fn watching_ends_where_nothing_more_can_come() {
    let ground = restored();
    ground.rekindle(&["watch"], 0).says("4 done");
    let lines = ground.rekindle(&["watch", "--json"], 0).lines();
    let (first, last) = (lines.first().unwrap(), lines.last().unwrap());
    assert_eq!((&first["event"], &last["event"], &last["complete"]), (&"run".into(), &"end".into(), &true.into()));
}

/// Whoever rebuilt the target goes on with another run, and lets this one go.
#[test]
fn a_run_whose_target_was_replaced_is_closed_by_who_insists() {
    let ground = restored();
    fs::rename(ground.path("live"), ground.path("former")).unwrap();
    fs::create_dir(ground.path("live")).unwrap();
    let refused = ground.rekindle(&["close"], 1);
    assert!(refused.err.contains("--yes closes the run without what is kept there"), "{}", refused.err);
    ground.rekindle(&["close", "--yes"], 2).says("what it keeps at 'homes' is not released");
    ground.rekindle(&["runs"], 0).says("closed");
}
