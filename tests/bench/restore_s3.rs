//! Restores one tree of 20,000 files from a restic repository behind an S3 server on this machine (versitygw),
//! beside `restic restore`. `cargo bench --bench restore_s3`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first failure")]

#[path = "measure.rs"]
mod measure;
#[path = "stage.rs"]
#[expect(dead_code, reason = "the benchmarks share it, and each uses a part")]
mod stage;
#[path = "../support/mod.rs"]
mod support;

use measure::{Contender, print, race};
use stage::Stage;
use support::server::Server;

const KEY: (&str, &str) = ("bench", "bench-secret");

fn main() {
    let buckets = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(buckets.path().join("buckets/backup")).unwrap();
    let server = Server::s3(&buckets.path().join("buckets"), KEY.0, KEY.1);
    let address = format!("s3:http://127.0.0.1:{}/backup/restic", server.port);
    let keys = [("AWS_ACCESS_KEY_ID", KEY.0), ("AWS_SECRET_ACCESS_KEY", KEY.1), ("AWS_REGION", "us-east-1")];
    let stage = Stage::new("rekindle-bench-s3", &address, &keys, 20_000);
    let results = race(
        &[
            Contender {
                name: "rekindle run",
                before: stage.empty(stage.homes()),
                command: Box::new(|| stage.rekindle(&["run", "--plain", "--yes"])),
            },
            Contender {
                name: "restic restore",
                before: stage.empty(stage.place()),
                command: Box::new(|| stage.restic_restore()),
            },
        ],
        5,
    );
    print("20,000 files / 200 MB over S3 into an empty place", &results);
}
