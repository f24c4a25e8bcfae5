use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
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

use crate::adapters::ADAPTERS;
use crate::model::{Zone, visible};

use super::cells::wrap;
use super::theme::{Role, Theme};
use super::voice;

/// Characters of one record; the log's file has all.
const MAX_MESSAGE: usize = 1_000;
/// Of warnings that no frame has shown yet.
const MAX_WARNINGS: usize = 16;

/// Log lines that only repeat what the screen says by itself.
pub const NOTES: &str = "rekindle::tui::note";

/// One that no frame has shown yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub text: String,
    /// The demo tells that what failed can be tried again.
    pub is_news: bool,
}

/// Wakes the screen: a record has come.
pub static LOGGED: Notify = Notify::const_new();
static WARNINGS: Mutex<VecDeque<Warning>> = Mutex::new(VecDeque::new());
static HEARD: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Warnings and errors that came since this was last asked, oldest first.
pub fn warnings() -> VecDeque<Warning> {
    std::mem::take(&mut *WARNINGS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Who has said something since the program began.
pub fn heard() -> Vec<&'static str> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
}

thread_local! {
    /// Whether this thread is adding a line to the pane.
    static ADDING: Cell<bool> = const { Cell::new(false) };
}

/// A line for the pane alone: what an event told the screen is in no log's file.
///
/// Adding a line reads the clock and the time zone, which may want to log something: that has no place in the pane,
/// for it would be added while it is added.
pub fn add(level: log::Level, voice: &'static str, text: &str) {
    if ADDING.replace(true) {
        return;
    }
    add_one(level, voice, text);
    ADDING.set(false);
}

fn add_one(level: log::Level, voice: &'static str, text: &str) {
    let mut record = log::Record::builder();
    record.level(level).target(voice);
    tui_logger::Drain::new().log(&record.args(format_args!("{text}")).build());
    HEARD.lock().unwrap_or_else(PoisonError::into_inner).insert(voice);
    LOGGED.notify_one();
}

/// Hands what is traced to the log pane; for the program's own `tracing` subscriber. `tui-logger`'s own
/// layer writes every field out, and records of the `log` crate carry four that only say where they come from.
pub fn layer<S>() -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    Records.with_filter(filter(Level::INFO))
}

/// What this program says itself from that level on, and of the libraries only what they warn of.
pub fn filter(level: Level) -> Targets {
    let own = ["rekindle", "engine", "run", "journal", "signals", "plain", "demo"];
    let of_systems = ADAPTERS.iter().flat_map(|adapter| adapter.voice).copied();
    // What the time library warns of is said once at the start, and a log line must not make it warn again.
    Targets::new()
        .with_default(Level::WARN)
        .with_target("jiff", Level::ERROR)
        .with_targets(own.into_iter().chain(of_systems).map(|target| (target, level)))
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
        if level <= log::Level::Warn && ![NOTES, crate::engine::EVENTS].contains(&target) {
            let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
            if warnings.len() >= MAX_WARNINGS {
                warnings.pop_front();
            }
            let text: String = said.message.chars().take(MAX_MESSAGE).collect();
            warnings.push_back(Warning { text: visible(&text).into_owned(), is_news: target == "demo" });
        }
        add(level, voice::of(target), &format!("{}{}", said.message, said.fields));
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
    let is_of_all = target.is_none();
    TuiLoggerWidget::default().formatter(Box::new(Visible { theme, is_of_all })).state(&state).render(area, buffer);
}

/// Messages may quote names from outside, so each is shown with its control characters visible.
struct Visible {
    theme: Theme,
    is_of_all: bool,
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
        let zone = Zone::chosen();
        let time = record.timestamp.with_time_zone(zone.inner().clone()).strftime("%H:%M:%S").to_string();
        let voice = if self.is_of_all { format!("{:<9} ", record.target()) } else { String::new() };
        let text = format!("{time} {:<5} {voice}{}", record.level, shown(record.msg()));
        let style: Style = self.theme.style(role);
        wrap(&text, width).into_iter().map(|line| Line::from(Span::styled(line, style))).collect()
    }
}

fn shown(message: &str) -> Cow<'_, str> {
    visible(message.char_indices().nth(MAX_MESSAGE).map_or(message, |(end, _)| &message[..end]))
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
        let told: Vec<String> = warnings().into_iter().map(|warning| warning.text).collect();
        assert!(told.contains(&"pack ^[[2J is back".to_owned()));
        assert!(!told.iter().any(|text| text.contains("home/bob") || text.contains("refused")), "{told:?}");
    }

    #[test]
    fn a_record_is_shown_and_obeyed_nowhere() {
        let said = "no \u{1b}[2J\u{1b}]52;c;QUFB\u{7}\r\n\u{9b}31m\u{202e}\u{200b} 日本 e\u{301} end";
        let text = shown(said);
        assert!(text.contains("^[[2J^[]52;c;QUFB") && text.ends_with("end"), "{text}");
        assert!(!text.chars().any(|shown| shown.is_control() || "\u{202e}\u{200b}".contains(shown)), "{text:?}");
        assert_eq!(shown(&"é".repeat(1_000_000)).chars().count(), MAX_MESSAGE);
    }

    /// Stamps as the time library does that finds no time zones: by logging.
    struct Stamps;

    impl std::fmt::Display for Stamps {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            add(log::Level::Warn, "run", "no time zones are here");
            f.write_str("said once")
        }
    }

    #[test]
    fn a_line_that_makes_another_line_ends() {
        let subscriber = tracing_subscriber::registry().with(layer());
        tracing::subscriber::with_default(subscriber, || {
            ADDING.set(true);
            add(log::Level::Warn, "run", &Stamps.to_string());
            assert!(ADDING.replace(false), "a line within a line ends the outer one");
            add(log::Level::Warn, "run", &Stamps.to_string());
            assert!(!ADDING.get(), "the next line is added again");
        });
    }

    #[test]
    fn libraries_are_heard_when_they_warn_and_this_program_always() {
        let filter = filter(Level::INFO);
        for (target, level, heard) in [
            ("rustic_core::index", Level::INFO, false),
            ("rustic_core::index", Level::WARN, true),
            ("rekindle::cli", Level::INFO, true),
            (crate::engine::EVENTS, Level::INFO, true),
            ("demo", Level::INFO, true),
            ("keycloak", Level::INFO, true),
            ("rekindle::cli", Level::DEBUG, false),
            ("jiff::tz::db::zoneinfo", Level::WARN, false),
        ] {
            assert_eq!(filter.would_enable(target, &level), heard, "{target} {level}");
        }
    }
}
