//! An export of 10,000 people by `kc.sh`, opened and read in batches of 20: seconds, and memory at the peak, with 50 a
//! file and with all in one. `cargo bench --bench keycloak_export [-- USERS]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first failure")]

#[path = "../support/keycloak.rs"]
#[allow(dead_code)]
mod keycloak;
#[path = "../support/keycloak_sample/mod.rs"]
#[allow(dead_code)]
mod sample;

use std::sync::Arc;
use std::time::Instant;

use keycloak::{Admin, server};
use rekindle::components::keycloak::{ExportConfig, KeycloakExport};
use rekindle::model::{Scope, TreePath};
use rekindle::reader::Reader;
use rekindle::stores::DirectoryStore;

const BATCH: usize = 20;

fn main() {
    let people = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(people));
}

/// Of this process so far, in megabytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

async fn measure(people: usize) {
    sample::Sample::new("many", people).make(&Admin::new(server())).await;
    let below = TreePath::new("users").unwrap();
    for a_file in ["50", "20000"] {
        let folder = server().export("many", a_file);
        let before = peak();
        let began = Instant::now();
        let store = Arc::new(DirectoryStore::open(folder.path()).unwrap());
        let export = KeycloakExport::new(store, ExportConfig { at: TreePath::root(), realm: None });
        let scope = Scope { below: below.clone(), to: below.clone(), owner: None };
        let listed = export.list(&[scope]).await.pop().unwrap().unwrap();
        let opened = began.elapsed().as_secs_f64();
        assert_eq!(listed.len(), people);
        for batch in listed.chunks(BATCH) {
            assert!(export.read(batch).await.into_iter().all(|read| read.unwrap().is_some()));
        }
        let all = began.elapsed().as_secs_f64();
        let more = peak() - before;
        println!("{a_file} a file: opened in {opened:.2} s, all read by {all:.2} s, {more} MB more at the peak");
    }
}
