//! Which run a verb takes where none is named, and how one is named.

use std::fs;

use crate::ground::Ground;

/// A file of Ana's home, in a plain directory and gone; a runbook of each title.
fn ground() -> Ground {
    let ground = Ground::bare();
    fs::create_dir_all(ground.path("copy/ana")).unwrap();
    fs::create_dir_all(ground.path("home/ana")).unwrap();
    fs::write(ground.path("copy/ana/notes"), "call bob\n").unwrap();
    fs::write(ground.path("home/ana/notes"), "scribbled over\n").unwrap();
    let root = ground.path("");
    let root = root.to_str().unwrap();
    for title in ["first", "second", "third"] {
        let text = format!(
            "rekindle: 1\ntitle: {title}\nsources: {{ copy: {{ directory: {root}/copy }} }}\n\
             components: {{ homes: {{ files: {root}/home }} }}\nowners: {{ user: {{ from: copy }} }}\nsteps:\n\
             - {{ id: home, each: user, restore: homes, from: copy, below: \"${{user}}\" }}\n"
        );
        fs::write(ground.path(&format!("{title}.yaml")), text).unwrap();
    }
    ground
}

fn run(ground: &Ground, title: &str) {
    ground.rekindle(&["run", &format!("{title}.yaml"), "--plain", "--yes"], 0);
}

fn ids(ground: &Ground) -> Vec<String> {
    let runs = ground.rekindle(&["runs", "--json"], 0).json();
    runs["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_run_that_changed_nothing_hides_none_that_did() {
    let ground = ground();
    run(&ground, "first");
    run(&ground, "second");
    let listed = ground.rekindle(&["runs"], 0);
    let undo = listed.out.lines().next().unwrap().find("UNDO").unwrap();
    let marks: Vec<&str> =
        listed.out.lines().skip(1).map(|line| line[undo..].split_whitespace().next().unwrap()).collect();
    assert_eq!(marks, ["yes", "no"], "{}", listed.out);

    ground.rekindle(&["verify"], 0).complains("first: the latest run that left something to verify (1 run begun");
    ground
        .rekindle(&["undo", "--yes"], 0)
        .complains("first: the latest run that can be undone (1 run begun later passed over)");
    assert_eq!(fs::read_to_string(ground.path("home/ana/notes")).unwrap(), "scribbled over\n");
    // Asked once more, it does not go on to what is before.
    run(&ground, "third");
    ground.rekindle(&["undo", "--yes"], 0).complains("third: the latest run that can be undone\n");
    ground.rekindle(&["undo", "--yes"], 0).complains("third: ").says("everything that was asked for is undone");
}

#[test]
fn who_closed_the_latest_run_has_not_meant_the_one_before_it() {
    let ground = ground();
    run(&ground, "first");
    fs::write(ground.path("home/ana/notes"), "scribbled over again\n").unwrap();
    run(&ground, "second");
    ground.rekindle(&["close"], 0);
    ground.rekindle(&["undo", "--yes"], 1).complains("it was closed").complains("'rekindle runs' lists the others");
    // Named, it is taken back, past what was closed since.
    assert_eq!(fs::read_to_string(ground.path("home/ana/notes")).unwrap(), "call bob\n");
    let first = ids(&ground).into_iter().min().unwrap();
    ground.rekindle(&["undo", "--yes", &first], 0);
}

#[test]
fn a_run_that_is_worked_on_or_cannot_be_read_is_not_passed_over() {
    let ground = ground();
    run(&ground, "first");
    run(&ground, "second");
    let ids = ids(&ground);
    let journal = ground.path(&format!("state/runs/{}/journal.db", ids[1]));
    fs::write(journal, "not a journal").unwrap();
    ground.rekindle(&["undo", "--yes"], 1).complains(&ids[1]);
    ground.rekindle(&["verify"], 1).complains(&ids[1]);
    assert_eq!(fs::read_to_string(ground.path("home/ana/notes")).unwrap(), "call bob\n");
}

#[test]
fn a_run_that_never_began_hides_none_that_did_and_one_that_was_emptied_does() {
    let ground = ground();
    run(&ground, "first");
    let first = ids(&ground).remove(0);
    // What a kill leaves while the journal is made: a file without a table, and no head beside the keys.
    let unbegun = ground.path("state/runs/999999-999999-unbegun");
    fs::create_dir_all(&unbegun).unwrap();
    fs::write(unbegun.join("journal.db"), "").unwrap();
    ground.rekindle(&["verify"], 0);
    ground.rekindle(&["report"], 0).says("# first");
    ground
        .rekindle(&["report", "999999"], 1)
        .complains("its run ended before it began")
        .complains("'rekindle runs' lists the others");
    fs::write(ground.path(&format!("state/runs/{first}/journal.db")), "").unwrap();
    ground.rekindle(&["verify"], 1).complains(&first);
}

/// Where no file may be larger than a few kilobytes nothing is begun, and the error says why.
#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_no_sudden_end() {
    under_a_limit("ulimit -f 1");
}

