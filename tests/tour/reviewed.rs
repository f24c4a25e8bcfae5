//! A saved plan is decided on in several sittings, and applied later.

use std::fs;

use crate::ground::Ground;

const REVIEW: [&str; 2] = ["review", "plan.json"];
const APPLY: [&str; 5] = ["run", "runbook.yaml", "--plain", "--decisions", "decisions.json"];

/// Four users whose files differ each in its own way; the plan of them is saved.
fn saved() -> Ground {
    let ground = Ground::bare();
    for (user, text) in [("ana", "a\n"), ("bob", "b b\n"), ("cyd", "c c c\n"), ("dee", "d d d d\n")] {
        fs::create_dir_all(ground.path(&format!("backup/{user}"))).unwrap();
        fs::write(ground.path(&format!("backup/{user}/{user}.txt")), text).unwrap();
    }
    fs::create_dir_all(ground.path("live")).unwrap();
    let root = ground.path("").display().to_string();
    let text = format!(
        "rekindle: 2\nsources: {{ b: {{ directory: {root}backup }} }}\ncomponents: {{ homes: {{ files: {root}live }} }}\n\
         owners: {{ user: {{ from: b }} }}\nsteps:\n\
         - {{ id: home, each: user, restore: homes, from: b, below: \"${{user}}\" }}\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground.rekindle(&["plan", "runbook.yaml", "--out", "plan.json"], 2);
    ground
}

fn approved(ground: &Ground) -> Vec<String> {
    let text = fs::read_to_string(ground.path("decisions.json")).unwrap();
    let decisions: serde_json::Value = serde_json::from_str(&text).unwrap();
    decisions["tasks"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_review_that_was_left_is_gone_on_with_and_keeps_what_was_decided() {
    let ground = saved();
    ground.answering("a\na\nq\n", &REVIEW, 2).says("2 plans approved, 2 not; written to decisions.json");
    // Nobody decides anything: what was decided stands.
    let told = ground.answering("q\n", &REVIEW, 2);
    told.says("2 plans are decided already, in decisions.json; the others are asked for");
    told.says("this plan of home/cyd?").says("2 plans approved, 2 not");
    assert!(!told.out.contains("this plan of home/ana?"), "{}", told.out);
    assert_eq!(approved(&ground), ["home/ana", "home/bob"]);
    ground.answering("a\na\n", &REVIEW, 0).says("4 plans approved, 0 not");
    ground.rekindle(&APPLY, 0).says("4 done");
}

#[test]
fn what_was_decided_before_the_terminal_was_lost_is_kept() {
    let ground = saved();
    // The answers end without a farewell.
    ground.answering("a\n", &REVIEW, 2);
    assert_eq!(approved(&ground), ["home/ana"]);
}

#[test]
fn a_hunk_that_was_left_out_stays_so_when_the_rest_is_approved_at_once() {
    let ground = saved();
    fs::write(ground.path("backup/ana/other.txt"), "o\n").unwrap();
    ground.rekindle(&["plan", "runbook.yaml", "--out", "plan.json"], 2);
    ground.answering("h\n3\na\nq\n", &REVIEW, 2).says("other.txt  2 B  (left out)");
    ground.rekindle(&["review", "plan.json", "--yes"], 0).says("4 plans approved, 1 hunk of 1 plan left out, 0 not");
    ground.rekindle(&APPLY, 0);
    assert!(ground.path("live/ana/ana.txt").exists() && !ground.path("live/ana/other.txt").exists());
}

#[test]
fn a_review_in_which_nothing_is_decided_makes_no_file() {
    let ground = saved();
    let told = ground.answering("q\n", &REVIEW, 2);
    told.says("0 plans approved, 4 not; nothing was decided, so nothing was written");
    assert!(!told.out.contains("next:") && !ground.path("decisions.json").exists(), "{}", told.out);
}

#[test]
fn decisions_on_another_plan_are_never_written_over() {
    let ground = saved();
    ground.rekindle(&["review", "plan.json", "--yes"], 0);
    let before = fs::read(ground.path("decisions.json")).unwrap();
    for user in ["ana", "bob", "cyd", "dee"] {
        fs::write(ground.path(&format!("backup/{user}/{user}.txt")), format!("{user} again\n")).unwrap();
    }
    ground.rekindle(&["plan", "runbook.yaml", "--out", "plan.json"], 2);
    let told = ground.rekindle(&["review", "plan.json", "--yes"], 1);
    assert!(told.err.contains("it holds decisions on another plan") && told.err.contains("--out"), "{}", told.err);
    assert_eq!(fs::read(ground.path("decisions.json")).unwrap(), before);
    fs::write(ground.path("decisions.json"), "a shopping list\n").unwrap();
    ground.rekindle(&["review", "plan.json", "--yes"], 1);
    assert_eq!(fs::read_to_string(ground.path("decisions.json")).unwrap(), "a shopping list\n");
    ground.rekindle(&["review", "plan.json", "--yes", "--out", "others.json"], 0);
}

#[test]
fn a_decision_that_fits_no_plan_any_more_is_named_and_asked_for_again() {
    let ground = saved();
    ground.answering("a\na\nq\n", &REVIEW, 2);
    fs::write(ground.path("backup/bob/bob.txt"), "b\n").unwrap();
    ground.rekindle(&["plan", "runbook.yaml", "--out", "plan.json"], 2);
    let told = ground.answering("q\n", &REVIEW, 2);
    told.says("1 decision in that file fits no longer, for its task has another plan (home/bob): it goes");
    told.says("this plan of home/bob?");
    assert_eq!(approved(&ground), ["home/ana"]);
}

#[test]
fn a_review_explains_its_answers_as_decisions_for_later() {
    let told = saved().answering("?\nq\n", &REVIEW, 2);
    told.says("decide that exactly this is to be written; `rekindle run");
    told.says("leave the review; what you decided is saved");
    assert!(!told.out.contains("rekindle resume"), "{}", told.out);
}

#[test]
fn lines_that_were_not_saved_are_not_promised() {
    let ground = saved();
    let many: String = (0..90).map(|line| format!("line {line}\n")).collect();
    fs::write(ground.path("backup/ana/ana.txt"), many).unwrap();
    ground.rekindle(&["plan", "runbook.yaml", "--out", "plan.json"], 2);
    let told = ground.answering("q\n", &REVIEW, 2);
    told.says("this plan was saved so: `rekindle plan --all --out` keeps every line");
    assert!(!told.out.contains("f show every line"), "{}", told.out);
    ground.rekindle(&["plan", "runbook.yaml", "--all", "--out", "plan.json"], 2);
    ground.answering("q\n", &REVIEW, 2).says("+ line 89");
}

/// Nothing was written, so there is nothing that an undo could fail at.
#[test]
fn a_plan_of_which_all_was_left_out_has_nothing_to_undo() {
    let ground = saved();
    ground.answering("h\n1\na\nq\n", &REVIEW, 2).says("1 plan approved, 2 hunks of 1 plan left out, 3 not");
    let told = ground.rekindle(&APPLY, 2);
    told.says("nothing was left to write");
    assert!(!told.out.contains("can be undone"), "{}", told.out);
    let told = ground.rekindle(&["undo", "--yes", "--user", "ana"], 1);
    assert!(told.err.contains("nothing that this run did for them can be brought back"), "{}", told.err);
    ground.rekindle(&["verify"], 0);
}

#[test]
fn parts_of_a_runbook_are_reviewed_one_after_the_other_into_one_file() {
    let ground = saved();
    for (user, file) in [("ana", "one.json"), ("bob", "two.json")] {
        ground.rekindle(&["plan", "runbook.yaml", "--user", user, "--out", file], 2);
    }
    ground.rekindle(&["review", "one.json", "--yes"], 0).says("1 plan approved, 0 not");
    let told = ground.answering("q\n", &["review", "two.json"], 2);
    told.says("1 decision in that file is on tasks that this plan does not have: it stays there");
    ground.rekindle(&["review", "two.json", "--yes"], 0).says("1 plan approved, 0 not");
    assert_eq!(approved(&ground), ["home/ana", "home/bob"]);
    ground.rekindle(&APPLY, 2).says("2 done");
}
