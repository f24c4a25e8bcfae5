use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::mpsc;

use super::mask::Mask;
use super::worker::Done;
use crate::model::{TaskId, size, visible};

/// Longer lines are cut: a command's output is a log, not a file transfer.
const MAX_LINE: usize = 4096;
/// Of one pipe, in bytes: so much is logged and shown as it comes.
const MOST_AT_ONCE: u64 = 1 << 20;
/// What a line costs beside its text: its time and place in the log.
const LINE_COST: u64 = 64;
/// After that one line so often shows that something still comes.
const PAUSE: Duration = Duration::from_millis(100);
/// And these come at the end: the last lines tell why it failed.
const LAST_LINES: usize = 100;

/// Reads a command's pipe to its end. What a command may say is without end; what is kept of it is not, and holds no
/// secret that is known.
pub(super) async fn stream(
    task: TaskId,
    pipe: impl AsyncRead + Unpin + Send + 'static,
    mask: Mask,
    mailbox: mpsc::UnboundedSender<Done>,
) {
    // A secret must not be cut in two, each half shown.
    let longest_piece = MAX_LINE + mask.longest();
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    let mut output = Output { task, mailbox, told: 0, cut: 0, shown: Instant::now(), last: VecDeque::new() };
    loop {
        let mut bounded = (&mut reader).take((longest_piece - line.len()) as u64);
        let goes_on = match bounded.read_until(b'\n', &mut line).await {
            Ok(read) if read > 0 => line.last() != Some(&b'\n') && line.len() >= longest_piece,
            _ if line.is_empty() => return,
            _ => false,
        };
        let rest = if goes_on { line.split_off(mask.complete(&line)) } else { Vec::new() };
        let covered = mask.covered(line.strip_suffix(b"\n").unwrap_or(&line));
        output.say(visible(&covered).into_owned());
        line = rest;
    }
}

struct Output {
    task: TaskId,
    mailbox: mpsc::UnboundedSender<Done>,
    /// In bytes.
    told: u64,
    cut: u64,
    shown: Instant,
    last: VecDeque<String>,
}

impl Output {
    fn say(&mut self, text: String) {
        if self.told < MOST_AT_ONCE {
            self.told = self.told.saturating_add(text.len() as u64 + LINE_COST);
            return self.tell(text);
        }
        if self.last.is_empty() && self.cut == 0 {
            self.tell(format!(
                "(more than {} of output: from here on only its last {LAST_LINES} lines are kept)",
                size(MOST_AT_ONCE)
            ));
        }
        if self.shown.elapsed() >= PAUSE {
            self.shown = Instant::now();
            self.show(text.clone());
        }
        self.last.push_back(text);
        if self.last.len() > LAST_LINES
            && let Some(cut) = self.last.pop_front()
        {
            self.cut = self.cut.saturating_add(cut.len() as u64 + 1);
        }
    }

    fn tell(&self, text: String) {
        tracing::info!(target: "run", "{text}");
        self.show(text);
    }

    fn show(&self, line: String) {
        let _ = self.mailbox.send(Done::Output { task: self.task, line });
    }
}

/// Also where its reader is stopped before the pipe ends.
impl Drop for Output {
    fn drop(&mut self) {
        if self.cut > 0 {
            self.tell(format!("({} of output are left out here)", size(self.cut)));
        }
        for text in std::mem::take(&mut self.last) {
            self.tell(text);
        }
    }
}
