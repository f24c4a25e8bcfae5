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
        Self::with(|text, hold| {
            let text = text.replace("steps:\n", &format!("steps:\n{hold}"));
            text.replace("id: account, each: user,", "id: account, each: user, needs: [hold],")
        })
    }

    /// In its last step.
    fn after_its_writes() -> Self {
        Self::with(|text, hold| text + &hold.replace("id: hold,", "id: hold, needs: [home],"))
    }

    fn with(change: impl Fn(String, &str) -> String) -> Self {
        let sandbox = Sandbox::on_directory();
        sh(&sandbox.path(""), "mkfifo pipe");
        let text = fs::read_to_string(sandbox.path("runbook.yaml")).unwrap();
        let pipe = sandbox.path("pipe").display().to_string();
        sandbox.runbook(&change(text, &format!("  - {{ id: hold, run: [cat, '{pipe}'] }}\n")));
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

/// Two processes that know nothing of each other: their runs are kept in two places. The first has written and waits
/// for its command; meanwhile something else is damaged, and the second would mend it.
#[test]
fn a_second_run_from_elsewhere_does_not_write_where_another_one_writes() {
    let second = |sandbox: &Sandbox, verb: &[&str]| {
        let mut command = sandbox.command(verb);
        command.env_remove("REKINDLE_STATE").env("XDG_STATE_HOME", sandbox.path("elsewhere"));
        Told::of(command.output().unwrap())
    };
    let mut held = Held::after_its_writes();
    let sandbox = &held.sandbox;
    let only = |step: &str| {
        let text = sandbox.homes_and_accounts("truth/accounts", "truth/home");
        let lines = text.lines().filter(|line| !line.contains("each: user") || line.contains(&format!("id: {step},")));
        let text = lines.map(|line| format!("{line}\n")).collect::<String>().replace(" needs: [account],", "");
        fs::write(sandbox.path(&format!("{step}.yaml")), text).unwrap();
        format!("{step}.yaml")
    };
    sh(&sandbox.path("live"), "echo damaged > home/ana/notes.txt; sed -i s/10/4/ accounts/ana.yaml");
    let damaged = sandbox.live();
    for step in ["account", "home"] {
        let runbook = only(step);
        second(sandbox, &["plan", &runbook]).exits(2);
        let told = second(sandbox, &["run", &runbook, "--plain", "--yes"]).exits(1);
        told.says("another run writes there").says(&format!("process {}", held.child.id())).says("wait until");
    }
    same(&sandbox.live(), &damaged, "while the first run holds both");

    held.signal(rustix::process::Signal::KILL);
    held.child.wait().unwrap();
    for step in ["account", "home"] {
        second(&held.sandbox, &["run", &format!("{step}.yaml"), "--plain", "--yes"]).exits(0);
    }
    let undisturbed = Sandbox::undisturbed().clone().but_directory_times();
    same(&held.sandbox.live().but_directory_times(), &undisturbed, "once the first was killed");
}

#[test]
fn a_time_zone_that_is_a_pipe_or_a_device_is_not_waited_for() {
    let sandbox = Sandbox::on_directory();
    sh(&sandbox.path(""), "mkfifo zone");
    for zone in [sandbox.path("zone").as_path(), std::path::Path::new("/dev/zero")] {
        let wrapper = ["timeout", "30", env!("CARGO_BIN_EXE_rekindle")];
        let runs = sandbox.around(&wrapper, &["runs", "--verbose"]).env("TZ", zone).output().unwrap();
        Told::of(runs).exits(0).says("is no file of a time zone");
    }
}
