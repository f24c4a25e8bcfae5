//! The README's tour and its side paths, on the built binary and a repository that the real restic wrote.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the stories' ground is test code outside any test function"
)]

mod asked_undo;
mod dry_run;
mod ground;
mod held_back;
mod hostile;
mod leaving;
mod new_documents;
mod owners;
mod pasted;
mod progress;
mod prompts;
mod proof;
mod readme;
mod reviewed;
mod schema;
mod shipped;
#[path = "../support/mod.rs"]
mod support;
mod warned;
mod which_run;

use std::fs;

use ground::{Ground, assert_same};

#[test]
fn a_plan_is_applied_proved_and_undone_to_the_last_bit() {
    let ground = Ground::make();
    let whole = ground.manifest();
    ground.damage();
    let damaged = ground.manifest();
    ground.runbook();

    ground.rekindle(&["lint", "runbook.yaml"], 0);
    let planned = ground.rekindle(&["plan", "runbook.yaml"], 2);
    planned.says("quota  \"1G\" → \"10G\"").says("create tree bob").says("4 to change");
    assert_same(&ground.manifest(), &damaged);

    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0).says("4 done");
    ground.rekindle(&["plan", "runbook.yaml"], 0).says("4 unchanged, 0 to change");
    let kept = |entry: &rekindle::model::Entry| entry.path.name() == Some(b"came-later");
    let restored: Vec<_> = ground.manifest().into_iter().filter(|(entry, _)| !kept(entry)).collect();
    let homes = |all: &[(rekindle::model::Entry, Option<Vec<u8>>)]| -> Vec<_> {
        all.iter().filter(|(entry, _)| entry.path.as_bytes().starts_with(b"home/")).cloned().collect()
    };
    assert_same(&homes(&restored), &homes(&whole));
    ground.rekindle(&["verify"], 0).says("4 tasks are as restored, 0 differ");

    // What the way back would delete waits until it is allowed.
    let held = ground.rekindle(&["undo", "--yes"], 2);
    held.says("home/bob waits: its plan deletes")
        .says("not begun, for later steps are undone first: account/ana, account/bob");
    let next = held.out.lines().last().unwrap();
    assert!(next.starts_with("next: rekindle undo ") && next.ends_with(" --yes --yes-deletes"), "{next}");
    ground
        .rekindle(&["undo", "--yes", "--yes-deletes", "--user", "ana,bob"], 0)
        .says("everything that was asked for is undone");
    assert_same(&ground.manifest(), &damaged);
    ground.rekindle(&["plan", "runbook.yaml"], 2);

    assert!(ground.live().join("home/.rekindle").exists(), "nothing was kept");
    ground.rekindle(&["close"], 0);
    assert!(!ground.live().join("home/.rekindle").exists(), "what was kept is still there");
    ground.rekindle(&["undo", "--yes"], 1).complains("it was closed").complains("next: ");
    assert_same(&ground.manifest(), &damaged);
}

#[test]
fn only_the_users_that_were_named_are_touched() {
    let ground = Ground::make();
    ground.damage();
    ground.runbook();
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--user", "bob"], 0).says("2 done");
    assert!(ground.live().join("home/bob/.profile").exists());
    ground.rekindle(&["plan", "runbook.yaml", "--user", "bob"], 0);
    ground.rekindle(&["plan", "runbook.yaml", "--except", "user=bob"], 2).says("account/ana").says("home/ana");

    fs::write(ground.path("users"), "ana\n").unwrap();
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--only", "user=@users"], 0).says("2 done");
    ground.rekindle(&["plan", "runbook.yaml"], 0);
    ground
        .rekindle(&["plan", "runbook.yaml", "--user", "eve"], 1)
        .complains("'eve'")
        .complains("next: there is ana, bob");
    ground
        .rekindle(&["plan", "runbook.yaml", "--only", "user=@nofile"], 1)
        .complains("cannot read nofile")
        .complains("next: ");
}

#[test]
fn decisions_are_applied_as_reviewed_and_void_once_something_moves() {
    let ground = Ground::make();
    ground.damage();
    ground.runbook();
    ground.rekindle(&["plan", "runbook.yaml", "--out", "plan.json"], 2);
    ground.rekindle(&["review", "plan.json", "--yes"], 0).says("4 plans approved");

    // Between review and run somebody changes bob's account.
    let account = ground.live().join("accounts/bob.yaml");
    let drifted = "name: bob\nquota: 3G\ngroups:\n- users\n";
    fs::write(&account, drifted).unwrap();
    let told = ground.rekindle(&["run", "runbook.yaml", "--plain", "--decisions", "decisions.json"], 2);
    told.says("account/bob waits: it is no longer as it was reviewed").says("2 done");
    assert_eq!(fs::read_to_string(&account).unwrap(), drifted);
    assert!(!ground.live().join("home/bob").exists(), "a home was written before the account that it needs");
    ground.rekindle(&["plan", "runbook.yaml", "--user", "ana"], 0);

    ground.rekindle(&["plan", "runbook.yaml", "--out", "plan.json"], 2);
    ground.rekindle(&["review", "plan.json", "--yes", "--out", "again.json", "--json"], 0).json();
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--decisions", "again.json"], 0);
    ground.rekindle(&["plan", "runbook.yaml"], 0);
}

