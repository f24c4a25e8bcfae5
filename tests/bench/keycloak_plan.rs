//! Reading 10,000 users for a plan, from a real Keycloak: calls, seconds and memory, beside a bare download of the same
//! pages and beside a loop that reads each user. 9,700 of the users are there, 200 of those changed, as in a restore
//! after a bad day. `cargo bench --bench keycloak_plan [-- USERS]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first failure")]

#[path = "../support/keycloak.rs"]
#[allow(dead_code)]
mod keycloak;
mod keycloak_realm;

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use keycloak::{Admin, server};
use keycloak_realm::{GROUPS, REALM, ROLES, empty, import, realm, user};
use rekindle::components::keycloak::canonical::{self, Names, Side};
use rekindle::diff::documents;
use rekindle::model::{DigestKey, Location, Mode, Resource};
use rekindle::reader::{Reader, Wanted};
use reqwest::Method;
use serde_json::{Value, json};

/// As the engine asks: so many tasks a call, so many calls side by side.
const BATCH: usize = 1000;
const SIDE_BY_SIDE: usize = 4;
const ROUNDS: usize = 3;

fn main() {
    let users = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(users));
}

async fn seed(admin: &Admin, users: usize) {
    empty(admin).await;
    let there: Vec<Value> = (0..users * 97 / 100).map(user).collect();
    import(admin, &there).await;
    stream::iter(0..users / 50)
        .for_each_concurrent(4, |at| async move {
            let id = admin.id_of(REALM, &format!("user{at:05}")).await;
            let path = format!("/{REALM}/users/{id}");
            let mut now = admin.get(&path).await;
            now["lastName"] = json!("Changed");
            admin.done(Method::PUT, &path, now).await;
        })
        .await;
}

/// The pages that a bulk read takes, and nothing done with them.
async fn download(admin: &Admin, users: usize) -> usize {
    let mut paths: Vec<String> = (0..users.div_ceil(500))
        .map(|page| format!("/{REALM}/users?briefRepresentation=false&max=500&first={}", page * 500))
        .collect();
    let bare = |path: String, holds: usize| {
        (0..holds.div_ceil(1000).max(1))
            .map(move |page| format!("{path}?briefRepresentation=true&max=1000&first={}", page * 1000))
            .collect::<Vec<_>>()
    };
    let groups = admin.get(&format!("/{REALM}/groups?max=1000")).await;
    for group in groups.as_array().unwrap() {
        paths.extend(bare(format!("/{REALM}/groups/{}/members", group["id"].as_str().unwrap()), users * 2 / GROUPS));
    }
    for role in 0..ROLES {
        paths.extend(bare(format!("/{REALM}/roles/r{role}/users"), users * 2 / ROLES));
    }
    paths.extend(bare(format!("/{REALM}/roles/default-roles-{REALM}/users"), users));
    let count = paths.len();
    stream::iter(paths)
        .for_each_concurrent(6, |path| async move {
            admin.get(&path).await;
        })
        .await;
    count
}

async fn one_by_one(admin: &Admin, users: usize) {
    stream::iter(0..users)
        .for_each_concurrent(8, |at| async move {
            let id = admin.id_of(REALM, &format!("user{at:05}")).await;
            for below in ["", "/groups", "/role-mappings", "/federated-identity", "/credentials"] {
                admin.get(&format!("/{REALM}/users/{id}{below}")).await;
            }
        })
        .await;
}

fn memory(of: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(of)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

async fn measure(users: usize) {
    let admin = Admin::new(server());
    let began = Instant::now();
    seed(&admin, users).await;
    println!("seeded in {:.0} s", began.elapsed().as_secs_f64());
    let names = Names::of(&realm());
    let desired: Vec<Resource> =
        (0..users).map(|at| canonical::user(&user(at), &names, Side::Backup).unwrap().resource()).collect();
    // The server's caches are as cold or warm for one as for the other.
    download(&admin, users).await;
    let before = memory("VmRSS");
    for with_credentials in [false, true] {
        let mut times: [Vec<Duration>; 2] = Default::default();
        let (mut calls, mut changes, mut bare) = (0, 0, 0);
        for _ in 0..ROUNDS {
            let began = Instant::now();
            bare = download(&admin, users).await;
            times[0].push(began.elapsed());
            let component = server().component(REALM);
            let began = Instant::now();
            changes = plan(&component, &desired, with_credentials).await;
            times[1].push(began.elapsed());
            calls = component.calls();
        }
        times.iter_mut().for_each(|times| times.sort());
        let [bare_time, plan_time] = times.map(|times| times[ROUNDS / 2].as_secs_f64());
        println!(
            "credentials {with_credentials}: {users} users, {changes} changes, {calls} calls, {plan_time:.2} s (median of {ROUNDS})"
        );
        println!(
            "  bare download of the same pages: {bare} calls, {bare_time:.2} s; ratio {:.2}",
            plan_time / bare_time
        );
    }
    println!("memory: {before} MB before, {} MB at most", memory("VmHWM"));
    let some = (users / 10).max(1);
    let began = Instant::now();
    one_by_one(&admin, some.min(users * 97 / 100)).await;
    println!("a loop that reads each user, eight at a time: {some} users in {:.2} s", began.elapsed().as_secs_f64());
}

/// As the engine plans: batches side by side, the other side at hand.
async fn plan(component: &rekindle::components::keycloak::Keycloak, desired: &[Resource], credentials: bool) -> usize {
    let key = DigestKey::new([1; 32]);
    let batches: Vec<Vec<Resource>> = desired.chunks(BATCH).map(<[Resource]>::to_vec).collect();
    let planned = stream::iter(batches).map(|batch| {
        let key = &key;
        async move {
            let wanted: Vec<Location> = batch.iter().map(|one| Location::of(&one.id)).collect();
            let with: Vec<Option<Resource>> = batch.iter().cloned().map(|one| credentials.then_some(one)).collect();
            let live = component.read(&Wanted::beside(&wanted, &with)).await;
            let mut changed = 0;
            for (desired, live) in batch.iter().zip(live) {
                let live = live.unwrap();
                let mut wanted = desired.document().unwrap().clone();
                if !credentials {
                    std::sync::Arc::make_mut(&mut wanted.value).as_object_mut().unwrap().remove("credentials");
                }
                let schema = component.schema().kind(&desired.id.kind);
                let live = live.as_ref().and_then(Resource::document);
                let change = documents::changes(&desired.id, live, Some(&wanted), schema, Mode::Merge, key);
                changed += usize::from(change.is_some());
            }
            changed
        }
    });
    planned.buffer_unordered(SIDE_BY_SIDE).fold(0, |sum, some| async move { sum + some }).await
}
