//! What rekindle prints to be typed next is typed as it stands.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::ground::Ground;

const RUNBOOK: &str = "rekindle: 1
title: Accounts
inputs:
  from: { about: where the backup lies }
sources:
  backup: { directory: \"${from}\", format: documents }
components:
  accounts: { documents: LIVE }
owners:
  user: { from: backup, below: . }
steps:
  - { id: account, each: user, restore: accounts, from: backup, below: . }
";

#[test]
fn the_command_that_a_review_ends_with_applies_what_was_decided_and_for_whom() {
    let ground = Ground::bare();
    for folder in ["the operator's backup", "live"] {
        std::fs::create_dir(ground.path(folder)).unwrap();
    }
    for user in ["ana", "bob"] {
        let text = format!("name: {user}\n");
        std::fs::write(ground.path("the operator's backup").join(format!("{user}.yaml")), text).unwrap();
    }
    let live = ground.path("live");
    std::fs::write(ground.path("run book.yaml"), RUNBOOK.replace("LIVE", live.to_str().unwrap())).unwrap();
    let from = format!("from={}", ground.path("the operator's backup").display());
    let planned =
        ground.rekindle(&["plan", "run book.yaml", "--input", &from, "--user", "ana", "--out", "plan.json"], 2);
    planned.says("  accounts: ").says(live.to_str().unwrap());
    let told = ground.rekindle(&["review", "plan.json", "--yes", "--out", "my decisions.json"], 0);
    let next = told.out.lines().find_map(|line| line.strip_prefix("next: ")).unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_rekindle"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let ran = Command::new("bash")
        .args(["-c", next])
        .current_dir(ground.path(""))
        .env("PATH", path)
        .env("REKINDLE_STATE", ground.path("state"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = format!("{next}\n{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}");
    assert!(live.join("ana.yaml").exists() && !live.join("bob.yaml").exists(), "{said}");
}

/// Nobody is there, and it is said before the waiting ends.
#[test]
fn what_is_waited_for_is_said_at_once() {
    let ground = Ground::bare();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let runbook = format!(
        "rekindle: 1\ntitle: People\n\
         sources:\n  backup: {{ directory: ., format: keycloak-export }}\n\
         components:\n  people:\n    keycloak: http://127.0.0.1:{port}\n    realm: staff\n    \
         login: {{ user: admin, password: {{ env: PEOPLE_PASSWORD }} }}\n\
         owners:\n  user: {{ from: people, kind: user }}\n\
         steps:\n  - {{ id: account, each: user, restore: people, from: backup, below: \"users/${{user}}\" }}\n"
    );
    std::fs::write(ground.path("runbook.yaml"), runbook).unwrap();
    for words in [&["plan", "runbook.yaml"][..], &["run", "runbook.yaml", "--plain", "--yes"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rekindle"))
            .args(words)
            .current_dir(ground.path(""))
            .env("REKINDLE_STATE", ground.path("state"))
            .env("PEOPLE_PASSWORD", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut first).unwrap();
        let is_waiting = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(first.starts_with("waiting for people: Keycloak does not answer"), "{first}");
        assert!(is_waiting, "it was said at the end: {first}");
    }
}
