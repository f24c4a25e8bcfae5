//! An undo holds back those whom its flags do not cover, and nobody else.

use std::fs;

use crate::ground::Ground;

/// Ana's account and a file of her home are changed; Bob has neither.
fn restored() -> Ground {
    let ground = Ground::bare();
    for user in ["ana", "bob"] {
        fs::create_dir_all(ground.path(&format!("copy/home/{user}"))).unwrap();
        fs::write(ground.path(&format!("copy/home/{user}/notes")), format!("notes of {user}\n")).unwrap();
        fs::create_dir_all(ground.path("copy/accounts")).unwrap();
        fs::write(ground.path(&format!("copy/accounts/{user}.yaml")), format!("name: {user}\nquota: 10G\n")).unwrap();
    }
    fs::create_dir_all(ground.path("home/ana")).unwrap();
    fs::create_dir_all(ground.path("accounts")).unwrap();
    fs::write(ground.path("home/ana/notes"), "scribble\n").unwrap();
    for user in ["ana", "bob"] {
        fs::write(ground.path(&format!("accounts/{user}.yaml")), format!("name: {user}\nquota: 1G\n")).unwrap();
    }
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\ntitle: Held back\n\
         sources:\n  homes-copy: {{ directory: {root}/copy }}\n  \
         accounts-copy: {{ directory: {root}/copy, format: documents }}\n\
         components: {{ homes: {{ files: {root}/home }}, accounts: {{ documents: {root}/accounts }} }}\n\
         owners: {{ user: {{ from: homes-copy, below: home }} }}\nsteps:\n\
         - {{ id: account, each: user, restore: accounts, from: accounts-copy, below: accounts }}\n\
         - {{ id: home, each: user, needs: [account], restore: homes, from: homes-copy, below: \"home/${{user}}\" }}\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0).says("4 done");
    ground
}

#[test]
fn an_undo_holds_back_whom_its_flags_do_not_cover_and_takes_the_others_all_the_way() {
    let ground = restored();
    let told = ground.rekindle(&["undo", "--yes"], 2);
    told.says("home/bob waits: its plan deletes 2; --yes --yes-deletes approves that too")
        .says("not begun, for later steps are undone first: account/bob")
        .says("held back: user bob; to take them along: --yes --yes-deletes");
    let read = |path: &str| fs::read_to_string(ground.path(path)).unwrap();
    assert_eq!(read("home/ana/notes"), "scribble\n");
    assert_eq!(read("accounts/ana.yaml"), "name: ana\nquota: 1G\n", "ana was held back by bob");
    assert_eq!(read("accounts/bob.yaml"), "name: bob\nquota: 10G\n", "his home still needs it");
    assert_eq!(read("home/bob/notes"), "notes of bob\n");

    ground.rekindle(&["undo", "--yes", "--yes-deletes"], 0).says("everything that was asked for is undone");
    assert_eq!(read("accounts/bob.yaml"), "name: bob\nquota: 1G\n");
    assert!(!ground.path("home/bob").exists());
}

#[test]
fn an_undo_that_fails_for_one_goes_on_for_the_others_and_says_so() {
    let ground = restored();
    // What is in the way of Ana's home: nobody can read that there.
    let kept = ground.path("home/.rekindle");
    assert!(kept.is_dir());
    let aside = ground.path("aside");
    fs::rename(&kept, &aside).unwrap();
    let told = ground.rekindle(&["undo", "--yes", "--yes-deletes"], 1);
    told.says("held back: user ana\n");
    assert!(
        !ground.path("home/bob").exists()
            && fs::read_to_string(ground.path("accounts/bob.yaml")).unwrap().contains("1G")
    );
    assert!(fs::read_to_string(ground.path("accounts/ana.yaml")).unwrap().contains("10G"));
    let _ = fs::remove_dir_all(&kept);
    fs::rename(&aside, &kept).unwrap();
    ground.rekindle(&["undo", "--yes", "--yes-deletes"], 0);
    assert_eq!(fs::read_to_string(ground.path("home/ana/notes")).unwrap(), "scribble\n");
}

#[test]
fn an_undo_tells_who_asked_for_it_and_who_approved_it() {
    let ground = restored();
    let told = ground.rekindle(&["undo", "--yes", "--yes-deletes"], 0);
    for task in ["home/ana", "home/bob", "account/ana", "account/bob"] {
        for word in ["undo      asked by", "review    undo: ", "approved  plan"] {
            told.says(&format!("{task:<24} {word}"));
        }
    }
}

#[test]
fn a_name_that_is_not_there_leaves_the_run_as_it_was() {
    let ground = restored();
    let before = ground.rekindle(&["watch", "--once"], 0).out;
    ground.rekindle(&["undo", "--yes", "--task", "home/zed"], 1).complains("cannot undo the task 'home/zed'");
    ground.rekindle(&["undo", "--yes", "--user", ""], 1).complains("next: there is ana, bob");
    assert_eq!(ground.rekindle(&["watch", "--once"], 0).out, before);
}

/// What is live has something that its plan deletes, and something that cannot be brought back.
#[test]
fn a_sentence_names_every_flag_that_its_plan_needs_at_once() {
    let ground = Ground::bare();
    fs::create_dir_all(ground.path("live")).unwrap();
    fs::create_dir_all(ground.path("copy/accounts")).unwrap();
    fs::write(ground.path("live/ana.yaml"), "name: ana\nseal: old\nquota: 1\n").unwrap();
    fs::write(ground.path("copy/accounts/ana.yaml"), "name: ana\nseal: new\n").unwrap();
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\ntitle: Sealed\nsources: {{ copy: {{ directory: {root}/copy, format: documents }} }}\n\
         components:\n  accounts:\n    documents: {root}/live\n    \
         schema: {{ fields: {{ seal: {{ fidelity: irreversible }} }} }}\n\
         steps:\n- {{ id: account, restore: accounts, from: copy, below: accounts, mode: exact }}\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    let all = "--yes --yes-deletes --yes-irreversible";
    for (given, why) in [
        (&["--yes"][..], "its plan deletes 1, and it cannot be undone"),
        (&["--yes", "--yes-deletes"], "it cannot be undone"),
        (&["--yes", "--yes-irreversible"], "its plan deletes 1"),
    ] {
        let told = ground.rekindle(&[&["run", "runbook.yaml", "--plain"], given].concat(), 2);
        told.says(&format!("account waits: {why}; {all} approves that too\n"));
        assert!(told.out.lines().last().unwrap().ends_with(all), "{}", told.out);
    }
    ground.rekindle(&["resume", "--plain", "--yes", "--yes-deletes", "--yes-irreversible"], 0);
}
