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

/// Twelve users by letters alone: one hunk is left out, one user too, a plan is put off and comes again, the failure is
/// retried, and one user is undone.
#[test]
fn in_plain_mode_the_same_is_asked_and_answered_by_letters() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = rekindle(folder.path(), &["demo", "--plain"], &[]);
    let last = |screen: &str| screen.trim_end().lines().last().unwrap_or_default().trim().to_owned();
    let is_asked = |screen: &str| last(screen).ends_with('>');
    let has_ended = |screen: &str| screen.contains("the sandbox is kept");
    let (mut failures, mut left_out, mut later) = (0, 0, 0);
    loop {
        terminal.wait("a prompt", |screen| is_asked(screen) || has_ended(screen));
        let text = terminal.text();
        if has_ended(&text) {
            break;
        }
        let prompt = last(&text);
        let answers: &[&str] = if prompt.contains("account/ivy to accounts") && left_out == 0 {
            left_out += 1;
            &["h\n", "7,8\n", "7\n", "approve\n"]
        } else if prompt.contains("home/jon to homes") && later == 0 {
            later += 1;
            &["l\n"]
        } else if text.contains("1 question you left for later") && prompt == ">" && later == 1 {
            later += 1;
            &["yes\n"]
        } else if text.contains("the demo's last question") {
            &["keep\n"]
        } else if prompt.contains("account/hal to accounts") {
            &["out\n", "they are on leave\n", "yes\n"]
        } else if prompt.contains("home/lee to homes") && text.contains("home/lee failed") {
            failures += 1;
            terminal.sees(BACK);
            &["r\n"]
        } else {
            &["a\n"]
        };
        for (number, answer) in answers.iter().enumerate() {
            if number > 0 {
                terminal.wait("the next question", is_asked);
            }
            let before = terminal.text();
            terminal.press(answer).wait("an answer", |screen| screen != before);
        }
    }
    assert_eq!((failures, left_out, later), (1, 1, 2));
    let text = terminal.text();
    assert!(!text.contains(['│', '─', '┌']), "{text}");
    assert_eq!(terminal.ends(), 0);
    let sandbox = sandboxes(folder.path()).remove(0);
    let account = std::fs::read_to_string(sandbox.join("platform/accounts/ivy.yaml")).unwrap();
    assert!(account.contains("analyst") && !account.contains("editor"), "the hunk was left out: {account}");
    let mut undo = std::process::Command::new(env!("CARGO_BIN_EXE_rekindle"));
    undo.args(["undo", "--user", "bob", "--yes"]).env("REKINDLE_STATE", sandbox.join("state"));
    assert!(undo.output().unwrap().status.success());
    let notes = std::fs::read_to_string(sandbox.join("platform/home/bob/notes.txt")).unwrap();
    assert!(notes.contains("observation ###"), "bob is as before");
}

/// Whatever the demo damaged, each line of it is in the plan.
#[test]
fn a_plan_of_the_demo_shows_every_changed_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = rekindle(folder.path(), &["demo", "--plain", "--keep"], &[]);
    terminal.sees("account/ana");
    terminal.sees("> ");
    terminal.press("q\n");
    terminal.ends();
    let sandbox = sandboxes(folder.path()).remove(0);
    let runbook = crate::support::root().join("runbooks/demo.yaml");
    let input = format!("sandbox={}", sandbox.display());
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rekindle"));
    command.args(["plan", runbook.to_str().unwrap(), "--input", &input]).env("REKINDLE_STATE", sandbox.join("state"));
    let told = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let wanted = [
        "+   - admin",
        "- quota_gb: 5\n      + quota_gb: 50",
        "- password: ••••\n      + password: ••••",
        "+ email  \"ivy@example.org\"",
        "-  13  bob: observation ###\n      +  13  bob: observation 482",
        "+  30  bob: observation 1111",
        "+ projects/model/weights.bin  98.3 kB",
        "+ # dee\n      + export EDITOR=vim",
        "~ .ssh/id_ed25519  mode 0644 → 0600",
        "~ current  link data → projects/model",
    ];
    for line in wanted {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    assert!(told.contains("25 unchanged, 10 to change, 0 to ask, 1 check that does not hold yet, 0 failed"), "{told}");
}
