//! The terminal itself calls a person who looks elsewhere.

use crate::terminal::Terminal;

#[test]
fn title_notification_and_bell_call_for_a_decision_and_the_title_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let text = "rekindle: 2\ntitle: call me\nsteps: [{ id: say, run: [echo, hi] }]\n";
    std::fs::write(folder.path().join("runbook.yaml"), text).unwrap();
    let state = folder.path().join("state");
    let ways = ["--notify", "title", "--notify", "notification", "--notify", "bell"];
    let arguments: Vec<&str> = ["run", "runbook.yaml"].into_iter().chain(ways).collect();
    let environment = [("REKINDLE_STATE", state.as_os_str())];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_rekindle"), &arguments, &environment, folder.path());
    terminal.sees("review 1");
    let said = "you are needed: 1 plan to review";
    // As terminals know them: the title is kept and set, OSC 9 and 777 notify, and then the bell.
    terminal.hears(&format!("\x1b[22;2t\x1b]2;rekindle: {said}\x07"));
    terminal.hears(&format!("\x1b]9;rekindle: {said}\x07\x1b]777;notify;rekindle;{said}\x07\x07"));
    terminal.sees("review 1");
    terminal.press("q").press_until("y", "the end", |screen| !screen.contains("review 1"));
    terminal.ends();
    terminal.hears("\x1b[23;2t");
    terminal.is_given_back();
}
