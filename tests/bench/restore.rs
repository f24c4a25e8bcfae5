//! Restores one tree of 20,000 files from a local restic repository: into an empty place, and with 1 % damaged,
//! beside `restic restore` and `cp -a`. `cargo bench --bench restore`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first failure")]

#[path = "measure.rs"]
mod measure;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use measure::{Contender, make_tree, print, race, run, scratch};

fn main() {
    let scratch = scratch();
    let tree = scratch.join("source/ana");
    make_tree(&tree);
    let repository = scratch.join("repository");
    let password = scratch.join("password");
    fs::write(&password, "bench").unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let restic = |arguments: &[&str]| {
        let mut all = vec!["-q", "-r"];
        let (repository, password) = (text(&repository), text(&password));
        all.extend([repository.as_str(), "--password-file", password.as_str()]);
        all.extend(arguments);
        run("restic", &all);
    };
    restic(&["init"]);
    restic(&["backup", &text(&tree)]);

    let runbook = scratch.join("bench.yaml");
    fs::write(&runbook, runbook_text(&repository, &password, &scratch, &tree)).unwrap();
    let homes = scratch.join("homes");
    let place = scratch.join("restic-place");
    let copied = scratch.join("copied");

    let ours = || rekindle(&runbook, &scratch);
    let theirs = {
        let (repository, password, place) = (repository.clone(), password.clone(), place.clone());
        move || {
            let mut command = Command::new("restic");
            command.args(["-q", "-r"]).arg(&repository).arg("--password-file").arg(&password);
            command.args(["restore", "latest", "--target"]).arg(&place);
            command
        }
    };
    let empty = |folder: &PathBuf| {
        let folder = folder.clone();
        Box::new(move || {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
        })
    };
    let (from, to) = (tree.clone(), copied.clone());
    let results = race(
        &[
            Contender { name: "rekindle run", before: empty(&homes), command: Box::new(ours) },
            Contender { name: "restic restore", before: empty(&place), command: Box::new(theirs.clone()) },
            Contender {
                name: "cp -a",
                before: empty(&copied),
                command: Box::new(move || {
                    let mut command = Command::new("cp");
                    command.arg("-a").arg(&from).arg(&to);
                    command
                }),
            },
        ],
        5,
    );
    print("20,000 files / 200 MB into an empty place", &results);

    let damaged = |root: PathBuf| {
        Box::new(move || {
            for directory in 0..200 {
                let file = root.join(format!("{:02}/{directory:03}/file-042.dat", directory % 20));
                fs::write(file, "damaged").unwrap();
            }
        })
    };
    let live_of_restic = place.join(tree.strip_prefix("/").unwrap());
    let results = race(
        &[
            Contender {
                name: "rekindle run",
                before: damaged(homes.join("ana")),
                command: Box::new(|| rekindle(&runbook, &scratch)),
            },
            Contender { name: "restic restore", before: damaged(live_of_restic), command: Box::new(theirs) },
        ],
        5,
    );
    print("the same tree with 1 % of its files damaged", &results);

    let (listed, planned) = (homes.clone(), runbook.clone());
    let state = scratch.clone();
    let results = race(
        &[
            Contender {
                name: "rekindle plan",
                before: Box::new(|| {}),
                command: Box::new(move || {
                    let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
                    command.arg("plan").arg(&planned).env("XDG_STATE_HOME", state.join("state"));
                    command
                }),
            },
            Contender {
                name: "find -ls",
                before: Box::new(|| {}),
                command: Box::new(move || {
                    let mut command = Command::new("find");
                    command.arg(&listed).arg("-ls");
                    command
                }),
            },
        ],
        5,
    );
    print("plan of that tree against itself", &results);
    let _ = fs::remove_dir_all(&scratch);
}

fn rekindle(runbook: &Path, scratch: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    command.args(["run", "--plain", "--yes"]).arg(runbook).env("XDG_STATE_HOME", scratch.join("state"));
    command
}

fn runbook_text(repository: &Path, password: &Path, scratch: &Path, tree: &Path) -> String {
    format!(
        "rekindle: 1\ntitle: bench\nsources:\n  backup:\n    restic: {}\n    password: {{ file: {} }}\n    format: files\n\
         components:\n  homes: {{ files: {}/homes }}\nowners:\n  user: {{ from: backup, below: {} }}\n\
         steps:\n  - id: home\n    each: user\n    restore: homes\n    from: backup\n    below: {}/${{user}}\n",
        repository.display(),
        password.display(),
        scratch.display(),
        tree.parent().unwrap().display(),
        tree.parent().unwrap().display(),
    )
}
