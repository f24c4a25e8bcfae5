use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

use super::actor::Clock;
use super::asking::{self, Waited};
use super::capture::Captured;
use super::command_environment::inherited;
use super::lineage::Lineage;
use super::mask::Mask;
use super::output::stream;
use super::script::CommandLine;
use super::worker::Done;
use super::writer::Written;
use crate::model::{Error, ErrorKind, Known, TaskId, shown_command};

/// After a command's end: for what is still in its pipes. A daemon that it left may hold them open for ever.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs a command in a process group of its own and streams its output. At its deadline, when the run is aborted,
/// and when it fails, it is killed with all its children, in whatever session they are; what a command that ended
/// well left in a session of its own is a daemon that it was to start.
pub(super) async fn run(
    task: TaskId,
    line: CommandLine,
    mut cancelled: watch::Receiver<bool>,
    mailbox: mpsc::UnboundedSender<Done>,
    clock: Clock,
) -> Written {
    let doing = format!("run {}", shown_command(&line.argv));
    let failed = |error: Error| Written::failed(task, &error, None);
    let Some((program, arguments)) = line.argv.split_first() else {
        return failed(Error::new(ErrorKind::Invalid, doing, "the command is empty"));
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(inherited())
        .envs(line.env.iter().map(|(name, value)| (name, value.expose())));
    let lineage = Lineage::new();
    let (name, value) = lineage.mark();
    command.env(name, value);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    if let Some(cwd) = &line.cwd {
        command.current_dir(cwd);
    }
    let (mut child, mut kin) = match Kin::spawn(&mut command, lineage.clone()) {
        Ok(spawned) => spawned,
        Err(error) => return failed(Error::io(doing, error)),
    };
    let mask = Mask::of(&line.secrets);
    let captured = Captured::default();
    let outputs = [
        child.stdout.take().map(|pipe| tokio::spawn(stream(task, captured.from(pipe), mask.clone(), mailbox.clone()))),
        child.stderr.take().map(|pipe| tokio::spawn(stream(task, pipe, mask.clone(), mailbox.clone()))),
    ];
    let until = clock().saturating_add(asking::milliseconds(line.deadline));
    let told = Waited { task, mailbox, until, began: std::time::Instant::now() };
    let ended = tokio::select! {
        () = told.keep_telling("the command runs") => Ended::Aborted,
        ended = child.wait() => Ended::Itself(ended),
        () = tokio::time::sleep(line.deadline) => Ended::Late,
        // A sender that is gone is no abort.
        Ok(_) = cancelled.wait_for(|cancelled| *cancelled) => Ended::Aborted,
    };
    // Children that outlive the command would go on changing things unseen.
    kin.spares_daemons = matches!(&ended, Ended::Itself(Ok(status)) if status.success());
    drop(kin);
    let until = tokio::time::Instant::now() + LAST_WORDS;
    for mut output in outputs.into_iter().flatten() {
        if tokio::time::timeout_at(until, &mut output).await.is_err() {
            output.abort();
            // What it has read is told before the outcome is.
            let _ = output.await;
            tracing::info!(target: "run", "a process that the command left holds its output open; it is read no further");
        }
    }
    let output = line.captures.then(|| captured.text(&mask)).transpose();
    match ended {
        Ended::Itself(Ok(status)) if status.success() => Written {
            output: match output {
                Ok(output) => output,
                Err(why) => {
                    let why = format!("it ended well, and its output cannot be captured: {why}");
                    return failed(
                        Error::new(ErrorKind::NotMet, doing, why)
                            .known(Known::Unknown)
                            .next("have it print no more than a later step needs, then retry this task"),
                    );
                }
            },
            task,
            known: Known::Applied,
            post: None,
            evidence: match lineage.daemons() {
                0 => "exit code 0; a command's effect cannot be read back".to_owned(),
                left => format!(
                    "exit code 0; a command's effect cannot be read back; daemons that it started and that go on: {left}"
                ),
            },
            problem: None,
            partial: false,
            dependents_go_on: false,
            kept: None,
            bytes: 0,
        },
        Ended::Itself(Ok(status)) => failed(
            Error::new(ErrorKind::NotMet, doing, format!("it ended with {status}"))
                .known(Known::Unknown)
                .next("read its output in the log; what it did before it failed is not known"),
        ),
        Ended::Itself(Err(error)) => failed(Error::io(doing, error).known(Known::Unknown)),
        Ended::Aborted => failed(
            Error::new(ErrorKind::Cancelled, doing, "the run was aborted and it was killed")
                .known(Known::Unknown)
                .next("what it did until then is not known: look at the target, then settle this task"),
        ),
        Ended::Late => failed(
            Error::new(
                ErrorKind::TimedOut,
                doing,
                format!("it did not end in {} s and was killed", line.deadline.as_secs()),
            )
            .known(Known::Unknown)
            .next("give it a longer deadline in the runbook, or see in the log what it waits for"),
        ),
    }
}

enum Ended {
    Itself(std::io::Result<std::process::ExitStatus>),
    Late,
    Aborted,
}

/// Those of the commands that run at this moment; None once this process ends, and none begins any more.
static KINS: Mutex<Option<Running>> = Mutex::new(Some(Vec::new()));
type Running = Vec<(Option<Pid>, Lineage)>;

/// Kills every command that runs, with all its children: for an end of this process that no destructor sees.
pub fn kill_commands() {
    let kins = KINS.lock().unwrap_or_else(PoisonError::into_inner).take();
    for (group, lineage) in kins.into_iter().flatten() {
        kill_group(group);
        lineage.kill();
    }
}

fn kill_group(group: Option<Pid>) {
    if let Some(group) = group {
        // No process left in it is the usual case.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// A command and its children; kills them all when it goes out of scope.
struct Kin {
    group: Option<Pid>,
    lineage: Lineage,
    /// What has a session of its own may go on.
    spares_daemons: bool,
}

impl Kin {
    /// It is known by the time it runs: who ends this process meanwhile waits, and kills it too.
    fn spawn(command: &mut Command, lineage: Lineage) -> std::io::Result<(Child, Self)> {
        let mut kins = KINS.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = kins.as_mut() else { return Err(std::io::Error::other("this process is ending")) };
        let child = command.spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        known.push((group, lineage.clone()));
        Ok((child, Self { group, lineage, spares_daemons: false }))
    }
}

impl Drop for Kin {
    fn drop(&mut self) {
        kill_group(self.group);
        if self.spares_daemons {
            self.lineage.kill_but_daemons();
        } else {
            self.lineage.kill();
        }
        if let Some(known) = KINS.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            known.retain(|(_, lineage)| *lineage != self.lineage);
        }
    }
}