#[test]
fn too_few_open_files_are_an_error_with_the_way_to_have_more() {
    for limit in ["ulimit -n 7", "ulimit -n 15"] {
        let told = under_a_limit(limit);
        assert!(told.contains("open only") && told.contains("ulimit -n 1024"), "{told}");
    }
}

/// What is told where nothing can be begun.
fn under_a_limit(limit: &str) -> String {
    let ground = ground();
    let command = format!("{limit}; {} run first.yaml --plain --yes", env!("CARGO_BIN_EXE_rekindle"));
    let mut shell = std::process::Command::new("bash");
    let ended = shell.args(["-c", &command]).current_dir(ground.path("")).env("REKINDLE_STATE", ground.path("state"));
    let ended = ended.output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.code() == Some(1) && told.contains("error: ") && told.contains("next: "), "{told}");
    told
}

#[test]
fn the_beginning_of_a_name_is_enough_where_it_is_one_runs() {
    let ground = ground();
    run(&ground, "first");
    run(&ground, "second");
    let ids = ids(&ground);
    let common = ids[0].chars().zip(ids[1].chars()).take_while(|(one, other)| one == other).count();
    let short = &ids[0][..common + 1];
    ground.rekindle(&["report", short], 0).says("# first");
    ground.rekindle(&["watch", "--once", short], 0).says(&ids[0]);
    let told = ground.rekindle(&["undo", "--yes", &ids[0][..common]], 1);
    told.complains("2 runs begin so: ").complains(&ids[0]).complains(&ids[1]).complains("give more of the name");
    ground.rekindle(&["verify", "nobody"], 1).complains("none begins so").complains("'rekindle runs' lists them");
    ground.rekindle(&["undo", "--yes", short], 0);
    ground.rekindle(&["close", short], 0).says(&ids[0]);
    ground.rekindle(&["runs"], 0).says("closed");
}

#[test]
fn who_watches_sees_the_run_that_is_going_before_one_that_was_begun_later() {
    let ground = ground();
    run(&ground, "first");
    run(&ground, "second");
    let ids = ids(&ground);
    let state = rekindle::journal::StateFolder::at(ground.path("state"));
    let held = state.named(&ids[0]).unwrap().lock(0).unwrap();
    ground.rekindle(&["watch", "--once"], 0).says(&ids[0]);
    drop(held);
    ground.rekindle(&["watch", "--once"], 0).says(&ids[1]);
}

#[test]
fn every_json_form_has_the_words_of_the_screens() {
    let ground = ground();
    run(&ground, "first");
    let runs = ground.rekindle(&["runs", "--json"], 0).json();
    assert_eq!((&runs["runs"][0]["state"], &runs["runs"][0]["can_be_undone"]), (&"complete".into(), &true.into()));
    ground.rekindle(&["runs"], 0).says("complete");
    let report = ground.rekindle(&["report", "--json"], 0).json();
    assert_eq!((&report["state"], &report["can_be_undone"]), (&"complete".into(), &true.into()));
    let words = serde_json::json!({ "create": 0, "update": 1, "delete": 0, "hunks": 1, "delete_hunks": 0 });
    assert_eq!(report["tasks"][0]["rounds"][0]["counts"], words);
    let events = ground.rekindle(&["watch", "--once", "--json"], 0).lines();
    let planned = events.iter().find(|event| event["event"] == "planned").unwrap();
    assert_eq!(planned["counts"], words);

    ground.rekindle(&["undo", "--yes"], 0);
    let again = ["undo", "--json", "--yes", runs["runs"][0]["id"].as_str().unwrap()];
    ground.rekindle(&again, 0);
    assert_eq!(ground.rekindle(&["runs", "--json"], 0).json()["runs"][0]["can_be_undone"], false);
    assert_eq!(ground.rekindle(&["report", "--json"], 0).json()["tasks"][0]["status"], "undone");
}
