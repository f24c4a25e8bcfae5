use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::SigId;
use tokio::sync::oneshot;

use crate::model::{Error, Result};

use super::terminal;

/// Of the second after which a closed window's program is gone, what is left for the engine to end in order.
const GRACE: Duration = Duration::from_millis(800);
/// A terminal that takes nothing any more does not hold the end.
const GIVING_BACK: Duration = Duration::from_millis(100);

/// Tells when the terminal is gone or SIGHUP came, and ends the process soon after, whatever it still waits for:
/// nobody is there to see or to stop what it would go on with, and the journal copes with an end at any moment.
/// A thread of its own, for the ones that work may all be held up; it sleeps in the kernel until then, and ends
/// when this is dropped.
pub struct Watchdog {
    pub(super) lost: oneshot::Receiver<()>,
    hangup: SigId,
    _stop: OwnedFd,
}

impl Watchdog {
    pub fn start() -> Result<Self> {
        let failed = |error: io::Error| Error::io("watch the terminal", error);
        let terminal = rustix::io::dup(io::stdout()).map_err(|error| failed(error.into()))?;
        let (stopped, stop) = rustix::pipe::pipe().map_err(|error| failed(error.into()))?;
        let (hung_up, tell_hangup) = UnixStream::pair().map_err(failed)?;
        let hangup =
            signal_hook::low_level::pipe::register(signal_hook::consts::SIGHUP, tell_hangup).map_err(failed)?;
        let (tell, lost) = oneshot::channel();
        let watch = move || {
            let ends = [PollFlags::empty(), PollFlags::IN, PollFlags::empty()];
            let mut all =
                [PollFd::new(&terminal, ends[0]), PollFd::new(&hung_up, ends[1]), PollFd::new(&stopped, ends[2])];
            if await_any(&mut all, None) && all[2].revents().is_empty() {
                let _ = tell.send(());
                // What ends in order within its time takes this thread along.
                let mut stop = [PollFd::new(&stopped, PollFlags::empty())];
                if !await_any(&mut stop, Some(GRACE)) {
                    end_now();
                }
            }
        };
        std::thread::Builder::new().name("terminal watchdog".to_owned()).spawn(watch).map_err(failed)?;
        Ok(Self { lost, hangup, _stop: stop })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.hangup);
    }
}

/// Whether anything happened to one of them in that time.
fn await_any(all: &mut [PollFd<'_>], within: Option<Duration>) -> bool {
    let end = within.map(|within| Instant::now() + within);
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(all, left.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            found => return found.is_ok_and(|count| count > 0),
        }
    }
}

/// Children go first: each is in a process group of its own, and no terminal's end would reach it.
fn end_now() -> ! {
    crate::engine::kill_commands();
    let (given, is_given) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        terminal::give_back();
        let told = "left at once; `rekindle resume` settles what was under way";
        let _ = writeln!(io::stderr().lock(), "{told}");
        let _ = given.send(());
    });
    let _ = is_given.recv_timeout(GIVING_BACK);
    std::process::exit(1)
}
