use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{ColorChoice, GlobalArgs};
use crate::model::{Error, ErrorKind, Result};
use crate::runbook::Drawing;

/// Where facts are printed and how.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub json: bool,
    pub is_terminal: bool,
    pub color: bool,
}

/// Something was not printed, and not because its reader went away: the end says so.
static LOST: Mutex<Option<String>> = Mutex::new(None);

static QUIET: AtomicBool = AtomicBool::new(false);

/// From here on only what was asked for, what failed and the totals are printed.
pub fn be_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

pub fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// One line of what was found. A reader that went away ends the output, not the work.
pub fn say(line: &str) {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            LOST.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
        }
        _ => {}
    }
}

/// Why lines are missing in the output, if so.
pub fn lost() -> Option<Error> {
    let why = LOST.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    Some(Error::new(ErrorKind::Io, "print the result", why).next("'rekindle report' still tells what a run did"))
}

/// One line for the operator, beside what is found.
pub fn remark(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

impl Output {
    pub fn new(global: &GlobalArgs) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let refused = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = match global.color {
            _ if global.no_color => false,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !refused(),
        };
        Self { json: global.json, is_terminal, color }
    }

    /// A reader that went away has had what it wanted.
    pub fn print(&self, text: &str) -> Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("print the result", error)),
            _ => Ok(()),
        }
    }

    /// Whether a pipe's reader is gone: who only waits would never learn it by printing.
    pub fn is_abandoned(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let stdout = io::stdout();
        let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut asked, Some(&at_once)).is_ok_and(|_| asked[0].revents().contains(PollFlags::ERR))
    }

    /// Of the terminal; 0 of a file or a pipe.
    pub fn columns(&self) -> usize {
        let size = self.is_terminal.then(crossterm::terminal::size).and_then(Result::ok);
        size.map_or(0, |(columns, _)| columns.into())
    }

    pub fn print_json(&self, value: &serde_json::Value) -> Result<()> {
        self.print(&format!("{value:#}\n"))
    }

    pub fn drawing(&self) -> Drawing {
        match (self.is_terminal, self.color) {
            (_, true) => Drawing::Coloured,
            (true, false) => Drawing::Unicode,
            (false, false) => Drawing::Plain,
        }
    }
}
