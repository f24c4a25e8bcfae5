//! The tour that comes with the program, tried as a new operator would.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::groups::answer;
use crate::stories::{approve, leave};
use crate::terminal::{ESC, Terminal};

const BACK: &str = "is back from the second copy";

fn rekindle(folder: &Path, arguments: &[&str], more: &[(&str, &OsStr)]) -> Terminal {
    let environment = [&[("TMPDIR", folder.as_os_str()), ("XDG_CONFIG_HOME", folder.as_os_str())], more].concat();
    Terminal::start(env!("CARGO_BIN_EXE_rekindle"), arguments, &environment, folder)
}

fn sandboxes(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("rekindle-demo-")).collect()
}

/// All twelve users are approved at once; one of them fails, is understood, retried and done.
fn finish(terminal: &mut Terminal) {
    terminal.sees("review 10").sees("WAITS FOR YOU");
    terminal.press("vA").sees("Approve 10 plans?");
    answer(terminal, "10");
    terminal.sees("failed 1").sees("WAITS FOR YOU");
    terminal.press("F").sees("1 failed, 1 cause").sees("1 × homes: ");
    terminal.press("\r").sees("home/lee").sees("is missing");
    terminal.sees(BACK);
    terminal.press("F").sees("1 failed, 1 cause");
    terminal.press("r").sees("review 1").sees("nothing has failed");
    terminal.press_until(ESC, "the list", |screen| screen.contains("by step"));
    terminal.press("3").sees("home/lee").sees("takes");
    approve(terminal);
    terminal.sees("COMPLETE").sees("Applied and read back");
}

#[test]
fn a_failed_restore_is_found_understood_retried_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = rekindle(folder.path(), &["demo"], &[]);
    finish(&mut terminal);
    terminal.press("u").sees("UNDO");
    approve(&mut terminal);
    terminal.sees("undone 1");
    leave(&mut terminal);
    terminal.ends();
    terminal.is_given_back();
    assert_eq!(sandboxes(folder.path()), [] as [PathBuf; 0]);
}

/// What the tour mends once it was seen to fail would never be mended, and its one failure never be retried well.
#[test]
fn a_tour_that_was_killed_can_be_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = rekindle(folder.path(), &["demo"], &[]);
    terminal.sees("review 10");
    terminal.signal(Signal::KILL);
    terminal.ends();
    let state = sandboxes(folder.path()).remove(0).join("state");
    let mut terminal = rekindle(folder.path(), &["resume"], &[("REKINDLE_STATE", state.as_os_str())]);
    finish(&mut terminal);
    leave(&mut terminal);
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn in_plain_mode_the_same_is_asked_by_numbered_prompts() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = rekindle(folder.path(), &["demo", "--plain"], &[]);
    let last = |screen: &str| screen.trim_end().lines().last().unwrap_or_default().trim().to_owned();
    let has_ended = |screen: &str| screen.contains("leaves them in place");
    let mut failures = 0;
    loop {
        terminal.wait("a prompt", |screen| last(screen) == ">" || has_ended(screen));
        let text = terminal.text();
        if has_ended(&text) {
            break;
        }
        if text.contains("1 retry  2 skip") && failures == 0 {
            failures += 1;
            assert!(text.contains("home/lee failed"), "{text}");
            terminal.sees(BACK);
        }
        terminal.press("1\n").wait("an answer", |screen| last(screen) != ">" && !screen.ends_with("> "));
    }
    assert_eq!(failures, 1);
    assert!(!terminal.text().contains(['│', '─', '┌']), "{}", terminal.text());
    assert_eq!(terminal.ends(), 0);
}
