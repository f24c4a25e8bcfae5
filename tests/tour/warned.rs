//! What a restore strips or never writes is said where nobody looks at the plans, once for each task.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::ground::Ground;

const STRIPPED: &str = "restored without its setuid, setgid or capability rights";

/// `ana` has programs with another's rights and a pipe in her backup.
fn ground(programs: usize) -> Ground {
    let ground = Ground::bare();
    fs::create_dir_all(ground.path("copy/ana")).unwrap();
    fs::create_dir_all(ground.path("home")).unwrap();
    for number in 0..programs {
        let path = ground.path(&format!("copy/ana/su{number:03}"));
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4755)).unwrap();
    }
    let pipe = ground.path("copy/ana/wire");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\ntitle: Rights\nsources: {{ copy: {{ directory: {root}/copy }} }}\n\
         components: {{ homes: {{ files: {root}/home }} }}\nowners: {{ user: {{ from: copy }} }}\nsteps:\n\
         - {{ id: home, each: user, restore: homes, from: copy, below: \"${{user}}\" }}\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground
}

#[test]
fn a_run_that_nobody_reviews_says_what_it_strips_and_what_it_does_not_write() {
    let ground = ground(1);
    let (stripped, pipe) = (format!("su000: {STRIPPED}"), "wire: not restored: a device, socket or pipe");
    ground.rekindle(&["plan", "runbook.yaml"], 2).says(&stripped).says(pipe);
    let told = ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0);
    told.says(&stripped).says(pipe);
    assert_eq!(told.out.matches(STRIPPED).count(), 1, "{}", told.out);
    let mode = fs::metadata(ground.path("home/ana/su000")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o755);
    ground.rekindle(&["watch", "--once"], 0).says(&stripped).says(pipe);
    ground.rekindle(&["report"], 0).says("setuid, setgid or capability rights").says("a device, socket or pipe");

    // Nothing is left to be written, and the pipe is still not there.
    ground.rekindle(&["plan", "runbook.yaml"], 0).says("1 unchanged").says(pipe);
    let planned = ground.rekindle(&["plan", "runbook.yaml", "--json"], 0).json();
    assert_eq!(planned["tasks"][0]["warnings"].as_array().unwrap().len(), 2, "{planned}");
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0).says("1 unchanged").says(pipe);
    ground.rekindle(&["report"], 0).says("a device, socket or pipe");
    let report = ground.rekindle(&["report", "--json"], 0).json();
    assert_eq!(report["tasks"][0]["warnings"].as_array().unwrap().len(), 2, "{report}");
}

#[test]
fn who_is_asked_sees_it_once_with_the_plan() {
    let told = ground(1).answering("a\n", &["run", "runbook.yaml", "--plain"], 0);
    assert_eq!(told.out.matches(STRIPPED).count(), 1, "{}", told.out);
}

#[test]
fn a_home_full_of_such_files_fills_no_screen() {
    let told = ground(300).rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0);
    assert_eq!(told.out.matches(STRIPPED).count(), 21, "{}", told.out);
    told.says(&format!("and 280 more: {STRIPPED}")).says("wire: not restored");
}
