//! 10,000 absent people with hashes, two groups and two roles each, brought back to a real Keycloak: by the shipped
//! program from an export, journalled and read back; by its adapter alone; by a bare script that posts batches of 20,
//! four side by side; and by the server's own `kc.sh import`. `cargo bench --bench keycloak_restore [-- USERS [ROUNDS]]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first failure")]

#[path = "../support/keycloak.rs"]
#[allow(dead_code)]
mod keycloak;
mod keycloak_realm;
#[path = "../support/no_ledger.rs"]
mod no_ledger;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt, stream};
use keycloak::{Admin, server};
use keycloak_realm::{REALM, empty, realm, user};
use rekindle::component::{Approved, Component};
use rekindle::components::keycloak::canonical::{self, Names, Side};
use rekindle::diff::documents;
use rekindle::model::{DigestKey, Mode, TargetHolder};
use serde_json::Value;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let (people, rounds) = (numbers.next().unwrap_or(10_000), numbers.next().unwrap_or(3));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(people, rounds));
}

/// What the engine hands over, a batch as large as the adapter likes.
fn approved(people: &[Value], names: &Names, component: &impl Component) -> Vec<Approved> {
    let key = DigestKey::new([1; 32]);
    let one = |user: &Value| {
        let desired = canonical::user(user, names, Side::Backup).unwrap().resource();
        let schema = component.schema().kind(&desired.id.kind);
        let change = documents::changes(&desired.id, None, desired.document(), schema, Mode::Merge, &key).unwrap();
        let left_out = Default::default();
        let expected = Some(desired.clone());
        Approved {
            run: "bench".into(),
            change: Arc::new(change),
            left_out,
            live: None,
            desired: Some(desired),
            expected,
        }
    };
    people.iter().map(one).collect()
}

async fn adapter(people: &[Value], names: &Names) -> f64 {
    let component = server().component(REALM);
    let changes = approved(people, names, &component);
    let began = Instant::now();
    // As the engine does before the first batch: looking at who has the realm is a part of the figure.
    let holder = TargetHolder { run: "bench".to_owned(), by: "bench@here".to_owned(), since: 0 };
    component.hold(&holder, false).await.unwrap();
    let batches = changes.chunks(component.limits().batch);
    let written = stream::iter(batches.map(|batch| component.write(batch, &no_ledger::NoLedger)));
    let written: Vec<_> = written.buffer_unordered(component.limits().parallel - 1).collect().await;
    written.into_iter().flatten().for_each(|one| assert!(one.is_ok(), "{:?}", one.unwrap_err()));
    began.elapsed().as_secs_f64()
}

/// Seconds, and megabytes at the peak.
fn program(export: &Path) -> (f64, u64) {
    let state = tempfile::tempdir().unwrap();
    let runbook = state.path().join("people.yaml");
    let text = format!(
        "rekindle: 1\ntitle: People\nsources:\n  backup: {{ directory: {}, format: keycloak-export }}\n\
         components:\n  keycloak:\n    keycloak: {}\n    realm: {REALM}\n    \
         login: {{ user: admin, password: {{ env: KEYCLOAK_PASSWORD }}, realm: master }}\n\
         owners:\n  user: {{ from: backup, kind: user }}\n\
         steps:\n  - {{ id: account, each: user, restore: keycloak, from: backup, below: \"users/${{user}}\" }}\n",
        export.display(),
        server().url()
    );
    std::fs::write(&runbook, text).unwrap();
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rekindle"))
        .args(["run", runbook.to_str().unwrap(), "--plain", "--yes"])
        .env("KEYCLOAK_PASSWORD", "admin")
        .env("REKINDLE_STATE", state.path())
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(state.path().join("told")).unwrap())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        let now = std::fs::read_to_string(&status).unwrap_or_default();
        let line = now.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default().to_owned();
        peak = line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or(peak);
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let took = began.elapsed().as_secs_f64();
    assert!(ended.success(), "{}", std::fs::read_to_string(state.path().join("told")).unwrap());
    (took, peak / 1024)
}

fn import(export: &Path) -> f64 {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/keycloak.sh");
    let began = Instant::now();
    let done = Command::new(script).arg("import").arg(&server().folder).arg(export).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    began.elapsed().as_secs_f64()
}

/// The database knows how large the realm's tables are, as one that has served them, and looks at them no more: else it
/// does so at any moment, often while they are empty, and whoever comes after that waits for plans for empty tables.
fn keep_statistics() {
    server().sql("vacuum analyze");
    server().sql(
        "do $$ declare one text; begin for one in select tablename from pg_tables where schemaname = 'public' loop \
         execute format('alter table %I set (autovacuum_enabled = off)', one); end loop; end $$",
    );
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

async fn measure(count: usize, rounds: usize) {
    let admin = Admin::new(server());
    let people: Vec<Value> = (0..count).map(user).collect();
    let names = Names::of(&realm());
    empty(&admin).await;
    keycloak_realm::import(&admin, &people).await;
    keep_statistics();
    let export = server().export(REALM, "50");
    let (mut bare, mut alone, mut whole, mut peak) = (Vec::new(), Vec::new(), Vec::new(), 0);
    // The first round warms the server up, which compiles its program while it runs.
    for round in 0..=rounds {
        empty(&admin).await;
        let began = Instant::now();
        keycloak_realm::import(&admin, &people).await;
        let of_bare = began.elapsed().as_secs_f64();
        empty(&admin).await;
        let of_adapter = adapter(&people, &names).await;
        empty(&admin).await;
        let (of_program, megabytes) = program(export.path());
        if round == 0 {
            println!("a server just started: bare script {of_bare:.2} s, rekindle {of_program:.2} s");
        } else {
            bare.push(of_bare);
            alone.push(of_adapter);
            whole.push(of_program);
            peak = peak.max(megabytes);
        }
    }
    empty(&admin).await;
    server().stop();
    let imported = median((0..rounds).map(|_| import(export.path())).collect());
    server().start_again();
    let (bare, alone, whole) = (median(bare), median(alone), median(whole));
    println!("{count} people, medians of {rounds}");
    println!("bare script: {bare:.2} s, {:.0} a second", count as f64 / bare);
    println!("rekindle's adapter, writing: {alone:.2} s, {:.2} times the bare script's", alone / bare);
    println!(
        "rekindle, planned, journalled, written and read back: {whole:.2} s, {:.2} times the bare script's, \
         {peak} MB at the peak",
        whole / bare
    );
    println!("kc.sh import: {imported:.2} s; rekindle takes {:.2} times as long", whole / imported);
}
