//! Every kind of step, on the built binary and a little platform of two users.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::process::Command;

mod calls;
mod captured;
mod failing;
mod ordered;
mod reviewed;
mod windows;

struct Platform {
    folder: tempfile::TempDir,
}

struct Told {
    code: i32,
    out: String,
    err: String,
}

impl Platform {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for user in ["ana", "bob"] {
            fs::create_dir_all(folder.path().join("homes").join(user)).unwrap();
            fs::write(folder.path().join("homes").join(user).join(".profile"), user).unwrap();
        }
        fs::create_dir_all(folder.path().join("deployments")).unwrap();
        Self { folder }
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.folder.path().join(path)).ok()
    }

    /// `steps` follow a head that declares the users, their homes and a directory of documents.
    fn rekindle(&self, verb: &[&str], steps: &str) -> Told {
        let root = self.folder.path().display();
        let text = format!(
            "rekindle: 2\ntitle: steps\nsources:\n  here: {{ directory: {root} }}\ncomponents:\n  \
             homes: {{ files: {root}/homes }}\n  deployments: {{ documents: {root}/deployments }}\nowners:\n  \
             user: {{ from: homes }}\nsteps:\n{steps}"
        );
        fs::write(self.folder.path().join("steps.yaml"), text).unwrap();
        self.call(&[verb, &["steps.yaml"]].concat())
    }

    /// A verb that needs no runbook.
    fn call(&self, arguments: &[&str]) -> Told {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("REKINDLE_STATE", self.folder.path().join("state"));
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let text = |raw: Vec<u8>| String::from_utf8(raw).unwrap();
        Told { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    fn run(&self, steps: &str) -> Told {
        self.rekindle(&["run", "--plain", "--yes"], steps)
    }
}

impl Told {
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }

    fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text), "{text:?} is not in {}", self.out);
        self
    }
}

#[test]
fn documents_of_the_runbook_are_applied_for_each_user_with_their_own_name() {
    let platform = Platform::new();
    let steps = "  - id: scale\n    each: user\n    apply: deployments\n    \
                 documents: { \"server-${user}\": { replicas: 0, for: \"${user}\" } }\n";
    platform.run(steps).exits(0);
    for user in ["ana", "bob"] {
        let written = platform.text(&format!("deployments/server-{user}.yaml")).unwrap();
        assert!(written.contains(user) && written.contains("replicas: 0"), "{written}");
    }
    platform.rekindle(&["plan"], steps).exits(0);
}

#[test]
fn a_command_is_shown_and_gets_its_arguments_whole() {
    let platform = Platform::new();
    let steps = "  - id: greet\n    each: user\n    run: [sh, -c, 'printf %s \"$1\" > \"$2\"', greet, 'hello; ${user}', 'homes/${user}/greeting']\n";
    let steps = steps.replace("homes/", &format!("{}/homes/", platform.folder.path().display()));
    let planned = platform.rekindle(&["plan"], &steps).exits(2).says("$ sh -c");
    assert!(platform.text("homes/ana/greeting").is_none(), "a dry run ran it: {}", planned.out);
    let ran = platform.run(&steps).exits(0);
    assert!(ran.err.contains("executes a command"), "{}", ran.err);
    assert_eq!(platform.text("homes/bob/greeting").as_deref(), Some("hello; bob"));
}

#[test]
fn a_check_that_does_not_hold_stops_that_user_only() {
    let platform = Platform::new();
    fs::remove_file(platform.folder.path().join("homes/bob/.profile")).unwrap();
    let steps = "  - id: seen\n    each: user\n    check: { file: \"${user}/.profile\" }\n    on: homes\n  \
                 - id: after\n    each: user\n    needs: [seen]\n    run: [true]\n";
    let told = platform.run(steps).exits(1).says("seen/bob                 FAILED");
    assert!(told.out.contains("after/ana                done"), "{}", told.out);
    assert!(!told.out.contains("after/bob"), "{}", told.out);
}

#[test]
fn a_wait_ends_by_its_deadline_or_goes_on_as_the_runbook_says() {
    let platform = Platform::new();
    let wait = |on_timeout: &str| {
        format!(
            "  - id: ready\n    wait: {{ file: ana/ready }}\n    on: homes\n    every: 50ms\n    deadline: 200ms\n    \
             on_timeout: {on_timeout}\n"
        )
    };
    platform.run(&wait("fail")).exits(1).says("did not hold");
    platform.run(&wait("go_on")).exits(0).says("the runbook goes on");
    fs::write(platform.folder.path().join("homes/ana/ready"), "").unwrap();
    platform.run(&wait("fail")).exits(0).says("a file of 0 bytes");
}

