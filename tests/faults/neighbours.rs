//! Operators, signals, terminals and targets that change while a run is under way.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};

use crate::kills::{finished, killed};
use crate::sandbox::{Sandbox, Told, same, sh};

const RUN: [&str; 6] = ["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes", "--yes-irreversible"];

/// A run that stands still in its first step, a command, as long as the other end of its pipe is held.
struct Held {
    sandbox: Sandbox,
    child: Child,
    pipe: Option<File>,
}

impl Held {
    fn new() -> Self {
        let sandbox = Sandbox::on_directory();
        sh(&sandbox.path(""), "mkfifo pipe");
        let text = fs::read_to_string(sandbox.path("runbook.yaml")).unwrap();
        let pipe = sandbox.path("pipe").display().to_string();
        let text = text.replace("steps:\n", &format!("steps:\n  - {{ id: hold, run: [cat, '{pipe}'] }}\n"));
        sandbox.runbook(&text.replace("id: account, each: user,", "id: account, each: user, needs: [hold],"));
        let child = sandbox.command(&RUN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Opens once the command reads from it.
        let pipe = OpenOptions::new().write(true).open(sandbox.path("pipe")).unwrap();
        Self { sandbox, child, pipe: Some(pipe) }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    fn let_go(&mut self) {
        self.pipe = None;
    }
}

#[test]
fn the_second_operator_is_refused_and_told_who_holds_the_run_and_can_look_on() {
    let mut held = Held::new();
    let holder = format!("process {}", held.child.id());
    held.sandbox.resume().exits(1).says("held by").says(&holder).says("rekindle watch");
    held.sandbox.rekindle(&["watch", "--once", "--plain"]).says("hold");
    held.sandbox.rekindle(&["report"]).exits(0).says("hold");
    held.sandbox.rekindle(&["runs"]).exits(0).says(&holder);
    held.let_go();
    let told = Told::of(held.child.wait_with_output().unwrap()).exits(0);
    assert!(!told.out.is_empty());
    same(&held.sandbox.live(), Sandbox::undisturbed(), "after two operators");
}

#[test]
fn a_holder_that_was_paused_still_holds_the_run_when_it_wakes() {
    use rustix::process::Signal;
    let mut held = Held::new();
    held.signal(Signal::STOP);
    held.sandbox.resume().exits(1).says("held by");
    held.signal(Signal::CONT);
    held.let_go();
    Told::of(held.child.wait_with_output().unwrap()).exits(0);
    same(&held.sandbox.live(), Sandbox::undisturbed(), "after a pause");
}

#[test]
fn a_signal_lets_the_command_end_and_a_resume_goes_on() {
    use rustix::process::Signal;
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut held = Held::new();
        held.signal(signal);
        // It says so once it is leaving.
        let mut said = [0; 3];
        held.child.stderr.as_mut().unwrap().read_exact(&mut said).unwrap();
        held.let_go();
        let told = held.child.wait_with_output().unwrap();
        assert_eq!(told.status.signal(), None, "{signal:?}: {told:?}");
        assert_eq!(told.status.code(), Some(2), "{signal:?}: {told:?}");
        held.sandbox.rekindle(&["resume", "--plain", "--yes", "--yes-deletes", "--yes-irreversible"]).exits(0);
        same(&held.sandbox.live(), Sandbox::undisturbed(), "after a signal");
        assert_eq!(held.sandbox.status("hold"), "done");
    }
}

#[test]
fn a_closed_terminal_and_a_reader_that_went_away_lose_nothing() {
    let mut held = Held::new();
    drop((held.child.stdout.take(), held.child.stderr.take()));
    held.let_go();
    assert_eq!(held.child.wait().unwrap().code(), Some(0));
    same(&held.sandbox.live(), Sandbox::undisturbed(), "with nobody reading");
}

#[test]
fn a_killed_command_is_unknown_and_an_operator_decides() {
    let mut held = Held::new();
    held.signal(rustix::process::Signal::KILL);
    held.child.wait().unwrap();
    held.let_go();
    held.sandbox.resume().exits(1).says("cannot be read back");
    assert_eq!(held.sandbox.status("hold"), "unknown");
    assert_eq!(held.sandbox.status("account/bob"), "waiting");
}

#[test]
fn another_directory_at_the_same_place_is_refused_on_resume() {
    let sandbox = Sandbox::on_directory();
    assert!(killed(&sandbox, "linkat", 1, &RUN));
    sh(&sandbox.path("live"), "mv home moved; cp -a moved home");
    let before = sandbox.live();
    sandbox.resume().exits(1).says("answers now").says("next: bring the former system back");
    same(&sandbox.live(), &before, "another directory is not written to");
    sh(&sandbox.path("live"), "rm -r home; mv moved home");
    finished(&sandbox, "after the former directory came back");
}
