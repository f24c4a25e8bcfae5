use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::notice::Activity;
use super::script::{Ask, Asking};
use super::worker::Done;
use crate::model::{Answer, Error, ErrorKind, Result, TaskId};

/// Asks a check's or a wait's question until it holds or its deadline passes.
pub(super) async fn ask(
    task: TaskId,
    ask: Ask,
    by: Option<String>,
    mailbox: mpsc::UnboundedSender<Done>,
) -> Result<Answer> {
    match &ask.how {
        Asking::Check => once(&ask).await,
        Asking::Confirm { text } => once(&ask).await.map(|answer| match (&by, answer.holds) {
            (Some(by), true) => Answer { seen: format!("{by} confirms: {text}; {}", answer.seen), ..answer },
            _ => answer,
        }),
        Asking::Wait { every, deadline, go_on } => wait(task, &ask, *every, *deadline, *go_on, &mailbox).await,
    }
}

pub(super) async fn once(ask: &Ask) -> Result<Answer> {
    match (&ask.reader, &ask.probe) {
        (Some(reader), Some(probe)) => reader.probe(probe).await,
        _ => Ok(Answer { holds: true, seen: "no probe is declared".to_owned(), again_in: None }),
    }
}

async fn wait(
    task: TaskId,
    ask: &Ask,
    every: Duration,
    deadline: Duration,
    go_on: bool,
    mailbox: &mpsc::UnboundedSender<Done>,
) -> Result<Answer> {
    let began = Instant::now();
    loop {
        let answer = once(ask).await;
        let left = deadline.saturating_sub(began.elapsed());
        match answer {
            Ok(answer) if answer.holds => return Ok(answer),
            Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
            answer if left.is_zero() => {
                let seen = match answer {
                    Ok(answer) => answer.seen,
                    Err(error) => error.chain(),
                };
                if go_on {
                    let seen = format!("did not hold in {} s, and the runbook goes on: {seen}", deadline.as_secs());
                    return Ok(Answer { holds: true, seen, again_in: None });
                }
                return Err(Error::new(
                    ErrorKind::TimedOut,
                    "wait for the condition",
                    format!("it did not hold in {} s: {seen}", deadline.as_secs()),
                )
                .next("see why it does not hold, then retry this task"));
            }
            answer => {
                let pause = answer.ok().and_then(|answer| answer.again_in).unwrap_or(every).min(left).max(MIN_PAUSE);
                let reason = format!("waits for the condition, {} s left", left.as_secs());
                let _ = mailbox.send(Done::Activity { task, activity: Activity::Waiting(reason) });
                tokio::time::sleep(pause).await;
            }
        }
    }
}

const MIN_PAUSE: Duration = Duration::from_millis(20);
