use std::io::Write;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::model::{Error, Result};

/// SIGTERM, SIGHUP (a closed terminal) and SIGINT: at the first the run is left in order, so that a command or a
/// write that is under way ends and its outcome is recorded. A second one ends the process at once.
#[derive(Clone)]
pub struct Signals(watch::Receiver<Option<&'static str>>);

impl Signals {
    /// `next`: the command that goes on, for who leaves at once. Where nobody can listen, no signal ever comes.
    pub fn listen(next: String) -> Self {
        let (sender, come) = watch::channel(None);
        match Kinds::listen() {
            Ok(kinds) => drop(tokio::spawn(kinds.watch(sender, next))),
            Err(error) => tracing::warn!(target: "plain", "{}", error.chain()),
        }
        Self(come)
    }

    /// For a program that is being left already: the next signal ends it at once.
    pub fn end_at_the_next() -> Result<()> {
        let mut kinds = Kinds::listen()?;
        tokio::spawn(async move {
            // The one that made the screen leave may still be on its way to who listens.
            let _ = tokio::time::timeout(SAME, kinds.next()).await;
            kinds.next().await;
            crate::engine::kill_commands();
            std::process::exit(1);
        });
        Ok(())
    }

    /// The first one's name, at once if it has come already.
    pub async fn first(&self) -> &'static str {
        let mut come = self.0.clone();
        match come.wait_for(Option::is_some).await.map(|name| *name) {
            Ok(Some(name)) => name,
            _ => std::future::pending().await,
        }
    }
}

/// Nobody sends a second signal so soon after the first.
const SAME: Duration = Duration::from_millis(200);

struct Kinds {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
}

impl Kinds {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|error| Error::io("listen for signals", error));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hang_up.recv() => "SIGHUP",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    async fn watch(mut self, sender: watch::Sender<Option<&'static str>>, next: String) {
        let first = self.next().await;
        let told = "what is under way ends, then the run is left; a second one ends it at once";
        // Whoever waits for it hears it first: nobody may be reading what is told.
        let _ = sender.send(Some(first));
        tell(format!("\n{first}: {told}"));
        let second = self.next().await;
        // Every INTENT is on disk before its effect: what is torn now is settled by reading the target.
        crate::engine::kill_commands();
        let told = "ended at once; what was under way is looked at again when the run goes on";
        let telling = tell(format!("{second}: {told}\nnext: {next}"));
        let _ = tokio::time::timeout(LAST_WORD, telling).await;
        std::process::exit(1);
    }
}

/// How long an ending process waits for who reads its last words.
const LAST_WORD: std::time::Duration = std::time::Duration::from_millis(500);

/// On a thread of its own: a terminal that takes nothing more holds up no signal.
fn tell(line: String) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_blocking(move || drop(writeln!(std::io::stderr().lock(), "{line}")))
}
