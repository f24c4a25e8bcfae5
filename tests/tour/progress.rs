//! What is written is followed inside a task too.

use std::fs;
use std::io::Write;

use crate::ground::Ground;

/// Seconds of writing, and no more of the disk than that.
const SIZE: u64 = 800_000_000;

/// Every byte of it is on the disk.
fn write_large(path: &std::path::Path) {
    let mut file = fs::File::create(path).unwrap();
    let piece = vec![b'r'; 4_000_000];
    for _ in 0..SIZE / piece.len() as u64 {
        file.write_all(&piece).unwrap();
    }
}

#[test]
fn of_one_large_file_the_bytes_are_told_while_it_is_written() {
    let ground = Ground::bare();
    for folder in ["copy/ana", "live"] {
        fs::create_dir_all(ground.path(folder)).unwrap();
    }
    write_large(&ground.path("copy/ana/video"));
    let root = ground.path("").display().to_string();
    let text = format!(
        "rekindle: 2\ntitle: Large\nsources: {{ copy: {{ directory: {root}/copy }} }}\n\
         components: {{ homes: {{ files: {root}/live }} }}\nowners: {{ user: {{ from: copy }} }}\n\
         steps: [ {{ id: home, each: user, restore: homes, from: copy, below: \"${{user}}\" }} ]\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    let told = ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--json"], 0);
    let lines: Vec<serde_json::Value> = told.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told: Vec<&serde_json::Value> = lines.iter().filter(|line| line["event"] == "progress").collect();
    let of_this =
        told.iter().filter(|line| line["name"] == "home/ana" && line["doing"] == "writing" && line["of_bytes"] == SIZE);
    let bytes: Vec<u64> = of_this.filter_map(|line| line["bytes"].as_u64()).collect();
    assert!(bytes.iter().any(|done| (1..SIZE).contains(done)), "{told:?}");
    assert!(bytes.is_sorted(), "{bytes:?}");
    assert_eq!(fs::metadata(ground.path("live/ana/video")).unwrap().len(), SIZE);
}
