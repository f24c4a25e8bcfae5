//! Commands and questions in a plan that is decided on before it is applied.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use super::{Platform, Told};

const STEPS: &str = "  - { id: stop, run: [touch, stopped] }\n  \
    - { id: mail, each: user, run: [touch, \"mail-${user}\"], env: { WORD: \"${tok}\" } }\n  \
    - { id: seen, confirm: everybody is back }\n  - { id: last, run: [touch, last] }\n";

impl Platform {
    fn answering(&self, verb: &[&str], typed: &str) -> Told {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command.args(verb).current_dir(self.folder.path()).env("REKINDLE_STATE", self.folder.path().join("state"));
        command.env("REKINDLE_INPUT_TOK", "hunter22-hunter22");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |raw: Vec<u8>| String::from_utf8(raw).unwrap();
        Told { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    fn of_commands(steps: &str) -> Self {
        let platform = Self::new();
        let root = platform.folder.path().display();
        let text = format!(
            "rekindle: 2\ninputs: {{ tok: {{ secret: true }} }}\ncomponents: {{ homes: {{ files: {root}/homes }} }}\n\
             owners: {{ user: {{ from: homes }} }}\nsteps:\n{steps}"
        );
        fs::write(platform.folder.path().join("steps.yaml"), text).unwrap();
        platform.answering(&["plan", "steps.yaml", "--out", "plan.json"], "").exits(2);
        platform
    }

    fn apply(&self) -> Told {
        self.answering(&["run", "steps.yaml", "--plain", "--decisions", "decisions.json"], "")
    }
}

#[test]
fn a_review_decides_on_commands_and_the_run_goes_as_far_as_the_first_question() {
    let platform = Platform::of_commands(STEPS);
    // The mails are one command to two users.
    let told = platform.answering(&["review", "plan.json"], "?\na\nyes\ng\nall\na\nyes\n").exits(0);
    let told = told.says("this plan of stop?").says("$ touch stopped").says("g approve with 1 more like it");
    let told = told.says("4 plans approved, 4 commands among them, 0 not");
    told.says("not part of this review, the run asks a person for it: seen");
    let told = platform.apply().exits(2).says("seen waits: a person must confirm it");
    assert!(!told.out.contains("the review did not approve"), "{}", told.out);
    for made in ["stopped", "mail-ana", "mail-bob"] {
        assert!(platform.text(made).is_some(), "{made}: {}", told.out);
    }
    assert!(platform.text("last").is_none());
}

#[test]
fn a_command_that_was_left_undecided_is_not_run() {
    let platform = Platform::of_commands(STEPS);
    platform.answering(&["review", "plan.json"], "l\ng\nall\nq\n").exits(2);
    platform.apply().exits(2).says("stop waits: the review did not approve it");
    assert!(platform.text("stopped").is_none());
}

#[test]
fn a_command_whose_secret_is_another_by_now_is_not_the_reviewed_one() {
    let platform = Platform::of_commands("  - { id: mail, run: [touch, mailed], env: { WORD: \"${tok}\" } }\n");
    platform.answering(&["review", "plan.json", "--yes"], "").exits(0);
    let path = platform.folder.path();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    command.args(["run", "steps.yaml", "--plain", "--decisions", "decisions.json"]).current_dir(path);
    command.env("REKINDLE_STATE", path.join("state")).env("REKINDLE_INPUT_TOK", "another-secret");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("mail waits: it is no longer as it was reviewed"), "{out}");
    assert!(platform.text("mailed").is_none());
}

#[test]
fn a_command_made_of_what_another_prints_is_left_to_the_run() {
    let steps = "  - { id: ask, run: [echo, eu-west], capture: true }\n  \
                 - { id: use, run: [touch, \"${steps.ask.output}\"] }\n";
    let platform = Platform::of_commands(steps);
    let told = platform.answering(&["review", "plan.json", "--yes"], "").exits(0);
    told.says("1 plan approved, 1 command among them, 0 not").says("the run asks a person for it: use");
    platform.apply().exits(2).says("use waits: the review did not approve it");
}
