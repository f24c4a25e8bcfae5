//! Memory while a tree of a million entries is planned against itself and against nothing, from a restic repository.
//! The repository is made by `restic backup` of a million small empty files; the index alone is measured first.
//! `cargo bench --bench plan_memory [-- ENTRIES]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first failure")]

#[path = "measure.rs"]
#[allow(dead_code)]
mod measure;
mod memory;

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use rekindle::beneath::{Beneath, DirTree};
use rekindle::diff::trees::{TreeRules, compare};
use rekindle::model::{ComparePrecision, KindSchema, Mode, ResourceId, Secret, Tree, TreePath};
use rekindle::stores::Store;
use rekindle::stores::restic::{Config, ResticStore, SnapshotChoice};

const IN_A_DIRECTORY: usize = 1000;

fn main() {
    let entries = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1_000_000);
    let scratch = measure::scratch("rekindle-bench-memory");
    let tree = scratch.join("tree");
    for directory in 0..entries / IN_A_DIRECTORY {
        let folder = tree.join(format!("directory-{directory:04}"));
        fs::create_dir_all(&folder).unwrap();
        for file in 1..IN_A_DIRECTORY {
            fs::File::create(folder.join(format!("a-file-with-a-name-{file:04}.txt"))).unwrap();
        }
    }
    let repository = scratch.join("repository");
    for words in [vec!["init"], vec!["backup", tree.to_str().unwrap()]] {
        let mut restic = Command::new("restic");
        restic.args(["-q", "-r"]).arg(&repository).args(words).env("RESTIC_PASSWORD", "bench");
        assert!(restic.status().unwrap().success());
    }
    let config = Config {
        repository: repository.to_str().unwrap().to_owned(),
        password: Secret::new("bench"),
        keys: None,
        snapshot: SnapshotChoice::default(),
        owners: Default::default(),
        cache: None,
    };
    println!("| | entries | s | peak MB | above the index |\n|---|---|---|---|---|");
    let began = Instant::now();
    let store = ResticStore::open(&config).unwrap();
    let open = memory::peak();
    println!("| open, with rustic's index | | {:.2} | {open:.0} | |", began.elapsed().as_secs_f64());

    let backup = store.tree(&TreePath::new(tree.to_str().unwrap()).unwrap()).unwrap().unwrap();
    let live = DirTree::new(Arc::new(Beneath::open(&tree).unwrap()), TreePath::root());
    let rules = TreeRules::new(&KindSchema::default(), Mode::Merge, ComparePrecision::Quick).unwrap();
    let id = ResourceId { kind: "tree".into(), key: TreePath::root() };
    for (name, live) in [("plan against itself", Some(&live)), ("plan into an empty place", None)] {
        let began = Instant::now();
        let live = live.map(|live| live.entries().unwrap());
        let change = compare(&id, live, Some(backup.entries().unwrap()), &rules).unwrap().change;
        let hunks = change.map_or(0, |change| change.hunks.len());
        let (took, now) = (began.elapsed().as_secs_f64(), memory::peak());
        println!("| {name}: {hunks} hunks | {entries} | {took:.2} | {now:.0} | {:.0} |", now - open);
    }
    let _ = fs::remove_dir_all(&scratch);
}
