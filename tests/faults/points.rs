//! The same at the named points around INTENT, effect and OUTCOME: counted over all threads, each passing.

use crate::kills::finished;
use crate::sandbox::{Sandbox, Told, same};

const POINTS: [&str; 11] = [
    "engine::before_intent",
    "engine::after_intent",
    "engine::after_effect",
    "engine::before_outcome",
    "files::before_rename",
    "files::after_rename",
    "files::after_batch",
    "files::before_publish",
    "files::after_publish",
    "documents::before_rename",
    "documents::after_rename",
];

fn killed_at(sandbox: &Sandbox, point: &str, nth: usize, arguments: &[&str]) -> bool {
    let passing = format!("{point}={}*off->return", nth - 1);
    let output = sandbox.command(arguments).env("FAILPOINTS", passing).output().unwrap();
    use std::os::unix::process::ExitStatusExt;
    if output.status.signal() == Some(6) {
        return true;
    }
    Told::of(output).exits(0);
    false
}

#[test]
fn a_run_killed_at_any_passing_of_any_point_is_finished_and_undone() {
    for point in POINTS {
        for nth in 1.. {
            let sandbox = Sandbox::on_directory();
            let former = sandbox.live().but_directory_times();
            if !killed_at(&sandbox, point, nth, &["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"]) {
                assert!(nth > 1, "no run passes {point}");
                break;
            }
            let when = format!("killed at {point}, passing {nth}");
            finished(&sandbox, &when);
            sandbox.undo().exits(0);
            same(&sandbox.live().but_directory_times(), &former, &format!("undone after it was {when}"));
        }
    }
}

#[test]
fn an_undo_killed_at_any_passing_of_the_engines_points_is_finished_by_the_next() {
    for point in POINTS.iter().filter(|point| **point != "files::before_publish" && **point != "files::after_publish") {
        for nth in 1.. {
            let sandbox = Sandbox::on_directory();
            let former = sandbox.live().but_directory_times();
            sandbox.run().exits(0);
            if !killed_at(&sandbox, point, nth, &["undo", "--yes", "--yes-deletes"]) {
                assert!(nth > 1, "no undo passes {point}");
                break;
            }
            let told = sandbox.undo();
            assert_eq!(told.code, Some(0), "undo killed at {point} {nth}: {}{}", told.out, told.err);
            same(&sandbox.live().but_directory_times(), &former, &format!("undo killed at {point}, passing {nth}"));
        }
    }
}

/// A home half written; a file that is still to come was changed in the source since, size and time put back.
#[test]
fn what_a_killed_run_left_over_is_not_taken_from_a_source_that_has_changed() {
    let sandbox = Sandbox::with_own_backup("true");
    let arguments = ["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes", "--only", "user=bob"];
    assert!(killed_at(&sandbox, "files::before_rename", 2, &arguments));
    let notes = || std::fs::read(sandbox.path("live/home/bob/notes.txt")).unwrap();
    let script = "cd truth/home/bob; was=$(stat -c %y notes.txt); tr a-m n-z < notes.txt > new; \
                  cat new > notes.txt; rm new; touch -d \"$was\" notes.txt";
    crate::sandbox::sh(&sandbox.path(""), script);
    sandbox.rekindle(&["resume", "--plain"]);
    let report = sandbox.report().to_string();
    assert!(report.contains("the source was changed since"), "{report}");
    assert_ne!(notes(), std::fs::read(sandbox.path("truth/home/bob/notes.txt")).unwrap());
    sandbox.resume().exits(0);
    assert_eq!(notes(), std::fs::read(sandbox.path("truth/home/bob/notes.txt")).unwrap());
}
