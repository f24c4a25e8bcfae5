//! The built binary, as an operator's shell meets it.

#![allow(clippy::unwrap_used, reason = "the builder is test code outside any test function")]

mod help;

use std::process::{Command, Output};

#[derive(Default)]
struct Story {
    arguments: Vec<String>,
    runbook: Option<&'static str>,
}

fn rekindle(arguments: &[&str]) -> Story {
    Story { arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(), runbook: None }
}

impl Story {
    fn on(mut self, runbook: &'static str) -> Self {
        self.runbook = Some(runbook);
        self
    }

    fn exits(self, code: i32) -> Told {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command.args(&self.arguments).current_dir(folder.path()).env_remove("NO_COLOR");
        if let Some(text) = self.runbook {
            std::fs::write(folder.path().join("runbook.yaml"), text).unwrap();
            command.arg("runbook.yaml");
        }
        let output = command.output().unwrap();
        let told = Told::from(output);
        assert_eq!(told.code, Some(code), "{}{}", told.out, told.err);
        told
    }
}

struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Told {
    fn from(output: Output) -> Self {
        let text = |raw: Vec<u8>| String::from_utf8(raw).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Told {
    fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text), "{text:?} is not in {}", self.out);
        self
    }

    fn complains(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not in {}", self.err);
        self
    }
}

const GOOD: &str = "rekindle: 1\nsteps: [{ id: a, run: [id] }]\n";
const BAD: &str = "rekindle: 1\nsteps: [{ id: a, runn: [id] }]\n";

#[test]
fn help_and_version_are_no_errors() {
    rekindle(&["--help"]).exits(0).says("Usage: rekindle");
    rekindle(&["lint", "--help"]).exits(0).says("RUNBOOK");
    rekindle(&["help"]).exits(0).says("Usage: rekindle");
    rekindle(&["help", "lint"]).exits(0).says("RUNBOOK");
    rekindle(&["--version"]).exits(0).says("rekindle ");
}

#[test]
fn a_wrong_flag_exits_1_for_2_means_changes_are_pending() {
    rekindle(&["--bogus"]).exits(1).complains("--bogus");
    rekindle(&["lint"]).exits(1).complains("RUNBOOK");
    for wrong in [&["--json", "--bogus"][..], &["lint", "--json"]] {
        let told = rekindle(wrong).exits(1);
        let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        assert!(told["error"]["what"].as_str().unwrap().contains("command line"), "{told}");
    }
}

#[test]
fn lint_says_where_and_what_to_write_instead() {
    rekindle(&["lint"]).on(GOOD).exits(0).says("1 runbook: 0 errors, 0 warnings");
    rekindle(&["lint"]).on(BAD).exits(1).says("runbook.yaml:2:18: error").says("did you mean 'run'?");
    let told = rekindle(&["lint", "--json"]).on(BAD).exits(1);
    let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told["findings"][0]["line"], 2);
}

#[test]
fn a_missing_runbook_is_told_with_what_to_do() {
    rekindle(&["lint", "nowhere.yaml"]).exits(1).complains("error: cannot read the runbook").complains("next: ");
    rekindle(&["lint", "nowhere.yaml", "--json"]).exits(1).says("\"error\"");
}

#[test]
fn a_run_has_no_dry_run_and_says_which_verb_is_one() {
    let told = rekindle(&["run", "--dry-run", "--yes"]).on("nothing is read of it").exits(1);
    told.complains("it shows what a run would do and changes nothing").complains("next: rekindle plan runbook.yaml");
}

#[test]
fn completions_and_the_manual_come_from_the_same_definitions() {
    for shell in ["bash", "zsh", "fish"] {
        rekindle(&["completions", shell]).exits(0).says("lint");
    }
    rekindle(&["man"]).exits(0).says(".TH rekindle");
}

#[test]
fn a_state_that_no_run_can_be_in_is_refused() {
    rekindle(&["runs", "--state", "nonsense"]).exits(1).complains("undone in part");
    rekindle(&["runs", "--state", "undone"]).exits(0);
}

#[test]
fn the_schema_and_the_adapters_are_facts() {
    rekindle(&["schema"]).exits(0).says("\"on_timeout\"");
    rekindle(&["info"]).exits(0).says("rekindle/keys.toml");
    rekindle(&["info", "--json"]).exits(0).says("restic (local, rest:, s3:)");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let command = format!("set -o pipefail; {} schema | head -c 1 >/dev/null", env!("CARGO_BIN_EXE_rekindle"));
    assert!(Command::new("bash").args(["-c", &command]).status().unwrap().success());
}
