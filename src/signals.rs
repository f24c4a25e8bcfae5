//! The signals that ask a run to be left, heard in one place by whoever shows it.

use std::io::Write;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::model::{Error, Result};

/// SIGTERM, SIGHUP (a closed terminal) and SIGINT: at the first the run is left in order, so that a command or a
/// write that is under way ends and its outcome is recorded. A second one ends the process at once.
#[derive(Clone)]
pub struct Signals {
    come: watch::Receiver<Option<&'static str>>,
    told: mpsc::UnboundedSender<Told>,
}

/// What whoever shows the run tells who listens.
enum Told {
    Has(Heed),
    UnderWay(u32),
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
        let (told, hears) = mpsc::unbounded_channel();
        match Kinds::listen() {
            Ok(kinds) => drop(tokio::spawn(kinds.watch(sender, hears, next))),
            Err(error) => tracing::warn!(target: "signals", "{}", error.chain()),
        }
        Self { come, told }
    }

    /// The first one's name, at once if it has come already.
    pub async fn first(&self) -> &'static str {
        let mut come = self.come.clone();
        match come.wait_for(Option::is_some).await.map(|name| *name) {
            Ok(Some(name)) => name,
            _ => std::future::pending().await,
        }
    }

    pub fn has_come(&self) -> bool {
        self.come.borrow().is_some()
    }

    /// So many tasks are under way: who sent the first signal is told that they end first.
    pub fn under_way(&self, tasks: u32) {
        self.tell(Told::UnderWay(tasks));
    }

    /// A screen has the terminal from now on; `give_back` may be called from any thread.
    pub fn on_screen(&self, give_back: fn()) {
        self.tell(Told::Has(Heed::Screen(give_back)));
    }

    /// Another program has the terminal, until the screen has it again.
    pub fn lent(&self) {
        self.tell(Told::Has(Heed::Lent));
    }

    /// The run is being left, by a key or a signal: the next signal ends the process.
    pub fn leaving(&self) {
        self.tell(Told::Has(Heed::Leaving));
    }

    fn tell(&self, told: Told) {
        // Where nobody listens nothing is heeded.
        let _ = self.told.send(told);
    }
}

/// How many tasks end before a run is left; nothing where none is known to be under way.
pub fn end_first(tasks: u32) -> Option<String> {
    match tasks {
        0 => None,
        1 => Some("1 task under way ends first".to_owned()),
        many => Some(format!("{many} tasks under way end first")),
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
        mut hears: mpsc::UnboundedReceiver<Told>,
        next: String,
    ) {
        let mut heed = Heed::Lines;
        let mut first = None;
        let mut untold: Untold = None;
        loop {
            let name = tokio::select! {
                // A signal came before whoever had the terminal gave it to the next.
                biased;
                name = self.next() => name,
                Some(told) = hears.recv() => {
                    match told {
                        Told::Has(now) => heed = now,
                        Told::UnderWay(tasks) => tell_leaving(&mut untold, tasks),
                    }
                    continue;
                }
                () = is_late(untold) => {
                    tell_leaving(&mut untold, 0);
                    continue;
                }
            };
            match (heed, first) {
                (Heed::Lent, _) if name == INTERRUPT => {}
                // The shell sends it, and the kernel once more: the same closed terminal.
                (_, Some(HANG_UP)) if name == HANG_UP => {}
                // The screen's watchdog heard it too, sooner, and ends the process in its own time.
                (Heed::Leaving, None) if name == HANG_UP => {}
                (Heed::Leaving, _) | (_, Some(_)) => end(heed, name, &next).await,
                (_, None) => {
                    first = Some(name);
                    // Whoever waits for it hears it first: nobody may be reading what is told.
                    let _ = sender.send(first);
                    if matches!(heed, Heed::Lines) {
                        untold = Some((name, Instant::now() + COUNTING));
                    }
                }
            }
        }
    }
}

/// A first signal's name, and until when its count is waited for.
type Untold = Option<(&'static str, Instant)>;

/// Whoever shows the run may be held up by who reads it, and then does not count.
const COUNTING: Duration = Duration::from_secs(3);

async fn is_late(untold: Untold) {
    match untold {
        Some((_, until)) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

fn tell_leaving(untold: &mut Untold, tasks: u32) {
    if let Some((name, _)) = untold.take() {
        let what = end_first(tasks).unwrap_or_else(|| "what is under way ends".to_owned());
        tell(format!("\n{name}: {what}, then the run is left; a second one ends it at once"));
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
