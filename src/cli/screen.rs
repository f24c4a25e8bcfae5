use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::plain::Ending;
use super::{operate, remark};
use crate::engine::{Engine, Notice};
use crate::model::{ApprovalPolicy, Error, ErrorKind, Result, Run, TaskId, TaskStatus, visible};
use crate::signals::Signals;
use crate::tui::{self, Options, Palette};

#[derive(Args, Clone, Debug)]
pub struct ScreenArgs {
    /// Lines and questions instead of the terminal UI
    #[arg(long)]
    pub plain: bool,
    /// Colours of the terminal UI; NO_COLOR overrides it
    #[arg(long, value_enum)]
    pub theme: Option<ThemeChoice>,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// Take clicks and the wheel; the terminal's own selection needs shift then
    #[arg(long)]
    pub mouse: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeChoice {
    Dark,
    Light,
    Mono,
}

/// Whether somebody is there to be asked.
pub fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

impl ScreenArgs {
    /// The terminal UI needs a terminal on both ends, and somebody to decide.
    fn is_wanted(&self, policy: &ApprovalPolicy, json: bool) -> bool {
        !self.plain && !json && is_terminal() && *policy == ApprovalPolicy::Ask
    }

    /// What the terminal UI is to be like, where it is wanted: asked before anything is begun, for the operator's own
    /// keys may be refused.
    pub fn ready(&self, policy: &ApprovalPolicy, json: bool) -> Result<Option<Options>> {
        if !self.is_wanted(policy, json) {
            return Ok(None);
        }
        let config = super::config::chosen();
        let palette = match self.theme.or(config.theme).unwrap_or(ThemeChoice::Dark) {
            ThemeChoice::Dark => Palette::Dark,
            ThemeChoice::Light => Palette::Light,
            ThemeChoice::Mono => Palette::Mono,
        };
        let keys = tui::keys_path(|name| std::env::var_os(name));
        let keys = keys.as_deref().map(tui::load_keys).transpose()?.flatten();
        if keys.is_some() && config.keys.is_some() {
            let why = "keys stand in config.toml and in keys.toml";
            return Err(
                Error::new(ErrorKind::Invalid, "read the keys", why).next("move those of keys.toml to config.toml")
            );
        }
        Ok(Some(Options {
            palette: palette.or_none(std::env::var_os("NO_COLOR").as_deref()),
            ascii: self.ascii || config.ascii,
            mouse: self.mouse || config.mouse,
            pager: config.pager,
            calls: None,
            schemas: Default::default(),
            zone: crate::model::Zone::chosen(),
            parting: Default::default(),
            to_undo: Vec::new(),
            tour: operate::is_first_run(),
            keymap: keys.or(config.keys).unwrap_or_default(),
        }))
    }
}

/// The run on the screen, until the operator leaves; then how it stands.
pub async fn show(engine: Engine, by: String, options: Options, signals: Signals) -> Result<Ending> {
    let mut ending = engine.subscribe();
    let mut watchdog = tui::Watchdog::start()?;
    let mut run = tui::run(tui::Source::Engine(engine), by, options, &signals, &mut watchdog).await?;
    // The journal is closed and the lock let go before the prompt is back; what was being written has ended.
    let mut problem = None;
    let mut is_told = false;
    let mut quiet = tokio::time::interval_at(tokio::time::Instant::now() + QUIET, QUIET);
    loop {
        let notice = tokio::select! {
            notice = ending.recv() => notice,
            _ = quiet.tick() => {
                // A read that does not answer is not worth waiting for: it leaves nothing half done.
                let Some(told) = being_written(&run) else { break };
                if !std::mem::replace(&mut is_told, true) {
                    remark(&told);
                }
                continue;
            }
        };
        match notice {
            Some(Notice::Event(recorded)) if recorded.seq > run.seq => drop(run.apply(&recorded)),
            Some(Notice::Stopped { problem: found }) => {
                problem = found;
                break;
            }
            Some(_) => {}
            None => break,
        }
    }
    Ok(Ending { run: Arc::new(run), problem })
}

/// An engine that has not ended in that time has something to do that takes longer.
const QUIET: Duration = Duration::from_secs(2);

fn being_written(run: &Run) -> Option<String> {
    let mut tasks = (0_u32..).zip(&run.tasks);
    let (id, _) = tasks.find(|(_, task)| task.status == TaskStatus::Applying)?;
    Some(match run.count(TaskStatus::Applying) {
        many @ 2.. => format!("{many} tasks are being written: they end first; ctrl-c ends them at once"),
        _ => format!("{} is being written: that ends first; ctrl-c ends it at once", visible(&run.name(TaskId(id)))),
    })
}
