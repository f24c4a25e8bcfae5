use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

use super::script::CommandLine;
use super::worker::Done;
use super::writer::Written;
use crate::model::{Error, ErrorKind, Known, TaskId, visible};

/// Longer lines are cut: a command's output is a log, not a file transfer.
const MAX_LINE: usize = 4096;

/// Runs a command in a process group of its own, streams its output, and at its deadline, or when the run is
/// aborted, kills it with all its children.
pub(super) async fn run(
    task: TaskId,
    line: CommandLine,
    mut cancelled: watch::Receiver<bool>,
    mailbox: mpsc::UnboundedSender<Done>,
) -> Written {
    let doing = format!("run {}", shown(&line.argv));
    let failed = |error: Error| Written {
        task,
        known: error.effect(),
        post: None,
        evidence: String::new(),
        problem: Some(error.problem()),
        partial: false,
    };
    let Some((program, arguments)) = line.argv.split_first() else {
        return failed(Error::new(ErrorKind::Invalid, doing, "the command is empty"));
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(line.env.iter().map(|(name, value)| (name, value.expose())));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    if let Some(cwd) = &line.cwd {
        command.current_dir(cwd);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return failed(Error::io(doing, error)),
    };
    let group = Group::of(&child);
    let outputs = [
        child.stdout.take().map(|pipe| stream(task, pipe, mailbox.clone())),
        child.stderr.take().map(|pipe| stream(task, pipe, mailbox.clone())),
    ];
    let ended = tokio::select! {
        ended = child.wait() => Ended::Itself(ended),
        () = tokio::time::sleep(line.deadline) => Ended::Late,
        // A sender that is gone is no abort.
        Ok(_) = cancelled.wait_for(|cancelled| *cancelled) => Ended::Aborted,
    };
    // Children that outlive the command would go on changing things unseen.
    drop(group);
    for output in outputs.into_iter().flatten() {
        let _ = output.await;
    }
    match ended {
        Ended::Itself(Ok(status)) if status.success() => Written {
            task,
            known: Known::Applied,
            post: None,
            evidence: "exit code 0; a command's effect cannot be read back".to_owned(),
            problem: None,
            partial: false,
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

/// Those of the commands that run at this moment.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Kills every command that runs, with all its children: for an end of this process that no destructor sees.
pub fn kill_commands() {
    for group in GROUPS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Kills the whole process group when it goes out of scope.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        GROUPS.lock().unwrap_or_else(PoisonError::into_inner).extend(group);
        Self(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // No process left in it is the usual case.
            let _ = kill_process_group(group, Signal::KILL);
            GROUPS.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| *other != group);
        }
    }
}

fn stream(
    task: TaskId,
    pipe: impl AsyncRead + Unpin + Send + 'static,
    mailbox: mpsc::UnboundedSender<Done>,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        loop {
            let read = {
                use tokio::io::AsyncReadExt;
                let mut bounded = (&mut reader).take(MAX_LINE as u64);
                bounded.read_until(b'\n', &mut line).await
            };
            match read {
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    let text = visible(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
                    tracing::info!(target: "run", "{text}");
                    let _ = mailbox.send(Done::Output { task, line: text });
                    line.clear();
                }
            }
        }
    })
}

/// A command as it can be read and pasted: words quoted where a shell would need it.
pub fn shown(argv: &[String]) -> String {
    let plain =
        |word: &str| !word.is_empty() && word.chars().all(|one| one.is_alphanumeric() || "-_./=:,@%+".contains(one));
    let quoted = argv
        .iter()
        .map(|word| if plain(word) { word.clone() } else { format!("'{}'", visible(word).replace('\'', "'\\''")) });
    quoted.collect::<Vec<_>>().join(" ")
}