#[test]
fn every_verb_that_tells_facts_tells_them_as_json() {
    let ground = Ground::make();
    ground.damage();
    ground.runbook();
    let planned = ground.rekindle(&["plan", "runbook.yaml", "--json"], 2).json();
    assert_eq!(planned["tasks"].as_array().unwrap().len(), 4);

    let events = ground.rekindle(&["run", "runbook.yaml", "--yes", "--json"], 0).lines();
    assert!(events.len() > 8, "{} events", events.len());
    let (first, last) = (events.first().unwrap(), events.last().unwrap());
    assert_eq!((&first["event"], &first["tasks"]), (&"run".into(), &4.into()), "{first}");
    assert_eq!(
        (&last["event"], &last["complete"], &last["by_status"]["done"]),
        (&"end".into(), &true.into(), &4.into())
    );
    let runs = ground.rekindle(&["runs", "--json"], 0).json();
    let id = runs["runs"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
    let report = ground.rekindle(&["report", &id, "--json"], 0).json();
    assert!(report.to_string().contains("10G"), "the report does not say what changed");
    ground.rekindle(&["report"], 0).says("home/bob").says("approved");
    assert_eq!(ground.rekindle(&["verify", "--json"], 0).json()["equal"], 4);
    assert_eq!(report_events(&ground.rekindle(&["watch", "--once", "--json"], 0).lines()), report_events(&events));
    ground.rekindle(&["watch", "--once"], 0).says("home/bob");

    fs::write(ground.live().join("home/bob/.profile"), "changed again\n").unwrap();
    let verified = ground.rekindle(&["verify", "--json"], 2).json();
    assert_eq!(verified["differing"].as_array().unwrap().len(), 1);
    assert_eq!(ground.rekindle(&["close", "--json"], 0).json()["closed"], id);
    ground.rekindle(&["runs"], 0).says("closed");
}

/// The header comes to a run's own follower as a snapshot, and to a later one as the first event.
fn report_events(followed: &[serde_json::Value]) -> usize {
    let numbered = followed.iter().filter(|event| event["seq"].is_u64());
    let opened = followed.iter().any(|event| event.to_string().contains("\"opened\""));
    numbered.count() + usize::from(!opened)
}

#[test]
fn a_reader_that_goes_away_ends_the_output_alone() {
    let ground = Ground::make();
    ground.damage();
    ground.runbook();
    let command = format!("{} plan runbook.yaml | true; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_rekindle"));
    let output = std::process::Command::new("bash")
        .args(["-c", &command])
        .current_dir(ground.path(""))
        .env("REKINDLE_STATE", ground.path("state"))
        .env("RESTIC_PASSWORD", support::repository::PASSWORD)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "2\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_a_review_left_out_is_no_difference_and_anything_else_is() {
    let ground = Ground::make();
    ground.damage();
    ground.runbook();
    ground.rekindle(&["plan", "runbook.yaml", "--out", "plan.json", "--user", "ana"], 2);
    // Hunk 1 of account/ana is the quota; then both plans are approved.
    let told = ground.answering("h\n1\na\napprove\n", &["review", "plan.json"], 0);
    told.says("quota").says("2 plans approved, 1 hunk of 1 plan left out, 0 not");
    let run = ["run", "runbook.yaml", "--plain", "--user", "ana", "--decisions", "decisions.json"];
    ground.rekindle(&run, 0);
    let account = ground.live().join("accounts/ana.yaml");
    let text = fs::read_to_string(&account).unwrap();
    assert!(text.contains("quota: 1G"), "{text}");
    ground.rekindle(&["verify"], 0).says("2 tasks are as restored, 0 differ");

    // As many differences as were left out, but not those.
    let drifted = text.replace("quota: 1G", "quota: 10G").replace("ana # her", "eve # her");
    assert_ne!(drifted, text);
    fs::write(&account, drifted).unwrap();
    ground.rekindle(&["verify"], 2).says("account/ana: 1 difference, first in document ana: name");
}

#[test]
fn a_report_names_the_command_that_was_approved() {
    let ground = Ground::bare();
    let text = "rekindle: 1\ntitle: A command\nsteps: [{ id: touch, run: [touch, made, 'by hand'] }]\n";
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    let told = ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0);
    assert!(!told.out.contains("rekindle undo"), "an undo is offered that there is not: {}", told.out);
    assert!(ground.path("made").exists());
    ground.rekindle(&["report"], 0).says("command: `touch made by hand`").says("exit code 0");
}
