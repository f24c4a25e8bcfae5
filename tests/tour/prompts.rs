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

/// Settings that two homes need, all of them in the backup and not as they should be.
fn settings_and_homes() -> Ground {
    let ground = Ground::bare();
    for (side, text) in [("copy", "quota: 10G\n"), ("live", "quota: 1G\n")] {
        fs::create_dir_all(ground.path(&format!("{side}/settings"))).unwrap();
        fs::write(ground.path(&format!("{side}/settings/realm.yaml")), text).unwrap();
        for user in ["ana", "bob"] {
            fs::create_dir_all(ground.path(&format!("{side}/home/{user}"))).unwrap();
            fs::write(ground.path(&format!("{side}/home/{user}/notes")), text).unwrap();
        }
    }
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\ntitle: Settings and homes\n\
         sources:\n  homes-copy: {{ directory: {root}/copy }}\n  \
         settings-copy: {{ directory: {root}/copy, format: documents }}\n\
         components: {{ homes: {{ files: {root}/live/home }}, settings: {{ documents: {root}/live/settings }} }}\n\
         owners: {{ user: {{ from: homes-copy, below: home }} }}\nsteps:\n\
         - {{ id: realm, restore: settings, from: settings-copy, below: settings }}\n\
         - {{ id: home, each: user, needs: [realm], restore: homes, from: homes-copy, below: \"home/${{user}}\" }}\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground
}

#[test]
fn after_a_refused_approval_the_next_question_comes() {
    let ground = settings_and_homes();
    ground.answering("1\n7\n", &["run", "runbook.yaml", "--plain"], 2).says("2 review, 1 done");
    ground.rekindle(&["undo", "--yes", "--task", "realm"], 0);
    let told = ground.answering("1\n1\n", &["resume", "--plain"], 2);
    for name in ["home/ana", "home/bob"] {
        told.says(&format!("cannot approve {name}: what it needs is no longer done: realm is undone\n  next: "));
    }
    told.says("2 review, 1 undone\nnext: rekindle resume ");
}

#[test]
fn nobody_is_left_out_with_a_task_that_is_nobodys() {
    let ground = settings_and_homes();
    let told = ground.answering("5\n1\n5\n\n7\n", &["run", "runbook.yaml", "--plain"], 2);
    told.says(
        "1 approve  2 leave out hunks  3 show all  4 skip  6 later  7 quit\n> this task is nobody's in particular",
    );
    told.says("4 skip  5 leave this user out  6 later").says(" left out? (empty: not)").says("2 review, 1 done");
}