#[test]
fn a_confirmation_waits_for_a_person_unless_a_probe_can_tell() {
    let platform = Platform::new();
    let probed = "  - id: seen\n    each: user\n    confirm: ${user} has logged in\n    probe: { file: \"${user}/.profile\" }\n    on: homes\n";
    let told = platform.run(probed).exits(0).says("a file of 3 bytes");
    assert!(!told.out.contains("confirms"), "nobody was asked: {}", told.out);
    let bare = "  - id: seen\n    confirm: the storage team is told\n";
    platform.run(bare).exits(2).says("seen waits: a person must confirm it, and no flag does; rekindle resume");
}

#[test]
fn a_live_system_can_be_the_source_of_another() {
    let platform = Platform::new();
    let root = platform.folder.path().display().to_string();
    fs::create_dir_all(platform.folder.path().join("new")).unwrap();
    let text = format!(
        "rekindle: 1\ntitle: migrate\nsources:\n  old: {{ component: homes }}\ncomponents:\n  homes: {{ files: {root}/homes }}\n  \
         moved: {{ files: {root}/new }}\nowners:\n  user: {{ from: homes }}\nsteps:\n  - id: move\n    each: user\n    \
         restore: moved\n    from: old\n    below: \"${{user}}\"\n"
    );
    fs::write(platform.folder.path().join("migrate.yaml"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rekindle"))
        .args(["run", "--plain", "--yes", "migrate.yaml"])
        .current_dir(platform.folder.path())
        .env("REKINDLE_STATE", platform.folder.path().join("state"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(platform.text("new/bob/.profile").as_deref(), Some("bob"));
}

#[test]
fn a_machine_without_time_zones_logs_and_ends() {
    let platform = Platform::new();
    let text = "rekindle: 1\ntitle: zones\nsteps:\n  - { id: say, run: [echo, hi] }\n";
    fs::write(platform.folder.path().join("zones.yaml"), text).unwrap();
    // Junk among the zones, and links that go round.
    let zones = platform.folder.path().join("zones");
    fs::create_dir(&zones).unwrap();
    fs::write(zones.join("UTC"), "junk").unwrap();
    std::os::unix::fs::symlink("UTC", zones.join("link")).unwrap();
    for folder in ["/nonexistent", zones.to_str().unwrap()] {
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "60", env!("CARGO_BIN_EXE_rekindle"), "run", "zones.yaml", "--plain", "--yes"]);
        command.env("TZDIR", folder).env("TZ", "Europe/Nowhere").current_dir(platform.folder.path());
        command.env("REKINDLE_STATE", platform.folder.path().join("state"));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{folder}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_secret_on_the_command_line_is_warned_of_and_a_pipe_keeps_nobody_waiting() {
    let platform = Platform::new();
    let root = platform.folder.path();
    fs::write(root.join("secret.yaml"), "rekindle: 1\ntitle: s\ninputs: { tok: { secret: true } }\nsteps:\n  - { id: a, run: [sh, -c, 'test \"$T\" = x7x7'], env: { T: \"${tok}\" } }\n").unwrap();
    let rekindle = |arguments: &[&str]| {
        let mut command = Command::new("timeout");
        command.args(["60", env!("CARGO_BIN_EXE_rekindle")]).args(arguments).current_dir(root);
        command.env("REKINDLE_STATE", root.join("state")).stdin(std::process::Stdio::null()).output().unwrap()
    };
    let warned = rekindle(&["run", "secret.yaml", "--plain", "--yes", "--input", "tok=x7x7"]);
    let said = String::from_utf8(warned.stderr).unwrap();
    assert!(warned.status.success() && said.contains("REKINDLE_INPUT_TOK") && !said.contains("x7x7"), "{said}");
    assert!(Command::new("mkfifo").arg(root.join("pipe")).status().unwrap().success());
    fs::write(root.join("includes.yaml"), "rekindle: 1\nsteps:\n  - include: pipe\n").unwrap();
    for arguments in [
        &["lint", "includes.yaml"][..],
        &["lint", "pipe"],
        &["plan", "secret.yaml", "--inputs", "pipe"],
        &["run", "secret.yaml", "--decisions", "pipe", "--input", "tok=x7x7"],
        &["review", "pipe"],
    ] {
        assert_eq!(rekindle(arguments).status.code(), Some(1), "{arguments:?}");
    }
}

const SCALE: &str = "  - id: scale\n    apply: deployments\n    documents: { hub: { replicas: 0 } }\n";

#[test]
fn a_person_is_called_at_the_end_and_a_command_that_hangs_holds_nothing() {
    let platform = Platform::new();
    let told = platform.folder.path().join("told");
    let script = platform.folder.path().join("call.sh");
    let text = format!("#!/bin/sh\necho \"$REKINDLE_EVENT: $REKINDLE_TEXT\" >> {}\nsleep 600\n", told.display());
    fs::write(&script, text).unwrap();
    let way = format!("command:sh {}", script.display());
    let begun = std::time::Instant::now();
    platform.rekindle(&["run", "--plain", "--yes", "--notify", &way], SCALE).exits(0).says("scale: done");
    assert!(begun.elapsed() < std::time::Duration::from_secs(60), "the hanging command held the run");
    assert_eq!(fs::read_to_string(told).unwrap(), "done: all is done: 1 done\n");
}

#[test]
fn settings_that_are_none_are_refused_by_name_before_anything_is_begun() {
    let platform = Platform::new();
    let config = platform.folder.path().join("config.toml");
    fs::write(&config, "time_zone = \"utc\"\n[on_attention]\nbel = true\n").unwrap();
    let config = config.display().to_string();
    let told = platform.rekindle(&["run", "--plain", "--yes", "--config", &config], SCALE).exits(1);
    assert!(told.err.contains("config.toml:3: there is no setting on_attention.bel"), "{}", told.err);
    assert!(told.err.contains("did you mean bell?"), "{}", told.err);
    assert!(platform.text("deployments/hub.yaml").is_none());
}

#[test]
fn quiet_prints_the_totals_alone() {
    let platform = Platform::new();
    let told = platform.rekindle(&["run", "--plain", "--yes", "--quiet"], SCALE).exits(0).says("1 done");
    assert!(!told.out.contains("took") && !told.out.contains("approved"), "{}", told.out);
}

#[test]
fn the_record_of_a_command_says_where_it_ran_and_with_what_and_no_secret() {
    let platform = Platform::new();
    fs::create_dir(platform.folder.path().join("hub")).unwrap();
    let steps = "  - id: hook\n    run: [sh, -c, 'pwd > where; echo \"$NAME\" >> where']\n    cwd: hub\n    \
                 env: { NAME: eu-west }\n";
    platform.run(steps).exits(0);
    let hub = platform.folder.path().join("hub");
    let hub = hub.canonicalize().unwrap();
    assert_eq!(platform.text("hub/where").unwrap(), format!("{}\neu-west\n", hub.display()));
    let mut report = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    let report = report.arg("report").env("REKINDLE_STATE", platform.folder.path().join("state")).output().unwrap();
    let report = String::from_utf8(report.stdout).unwrap();
    assert!(report.contains("/hub`") && report.contains("NAME=eu-west"), "{report}");
}

#[test]
fn a_dry_run_shows_a_command_as_an_approval_does() {
    let platform = Platform::new();
    let root = platform.folder.path();
    let text = "rekindle: 2\ninputs: { tok: { secret: true } }\nsteps:\n  \
                - { id: hook, run: [hubctl, stop, --all], cwd: /srv/hub, env: { HUB: eu-west, TOKEN: \"${tok}\" } }\n";
    fs::write(root.join("hook.yaml"), text).unwrap();
    let rekindle = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command.args(arguments).current_dir(root).env("REKINDLE_STATE", root.join("state"));
        command.env("REKINDLE_INPUT_TOK", "hunter22-hunter22").stdin(std::process::Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!said.contains("hunter22"), "{said}");
        said
    };
    let shown = "  $ hubctl stop --all\n  in      /srv/hub\n  with    HUB=eu-west\n  with    TOKEN=••••\n";
    for told in [rekindle(&["plan", "hook.yaml", "--out", "plan.json"]), rekindle(&["review", "plan.json", "--yes"])] {
        assert!(told.contains(shown), "{told}");
    }
    let saved = fs::read_to_string(root.join("plan.json")).unwrap();
    assert!(saved.contains("/srv/hub") && !saved.contains("hunter22"), "{saved}");
}

#[test]
fn nobody_is_said_to_have_confirmed_a_question_that_was_not_asked() {
    let platform = Platform::new();
    let steps = "  - id: seen\n    about: the first user is back\n    confirm: ana sees her files\n    \
                 probe: { file: ana/.profile }\n    on: homes\n";
    let told = platform.run(steps).exits(0);
    assert!(!told.out.contains("confirms"), "{}", told.out);
}
