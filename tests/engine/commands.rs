//! Commands of a runbook: shown exactly, streamed, bounded, and gone with all their children.

use std::sync::Arc;
use std::time::Duration;

use rekindle::component::Component;
use rekindle::engine::{Command, CommandLine, Notice, Script, Work};
use rekindle::journal::StateFolder;
use rekindle::model::{Owner, Result, Run, RunHeader, Secret, StepHeader, StepKind, TaskStatus};

use crate::one_step::new_session;

struct OneCommand(CommandLine);

impl Script for OneCommand {
    fn work(&self, _step: usize, _owner: Option<&Owner>) -> Result<Work> {
        Ok(Work::Run(self.0.clone()))
    }

    fn components(&self) -> Vec<(String, Arc<dyn Component>)> {
        Vec::new()
    }
}

struct Told {
    run: Run,
    output: Vec<String>,
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
        env: vec![("TOKEN".to_owned(), Secret::new("hush"))],
        cwd: None,
        deadline,
    };
    let session = new_session(Arc::new(OneCommand(line)), &state, "command", crate::YES);
    let step = StepHeader {
        id: "command".to_owned(),
        kind: StepKind::Run,
        each: None,
        needs: Vec::new(),
        component: None,
        about: String::new(),
    };
    let engine = session.begin(RunHeader { id: "command".to_owned(), steps: vec![step], ..RunHeader::default() });
    let mut notices = engine.subscribe();
    let mut told = Told { run: Run::default(), output: Vec::new() };
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Snapshot(run) => told.run = Arc::unwrap_or_clone(run),
            Notice::Event(recorded) => {
                told.run.apply(&recorded).unwrap();
            }
            Notice::Output { line, .. } => {
                told.output.push(line);
                if abort_at_output {
                    engine.command(Command::Abort { why: "enough".to_owned() }, "op").await.unwrap();
                }
            }
            Notice::Idle | Notice::Stopped { .. } => break,
            Notice::Activity { .. } => {}
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
