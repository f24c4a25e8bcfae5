use std::io::{IsTerminal, Write};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::moments::Moments;
use super::{Attention, deliver, sequences};
use crate::cli::operate;
use crate::engine::{Engine, Notice};

/// Commands and webhooks at once: more than these hang already.
const MOST_AT_ONCE: usize = 4;
/// For calls on their way when the run is over.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// Follows a run and calls. Nothing of the run waits for it.
pub struct Caller {
    calls: Option<JoinHandle<()>>,
    to_screen: Option<mpsc::UnboundedReceiver<Vec<u8>>>,
}

impl Caller {
    /// `on_screen`: the screen sends what is for the terminal, from [`Self::screen_calls`].
    pub fn begin(attention: Attention, engine: &Engine, run: &str, on_screen: bool) -> Self {
        if !attention.has_a_way() {
            return Self { calls: None, to_screen: None };
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        let (terminal, to_screen) = if on_screen { (Some(sender), Some(receiver)) } else { (None, None) };
        let follow = follow(attention, engine.subscribe(), run.to_owned(), terminal);
        Self { calls: Some(tokio::spawn(follow)), to_screen }
    }

    pub fn screen_calls(&mut self) -> Option<mpsc::UnboundedReceiver<Vec<u8>>> {
        self.to_screen.take()
    }

    /// The run is over: what is on its way gets a moment, and no more.
    pub async fn end(self) {
        if let Some(mut calls) = self.calls
            && tokio::time::timeout(LAST_CALLS, &mut calls).await.is_err()
        {
            calls.abort();
        }
    }
}

async fn follow(
    attention: Attention,
    mut notices: mpsc::UnboundedReceiver<Notice>,
    run: String,
    screen: Option<mpsc::UnboundedSender<Vec<u8>>>,
) {
    let mut moments = Moments::default();
    let mut under_way = JoinSet::new();
    let mut is_first = true;
    while let Some(notice) = notices.recv().await {
        let is_over = matches!(notice, Notice::Stopped { .. });
        let call = moments.on(&notice, operate::now()).filter(|call| attention.is_wanted(call));
        if let Some(call) = call {
            if attention.goes_to_the_terminal() {
                to_terminal(&sequences::of(&attention, &call, std::mem::take(&mut is_first)), screen.as_ref());
            }
            while under_way.try_join_next().is_some() {}
            if under_way.len() < MOST_AT_ONCE {
                if let Some(command) = attention.command.clone() {
                    under_way.spawn(deliver::by_command(command, call.clone(), run.clone()));
                }
                if let Some(webhook) = attention.webhook.clone() {
                    under_way.spawn(deliver::by_webhook(webhook, call, run.clone()));
                }
            } else {
                tracing::warn!("nobody is called: {MOST_AT_ONCE} calls have not ended yet");
            }
        }
        if is_over {
            break;
        }
    }
    if !is_first {
        // The screen is gone by then.
        to_terminal(sequences::end(&attention), None);
    }
    while under_way.join_next().await.is_some() {}
}

fn to_terminal(sequences: &str, screen: Option<&mpsc::UnboundedSender<Vec<u8>>>) {
    if let Some(screen) = screen {
        let _ = screen.send(sequences.as_bytes().to_vec());
        return;
    }
    let mut terminal = std::io::stderr().lock();
    if !sequences.is_empty() && terminal.is_terminal() {
        let _ = terminal.write_all(sequences.as_bytes()).and_then(|()| terminal.flush());
    }
}
