//! Within tmux, as most operators have it: its own idea of a terminal, its own keys.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::platform::{NOTES, Platform};
use crate::terminal::DEADLINE;

/// A server of its own, which goes when this does.
struct Tmux {
    socket: String,
}

impl Tmux {
    fn start(platform: &Platform, command: &str) -> Self {
        let tmux = Self { socket: format!("rekindle-test-{}", std::process::id()) };
        let mut start = tmux.command(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command]);
        start.current_dir(platform.path("")).envs(platform.environment()).env_remove("TMUX").env_remove("NO_COLOR");
        assert!(start.status().expect("tmux is not installed: run tests/run").success());
        tmux
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.socket]).args(arguments);
        command
    }

    fn press(&self, keys: &[&str]) -> &Self {
        assert!(self.command(&["send-keys"]).args(keys).status().unwrap().success());
        self
    }

    fn resize(&self, columns: &str, rows: &str) -> &Self {
        assert!(self.command(&["resize-window", "-x", columns, "-y", rows]).status().unwrap().success());
        self
    }

    fn screen(&self) -> String {
        String::from_utf8(self.command(&["capture-pane", "-p"]).output().unwrap().stdout).unwrap()
    }

    fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> &Self {
        let end = Instant::now() + DEADLINE;
        while !holds(&self.screen()) {
            assert!(Instant::now() < end, "waited in vain for {what}:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }

    fn sees(&self, text: &str) -> &Self {
        self.wait(text, |screen| screen.contains(text))
    }

    /// Presses until it is heard: a question is deaf for its first moment.
    fn press_until(&self, key: &str, what: &str, holds: impl Fn(&str) -> bool) -> &Self {
        let end = Instant::now() + DEADLINE;
        while !holds(&self.screen()) {
            assert!(Instant::now() < end, "pressed {key} in vain for {what}:\n{}", self.screen());
            self.press(&[key]);
            std::thread::sleep(Duration::from_millis(400));
        }
        self
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).status();
    }
}

#[test]
fn a_home_is_found_reviewed_restored_and_its_way_back_looked_at() {
    let platform = Platform::damaged();
    let tmux = Tmux::start(&platform, "bash --noprofile --norc -i");
    tmux.press(&["-l", &format!("seq 1 60; echo bef''ore; {} run runbook.yaml", env!("CARGO_BIN_EXE_rekindle"))]);
    tmux.press(&["Enter"]).sees("review 2");
    tmux.press(&["/"]).sees("filter /").press(&["-l", "bob"]).press(&["Enter"]).sees("1 shown, 1 hidden");
    tmux.press(&["Enter"]).sees("exact: what is shown").sees("home/bob");
    tmux.wait("the keys of the plan", |screen| screen.contains("y take"));
    let shown = tmux.screen();
    // Sizes change under a multiplexer more than anywhere.
    tmux.resize("120", "40").wait("the larger screen", |screen| {
        let last = screen.lines().last().unwrap_or_default();
        screen.lines().count() == 40 && last.contains("q quit") && screen.contains("takes")
    });
    tmux.resize("80", "24").wait("the screen as it was", |screen| screen == shown);
    tmux.press(&["a"]).sees("Esc goes back");
    tmux.press_until("y", "an answer", |screen| !screen.contains("Esc goes back")).sees("Applied and read back");
    assert_eq!(platform.read("bob", "notes.txt"), NOTES);
    tmux.press(&["u"]).sees("UNDO").sees("DELETE");
    tmux.press(&["q"]).sees("Leave?");
    // tmux takes rows of a screen that grew for the shell's own, unless that screen is left empty.
    tmux.resize("120", "40").wait("the larger screen", |screen| screen.lines().count() == 40);
    tmux.wait("the question in its middle", |screen| screen.contains("Leave?") && screen.contains("to go on:"));
    tmux.press_until("y", "the shell", |screen| !screen.contains("Leave?"));
    // What was in the window before the screen came is there again, and what is said on leaving follows it.
    tmux.sees("before").sees("next: rekindle resume");
    let left = tmux.screen();
    assert!(!left.contains("UNDO") && !left.contains("to go on:"), "{left}");
}
