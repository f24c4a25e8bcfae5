use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{Command, Notice};
use crate::model::{Error, ErrorKind, Proposal, Recorded, Result, TaskId};

/// A way to talk to a running engine. Cheap to clone; the engine ends when all are dropped.
#[derive(Clone)]
pub struct Engine {
    requests: mpsc::UnboundedSender<Request>,
}

/// What comes through the channel.
pub(super) enum Request {
    Command { command: Command, by: String, answer: oneshot::Sender<Result<()>> },
    Proposal { task: TaskId, answer: oneshot::Sender<Result<Arc<Proposal>>> },
    History { task: Option<TaskId>, answer: oneshot::Sender<Result<Vec<Recorded>>> },
    Subscribe { notices: mpsc::UnboundedSender<Notice> },
}

impl Engine {
    pub(super) fn new(requests: mpsc::UnboundedSender<Request>) -> Self {
        Self { requests }
    }

    /// Ends when the command's events are durable, or says why it was refused.
    /// `by` is the operator as `name@host`.
    pub async fn command(&self, command: Command, by: &str) -> Result<()> {
        self.ask(|answer| Request::Command { command, by: by.to_owned(), answer }).await?
    }

    /// The plan of a task with its bodies: the one in review; read afresh where it is no longer in
    /// memory. Errors with [`ErrorKind::Conflict`] if it is another plan by now.
    pub async fn proposal(&self, task: TaskId) -> Result<Arc<Proposal>> {
        self.ask(|answer| Request::Proposal { task, answer }).await?
    }

    /// All recorded events of one task, or of the run itself.
    pub async fn history(&self, task: Option<TaskId>) -> Result<Vec<Recorded>> {
        self.ask(|answer| Request::History { task, answer }).await?
    }

    /// The fold as it is now, then every later event, without a gap.
    pub fn subscribe(&self) -> mpsc::UnboundedReceiver<Notice> {
        let (notices, receiver) = mpsc::unbounded_channel();
        // A stopped engine drops the sender, and the receiver ends at once.
        let _ = self.requests.send(Request::Subscribe { notices });
        receiver
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T> {
        let stopped = || {
            Error::new(ErrorKind::Cancelled, "ask the engine", "it has stopped")
                .next("see the log, then `rekindle resume`")
        };
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())
    }
}
