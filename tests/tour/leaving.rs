//! Leaving a run in plain mode: by a signal, by two, at the end of input.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::ground::Ground;

/// A command that goes on until it is let go, and one after it.
fn waiting() -> Ground {
    let ground = Ground::bare();
    let script = "touch started; while [ -e started ] && [ ! -e go ]; do sleep 0.01; done; touch over";
    let text = format!(
        "rekindle: 1\ntitle: Leave\nsteps:\n- {{ id: wait, run: '{script}', shell: true }}\n\
         - {{ id: after, needs: [wait], run: [true] }}\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground
}

fn started(ground: &Ground) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    command.args(["run", "runbook.yaml", "--plain", "--yes"]).current_dir(ground.path(""));
    command.env("REKINDLE_STATE", ground.path("state"));
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until_there(&ground.path("started"));
    child
}

fn until_there(path: &Path) {
    while !path.exists() {
        std::thread::yield_now();
    }
}

fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

/// What stderr says until `text` has come.
fn until_said(child: &mut Child, text: &str) -> String {
    let mut said = Vec::new();
    let mut byte = [0];
    let stderr = child.stderr.as_mut().unwrap();
    while !String::from_utf8_lossy(&said).contains(text) {
        assert_eq!(stderr.read(&mut byte).unwrap(), 1, "it ended with {}", String::from_utf8_lossy(&said));
        said.extend(byte);
    }
    String::from_utf8(said).unwrap()
}

#[test]
fn a_signal_lets_what_is_under_way_end_before_the_totals_are_told() {
    let ground = waiting();
    let mut child = started(&ground);
    interrupt(&child);
    let said = until_said(&mut child, "a second one ends it at once");
    assert!(said.contains("SIGINT: 1 task under way ends first, then the run is left; "), "{said}");
    fs::write(ground.path("go"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{out}");
    assert!(out.contains("exit code 0"), "the outcome is not told: {out}");
    assert!(out.contains("1 ready, 1 done\nnext: rekindle resume "), "{out}");
    ground.rekindle(&["resume", "--plain", "--yes"], 0).says("2 done");
}

#[test]
fn a_second_signal_ends_the_run_at_once_and_its_command_with_it() {
    let ground = waiting();
    let mut child = started(&ground);
    interrupt(&child);
    until_said(&mut child, "a second one ends it at once");
    interrupt(&child);
    let said = until_said(&mut child, "next: rekindle resume ");
    assert!(said.contains("ended at once"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    fs::write(ground.path("go"), "").unwrap();
    let told = ground.rekindle(&["resume", "--plain", "--yes"], 1);
    // Its death was recorded, or is found out now.
    told.says("1 unknown");
    assert!(!ground.path("over").exists(), "the command outlived its run");
}

#[test]
fn a_signal_at_a_prompt_leaves_the_run() {
    let ground = waiting();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    command.args(["run", "runbook.yaml", "--plain"]).current_dir(ground.path(""));
    command.env("REKINDLE_STATE", ground.path("state"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut asked = Vec::new();
    let mut byte = [0];
    while !asked.ends_with(b" > ") {
        assert_eq!(child.stdout.as_mut().unwrap().read(&mut byte).unwrap(), 1);
        asked.extend(byte);
    }
    interrupt(&child);
    // Nobody ever answers, and nothing waits for that.
    let _open = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{out}");
    assert!(out.contains("1 waiting, 1 review\nnext: rekindle resume "), "{out}");
}

#[test]
fn the_end_of_input_is_a_line_of_its_own() {
    let ground = waiting();
    let told = ground.answering("", &["run", "runbook.yaml", "--plain"], 2);
    told.says(" wait > \n1 waiting, 1 review\n");
}
