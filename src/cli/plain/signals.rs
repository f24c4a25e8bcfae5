use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::model::{Error, Result};

/// SIGTERM, SIGHUP (a closed terminal) and SIGINT: the run is left in order, so that a command or a write that is
/// under way ends and its outcome is recorded. A second one ends the process at once; resume copes with that too.
pub struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
}

impl Signals {
    pub fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|error| Error::io("listen for signals", error));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hang_up.recv() => "SIGHUP",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    pub fn end_at_the_next(mut self) {
        tokio::spawn(async move {
            self.next().await;
            crate::engine::kill_commands();
            std::process::exit(1);
        });
    }
}

/// Never, where nobody listens.
pub async fn next_of(signals: &mut Option<Signals>) -> &'static str {
    match signals {
        Some(signals) => signals.next().await,
        None => std::future::pending().await,
    }
}
