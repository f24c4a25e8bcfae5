//! However the screen ends, the terminal is as it was.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::platform::{Platform, SlowCommand};
use crate::stories::{approve, leave};
use crate::terminal::{CLEAR, DEADLINE, Terminal};

#[test]
fn a_signal_gives_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let platform = Platform::damaged();
        let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
        terminal.sees("review 2");
        terminal.signal(signal);
        let code = terminal.ends();
        // A hang-up does not wait for a slow machine to end in order.
        assert!(code == 2 || (signal == Signal::HUP && code == 1), "{signal:?}: {code}");
        terminal.is_given_back();
        assert!(terminal.text().contains("rekindle resume"), "{}", terminal.text());
    }
}

#[test]
fn who_was_stopped_from_outside_hears_single_keys_again() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    let raw = terminal.settings();
    terminal.signal(Signal::STOP);
    terminal.set_as_a_shell_does();
    assert_ne!(terminal.settings(), raw);
    terminal.signal(Signal::CONT);
    terminal.press_until("3", "the plan", |screen| screen.contains("takes"));
    assert_eq!(terminal.settings(), raw);
    leave(&mut terminal);
    terminal.ends();
    terminal.is_given_back();
}

#[test]
fn a_closed_window_ends_the_program() {
    let platform = Platform::damaged();
    let terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    gone("with nothing to do", terminal.close());
    let mut again = platform.rekindle(&["resume"]);
    again.sees("review 2");
    again.signal(Signal::TERM);
    again.ends();
}

#[test]
fn a_closed_window_ends_a_command_with_its_children() {
    let platform = Platform::damaged();
    let command = platform.slow_command();
    let mut terminal = platform.rekindle(&["run", "slow.yaml"]);
    begin(&mut terminal, &command);
    gone("with a command of ten minutes", terminal.close());
    wait_for("the command's end", || command.processes().is_empty());
    // What it did until then is nobody's guess.
    let mut again = platform.rekindle(&["resume"]);
    again.sees("unknown 1");
    again.signal(Signal::TERM);
    again.ends();
}

#[test]
fn a_closed_window_ends_a_program_whose_source_does_not_answer() {
    let platform = Platform::damaged();
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    let lost = platform.hang_packs();
    terminal.press("3");
    approve(&mut terminal);
    terminal.sees("applying 1");
    gone("with a source that does not answer", terminal.close());
    lost.bring_back();
    let mut again = platform.rekindle(&["resume"]);
    crate::stories::go_on(&mut again);
    again.sees("done 1").sees("review 1");
    again.signal(Signal::TERM);
    again.ends();
}

#[test]
fn a_hang_up_with_a_command_under_way_gives_the_terminal_back() {
    let platform = Platform::damaged();
    let command = platform.slow_command();
    let mut terminal = platform.rekindle(&["run", "slow.yaml"]);
    begin(&mut terminal, &command);
    terminal.signal(Signal::HUP);
    assert_eq!(terminal.ends(), 1);
    terminal.is_given_back();
    // What was written last may still be on its way through the terminal.
    terminal.sees("`rekindle resume` settles");
    wait_for("the command's end", || command.processes().is_empty());
}

#[test]
fn who_leaves_is_told_what_is_waited_for_and_can_end_it() {
    let platform = Platform::damaged();
    let command = platform.slow_command();
    let mut terminal = platform.rekindle(&["run", "slow.yaml"]);
    begin(&mut terminal, &command);
    leave(&mut terminal);
    terminal.sees("slow is being written: that ends first");
    terminal.is_given_back();
    assert!(!command.processes().is_empty());
    terminal.signal(Signal::INT);
    assert_eq!(terminal.ends(), 1);
    wait_for("the command's end", || command.processes().is_empty());
}

#[test]
fn a_pagers_own_interrupt_is_not_the_screens_and_a_signal_ends_both() {
    let platform = Platform::damaged();
    // As less does: keys one by one and unseen; its ctrl-c is its own.
    platform
        .pager_that("trap 'echo interrupted' INT; stty -icanon -echo; echo viewing; while :; do read -r line; done");
    let mut terminal = platform.rekindle(&["run", "runbook.yaml"]);
    terminal.sees("review 2");
    terminal.press("3").sees("exact: what is shown");
    terminal.press("e").sees("viewing");
    terminal.press("\x03").sees("interrupted");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ends(), 2, "the run is left in order: nothing was under way");
    terminal.is_given_back();
    assert!(terminal.text().contains("next: rekindle resume"), "{}", terminal.text());
}

#[test]
fn a_second_signal_ends_what_the_first_one_waits_for() {
    for second in [Signal::TERM, Signal::INT] {
        let platform = Platform::damaged();
        let command = platform.slow_command();
        let mut terminal = platform.rekindle(&["run", "slow.yaml"]);
        begin(&mut terminal, &command);
        terminal.signal(Signal::TERM);
        terminal.sees("slow is being written: that ends first");
        assert!(!command.processes().is_empty());
        terminal.signal(second);
        assert_eq!(terminal.ends(), 1);
        terminal.is_given_back();
        assert!(terminal.text().contains("ended at once"), "{}", terminal.text());
        wait_for("the command's end", || command.processes().is_empty());
    }
}

fn begin(terminal: &mut Terminal, command: &SlowCommand) {
    terminal.sees("review 1");
    terminal.press("3").sees("OPAQUE");
    terminal.press("a").sees("Type yes");
    terminal.press_until(&format!("{CLEAR}yes"), "what is typed", |screen| screen.contains("> yes_"));
    terminal.press("\r").sees("applying 1");
    wait_for("the command", || command.processes().len() == 2);
}

/// How long it took is for who reads it: a machine under load is no fault of the program.
fn gone(when: &str, after: Option<Duration>) {
    let after = after.unwrap_or_else(|| panic!("{when}, the program outlives its window"));
    println!("{when}: gone {} ms after its window", after.as_millis());
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
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
    let event = rekindle::model::Event::Paused { by: "nobody".to_owned(), why: None };
    notices
        .send(rekindle::engine::Notice::Event(Arc::new(rekindle::model::Recorded { seq: 9, at: 0, event })))
        .unwrap();
    tracing::subscriber::set_global_default(Panicking).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let records = rekindle::tui::Records {
        history: std::sync::Arc::new(|_| Ok(Vec::new())),
        plan: std::sync::Arc::new(|_| Ok(None)),
    };
    let source = rekindle::tui::Source::Watch { notices: watched, records };
    let mut watchdog = rekindle::tui::Watchdog::start().unwrap();
    let options = rekindle::tui::Options::default();
    let _ = runtime.block_on(async {
        let signals = rekindle::signals::Signals::listen("nothing".to_owned());
        rekindle::tui::run(source, "nobody".to_owned(), options, &signals, &mut watchdog).await
    });
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
