//! Which steps run, and in which order.

use std::fs;

use crate::Platform;

/// Appends its words to a file of the platform's folder.
fn note(platform: &Platform, words: &str) -> String {
    format!("[sh, -c, 'echo \"$1\" >> \"$2\"', note, \"{words}\", {}]", platform.folder.path().join("notes").display())
}

fn notes(platform: &Platform) -> Vec<String> {
    platform.text("notes").unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn steps_run_as_they_are_written_each_users_for_themselves() {
    let platform = Platform::new();
    let steps = format!(
        "  - {{ id: first, each: user, run: {} }}\n  - {{ id: second, each: user, run: {} }}\n  - {{ id: last, run: {} }}\n",
        note(&platform, "first ${user}"),
        note(&platform, "second ${user}"),
        note(&platform, "last")
    );
    platform.run(&steps).exits(0);
    let notes = notes(&platform);
    assert_eq!((notes.len(), notes.last().map(String::as_str)), (5, Some("last")), "{notes:?}");
    let at = |words: &str| notes.iter().position(|note| note == words).unwrap();
    assert!(at("first ana") < at("second ana") && at("first bob") < at("second bob"), "{notes:?}");
}

#[test]
fn a_check_behind_a_restore_sees_what_was_restored() {
    let platform = Platform::new();
    fs::create_dir_all(platform.folder.path().join("backup/ana")).unwrap();
    fs::write(platform.folder.path().join("backup/ana/notes.txt"), "x").unwrap();
    let steps = "  - { id: home, restore: homes, from: here, below: backup }\n  \
                 - { id: seen, check: { file: ana/notes.txt }, on: homes }\n";
    platform.run(steps).exits(0);
}

#[test]
fn a_step_whose_condition_does_not_hold_is_skipped_and_the_next_goes_on() {
    let platform = Platform::new();
    let steps = format!(
        "  - {{ id: seen, each: user, check: {{ file: \"${{user}}/.profile\" }}, on: homes }}\n  \
         - {{ id: mail, each: user, when: {{ probe: {{ file: \"${{user}}/mail\" }}, on: homes }}, run: {} }}\n  \
         - {{ id: again, each: user, when: {{ step: mail, is: done }}, run: {} }}\n  \
         - {{ id: last, when: {{ step: mail, is: done }}, run: {} }}\n",
        note(&platform, "mail ${user}"),
        note(&platform, "again ${user}"),
        note(&platform, "last")
    );
    fs::write(platform.folder.path().join("homes/bob/mail"), "").unwrap();
    let planned = platform.rekindle(&["plan"], &steps).exits(2);
    let planned = planned.says("mail/ana\n  skipped: it is not so that the probe 'file' holds");
    planned.says("only if the step 'mail' is done");
    assert!(notes(&platform).is_empty());
    let told = platform.run(&steps).exits(0);
    told.says("it is not so that the probe 'file' holds");
    assert_eq!(notes(&platform), ["mail bob", "again bob", "last"]);
}

#[test]
fn a_condition_is_asked_when_its_turn_comes_and_not_again_once_the_task_began() {
    let platform = Platform::new();
    let root = platform.folder.path().display();
    let steps = format!(
        "  - {{ id: make, run: [touch, {root}/homes/ana/made] }}\n  \
         - {{ id: once, when: {{ probe: {{ file: ana/made }}, on: homes }}, retry: {{ times: 1, wait: 10ms }}, \
         run: [sh, -c, 'rm \"$1\" && exit 1; exit 0', once, {root}/homes/ana/made] }}\n"
    );
    platform.run(&steps).exits(0).says("once                     done");
}

#[test]
fn an_input_chooses_among_steps_and_a_var_is_written_once() {
    let platform = Platform::new();
    let steps = format!(
        "  - {{ id: full, when: {{ input: scope, is: full }}, run: {} }}\n  \
         - {{ id: part, when: {{ not: {{ input: scope, is: [full, half] }} }}, run: {} }}\n\
         vars: {{ greeting: \"scope ${{scope}}\" }}\ninputs: {{ scope: {{ default: part }} }}\n",
        note(&platform, "${greeting}"),
        note(&platform, "${greeting} only")
    );
    platform.run(&steps).exits(0);
    platform.rekindle(&["run", "--plain", "--yes", "--input", "scope=full"], &steps).exits(0);
    assert_eq!(notes(&platform), ["scope part only", "scope full"]);
}

/// Nothing has happened to ana's home yet, for a command comes first; that it is equal is known all the same.
#[test]
fn a_dry_run_foresees_who_is_skipped_behind_a_command() {
    let platform = Platform::new();
    let root = platform.folder.path();
    let copied = std::process::Command::new("cp").args(["-a", "homes", "backup"]).current_dir(root).status().unwrap();
    assert!(copied.success());
    fs::write(root.join("homes/bob/.profile"), "changed since").unwrap();
    let steps = format!(
        "  - {{ id: stop, run: {} }}\n  \
         - {{ id: home, each: user, restore: homes, from: here, below: \"backup/${{user}}\" }}\n  \
         - {{ id: mail, each: user, when: {{ step: home, is: done }}, run: {} }}\n",
        note(&platform, "stop"),
        note(&platform, "mail ${user}")
    );
    let planned = platform.rekindle(&["plan"], &steps).exits(2);
    let mail = |user: &str| {
        let told = planned.out.split(&format!("\nmail/{user} ")).nth(1).unwrap_or_default();
        told.lines().nth(1).unwrap_or_default().to_owned()
    };
    assert!(mail("ana").contains("skipped: it is not so that the step 'home' is done"), "{}", planned.out);
    assert!(mail("bob").contains("$ sh -c"), "{}", planned.out);
    platform.run(&steps).exits(0);
    assert_eq!(notes(&platform), ["stop", "mail bob"]);
}

#[test]
fn an_included_runbook_lints_and_runs_alone_and_within_another() {
    let platform = Platform::new();
    let root = platform.folder.path();
    let part = format!(
        "rekindle: 2\ntitle: part\nsteps:\n  - {{ id: ask, run: [echo, from-the-part], capture: true }}\n  \
         - {{ id: use, run: {} }}\n",
        note(&platform, "${steps.ask.output}")
    );
    fs::write(root.join("part.yaml"), part).unwrap();
    let alone = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command.args(arguments).current_dir(root).env("REKINDLE_STATE", root.join("state"));
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    };
    alone(&["lint", "part.yaml"]);
    alone(&["run", "part.yaml", "--plain", "--yes"]);
    assert_eq!(notes(&platform), ["from-the-part"]);
    let steps =
        format!("  - include: part.yaml\n  - {{ id: last, run: {} }}\n", note(&platform, "${steps.part.ask.output}"));
    platform.run(&steps).exits(0);
    assert_eq!(notes(&platform), ["from-the-part"; 3]);
}

/// Nothing is left to do there: no command that does nothing is advised.
#[test]
fn a_run_whose_rest_waits_for_what_was_undone_is_not_called_incomplete() {
    let platform = Platform::new();
    fs::create_dir_all(platform.folder.path().join("backup/ana")).unwrap();
    fs::write(platform.folder.path().join("backup/ana/notes.txt"), "x").unwrap();
    let steps = format!(
        "  - {{ id: home, restore: homes, from: here, below: backup }}\n  \
         - {{ id: seen, confirm: is it so }}\n  \
         - {{ id: last, run: {} }}\n",
        note(&platform, "last")
    );
    platform.run(&steps).exits(2);
    platform.call(&["undo", "--yes", "--yes-deletes"]).exits(0);
    platform.call(&["runs"]).exits(0).says("undone");
    let report = platform.call(&["report"]).exits(0);
    assert!(!report.out.contains("incomplete") && !report.out.contains("goes on"), "{}", report.out);
    let told = platform.call(&["resume", "--plain", "--yes"]).exits(2);
    told.says("what is left waits for tasks that were undone");
}
