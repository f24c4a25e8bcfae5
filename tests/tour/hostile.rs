//! Names, files and outputs that mean no good.

use std::fs;
use std::process::{Command, Stdio};

use crate::ground::Ground;

const NAMES: [&str; 4] = ["e\u{1b}[2Jsc", "new\nline", "bi\u{202e}di", "'; rm -rf x"];

fn ground() -> Ground {
    let ground = Ground::bare();
    fs::create_dir(ground.path("live")).unwrap();
    for name in NAMES {
        fs::create_dir_all(ground.path("copy").join(name)).unwrap();
        fs::write(ground.path("copy").join(name).join("file"), "x\n").unwrap();
    }
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\ntitle: \"a \\e]0;x\\a title\"\nsources: {{ copy: {{ directory: {root}/copy }} }}\n\
         components: {{ homes: {{ files: {root}/live }} }}\nowners: {{ user: {{ from: copy }} }}\nsteps:\n\
         - {{ id: home, each: user, restore: homes, from: copy, below: \"${{user}}\" }}\n\
         - {{ id: tell, each: user, needs: [home], run: [echo, \"${{user}}\"] }}\n\
         - {{ id: sure, each: user, needs: [tell], confirm: \"${{user}} is well\" }}\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground
}

#[test]
fn no_name_is_obeyed_by_the_terminal() {
    let ground = ground();
    let calls: [(&[&str], i32); 9] = [
        (&["lint", "runbook.yaml"], 0),
        (&["plan", "runbook.yaml"], 2),
        (&["run", "runbook.yaml", "--plain", "--yes"], 2),
        (&["watch", "--once"], 2),
        (&["report"], 0),
        (&["verify"], 0),
        (&["runs"], 0),
        (&["undo", "--yes"], 2),
        (&["resume", "--plain"], 2),
    ];
    for (arguments, code) in calls {
        let told = ground.answering("l\nl\nl\nl\nl\nl\nl\nl\n", arguments, code);
        for text in [&told.out, &told.err] {
            let bad = text.chars().find(|one| one.is_control() && *one != '\n' || *one == '\u{202e}');
            assert_eq!(bad, None, "{arguments:?} prints it: {text}");
            assert!(!text.lines().any(|line| line.starts_with("line")), "{arguments:?} breaks a name: {text}");
        }
    }
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--user", "zoe"], 1).complains("next: there is ");
    ground.rekindle(&["undo", "--user", "zoe"], 1).complains("next: there is ");
}

#[test]
fn an_output_that_cannot_be_written_is_told() {
    let ground = ground();
    for arguments in [["plan", "runbook.yaml", "--json"], ["plan", "runbook.yaml", "--all"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command.args(arguments).current_dir(ground.path("")).env("REKINDLE_STATE", ground.path("state"));
        let status = command.stdin(Stdio::null()).stdout(full).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{arguments:?} lost its result and said nothing");
    }
}

#[test]
fn what_is_no_runbook_plan_or_run_is_told_in_few_words_with_what_to_do() {
    let ground = ground();
    let told = ground.rekindle(&["lint", "/dev/zero"], 1);
    told.complains("cannot read the runbook /dev/zero: it is a device, not a regular file");
    for arguments in [
        &["run", "/"][..],
        &["plan", "nowhere.yaml"],
        &["review", "/dev/null"],
        &["review", "/"],
        &["resume", "../../etc"],
        &["report", "--folder", "/"],
        &["run", "runbook.yaml", "--decisions", "/etc/hostname"],
        &["run", "runbook.yaml", "--inputs", "/"],
        &["run", "runbook.yaml", "--only", "user"],
        &["run", "runbook.yaml", "--only", "team=a"],
    ] {
        let told = ground.rekindle(arguments, 1);
        assert!(told.err.contains("error: cannot ") && told.err.contains("\nnext: "), "{arguments:?}: {}", told.err);
        assert!(!told.err.contains("that disk"), "{arguments:?}: {}", told.err);
    }
}

#[test]
fn a_watch_ends_with_its_reader() {
    let ground = ground();
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 2);
    let command = format!("timeout 60 {} watch | head -n 1; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_rekindle"));
    let mut shell = Command::new("bash");
    shell.args(["-c", &command]).current_dir(ground.path("")).env("REKINDLE_STATE", ground.path("state"));
    let out = String::from_utf8(shell.stdin(Stdio::null()).output().unwrap().stdout).unwrap();
    assert!(out.ends_with("\n2\n"), "{out}");
}

