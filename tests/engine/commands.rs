//! Commands of a runbook: shown exactly, streamed, bounded, and gone with all their children.

use std::sync::Arc;
use std::time::Duration;

use rekindle::component::Component;
use rekindle::engine::{Command, CommandLine, Notice, Script, When, Work};
use rekindle::journal::StateFolder;
use rekindle::model::{
    EnvironmentValue, Event, Outputs, Owner, Result, Run, RunHeader, Secret, StepHeader, StepKind, TaskStatus,
};

use crate::one_step::new_session;

struct OneCommand(CommandLine);

impl Script for OneCommand {
    fn when(&self, _step: usize, _owner: Option<&Owner>, _outputs: Outputs<'_>) -> Result<Option<When>> {
        Ok(None)
    }

    fn work(&self, _step: usize, _owner: Option<&Owner>, _outputs: Outputs<'_>) -> Result<Work> {
        Ok(Work::Run(self.0.clone()))
    }

    fn components(&self) -> Vec<(String, Arc<dyn Component>)> {
        Vec::new()
    }
}

struct Told {
    run: Run,
    output: Vec<String>,
    evidence: String,
}

impl Told {
    fn status(&self) -> TaskStatus {
        self.run.tasks[0].status
    }

    fn problem(&self) -> &str {
        self.run.problems.values().next().map_or("", |problem| &problem.what)
    }
}

/// Runs one command to its end; `on_output` may abort the run at the first line.
async fn carried_out(script: &str, deadline: Duration, abort_at_output: bool) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let state = StateFolder::at(folder.path());
    let line = CommandLine {
        argv: vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()],
        env: vec![("TOKEN".to_owned(), EnvironmentValue::Secret(Secret::new("hush")))],
        secrets: vec![Secret::new("hush-hush"), Secret::new("two\nlines of it")],
        cwd: None,
        deadline,
        captures: false,
    };
    let session = new_session(Arc::new(OneCommand(line)), &state, "command", crate::YES);
    let step = StepHeader::new("command", StepKind::Run);
    let engine = session.begin(RunHeader { id: "command".to_owned(), steps: vec![step], ..RunHeader::default() });
    let mut notices = engine.subscribe();
    let mut told = Told { run: Run::default(), output: Vec::new(), evidence: String::new() };
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Snapshot(run) => told.run = Arc::unwrap_or_clone(run),
            Notice::Event(recorded) => {
                told.run.apply(&recorded).unwrap();
                if let Event::Outcome { evidence, .. } = &recorded.event {
                    told.evidence = evidence.clone();
                }
            }
            Notice::Output { line, .. } => {
                told.output.push(line);
                if abort_at_output {
                    engine.command(Command::Abort { why: "enough".to_owned() }, "op").await.unwrap();
                }
            }
            Notice::Idle | Notice::Stopped { .. } => break,
            Notice::Activity { .. } | Notice::BackOff { .. } | Notice::Held(_) => {}
        }
    }
    told
}

