//! What `verify` proves, what it cannot, and what a journal that lost something says of itself.

use std::fs;

use crate::ground::Ground;

/// A home in a plain directory, restored; a command and a check after it.
fn restored(check: &str, code: i32) -> Ground {
    let ground = Ground::bare();
    fs::create_dir_all(ground.path("copy/ana")).unwrap();
    fs::create_dir_all(ground.path("home")).unwrap();
    fs::write(ground.path("copy/ana/notes"), "call bob\n").unwrap();
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\ntitle: Proof\nsources: {{ copy: {{ directory: {root}/copy }} }}\n\
         components: {{ homes: {{ files: {root}/home }} }}\nowners: {{ user: {{ from: copy }} }}\nsteps:\n\
         - {{ id: home, each: user, restore: homes, from: copy, below: \"${{user}}\" }}\n\
         - {{ id: tell, needs: [home], run: [true] }}\n\
         - {{ id: seen, needs: [home, tell], check: {{ file: {check} }}, on: homes }}\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], code);
    ground
}

/// The last events never reached the disk.
fn lose_the_end(ground: &Ground) {
    let run = fs::read_dir(ground.path("state/runs")).unwrap().next().unwrap().unwrap();
    let journal = rusqlite::Connection::open(run.path().join("journal.db")).unwrap();
    let last = "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)";
    assert_eq!(journal.execute(last, []).unwrap(), 1);
}

#[test]
fn a_command_leaves_nothing_that_can_be_verified() {
    let ground = restored("ana/notes", 0);
    let told = ground.rekindle(&["verify"], 0);
    told.says("2 tasks are as restored, 0 differ").says("1 task left nothing to be read").says("person's word: tell");
    let told = ground.rekindle(&["verify", "--json"], 0).json();
    assert_eq!(told["equal"], 2);
    assert_eq!(told["unverifiable"], serde_json::json!(["tell"]));
}

#[test]
fn a_task_that_failed_is_named_and_no_proof() {
    let ground = restored("ana/elsewhere", 1);
    ground.rekindle(&["verify"], 1).says("seen is failed: ").says("1 task is as restored");
    assert_eq!(ground.rekindle(&["verify", "--json"], 1).json()["unsettled"].as_array().unwrap().len(), 1);
}

#[test]
fn a_run_that_is_not_complete_is_not_closed_by_the_way() {
    let ground = restored("ana/elsewhere", 1);
    ground.rekindle(&["close"], 1).complains("it is not complete (").complains("goes on with it");
    ground.rekindle(&["report"], 0).says("incomplete; 'rekindle resume' goes on");
    ground.rekindle(&["close", "--yes"], 0);
}

#[test]
fn a_record_without_its_end_is_no_proof() {
    let ground = restored("ana/notes", 0);
    lose_the_end(&ground);
    let told = ground.rekindle(&["verify"], 1);
    told.says("the record is not whole: the journal's end is lost");
    assert_eq!(ground.rekindle(&["verify", "--json"], 1).json()["findings"].as_array().unwrap().len(), 1);
}

/// What is kept for an undo lies where the files are.
#[test]
fn a_run_is_closed_without_its_systems_and_releases_later_what_it_kept_there() {
    let ground = Ground::make();
    ground.damage();
    let runbook = ground.runbook();
    ground.rekindle(&["run", runbook.to_str().unwrap(), "--plain", "--yes"], 0);
    let kept = || walk_names(&ground.path("live/home/.rekindle"));
    assert!(kept() > 0, "the undo keeps files");
    std::fs::rename(ground.path("live/home"), ground.path("away")).unwrap();
    let told = ground.rekindle(&["close"], 2);
    told.says("is closed; undo is no longer offered").says("is not released").says("next: rekindle close");
    std::fs::rename(ground.path("away"), ground.path("live/home")).unwrap();
    assert!(kept() > 0, "nobody could release it");
    ground.rekindle(&["close"], 0).says("what it left is released");
    assert_eq!(kept(), 0);
    ground.rekindle(&["close", "--json"], 0);
}

fn walk_names(at: &std::path::Path) -> usize {
    let below = |entry: std::fs::DirEntry| match entry.file_type().unwrap().is_dir() {
        true => walk_names(&entry.path()),
        false => 1,
    };
    std::fs::read_dir(at).map_or(0, |entries| entries.flatten().map(below).sum())
}

#[test]
fn undo_and_close_tell_and_record_that_the_journals_end_is_lost() {
    let ground = restored("ana/notes", 0);
    lose_the_end(&ground);
    ground.rekindle(&["undo", "--yes", "--yes-deletes"], 0).complains("warning: the journal's end is lost");
    ground.rekindle(&["watch", "--once"], 2).says("note: the journal's end is lost");
    assert!(!ground.path("home/ana").exists());

    lose_the_end(&ground);
    ground.rekindle(&["close", "--yes"], 0).complains("warning: the journal's end is lost");
}

#[test]
fn what_was_interrupted_is_named_and_no_proof() {
    let ground = restored("ana/notes", 0);
    lose_the_end(&ground);
    lose_the_end(&ground);
    let told = ground.rekindle(&["verify", "--json"], 1).json();
    let unsettled = told["unsettled"].as_array().unwrap();
    assert_eq!(unsettled.len(), 1, "{told}");
    let line = unsettled[0].as_str().unwrap();
    assert!(line.starts_with("tell is being written, or its write was interrupted"), "{line}");
    assert!(line.contains("next: rekindle resume "), "{line}");
}

#[test]
fn an_undo_that_waits_hides_nothing() {
    let ground = restored("ana/notes", 0);
    ground.rekindle(&["undo", "--yes"], 2);
    ground.rekindle(&["verify"], 1).says("home/ana waits to be undone; next: rekindle undo ").says("0 differ");
    fs::write(ground.path("home/ana/notes"), "call nobody\n").unwrap();
    ground.rekindle(&["verify"], 1).says("home/ana: 1 difference").says("1 differ");
}
