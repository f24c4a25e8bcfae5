//! What is written is followed inside a task too.

use std::fs;
use std::io::Write;

use crate::ground::Ground;

/// Progress is told once a second: a fast disk needs a larger file for it.
const SIZES: [u64; 3] = [800_000_000, 1_600_000_000, 3_200_000_000];

/// Every byte of it is on the disk.
fn write_large(path: &std::path::Path, size: u64) {
    let mut file = fs::File::create(path).unwrap();
    let piece = vec![b'r'; 4_000_000];
    for _ in 0..size / piece.len() as u64 {
        file.write_all(&piece).unwrap();
    }
}

/// The bytes that were told of while a file of that size was written.
fn told_of(size: u64) -> Vec<u64> {
    let ground = Ground::bare();
    for folder in ["copy/ana", "live"] {
        fs::create_dir_all(ground.path(folder)).unwrap();
    }
    write_large(&ground.path("copy/ana/video"), size);
    let root = ground.path("").display().to_string();
    let text = format!(
        "rekindle: 2\ntitle: Large\nsources: {{ copy: {{ directory: {root}/copy }} }}\n\
         components: {{ homes: {{ files: {root}/live }} }}\nowners: {{ user: {{ from: copy }} }}\n\
         steps: [ {{ id: home, each: user, restore: homes, from: copy, below: \"${{user}}\" }} ]\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    let told = ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--json"], 0);
    assert_eq!(fs::metadata(ground.path("live/ana/video")).unwrap().len(), size);
    let lines: Vec<serde_json::Value> = told.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of_this = lines.iter().filter(|line| {
        line["event"] == "progress"
            && line["name"] == "home/ana"
            && line["doing"] == "writing"
            && line["of_bytes"] == size
    });
    of_this.filter_map(|line| line["bytes"].as_u64()).collect()
}

#[test]
fn of_one_large_file_the_bytes_are_told_while_it_is_written() {
    for size in SIZES {
        let bytes = told_of(size);
        assert!(bytes.is_sorted(), "{bytes:?}");
        if bytes.iter().any(|done| (1..size).contains(done)) {
            return;
        }
    }
    panic!("no byte was told of before all were written");
}
