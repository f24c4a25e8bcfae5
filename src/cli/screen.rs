use std::io::IsTerminal;

use clap::{Args, ValueEnum};

use super::Exit;
use crate::engine::Engine;
use crate::model::{ApprovalPolicy, Result};
use crate::tui::{self, Options, Outcome, Palette};

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
        Options { palette: palette.or_none(std::env::var_os("NO_COLOR").as_deref()), ascii: self.ascii }
    }
}

/// The run on the screen, until the operator leaves.
pub async fn show(engine: Engine, by: String, args: &ScreenArgs) -> Result<Exit> {
    let mut ending = engine.subscribe();
    let outcome = tui::run(tui::Source::Engine(engine), by, args.options()).await?;
    // The journal is closed and the lock let go before the prompt is back.
    while let Some(notice) = ending.recv().await {
        if matches!(notice, crate::engine::Notice::Stopped { .. }) {
            break;
        }
    }
    Ok(match outcome {
        Outcome::Finished => Exit::Fine,
        Outcome::Quit => Exit::ChangesPending,
        Outcome::Aborted => Exit::Failed,
    })
}
