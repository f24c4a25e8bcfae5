//! Restores one tree of 20,000 files from a local restic repository: into an empty place, and with 1 % damaged,
//! beside `restic restore` and `cp -a`; then plans it against itself beside `find -ls`.
//! `cargo bench --bench restore`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first failure")]

#[path = "measure.rs"]
mod measure;
#[path = "stage.rs"]
mod stage;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use measure::{Contender, print, race};
use rekindle::model::Secret;
use rekindle::stores::restic::{Config, ResticStore, SnapshotChoice};
use stage::Stage;

const ROUNDS: usize = 5;

fn main() {
    let stage = Stage::new("rekindle-bench-restore", "repository", &[]);
    let copied = stage.scratch.join("copied");
    let words = ["run", "--plain", "--yes"];
    let results = race(
        &[
            Contender {
                name: "rekindle run",
                before: stage.empty(stage.homes()),
                command: Box::new(|| stage.rekindle(&words)),
            },
            Contender {
                name: "restic restore",
                before: stage.empty(stage.place()),
                command: Box::new(|| stage.restic_restore()),
            },
            Contender {
                name: "restic restore --verify",
                before: stage.empty(stage.place()),
                command: Box::new(|| {
                    let mut command = stage.restic_restore();
                    command.arg("--verify");
                    command
                }),
            },
            Contender {
                name: "cp -a",
                before: stage.empty(copied.clone()),
                command: Box::new(|| {
                    let mut command = Command::new("cp");
                    command.arg("-a").arg(&stage.tree).arg(&copied);
                    command
                }),
            },
            Contender {
                name: "cp -a; sync -f",
                before: stage.empty(copied.clone()),
                command: Box::new(|| {
                    let mut command = Command::new("sh");
                    command.args(["-c", r#"cp -a "$0" "$1"; sync -f "$1""#]).arg(&stage.tree).arg(&copied);
                    command
                }),
            },
        ],
        ROUNDS,
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
    let results = race(
        &[
            Contender {
                name: "rekindle run",
                before: damaged(stage.homes().join("ana")),
                command: Box::new(|| stage.rekindle(&words)),
            },
            Contender {
                name: "restic restore",
                before: damaged(stage.tree_of_restic()),
                command: Box::new(|| stage.restic_restore()),
            },
        ],
        ROUNDS,
    );
    print("the same tree with 1 % of its files damaged", &results);

    let results = race(
        &[
            Contender {
                name: "rekindle plan",
                before: Box::new(|| {}),
                command: Box::new(|| stage.rekindle(&["plan"])),
            },
            Contender {
                name: "find -ls",
                before: Box::new(|| {}),
                command: Box::new(|| {
                    let mut command = Command::new("find");
                    command.arg(stage.homes()).arg("-ls");
                    command
                }),
            },
            Contender {
                name: "restic snapshots (opening alone)",
                before: Box::new(|| {}),
                command: Box::new(|| stage.restic(&["snapshots"])),
            },
        ],
        9,
    );
    print("plan of that tree against itself", &results);
    let mut openings: Vec<f64> = (0..9).map(|_| opening(&stage)).collect();
    openings.sort_by(f64::total_cmp);
    let (plan, find, open) = (results[0].1, results[1].1, openings[4]);
    println!("\nopening the repository, in this process: {open:.3} s");
    println!("plan without opening: {:.3} s, {:.2} × find -ls", plan - open, (plan - open) / find);
}

fn opening(stage: &Stage) -> f64 {
    let config = Config {
        repository: stage.repository.clone(),
        password: Secret::new("bench"),
        keys: None,
        snapshot: SnapshotChoice::default(),
        owners: Default::default(),
        cache: None,
    };
    let began = std::time::Instant::now();
    let store = ResticStore::open(&config).unwrap();
    let took = began.elapsed().as_secs_f64();
    drop(store);
    took
}
