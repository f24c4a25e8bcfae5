//! The signals that ask a run to be left, heard in one place by whoever shows it.

use std::io::Write;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::model::{Error, Result};

/// SIGTERM, SIGHUP (a closed terminal) and SIGINT: at the first the run is left in order, so that a command or a
/// write that is under way ends and its outcome is recorded. A second one ends the process at once.
#[derive(Clone)]
pub struct Signals {
    come: watch::Receiver<Option<&'static str>>,
    heed: mpsc::UnboundedSender<Heed>,
}

/// Who has the terminal while signals are listened to.
#[derive(Clone, Copy)]
enum Heed {
    Lines,
    /// Nothing is told over it, and it is given back by this before the process ends.
    Screen(fn()),
    /// Another program: its ctrl-c is not meant for this one.
    Lent,
    /// The run is being left without a signal: the next one is a second one.
    Leaving,
}

const TERMINATE: &str = "SIGTERM";
const HANG_UP: &str = "SIGHUP";
const INTERRUPT: &str = "SIGINT";

impl Signals {
    /// `next`: the command that goes on, for who leaves at once. Where nobody can listen, no signal ever comes.
    pub fn listen(next: String) -> Self {
        let (sender, come) = watch::channel(None);
        let (heed, heeded) = mpsc::unbounded_channel();
        match Kinds::listen() {
            Ok(kinds) => drop(tokio::spawn(kinds.watch(sender, heeded, next))),
            Err(error) => tracing::warn!(target: "signals", "{}", error.chain()),
        }
        Self { come, heed }
    }

    /// The first one's name, at once if it has come already.
    pub async fn first(&self) -> &'static str {
        let mut come = self.come.clone();
        match come.wait_for(Option::is_some).await.map(|name| *name) {
            Ok(Some(name)) => name,
            _ => std::future::pending().await,
        }
    }

    /// A screen has the terminal from now on; `give_back` may be called from any thread.
    pub fn on_screen(&self, give_back: fn()) {
        self.now(Heed::Screen(give_back));
    }

    /// Another program has the terminal, until the screen has it again.
    pub fn lent(&self) {
        self.now(Heed::Lent);
    }

    /// The run is being left, by a key or a signal: the next signal ends the process.
    pub fn leaving(&self) {
        self.now(Heed::Leaving);
    }

    fn now(&self, heed: Heed) {
        // Where nobody listens nothing is heeded.
        let _ = self.heed.send(heed);
    }
}

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
            _ = self.terminate.recv() => TERMINATE,
            _ = self.hang_up.recv() => HANG_UP,
            _ = self.interrupt.recv() => INTERRUPT,
        }
    }

    async fn watch(
        mut self,
        sender: watch::Sender<Option<&'static str>>,
        mut heeded: mpsc::UnboundedReceiver<Heed>,
        next: String,
    ) {
        let mut heed = Heed::Lines;
        let mut first = None;
        loop {
            let name = tokio::select! {
                // A signal came before whoever had the terminal gave it to the next.
                biased;
                name = self.next() => name,
                Some(now) = heeded.recv() => {
                    heed = now;
                    continue;
                }
            };
            match (heed, first) {
                (Heed::Lent, _) if name == INTERRUPT => {}
                // The shell sends it, and the kernel once more: the same closed terminal.
                (_, Some(HANG_UP)) if name == HANG_UP => {}
                (Heed::Leaving, _) | (_, Some(_)) => end(heed, name, &next).await,
                (_, None) => {
                    first = Some(name);
                    // Whoever waits for it hears it first: nobody may be reading what is told.
                    let _ = sender.send(first);
                    if matches!(heed, Heed::Lines) {
                        let told = "what is under way ends, then the run is left; a second one ends it at once";
                        tell(format!("\n{name}: {told}"));
                    }
                }
            }
        }
    }
}

/// Every INTENT is on disk before its effect: what is torn now is settled by reading the target.
async fn end(heed: Heed, name: &str, next: &str) -> ! {
    crate::engine::kill_commands();
    let told = "ended at once; what was under way is looked at again when the run goes on";
    let line = format!("{name}: {told}\nnext: {next}");
    let telling = tokio::task::spawn_blocking(move || {
        if let Heed::Screen(give_back) = heed {
            give_back();
        }
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    });
    let _ = tokio::time::timeout(LAST_WORD, telling).await;
    std::process::exit(1)
}

/// How long an ending process waits for who reads its last words.
const LAST_WORD: Duration = Duration::from_millis(500);

/// On a thread of its own: a terminal that takes nothing more holds up no signal.
fn tell(line: String) {
    drop(tokio::task::spawn_blocking(move || drop(writeln!(std::io::stderr().lock(), "{line}"))));
}
