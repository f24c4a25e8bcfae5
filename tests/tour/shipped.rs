use std::fs;
use std::process::Command;

use crate::ground::{Ground, assert_same, manifest};
use crate::support::root;

fn shipped(name: &str) -> String {
    root().join("runbooks").join(name).to_str().unwrap().to_owned()
}

/// `--input NAME=VALUE` for each.
fn inputs(values: &[(&str, &str)]) -> Vec<String> {
    values.iter().flat_map(|(name, value)| ["--input".to_owned(), format!("{name}={value}")]).collect()
}

/// Plan, run, plan again; then undo, to the last bit.
fn goes_there_and_back(ground: &Ground, runbook: &str, values: &[(&str, &str)]) {
    let runbook = shipped(runbook);
    let values = inputs(values);
    let with = |words: &[&str]| -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).chain(values.iter().cloned()).collect()
    };
    let go = |words: &[&str], code: i32| {
        let words = with(words);
        ground.rekindle(&words.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    let damaged = ground.manifest();
    ground.rekindle(&["lint", &runbook], 0).says("0 errors, 0 warnings");
    go(&["plan", &runbook], 2);
    go(&["run", &runbook, "--plain", "--yes"], 0);
    go(&["plan", &runbook], 0);
    ground.rekindle(&["undo", "--yes", "--yes-deletes"], 0);
    assert_same(&ground.manifest(), &damaged);
}

#[test]
fn homes_from_restic() {
    let ground = Ground::make();
    ground.damage();
    let live = ground.live();
    let (homes, accounts) = (live.join("home"), live.join("accounts"));
    let (homes, accounts) = (homes.to_str().unwrap(), accounts.to_str().unwrap());
    let repository = ground.repository();
    let values = [
        ("repository", repository.to_str().unwrap()),
        ("homes", homes),
        ("accounts", accounts),
        ("backup_homes", homes),
        ("backup_accounts", accounts),
    ];
    goes_there_and_back(&ground, "homes-from-restic.yaml", &values);
}

#[test]
fn documents_from_directory() {
    let ground = Ground::make();
    let copied = Command::new("cp").args(["-a"]).arg(ground.live()).arg(ground.path("copy")).status().unwrap();
    assert!(copied.success());
    ground.damage();
    let (copy, live) = (ground.path("copy/accounts"), ground.path("live/accounts"));
    let values = [("backup", copy.to_str().unwrap()), ("live", live.to_str().unwrap())];
    goes_there_and_back(&ground, "documents-from-directory.yaml", &values);
}

#[test]
fn dotenv_from_directory() {
    let ground = Ground::bare();
    let (copy, live) = (ground.path("copy"), ground.path("live/services"));
    fs::create_dir(&copy).unwrap();
    fs::create_dir_all(&live).unwrap();
    let saved = "# The web front end\nexport NAME=web\nPORT=8080\nDB_PASSWORD='hunter 2'\nMOTTO=\"$NAME first\"\n";
    fs::write(copy.join("web.env"), saved).unwrap();
    fs::write(copy.join(".env"), "TOKEN=hunter2\n").unwrap();
    let now = "# mine\r\nNAME=web\r\nnot a variable\r\nDB_PASSWORD=hunter3\r\nPORT=1 # low\r\nPORT=80 # last";
    fs::write(live.join("web.env"), now).unwrap();
    let values = [("backup", copy.to_str().unwrap()), ("live", live.to_str().unwrap())];
    let runbook = shipped("dotenv-from-directory.yaml");
    let mut words = vec!["plan".to_owned(), runbook];
    words.extend(inputs(&values));
    let told = ground.rekindle(&words.iter().map(String::as_str).collect::<Vec<_>>(), 2);
    told.says("update dotenv web").says("create dotenv .env").says("web: line 3 of the live file cannot be understood");
    told.says("MOTTO").says("8080");
    assert!(!told.out.contains("hunter"), "{}", told.out);
    goes_there_and_back(&ground, "dotenv-from-directory.yaml", &values);
}

#[test]
fn homes_from_tar() {
    let ground = Ground::make();
    // An archive of bob alone: GNU tar's default form drops what ana has.
    fs::remove_dir_all(ground.live().join("home/ana")).unwrap();
    let archive = ground.path("home.tar.gz");
    let made = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(ground.live()).arg("home").status().unwrap();
    assert!(made.success());
    let whole = manifest(&ground.live().join("home"));
    fs::write(ground.live().join("home/bob/notes/today"), "call nobody\n").unwrap();
    fs::remove_file(ground.live().join("home/bob/.profile")).unwrap();
    let homes = ground.live().join("home");
    let values = [("archive", archive.to_str().unwrap()), ("homes", homes.to_str().unwrap())];
    goes_there_and_back(&ground, "homes-from-tar.yaml", &values);
    let runbook = shipped("homes-from-tar.yaml");
    let mut words = vec!["run".to_owned(), runbook, "--plain".to_owned(), "--yes".to_owned()];
    words.extend(inputs(&values));
    ground.rekindle(&words.iter().map(String::as_str).collect::<Vec<_>>(), 0);
    let (restored, whole) = (manifest(&homes), whole);
    let bytes = |all: &[(rekindle::model::Entry, Option<Vec<u8>>)]| -> Vec<_> {
        all.iter().map(|(entry, bytes)| (entry.path.clone(), entry.meta.mode, bytes.clone())).collect()
    };
    assert_eq!(bytes(&restored), bytes(&whole));
}

#[test]
fn the_demo() {
    let ground = Ground::make();
    let told = ground.rekindle(&["demo"], 0);
    told.says("mending the cause").says("FAILED");
    assert!(!ground.path("state").exists(), "the demo left something among the operator's runs");
}
