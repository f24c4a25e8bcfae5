//! Plain mode asks what the screen asks, in the same words.

use std::fs;

use crate::ground::Ground;

#[test]
fn an_undo_is_called_one_and_to_drop_it_is_said_to_leave_what_was_restored() {
    let ground = Ground::make();
    ground.damage();
    ground.runbook();
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--user", "ana"], 0).says("2 done");
    let restored = ground.manifest();
    let told = ground.answering("4\n\n4\nnot today\n6\n", &["undo", "--user", "ana"], 2);
    told.says("UNDO  home/ana").says("4 drop this undo").says("Drop the undo of home/ana?");
    told.says("what was restored stays").says("voided    not today");
    crate::ground::assert_same(&ground.manifest(), &restored);
}

#[test]
fn what_cannot_be_undone_is_spelled_out_and_one_number_does_not_approve_it() {
    let ground = Ground::bare();
    let text = "rekindle: 1\ntitle: A command\nsteps: [{ id: touch, run: [touch, made] }]\n";
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    let told = ground.answering("1\n1\n7\n", &["run", "runbook.yaml", "--plain"], 2);
    told.says("type yes to approve (what this does cannot be undone)");
    assert!(!ground.path("made").exists());
    ground.answering("1\nyes\n", &["resume", "--plain"], 0).says("1 done");
    assert!(ground.path("made").exists());
}
