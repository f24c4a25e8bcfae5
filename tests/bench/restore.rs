//! Restores one tree of 20,000 and one of 100,000 files from a local restic repository: into an empty place, and with
//! 1 % damaged, beside `restic restore` and `cp -a`, also where those make their work durable (`sync -f`), as rekindle
//! does; then plans the smaller one against itself beside `find -ls`. Each restore into an empty place has a file system
//! of its own, made anew for every round. Needs root. `cargo bench --bench restore`, `-- 20000` for that one alone,
//! `-- 20000 1` for one round of it.
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
    let mut asked = std::env::args().skip(1).filter_map(|word| word.parse::<usize>().ok());
    let sizes = asked.next().map_or_else(|| vec![20_000, 100_000], |files| vec![files]);
    let rounds = asked.next().unwrap_or(ROUNDS);
    for files in sizes {
        let stage = Stage::new("rekindle-bench-restore", "repository", &[], files);
        restores(&stage, files, rounds);
        mends(&stage, files, rounds);
        plans(&stage, files);
    }
}

fn durable(command: &Command, place: &std::path::Path) -> Command {
    let mut both = Command::new("sh");
    both.args(["-c", r#"place=$1; shift; "$@" && sync -f "$place""#, "sh"]).arg(place).arg(command.get_program());
    both.args(command.get_args());
    both
}

fn restores(stage: &Stage, files: usize, rounds: usize) {
    let copied = stage.target().join("copied");
    let copy = || {
        let mut command = Command::new("cp");
        command.arg("-a").arg(&stage.tree).arg(&copied);
        command
    };
    let results = race(
        &[
            Contender {
                name: "rekindle run",
                before: stage.empty(stage.homes()),
                command: Box::new(|| stage.rekindle(&RUN)),
            },
            Contender {
                name: "restic restore",
                before: stage.empty(stage.place()),
                command: Box::new(|| stage.restic_restore()),
            },
            Contender {
                name: "restic restore; sync -f",
                before: stage.empty(stage.place()),
                command: Box::new(|| durable(&stage.restic_restore(), &stage.place())),
            },
            Contender {
                name: "cp -a; sync -f",
                before: stage.empty(copied.clone()),
                command: Box::new(|| durable(&copy(), &copied)),
            },
        ],
        rounds,
    );
    print(&format!("{files} files into an empty place"), &results);
}

const RUN: [&str; 3] = ["run", "--plain", "--yes"];

fn mends(stage: &Stage, files: usize, rounds: usize) {
    (stage.empty(stage.homes()))();
    for mut command in [stage.rekindle(&RUN), stage.restic_restore()] {
        assert!(command.stdout(std::process::Stdio::null()).status().is_ok_and(|status| status.success()));
    }
    let damaged = |root: PathBuf| {
        Box::new(move || {
            for directory in 0..files / 100 {
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
                command: Box::new(|| stage.rekindle(&RUN)),
            },
            Contender {
                name: "restic restore",
                before: damaged(stage.tree_of_restic()),
                command: Box::new(|| stage.restic_restore()),
            },
        ],
        rounds,
    );
    print(&format!("the tree of {files} files with 1 % of them damaged"), &results);
}

fn plans(stage: &Stage, files: usize) {
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
    print(&format!("plan of the tree of {files} files against itself"), &results);
    let mut openings: Vec<f64> = (0..9).map(|_| opening(stage)).collect();
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
