//! Under a shell with jobs, as at an operator's prompt.

use crate::platform::{NOTES, Platform};
use crate::stories::{approve, leave};

#[test]
fn suspended_and_brought_back_the_screen_is_whole_and_the_shell_was_itself_meanwhile() {
    let platform = Platform::damaged();
    let mut shell = platform.shell();
    shell.press("stty -g > before; echo rea''dy\n").sees("ready");
    shell.press(&format!("{} run runbook.yaml\n", env!("CARGO_BIN_EXE_rekindle"))).sees("review 2");
    shell.press("3").sees("exact: what is shown");
    let shown = shell.text();
    shell.press("\x1a").sees("Stopped").sees("ready");
    assert!(!shell.text().contains("3 Review"), "{}", shell.text());
    shell.press("stty -g > meanwhile; echo at the ''shell\n").sees("at the shell");
    let set = |when: &str| std::fs::read_to_string(platform.path(when)).unwrap();
    assert_eq!(set("before"), set("meanwhile"));
    shell.press("fg\n").wait("the whole screen", |screen| screen == shown);
    // Keys are heard one by one again.
    approve(&mut shell);
    shell.sees("Applied and read back");
    assert_eq!(platform.read("ana", "notes.txt"), NOTES);
    leave(&mut shell);
    shell.sees("next: rekindle resume");
    shell.press("stty -g > after; echo go''ne\n").sees("gone");
    assert_eq!(set("before"), set("after"));
    shell.press("exit\n");
    shell.ends();
    shell.is_given_back();
}
