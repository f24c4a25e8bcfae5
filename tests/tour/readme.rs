use std::process::Command;

use crate::support::root;

/// The tour, and where a reader goes on from there.
const PAGES: [&str; 2] = ["README.md", "src/cli/README.md"];

/// What a reader types, in order: every block that is marked as the tour's.
fn typed() -> String {
    let pages = PAGES.map(|page| std::fs::read_to_string(root().join(page)).unwrap());
    let mut script = String::new();
    let mut inside = false;
    for line in pages.iter().flat_map(|page| page.lines()) {
        match line {
            "```sh tour" => inside = true,
            "```" => inside = false,
            _ if inside => script.extend([line, "\n"]),
            _ => {}
        }
    }
    script
}

#[test]
fn the_readme_works_word_for_word() {
    let script = typed();
    assert!(script.contains("rekindle undo"), "the README has no tour");
    let home = tempfile::tempdir().unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_rekindle")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(home.path())
        .env("HOME", home.path())
        .env("PATH", path)
        .env_remove("XDG_STATE_HOME")
        .env_remove("REKINDLE_STATE")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let exits: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("exit ")).collect();
    let wanted = ["2", "0", "0", "0", "2", "0", "0", "0", "2", "0", "0"];
    assert_eq!(exits, wanted, "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("the former state, bit for bit"), "{said}");
    assert!(
        said.contains("update document ana\n      1. ~ quota  \"1G\" → \"10G\"\n"),
        "the README shows another plan"
    );
}
