use std::io::IsTerminal;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::plain::Ending;
use crate::engine::{Engine, Notice};
use crate::model::{ApprovalPolicy, Result};
use crate::tui::{self, Options, Palette};

#[derive(Args, Clone, Debug)]
pub struct ScreenArgs {
    /// Lines and numbered prompts instead of the terminal UI
    #[arg(long)]
    pub plain: bool,
    /// Colours of the terminal UI; NO_COLOR overrides it
    #[arg(long, value_enum, default_value_t = ThemeChoice::Dark)]
    pub theme: ThemeChoice,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeChoice {
    Dark,
    Light,
    Mono,
}

impl ScreenArgs {
    /// The terminal UI needs a terminal on both ends, and somebody to decide.
    pub fn is_wanted(&self, policy: &ApprovalPolicy, json: bool) -> bool {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        !self.plain && !json && terminal && *policy == ApprovalPolicy::Ask
    }

    pub fn options(&self) -> Options {
        let palette = match self.theme {
            ThemeChoice::Dark => Palette::Dark,
            ThemeChoice::Light => Palette::Light,
            ThemeChoice::Mono => Palette::Mono,
        };
        Options { palette: palette.or_none(std::env::var_os("NO_COLOR").as_deref()), ascii: self.ascii, parting: None }
    }
}

/// The run on the screen, until the operator leaves; then how it stands.
pub async fn show(engine: Engine, by: String, options: Options) -> Result<Ending> {
    let mut ending = engine.subscribe();
    let mut run = tui::run(tui::Source::Engine(engine), by, options).await?;
    // The journal is closed and the lock let go before the prompt is back; what was being written has ended.
    let mut problem = None;
    while let Some(notice) = ending.recv().await {
        match notice {
            Notice::Event(recorded) if recorded.seq > run.seq => drop(run.apply(&recorded)),
            Notice::Stopped { problem: found } => {
                problem = found;
                break;
            }
            _ => {}
        }
    }
    Ok(Ending { run: Arc::new(run), problem })
}
