use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::{config, remark};
use crate::model::visible;

/// The first of these that is set; more words than one are its arguments. No shell reads them.
const CHOICES: [&str; 2] = ["REKINDLE_PAGER", "PAGER"];
const DEFAULT: &str = "less";

/// A program through which a person reads, page by page, what is written while it is made: it is held up by the reader,
/// and nothing is gathered.
pub struct Pager {
    to: Option<ChildStdin>,
    ended: watch::Receiver<bool>,
    /// While it is open ctrl-c is the pager's own.
    _interrupts: Option<Signal>,
}

impl Pager {
    /// The one of the settings, else of the environment.
    pub fn chosen() -> Option<Self> {
        Self::open(config::chosen().pager, |name| std::env::var(name).ok())
    }

    /// `configured` goes before what the environment names. `None` where none is wanted, or there is none: then the
    /// terminal gets all.
    fn open(configured: Option<String>, environment: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let chosen = configured.or_else(|| CHOICES.iter().find_map(|name| environment(name)));
        let command = chosen.clone().unwrap_or_else(|| DEFAULT.to_owned());
        let mut words = command.split_whitespace();
        let program = words.next().filter(|program| *program != "cat")?;
        let mut pager = Command::new(program);
        pager.args(words).stdin(Stdio::piped()).env("LESSSECURE", "1");
        // Colours as they are, no page for less than a screen, and what was read stays on the terminal.
        for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
            if environment(name).is_none() {
                pager.env(name, value);
            }
        }
        let interrupts = signal(SignalKind::interrupt()).ok();
        match pager.spawn() {
            Ok(child) => Self::of(child, interrupts),
            Err(error) => {
                if chosen.is_some() {
                    remark(&format!("the pager '{}' does not start: {error}", visible(&command)));
                }
                None
            }
        }
    }

    fn of(mut child: Child, interrupts: Option<Signal>) -> Option<Self> {
        let to = child.stdin.take();
        let (tell, ended) = watch::channel(false);
        std::thread::spawn(move || {
            let _ = child.wait();
            let _ = tell.send(true);
        });
        Some(Self { to, ended, _interrupts: interrupts })
    }

    /// Whether somebody still reads.
    pub fn line(&mut self, line: &str) -> bool {
        let written = self.to.as_mut().map(|to| writeln!(to, "{line}"));
        if !matches!(written, Some(Ok(()))) {
            self.to = None;
        }
        self.to.is_some()
    }

    /// Hears of the pager's end.
    pub fn ended(&self) -> watch::Receiver<bool> {
        self.ended.clone()
    }

    /// All is written; returns when the reader has seen enough.
    pub async fn close(mut self) {
        self.to = None;
        let _ = self.ended.wait_for(|ended| *ended).await;
    }
}