#[test]
fn no_place_for_runs_is_told_with_another() {
    let ground = ground();
    fs::write(ground.path("state"), "a file").unwrap();
    for arguments in [&["runs"][..], &["plan", "runbook.yaml"], &["run", "runbook.yaml", "--plain", "--yes"], &["undo"]]
    {
        ground.rekindle(arguments, 1).complains("next: set REKINDLE_STATE");
    }
    fs::remove_file(ground.path("state")).unwrap();
    ground.rekindle(&["plan", "runbook.yaml", "--out", "/nowhere/plan"], 1).complains("next: name a file");
}

/// Whoever restores their own home restores the folder around rekindle's runs and keys.
#[test]
fn a_restore_of_the_folder_that_holds_the_runs_leaves_them_alone() {
    let (ground, elsewhere) = (Ground::bare(), Ground::bare());
    let (root, copy) = (ground.path(""), elsewhere.path(""));
    let text = format!(
        "rekindle: 1\ntitle: Around\nsources: {{ copy: {{ directory: {} }} }}\ncomponents: {{ all: {{ files: {} }} }}\n\
         steps: [{{ id: all, restore: all, from: copy, mode: exact }}]\n",
        copy.display(),
        root.display()
    );
    fs::write(ground.path("runbook.yaml"), &text).unwrap();
    fs::copy(ground.path("runbook.yaml"), elsewhere.path("runbook.yaml")).unwrap();
    fs::write(ground.path("came-later"), "x\n").unwrap();
    let yes = ["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"];
    ground.rekindle(&yes, 0).says("1 done");
    assert!(!ground.path("came-later").exists());
    ground.rekindle(&["plan", "runbook.yaml"], 0);

    // A backup of it holds older ones.
    let key = fs::read(ground.path("state/keys/digests")).unwrap();
    fs::create_dir_all(elsewhere.path("state/keys")).unwrap();
    fs::write(elsewhere.path("state/keys/digests"), "an older one").unwrap();
    let told = ground.rekindle(&["plan", "runbook.yaml"], 0);
    told.says("state: not restored: rekindle keeps its runs and keys there");
    ground.rekindle(&yes, 0);
    assert_eq!(fs::read(ground.path("state/keys/digests")).unwrap(), key);
    ground.rekindle(&["undo", "--yes"], 0);
    assert!(ground.path("came-later").exists());
}

/// Escape sequences, bidirectional and invisible signs, wide and combining characters, and a line of a megabyte.
#[test]
fn no_value_is_obeyed_by_the_terminal_and_none_fills_it() {
    let ground = Ground::bare();
    let long = "a".repeat(1_000_000);
    let bad = "x\\u001b[2J\\u001b]52;c;QUFB\\u0007\\r\\n\\u202e\\u200b\\ufeff日本語e\\u0301 ";
    for (side, value) in [("live", "\"10\"".to_owned()), ("copy", format!("\"{bad}{long}\""))] {
        fs::create_dir(ground.path(side)).unwrap();
        let text = format!("{{\"name\": \"ana\", \"{bad}\": \"{side}{bad}\", \"note\": {value}}}\n");
        fs::write(ground.path(side).join("ana.json"), text).unwrap();
    }
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\ntitle: Values\nsources: {{ copy: {{ directory: {root}/copy, format: documents }} }}\n\
         components: {{ accounts: {{ documents: {root}/live }} }}\n\
         steps: [{{ id: all, restore: accounts, from: copy }}]\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    let calls: [(&[&str], i32); 5] = [
        (&["plan", "runbook.yaml"], 2),
        (&["plan", "runbook.yaml", "--all"], 2),
        (&["run", "runbook.yaml", "--plain"], 0),
        (&["report"], 0),
        (&["undo"], 0),
    ];
    for (arguments, code) in calls {
        let told = ground.answering("f\na\n", arguments, code);
        for text in [&told.out, &told.err] {
            let is_bad =
                |one: &char| one.is_control() && *one != '\n' || matches!(*one, '\u{202e}' | '\u{200b}' | '\u{feff}');
            assert_eq!(text.chars().find(is_bad), None, "{arguments:?} prints it");
            let longest = text.lines().map(str::len).max().unwrap_or(0);
            assert!(longest < 4_000, "{arguments:?} prints a line of {longest} bytes");
        }
    }
}
