//! The record of a run is damaged or lost: what can no longer be undone is named, and nothing else is claimed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::sandbox::{Sandbox, sh};

fn undo_db(sandbox: &Sandbox) -> PathBuf {
    let run = fs::read_dir(sandbox.path("state/runs")).unwrap().next().unwrap().unwrap();
    run.path().join("undo.db")
}

fn tampered(script: &str) -> Sandbox {
    let sandbox = Sandbox::on_directory();
    sandbox.run().exits(0);
    let undo = undo_db(&sandbox).display().to_string();
    sh(sandbox.path("live").as_path(), &script.replace("UNDO", &undo));
    sandbox
}

/// The home of bob is task 4: accounts come first.
const LAST_OF_BOB: &str =
    "DELETE FROM kept WHERE task = 4 AND position = (SELECT max(position) FROM kept WHERE task = 4)";

#[test]
fn the_last_undo_record_of_a_task_is_missed_by_undo_report_and_verify() {
    let sandbox = tampered(&format!("sqlite3 UNDO '{LAST_OF_BOB}'"));
    let report = sandbox.rekindle(&["report"]).exits(1);
    assert!(report.out.contains("undo records of home/bob are lost"), "{report:?}");
    let verify = sandbox.rekindle(&["verify"]).exits(1);
    assert!(verify.out.contains("undo records of home/bob are lost"), "{verify:?}");
    let undo = sandbox.undo().exits(1);
    assert!(!undo.out.contains("everything that was asked for is undone"), "{undo:?}");
    assert!(undo.out.contains("key: its undo record is lost, so it stays as it is"), "{undo:?}");
    let home = sandbox.path("live/home/bob");
    assert_eq!(fs::read_to_string(home.join("notes.txt")).unwrap(), "scribble\n", "what can be undone is undone");
    assert!(!home.join("hole").exists() && !home.join("projects/deep/same.py").exists());
    let mode = fs::metadata(home.join("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "as the run left it");
    assert_eq!(sandbox.status("home/ana"), "undone", "the others are undone");
}

/// With the record of the new files lost, the directory that holds one of them stays, and nothing is half undone.
#[test]
fn what_hangs_on_a_lost_record_stays_whole() {
    let sandbox = Sandbox::with_own_backup("mkdir home/bob/new; echo x > home/bob/new/x");
    sandbox.run().exits(0);
    let lost = "DELETE FROM kept WHERE task = 4 AND position = 1";
    sh(sandbox.path("live").as_path(), &format!("sqlite3 {} '{lost}'", undo_db(&sandbox).display()));
    let undo = sandbox.undo().exits(1);
    assert!(undo.out.contains("new/x: its undo record is lost"), "{undo:?}");
    assert!(undo.out.contains("new: its undo record is lost"), "{undo:?}");
    let home = sandbox.path("live/home/bob");
    assert_eq!(fs::read_to_string(home.join("new/x")).unwrap(), "x\n");
    assert_eq!(fs::metadata(home.join("key")).unwrap().permissions().mode() & 0o777, 0o644, "this one has its record");
    sandbox.rekindle(&["close", "--yes"]).exits(0);
}

/// A close that was killed after it was on record has not removed what was kept.
#[test]
fn a_close_of_a_closed_run_removes_the_undo_records_that_were_left() {
    let sandbox = Sandbox::on_directory();
    sandbox.run().exits(0);
    let (undo, aside) = (undo_db(&sandbox), sandbox.path("aside.db"));
    fs::copy(&undo, &aside).unwrap();
    sandbox.rekindle(&["close"]).exits(0);
    assert!(!undo.exists());
    fs::copy(&aside, &undo).unwrap();
    sandbox.rekindle(&["close"]).exits(0);
    assert!(!undo.exists(), "it holds former values and secrets");
}

#[test]
fn a_record_that_was_altered_an_emptied_file_and_a_lost_one_show_in_the_report() {
    for (script, said) in [
        (
            "sqlite3 UNDO \"UPDATE kept SET sealed = x'00' WHERE task = 4 AND position = 0\"",
            "undo record 0 of home/bob",
        ),
        ("sqlite3 UNDO 'DELETE FROM kept'", "undo records of account/bob are lost"),
        ("rm UNDO", "undo.db is gone"),
        (
            "rm -f UNDO-wal UNDO-shm; head -c 30000 /dev/zero | dd of=UNDO bs=1 seek=4096 conv=notrunc status=none",
            "undo.db",
        ),
    ] {
        let sandbox = tampered(script);
        let report = sandbox.rekindle(&["report"]).exits(1);
        assert!(report.out.contains(said), "{script}: {report:?}");
        sandbox.rekindle(&["verify"]).exits(1);
    }
}

#[test]
fn a_whole_record_is_reported_as_whole_and_so_is_one_that_was_closed() {
    let sandbox = Sandbox::on_directory();
    sandbox.run().exits(0);
    sandbox.rekindle(&["report"]).exits(0);
    sandbox.rekindle(&["verify"]).exits(0);
    sandbox.undo().exits(0);
    sandbox.rekindle(&["report"]).exits(0);
    sandbox.rekindle(&["close", "--yes"]).exits(0);
    sandbox.rekindle(&["report"]).exits(0);
}

#[test]
fn what_is_kept_for_a_run_without_a_record_is_named_and_removed_when_that_is_said() {
    let sandbox = Sandbox::on_directory();
    sandbox.run().exits(0);
    let areas = || fs::read_dir(sandbox.path("live/home/.rekindle")).map_or(0, Iterator::count);
    let stray = fs::read_dir(sandbox.path("live/home/.rekindle")).unwrap().next().unwrap().unwrap().file_name();
    let stray = stray.to_str().unwrap();
    let close = ["close", stray, "--lost", "runbook.yaml"];
    sandbox.rekindle(&["close", stray, "--lost", "runbook.yaml", "--yes"]).exits(1);
    assert_eq!(areas(), 1, "its record is here");

    fs::remove_dir_all(sandbox.path("state")).unwrap();
    let plan = sandbox.rekindle(&["plan", "runbook.yaml"]).exits(0);
    assert!(plan.err.contains(stray) && plan.err.contains("rekindle close"), "{plan:?}");
    let refused = sandbox.rekindle(&close).exits(1);
    assert!(refused.err.contains("--yes"), "{refused:?}");
    assert_eq!(areas(), 1);
    sandbox.rekindle(&["close", stray, "--lost", "runbook.yaml", "--yes"]).exits(0);
    assert_eq!(areas(), 0);
    let plan = sandbox.rekindle(&["plan", "runbook.yaml"]).exits(0);
    assert!(!plan.err.contains(stray), "{plan:?}");
    sandbox.rekindle(&["close", stray, "--lost", "runbook.yaml", "--yes"]).exits(1);
    sandbox.rekindle(&["close", "..", "--lost", "runbook.yaml", "--yes"]).exits(1);
}
