use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use tokio::sync::Notify;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer as _};
use tui_logger::{ExtLogRecord, LogFormatter, TuiLoggerWidget, TuiWidgetState};

use crate::model::visible;

use super::cells::wrap;
use super::theme::{Role, Theme};

/// Characters of one record; the log's file has all.
const MAX_MESSAGE: usize = 1_000;
/// Of warnings that no frame has shown yet.
const MAX_WARNINGS: usize = 16;

/// Log lines that only repeat what the screen says by itself.
pub const NOTES: &str = "rekindle::tui::note";

/// Wakes the screen: a record has come.
pub static LOGGED: Notify = Notify::const_new();
static WARNINGS: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Warnings and errors that came since this was last asked, oldest first.
pub fn warnings() -> VecDeque<String> {
    std::mem::take(&mut *WARNINGS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Hands what is traced to the log pane; for the program's own `tracing` subscriber. `tui-logger`'s own
/// layer writes every field out, and records of the `log` crate carry four that only say where they come from.
pub fn layer<S>() -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    Records.with_filter(filter())
}

/// Those whose records can be shown alone.
const APART: [&str; 5] = [crate::engine::EVENTS, "engine", "run", "journal", "demo"];

/// What this program says itself, and of the libraries only what they warn of.
fn filter() -> Targets {
    let own = ["rekindle", "engine", "run", "journal", "plain", "demo"];
    Targets::new().with_default(Level::WARN).with_targets(own.map(|target| (target, Level::INFO)))
}

/// Whose records are shown after these; everybody's after the last.
pub fn next_target(now: Option<&'static str>) -> Option<&'static str> {
    match now {
        None => APART.first().copied(),
        Some(now) => APART.iter().skip_while(|target| **target != now).nth(1).copied(),
    }
}

struct Records;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Records {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let metadata = event.metadata();
        let level = match *metadata.level() {
            Level::ERROR => log::Level::Error,
            Level::WARN => log::Level::Warn,
            _ => log::Level::Info,
        };
        let target = said.target.as_deref().unwrap_or(metadata.target());
        let mut record = log::Record::builder();
        record.level(level).target(target);
        let drain = tui_logger::Drain::new();
        drain.log(&record.args(format_args!("{}{}", said.message, said.fields)).build());
        if level <= log::Level::Warn && ![NOTES, crate::engine::EVENTS].contains(&target) {
            let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
            if warnings.len() >= MAX_WARNINGS {
                warnings.pop_front();
            }
            let text: String = said.message.chars().take(MAX_MESSAGE).collect();
            warnings.push_back(visible(&text).into_owned());
        }
        LOGGED.notify_one();
    }
}

#[derive(Default)]
struct Said {
    message: String,
    fields: String,
    /// Of a record that came through the `log` crate.
    target: Option<String>,
}

impl tracing::field::Visit for Said {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        match field.name() {
            "log.target" => self.target = Some(value.to_owned()),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        // Writing to a String never fails.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name if name.starts_with("log.") => Ok(()),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

/// Levels below `level` are not kept. The screen's loop moves the records on; no thread does.
pub fn start(level: log::LevelFilter) {
    tui_logger::set_default_level(level);
}

/// Of `target` alone, where one is named.
pub fn render(theme: Theme, level: log::LevelFilter, target: Option<&str>, area: Rect, buffer: &mut Buffer) {
    let state = match target {
        None => TuiWidgetState::new().set_default_display_level(level),
        Some(target) => {
            TuiWidgetState::new().set_default_display_level(log::LevelFilter::Off).set_level_for_target(target, level)
        }
    };
    TuiLoggerWidget::default().formatter(Box::new(Visible { theme })).state(&state).render(area, buffer);
}

/// Messages may quote names from outside, so each is shown with its control characters visible.
struct Visible {
    theme: Theme,
}

impl LogFormatter for Visible {
    fn min_width(&self) -> u16 {
        20
    }

    fn format(&self, width: usize, record: &ExtLogRecord) -> Vec<Line<'_>> {
        let role = match record.level {
            log::Level::Error => Role::Bad,
            log::Level::Warn => Role::Attention,
            _ => Role::Plain,
        };
        let time = record.timestamp.strftime("%H:%M:%S");
        let message = record.msg();
        let cut = message.char_indices().nth(MAX_MESSAGE).map_or(message, |(end, _)| &message[..end]);
        let text = format!("{time} {:<5}{}", record.level, visible(cut));
        let style: Style = self.theme.style(role);
        wrap(&text, width).into_iter().map(|line| Line::from(Span::styled(line, style))).collect()
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::prelude::*;

    use super::*;

    #[test]
    fn a_warning_is_told_without_where_in_the_code_it_comes_from() {
        let subscriber = tracing_subscriber::registry().with(layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(log.file = "progress.rs", log.line = 139, count = 3, "pack \u{1b}[2J is back");
            tracing::info!("nothing to see");
            // What an event or a note tells is not told again by its log line.
            tracing::warn!(target: crate::engine::EVENTS, "home/bob outcome: the disk is full");
            tracing::warn!(target: NOTES, "refused: it is done");
        });
        let told = warnings();
        assert!(told.contains(&"pack ^[[2J is back".to_owned()));
        assert!(!told.iter().any(|text| text.contains("home/bob") || text.contains("refused")), "{told:?}");
    }

    #[test]
    fn libraries_are_heard_when_they_warn_and_this_program_always() {
        let filter = filter();
        for (target, level, heard) in [
            ("rustic_core::index", Level::INFO, false),
            ("rustic_core::index", Level::WARN, true),
            ("rekindle::cli", Level::INFO, true),
            (crate::engine::EVENTS, Level::INFO, true),
            ("demo", Level::INFO, true),
            ("rekindle::cli", Level::DEBUG, false),
        ] {
            assert_eq!(filter.would_enable(target, &level), heard, "{target} {level}");
        }
    }

    #[test]
    fn turning_goes_through_every_target_and_back_to_all() {
        let mut seen = Vec::new();
        let mut now = next_target(None);
        while let Some(target) = now {
            seen.push(target);
            now = next_target(now);
        }
        assert_eq!(seen, APART);
    }
}