/// Whether a process stays, zombies not counted: a killed one takes a moment to go.
fn lives(pid: &str) -> bool {
    let there = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    let until = std::time::Instant::now() + Duration::from_secs(5);
    while there() && std::time::Instant::now() < until {
        std::thread::yield_now();
    }
    there()
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn output_is_streamed_and_a_secret_reaches_the_command_only() {
    let told = carried_out("printf 'one\\n\\033[2Jtwo\\n'; test \"$TOKEN\" = hush", LONG, false).await;
    assert_eq!(told.status(), TaskStatus::Done, "{}", told.problem());
    assert_eq!(told.output, ["one", "^[[2Jtwo"]);
}

#[tokio::test]
async fn a_failing_commands_effect_is_unknown() {
    let told = carried_out("exit 3", LONG, false).await;
    assert_eq!(told.status(), TaskStatus::Unknown);
    assert!(told.problem().contains("exit status: 3"), "{}", told.problem());
}

#[tokio::test]
async fn at_its_deadline_a_command_goes_with_its_children() {
    let told = carried_out("sleep 1000 & echo $!; wait", Duration::from_millis(300), false).await;
    assert_eq!(told.status(), TaskStatus::Unknown);
    assert!(told.problem().contains("did not end in"), "{}", told.problem());
    assert!(!lives(&told.output[0]), "the child {} is still there", told.output[0]);
}

#[tokio::test]
async fn an_abort_kills_a_command_with_its_children() {
    let told = carried_out("sleep 1000 & echo $!; wait", LONG, true).await;
    assert_eq!(told.status(), TaskStatus::Unknown, "{}", told.problem());
    assert!(!lives(&told.output[0]), "the child {} is still there", told.output[0]);
}

#[tokio::test]
async fn children_that_a_command_leaves_behind_go_with_it() {
    let told = carried_out("sleep 1000 >/dev/null 2>&1 & echo $!", LONG, false).await;
    assert_eq!(told.status(), TaskStatus::Done, "{}", told.problem());
    assert!(!lives(&told.output[0]), "the child {} is still there", told.output[0]);
}

/// A shell script that starts a daemon and goes on when that has told its number to `file`.
fn with_a_daemon(file: &std::path::Path, then: &str) -> String {
    let file = file.display();
    format!("setsid -f sh -c 'echo $$ >{file}; exec sleep 60'; while [ ! -s {file} ]; do sleep 0.01; done; {then}")
}

#[tokio::test]
async fn an_abort_kills_what_has_a_session_of_its_own_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daemon");
    let told = carried_out(&with_a_daemon(&file, "echo begun; sleep 60"), LONG, true).await;
    assert_eq!(told.status(), TaskStatus::Unknown, "{}", told.problem());
    let daemon = std::fs::read_to_string(&file).unwrap();
    assert!(!lives(daemon.trim()), "the daemon {daemon} is still there");
}

#[tokio::test]
async fn a_failed_commands_daemon_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daemon");
    let told = carried_out(&with_a_daemon(&file, "exit 3"), LONG, false).await;
    assert!(told.problem().contains("exit status: 3"), "{}", told.problem());
    let daemon = std::fs::read_to_string(&file).unwrap();
    assert!(!lives(daemon.trim()), "the daemon {daemon} is still there");
}

/// It holds the command's output open for a minute.
#[tokio::test]
async fn a_daemon_of_a_command_that_ended_well_goes_on_and_keeps_no_run_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daemon");
    let told = carried_out(&with_a_daemon(&file, "echo begun"), LONG, false).await;
    assert_eq!(told.status(), TaskStatus::Done, "{}", told.problem());
    assert_eq!(told.output, ["begun"]);
    assert!(told.evidence.contains("go on: 1"), "{}", told.evidence);
    let daemon: i32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    let daemon = rustix::process::Pid::from_raw(daemon).unwrap();
    rustix::process::kill_process(daemon, rustix::process::Signal::KILL).expect("the daemon is gone");
}

#[tokio::test]
async fn of_endless_output_the_beginning_and_the_end_are_kept() {
    let told = carried_out("yes | head -c 20000000; echo the end", LONG, false).await;
    assert_eq!(told.status(), TaskStatus::Done, "{}", told.problem());
    assert!(told.output.len() < 20_000, "{} lines", told.output.len());
    assert_eq!(told.output.last().map(String::as_str), Some("the end"));
    assert!(told.output.iter().any(|line| line.contains("of output are left out here")));
}

#[tokio::test]
async fn a_secret_that_a_command_prints_is_covered() {
    let script = "echo \"Bearer hush-hush.\"; echo 'lines of it' >&2; printf %4090s; echo hush-hush; \
                  printf hush; sleep 0.1; echo -hush";
    let told = carried_out(script, LONG, false).await;
    assert_eq!(told.status(), TaskStatus::Done, "{}", told.problem());
    let output = told.output.concat();
    assert!(!output.contains("hush-hush") && !output.contains("lines of it"), "{output}");
    assert_eq!(output.matches("••••").count(), 4, "{output}");
}

#[tokio::test]
async fn a_command_begins_without_the_environment_of_this_program() {
    let told = carried_out("env | cut -d= -f1", LONG, false).await;
    assert_eq!(told.status(), TaskStatus::Done, "{}", told.problem());
    assert!(told.output.contains(&"PATH".to_owned()) && told.output.contains(&"TOKEN".to_owned()), "{:?}", told.output);
    // What the test command sets for this process.
    let cargo = told.output.iter().find(|name| name.starts_with("CARGO"));
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && cargo.is_none(), "{cargo:?}");
}
