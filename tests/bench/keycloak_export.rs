//! An export of 10,000 people by `kc.sh`, opened and read in batches of 20: seconds, and memory at the peak, with 50 a
//! file and with all in one; and one file of 200 MB, which no server is needed for. `cargo bench --bench
//! keycloak_export [-- USERS]`; with 0 users the large file alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first failure")]

#[path = "../support/keycloak.rs"]
#[allow(dead_code)]
mod keycloak;
#[path = "../support/keycloak_sample/mod.rs"]
#[allow(dead_code)]
mod sample;

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use keycloak::{Admin, server};
use rekindle::components::keycloak::{ExportConfig, KeycloakExport};
use rekindle::model::{Scope, TreePath};
use rekindle::reader::{Reader, Wanted};
use rekindle::stores::DirectoryStore;

const BATCH: usize = 20;
const LARGE: usize = 50_000;

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

/// 50,000 people of 4 KB each, and the realm around them.
fn large() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut file = std::io::BufWriter::new(std::fs::File::create(folder.path().join("realm.json")).unwrap());
    let badge = "b".repeat(4_000);
    write!(file, r#"{{"realm":"large","id":"1","users":["#).unwrap();
    for at in 0..LARGE {
        let comma = if at == 0 { "" } else { "," };
        write!(file, r#"{comma}{{"id":"{at}","username":"u{at:06}","attributes":{{"badge":["{badge}"]}}}}"#).unwrap();
    }
    write!(file, r#"],"clients":[{{"clientId":"one"}}]}}"#).unwrap();
    file.flush().unwrap();
    folder
}

async fn measure(people: usize) {
    read_all("one file of 200 MB", large(), LARGE).await;
    if people == 0 {
        return;
    }
    sample::Sample::new("many", people).make(&Admin::new(server())).await;
    for a_file in ["50", "20000"] {
        read_all(&format!("{a_file} a file"), server().export("many", a_file), people).await;
    }
}

async fn read_all(what: &str, folder: tempfile::TempDir, people: usize) {
    let below = TreePath::new("users").unwrap();
    let before = peak();
    let began = Instant::now();
    let store = Arc::new(DirectoryStore::open(folder.path()).unwrap());
    let export = KeycloakExport::new(store, ExportConfig { at: TreePath::root(), realm: None });
    let scope = Scope { below: below.clone(), to: below, owner: None };
    let listed = export.list(&[scope]).await.pop().unwrap().unwrap();
    let opened = began.elapsed().as_secs_f64();
    assert_eq!(listed.len(), people);
    for batch in listed.chunks(BATCH) {
        assert!(export.read(&Wanted::alone(batch)).await.into_iter().all(|read| read.unwrap().is_some()));
    }
    let all = began.elapsed().as_secs_f64();
    let more = peak() - before;
    println!("{what}: opened in {opened:.2} s, all read by {all:.2} s, {more} MB more at the peak");
}
