//! What a command prints, for later steps.

use std::fs;
use std::process::Command;

use crate::Platform;

fn steps(platform: &Platform, first: &str) -> String {
    let out = platform.folder.path().join("out").display().to_string();
    format!(
        "  - {{ id: ask, run: {first}, capture: true }}\n  \
         - {{ id: note, run: [sh, -c, 'printf %s \"$1\" > \"$2\"', note, \"got ${{steps.ask.output}}!\", {out}] }}\n"
    )
}

#[test]
fn a_later_step_is_made_of_what_an_earlier_one_printed() {
    let platform = Platform::new();
    let steps = steps(&platform, "[echo, \"7.4.2; $(id)\"]");
    let planned = platform.rekindle(&["plan"], &steps).exits(2);
    let planned = planned.says("'got ${steps.ask.output}!'").says("what it prints goes on record, for later steps");
    planned.says("(predicted: what it needs is not done)");
    platform.run(&steps).exits(0).says("note                     done");
    assert_eq!(platform.text("out").unwrap(), "got 7.4.2; $(id)!");
}

#[test]
fn each_owner_has_an_output_of_their_own() {
    let platform = Platform::new();
    let root = platform.folder.path().display().to_string();
    let steps = format!(
        "  - {{ id: ask, each: user, run: [echo, \"id-of-${{user}}\"], capture: true }}\n  \
         - {{ id: note, each: user, run: [sh, -c, 'printf %s \"$1\" > \"$2\"', note, \"${{steps.ask.output}}\", \
         \"{root}/${{user}}\"] }}\n"
    );
    platform.run(&steps).exits(0);
    assert_eq!(
        (platform.text("ana").unwrap(), platform.text("bob").unwrap()),
        ("id-of-ana".into(), "id-of-bob".into())
    );
}

#[test]
fn what_an_output_names_is_restored_and_a_dry_run_says_that_it_cannot_tell_yet() {
    let platform = Platform::new();
    fs::create_dir_all(platform.folder.path().join("nights/tuesday/ana")).unwrap();
    fs::write(platform.folder.path().join("nights/tuesday/ana/notes.txt"), "x").unwrap();
    let steps = "  - { id: ask, run: [echo, tuesday], capture: true }\n  \
                 - { id: home, restore: homes, from: here, below: \"nights/${steps.ask.output}\" }\n";
    platform.rekindle(&["plan"], steps).exits(2).says("it is made of the output of ask, which has not run");
    platform.run(steps).exits(0);
    assert_eq!(platform.text("homes/ana/notes.txt").unwrap(), "x");
    let mut verify = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    let verified = verify.arg("verify").env("REKINDLE_STATE", platform.folder.path().join("state")).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success() && said.contains("1 task is as restored"), "{said}");
}

#[test]
fn an_output_out_of_bounds_stops_the_steps_that_need_it() {
    for (first, why) in [
        ("[sh, -c, 'head -c 20000 /dev/zero | tr \"\\0\" x']", "longer than"),
        ("[sh, -c, 'printf \"\\\\377\"']", "not UTF-8"),
    ] {
        let platform = Platform::new();
        let steps = steps(&platform, first);
        platform.run(&steps).exits(1).says(why);
        assert!(platform.text("out").is_none(), "{first}");
    }
}

#[test]
fn a_secret_that_a_command_prints_is_never_captured() {
    let platform = Platform::new();
    let root = platform.folder.path();
    let text = "rekindle: 2\ninputs: { tok: { secret: true } }\nsteps:\n  \
                - { id: ask, run: [sh, -c, 'echo \"$T\"'], env: { T: \"${tok}\" }, capture: true }\n  \
                - { id: use, run: [echo, \"${steps.ask.output}\"] }\n";
    fs::write(root.join("secret.yaml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    command.args(["run", "--plain", "--yes", "--yes-irreversible", "secret.yaml"]).current_dir(root);
    command.env("REKINDLE_STATE", root.join("state")).env("REKINDLE_INPUT_TOK", "hunter22-hunter22");
    let output = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("it holds a secret, and no secret goes on record"), "{said}");
    assert!(!said.contains("hunter22"), "{said}");
    let kept = Command::new("grep").args(["-r", "-l", "hunter22"]).arg(root.join("state")).output().unwrap();
    assert!(kept.stdout.is_empty(), "{}", String::from_utf8_lossy(&kept.stdout));
}

/// The process that captured it is gone: the journal has it.
#[test]
fn a_resume_has_what_was_captured_before() {
    let platform = Platform::new();
    let root = platform.folder.path().display().to_string();
    let steps = format!(
        "  - {{ id: ask, run: [sh, -c, 'echo once >> \"$1\"; echo from-before', ask, {root}/asked], capture: true }}\n  \
         - {{ id: gate, check: {{ file: ana/open }}, on: homes }}\n  \
         - {{ id: note, run: [sh, -c, 'printf %s \"$1\" > \"$2\"', note, \"${{steps.ask.output}}\", {root}/out] }}\n  \
         - {{ id: only, when: {{ output: ask, is: [something, from-before] }}, run: [touch, {root}/only] }}\n  \
         - {{ id: never, when: {{ output: ask, is: something }}, run: [touch, {root}/never] }}\n"
    );
    platform.run(&steps).exits(1);
    fs::write(platform.folder.path().join("homes/ana/open"), "").unwrap();
    let mut resume = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    resume.args(["resume", "--plain", "--yes"]).env("REKINDLE_STATE", platform.folder.path().join("state"));
    let resumed = resume.stdin(std::process::Stdio::null()).output().unwrap();
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stdout));
    assert_eq!(platform.text("out").as_deref(), Some("from-before"));
    assert_eq!(platform.text("asked").as_deref(), Some("once\n"), "it ran again");
    assert!(platform.text("only").is_some() && platform.text("never").is_none());
}
