use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One line on stderr that is written over, at most four times a second, where stderr is a terminal.
pub struct Progress {
    line: Option<Mutex<Line>>,
}

struct Line {
    last: Option<Instant>,
    is_shown: bool,
}

const EVERY: Duration = Duration::from_millis(250);

impl Progress {
    /// Nothing is shown where `quiet`, or where nobody looks.
    pub fn new(quiet: bool) -> Self {
        let shows = !quiet && std::io::stderr().is_terminal();
        Self { line: shows.then(|| Mutex::new(Line { last: None, is_shown: false })) }
    }

    /// Whether anybody sees the line.
    pub fn is_shown(&self) -> bool {
        self.line.is_some()
    }

    pub fn show(&self, text: impl FnOnce() -> String) {
        let Some(line) = &self.line else { return };
        let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        line.last = Some(Instant::now());
        line.is_shown = true;
        let text: String = text().chars().take(78).collect();
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{text}");
    }

    /// Before anything else is printed, or the two would run into one another.
    pub fn clear(&self) {
        let Some(line) = &self.line else { return };
        let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut line.is_shown) {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
