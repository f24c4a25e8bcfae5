use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::actor::Clock;
use super::notice::Activity;
use super::script::{Ask, Asking};
use super::worker::Done;
use crate::model::{Answer, Error, ErrorKind, Result, TaskId, Zone, span};

/// Asks a check's or a wait's question until it holds or its deadline passes.
pub(super) async fn ask(
    task: TaskId,
    ask: Ask,
    by: Option<String>,
    mailbox: mpsc::UnboundedSender<Done>,
    clock: Clock,
) -> Result<Answer> {
    match &ask.how {
        Asking::Check => once(&ask).await,
        Asking::Confirm { text } => once(&ask).await.map(|answer| match (&by, answer.holds) {
            (Some(by), true) => Answer { seen: format!("{by} confirms: {text}; {}", answer.seen), ..answer },
            _ => answer,
        }),
        Asking::Wait { every, deadline, go_on } => {
            let told =
                Waited { task, mailbox, until: clock().saturating_add(milliseconds(*deadline)), began: Instant::now() };
            wait(&ask, *every, *deadline, *go_on, &told).await
        }
    }
}

pub(super) async fn once(ask: &Ask) -> Result<Answer> {
    match (&ask.reader, &ask.probe) {
        (Some(reader), Some(probe)) => reader.probe(probe).await,
        _ => Ok(Answer { holds: true, seen: "no probe is declared".to_owned(), again_in: None }),
    }
}

async fn wait(ask: &Ask, every: Duration, deadline: Duration, go_on: bool, told: &Waited) -> Result<Answer> {
    let began = told.began;
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
                let (seen, again_in) = match answer {
                    Ok(answer) => (answer.seen, answer.again_in),
                    Err(error) => (error.chain(), None),
                };
                told.pause(again_in.unwrap_or(every).min(left).max(MIN_PAUSE), &seen).await;
            }
        }
    }
}

/// Who looks on is told how long it waits already, and until when at the most.
pub(super) struct Waited {
    pub task: TaskId,
    pub mailbox: mpsc::UnboundedSender<Done>,
    /// Milliseconds since 1970.
    pub until: i64,
    pub began: Instant,
}

impl Waited {
    /// Waits that long, and tells of it every second.
    pub async fn pause(&self, pause: Duration, seen: &str) {
        let end = Instant::now() + pause;
        loop {
            self.tell(seen);
            let left = end.saturating_duration_since(Instant::now());
            tokio::time::sleep(left.min(TOLD_EVERY)).await;
            if left <= TOLD_EVERY {
                return;
            }
        }
    }

    /// Every second, until whoever asked for it is done.
    pub async fn keep_telling(&self, seen: &str) {
        loop {
            tokio::time::sleep(TOLD_EVERY).await;
            self.tell(seen);
        }
    }

    fn tell(&self, seen: &str) {
        let until = Zone::chosen().clock(self.until);
        let words =
            format!("for {} now, until {until} at the most: {seen}", span(super::read_back::milliseconds(self.began)));
        let _ = self.mailbox.send(Done::Activity { task: self.task, activity: Activity::Waiting(words) });
    }
}

const TOLD_EVERY: Duration = Duration::from_secs(1);

pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

const MIN_PAUSE: Duration = Duration::from_millis(20);
