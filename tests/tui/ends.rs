//! However the screen ends, the terminal is as it was.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use crate::platform::Platform;
use crate::terminal::Terminal;

#[test]
fn a_signal_gives_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let platform = Platform::damaged();
        let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
        terminal.sees("review 2");
        terminal.signal(signal);
        assert_eq!(terminal.ends(), 2, "{signal:?}");
        terminal.is_given_back();
        assert!(terminal.text().contains("next: rekindle resume"), "{}", terminal.text());
    }
}

#[test]
fn a_closed_window_ends_the_program_within_a_second() {
    let platform = Platform::damaged();
    let terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    assert!(terminal.close(Duration::from_secs(1)));
    let mut again = platform.rekindle(&["resume"]);
    again.sees("review 2");
    again.signal(Signal::TERM);
    again.ends();
}

/// Set in the process whose screen shall panic.
const PANIC: &str = "REKINDLE_TEST_PANIC";

#[test]
fn a_panic_gives_the_terminal_back_and_is_told_there() {
    let this = std::env::current_exe().unwrap();
    let arguments = ["--exact", "--nocapture", "ends::a_screen_that_panics"];
    let folder = tempfile::tempdir().unwrap();
    let environment: [(&str, &OsStr); 1] = [(PANIC, OsStr::new("1"))];
    let mut terminal = Terminal::start(this.to_str().unwrap(), &arguments, &environment, folder.path());
    assert_ne!(terminal.ends(), 0);
    terminal.is_given_back();
    assert!(terminal.text().contains("a panic in the middle of a frame"), "{}", terminal.text());
}

/// The other half of the story above, in a process of its own; by itself it does nothing.
#[test]
fn a_screen_that_panics() {
    if std::env::var_os(PANIC).is_none() {
        return;
    }
    let (notices, watched) = tokio::sync::mpsc::unbounded_channel();
    // An event that no run allows is logged by the screen, and this log panics.
    let event = rekindle::model::Event::Paused { by: "nobody".to_owned() };
    notices
        .send(rekindle::engine::Notice::Event(Arc::new(rekindle::model::Recorded { seq: 9, at: 0, event })))
        .unwrap();
    tracing::subscriber::set_global_default(Panicking).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let source = rekindle::tui::Source::Watch(watched);
    let _ = runtime.block_on(rekindle::tui::run(source, "nobody".to_owned(), rekindle::tui::Options::default()));
}

struct Panicking;

impl tracing::Subscriber for Panicking {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("rekindle::tui") && *metadata.level() == tracing::Level::ERROR
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        // The panic's own report is logged too.
        if !std::thread::panicking() {
            panic!("a panic in the middle of a frame: {}", event.metadata().name());
        }
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
