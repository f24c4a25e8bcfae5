//! Two sessions on one realm, each as the machine of another operator: who has the realm, and what becomes of the
//! other's writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rekindle::component::{Approved, Component};
use rekindle::components::keycloak::Keycloak;
use rekindle::components::keycloak::config::Config;
use rekindle::model::{ErrorKind, Known, Resource, TargetHolder};
use serde_json::{Value, json};

use crate::faults::proxy::{Fate, Proxy};
use crate::keycloak::server;
use crate::no_ledger::NoLedger;
use crate::writing::Story;

fn session(name: &str) -> TargetHolder {
    TargetHolder { run: format!("run-of-{name}"), by: format!("{name}@{name}s-host"), since: 1_795_236_180_123 }
}

/// What stands in the realm's attribute.
pub async fn holder(story: &Story) -> Option<Value> {
    let realm = story.admin.get(&story.at("")).await;
    realm["attributes"]["rekindle.holder"].as_str().map(|text| serde_json::from_str(text).unwrap())
}

async fn is_taken_over(holder: &TargetHolder, from: &Keycloak) -> String {
    from.hold(holder, true).await.unwrap().expect("it was somebody's")
}

#[track_caller]
fn refused(error: rekindle::model::Error, words: &str) {
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Held, Known::NotApplied), "{}", error.chain());
    assert!(error.chain().contains(words), "{}", error.chain());
    assert!(error.hint().is_some());
}

/// A change of one user that can be written again and again.
async fn a_change(story: &Story) -> Vec<Approved> {
    let id = story.id_of("bob+test@example.org").await;
    let mut user = story.admin.get(&story.at(&format!("/users/{id}"))).await;
    user["lastName"] = json!("elsewhere");
    story.put(&format!("/users/{id}"), user).await;
    story.plan(&[story.one("users/bob+test@example.org")], &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_is_refused_until_it_takes_over_and_then_the_first_is() {
    let story = Story::seen("held", 3).await;
    let (ana, bob) = (session("ana"), session("bob"));
    let second = server().component("held");
    second.is_free(&bob).await.unwrap();
    assert_eq!(story.component.hold(&ana, false).await.unwrap(), None);
    assert_eq!(
        holder(&story).await,
        Some(json!({"epoch": 1, "run": "run-of-ana", "by": "ana@anas-host", "since": ana.since}))
    );
    refused(second.is_free(&bob).await.unwrap_err(), "held by ana@anas-host with the run run-of-ana since 2026-11-21");
    refused(second.hold(&bob, false).await.unwrap_err(), "held by ana@anas-host");
    story.component.is_free(&ana).await.unwrap();

    let told = is_taken_over(&bob, &second).await;
    assert!(told.contains("bob@bobs-host took the realm held from ana@anas-host"), "{told}");
    assert_eq!(holder(&story).await.unwrap()["epoch"], 2);
    let change = a_change(&story).await;
    let before = story.differences(&[story.one("users/bob+test@example.org")]).await;
    refused(story.write(&change).await.pop().unwrap().unwrap_err(), "held by bob@bobs-host with the run run-of-bob");
    assert_eq!(story.differences(&[story.one("users/bob+test@example.org")]).await, before, "it is untouched");
    refused(story.component.hold(&ana, false).await.unwrap_err(), "held by bob@bobs-host");
    second.write(&change, &NoLedger).await.pop().unwrap().unwrap();
    assert_eq!(story.differences(&[story.one("users/bob+test@example.org")]).await, Vec::<String>::new());

    // The first one's end takes nothing away from the second.
    story.component.let_go().await.unwrap();
    assert!(holder(&story).await.is_some());
    second.let_go().await.unwrap();
    assert_eq!(holder(&story).await, None);
    second.write(&a_change(&story).await, &NoLedger).await.pop().unwrap().unwrap_err();
    story.component.hold(&ana, false).await.unwrap();
    story.write_all(&a_change(&story).await).await;
    story.component.let_go().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_to_take_over_is_good_for_one_time() {
    let story = Story::seen("once", 1).await;
    let (ana, bob) = (session("ana"), session("bob"));
    let second = server().component("once");
    story.component.hold(&ana, true).await.unwrap();
    is_taken_over(&bob, &second).await;
    for _ in 0..2 {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        refused(story.component.hold(&ana, true).await.unwrap_err(), "held by bob@bobs-host");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_killed_is_followed_by_one_of_its_run_and_from_elsewhere_by_a_decision_only() {
    let story = Story::seen("heirs", 2).await;
    let ana = session("ana");
    story.component.hold(&ana, false).await.unwrap();
    let later = TargetHolder { since: ana.since + 1000, ..ana.clone() };
    let elsewhere = TargetHolder { by: "ana@elsewhere".to_owned(), ..later.clone() };
    refused(server().component("heirs").hold(&elsewhere, false).await.unwrap_err(), "held by ana@anas-host");
    let resumed = server().component("heirs");
    resumed.is_free(&later).await.unwrap();
    assert_eq!(resumed.hold(&later, false).await.unwrap(), None);
    assert_eq!(holder(&story).await.unwrap()["epoch"], 2);
    // Another component of the same session: two of them may write to one realm.
    let beside = server().component("heirs");
    assert_eq!(beside.hold(&later, false).await.unwrap(), None);
    assert_eq!(holder(&story).await.unwrap()["epoch"], 2);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    refused(story.write(&a_change(&story).await).await.pop().unwrap().unwrap_err(), "held by ana@anas-host");
    // The run is closed, though its last session was killed.
    story.component.release("another-run").await.unwrap();
    assert!(holder(&story).await.is_some());
    story.component.release("run-of-ana").await.unwrap();
    assert_eq!(holder(&story).await, None);
}

/// An administrator's console saves a realm as a whole, with the attributes that it has read.
#[tokio::test(flavor = "multi_thread")]
async fn a_realm_that_is_saved_as_it_was_is_nobodys_or_its_holders_again() {
    let story = Story::seen("saved", 3).await;
    let (ana, bob) = (session("ana"), session("bob"));
    let read = story.admin.get(&story.at("")).await;
    story.component.hold(&ana, false).await.unwrap();
    let read_of_ana = story.admin.get(&story.at("")).await;
    let second = server().component("saved");
    is_taken_over(&bob, &second).await;
    story.put("", read_of_ana).await;
    assert_eq!(holder(&story).await.unwrap()["run"], "run-of-ana");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    second.write(&a_change(&story).await, &NoLedger).await.pop().unwrap().unwrap();
    assert_eq!(holder(&story).await.unwrap()["run"], "run-of-bob", "the higher epoch stays");
    refused(story.write(&a_change(&story).await).await.pop().unwrap().unwrap_err(), "held by bob@bobs-host");

    story.put("", read).await;
    assert_eq!(holder(&story).await, None);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let change = a_change(&story).await;
    refused(second.write(&change, &NoLedger).await.pop().unwrap().unwrap_err(), "is gone");
    assert_eq!(second.hold(&bob, false).await.unwrap(), None);
    second.write(&change, &NoLedger).await.pop().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_is_held_as_soon_as_it_is_made_and_no_plan_ever_sees_the_name() {
    let story = Story::seen("born", 0).await;
    let realm = story.below("realm");
    story.admin.remove_realm("born").await;
    let (ana, bob) = (session("ana"), session("bob"));
    assert_eq!(story.component.hold(&ana, false).await.unwrap(), None);
    let changes = story.plan(&realm, &[]).await;
    story.write_all(&changes).await;
    assert_eq!(holder(&story).await.unwrap()["run"], "run-of-ana");
    refused(server().component("born").is_free(&bob).await.unwrap_err(), "held by ana@anas-host");
    // Settings are written as a whole, and the name stays; it is in no difference, of no mode.
    let mut settings = story.admin.get(&story.at("")).await;
    settings["displayName"] = json!("another");
    settings["attributes"]["of"] = json!("somebody else");
    story.put("", settings).await;
    let differences = story.differences(&realm).await;
    assert!(!differences.is_empty() && !differences.concat().contains("rekindle"), "{differences:?}");
    story.write_all(&story.plan(&realm, &[]).await).await;
    assert_eq!(holder(&story).await.unwrap()["run"], "run-of-ana");
    story.component.let_go().await.unwrap();
    assert_eq!(holder(&story).await, None);
    assert_eq!(story.admin.get(&story.at("")).await["attributes"]["of"], "somebody else");
}

/// The second takes over at a write of the first, which has many more before it.
async fn taken_over_at(story: &mut Story, which: fn(&str) -> bool) -> Vec<Approved> {
    let proxy = Proxy::before(server().port);
    let name = story.sample.name.clone();
    story.component = Keycloak::new(Config { url: proxy.url.clone(), ..server().config(&name) }).unwrap();
    story.component.hold(&session("ana"), false).await.unwrap();
    let changes = story.plan(&story.below("users"), &[]).await;
    let (runtime, second) = (tokio::runtime::Handle::current(), Arc::new(server().component(&name)));
    let is_taken = AtomicBool::new(false);
    proxy.script(move |asked| {
        if asked.writes() && which(&asked.path) && asked.before > 3 && !is_taken.swap(true, Ordering::SeqCst) {
            runtime.block_on(is_taken_over(&session("bob"), &second));
        }
        Fate::Pass
    });
    changes
}

/// Each is as before or as wanted, and the answer says which.
async fn each_is_whole(story: &Story, changes: &[Approved]) {
    let people: Vec<Resource> = changes.iter().filter_map(|change| change.desired.clone()).collect();
    let before = story.differences(&people).await;
    assert_eq!(before.len(), people.len());
    let answers = story.write(changes).await;
    let after = story.differences(&people).await;
    let mut untouched = Vec::new();
    for ((one, done), before) in people.iter().zip(answers).zip(&before) {
        match done {
            Ok(_) => assert!(!after.iter().any(|place| place.starts_with(&format!("{}:", one.id))), "{after:?}"),
            Err(error) => {
                refused(error, "held by bob@bobs-host");
                untouched.push(before.clone());
            }
        }
    }
    assert_eq!(after, untouched);
    println!("{} of {} are untouched", untouched.len(), people.len());
    assert!(!untouched.is_empty() && untouched.len() < people.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_over_in_the_middle_each_new_user_is_there_as_wanted_or_not_at_all() {
    let mut story = Story::seen("taken-new", 400).await;
    let users = story.admin.get(&story.at("/users?max=-1")).await;
    for user in users.as_array().unwrap() {
        story.remove(&format!("/users/{}", user["id"].as_str().unwrap())).await;
    }
    let changes = taken_over_at(&mut story, |path| path.contains("partialImport")).await;
    each_is_whole(&story, &changes).await;
}

/// Each takes several calls: what was begun is ended.
#[tokio::test(flavor = "multi_thread")]
async fn taken_over_in_the_middle_each_changed_user_is_as_wanted_or_as_before() {
    let mut story = Story::seen("taken-old", 132).await;
    let users = story.admin.get(&story.at("/users?max=-1&briefRepresentation=false&search=user-")).await;
    for user in users.as_array().unwrap() {
        let at = format!("/users/{}", user["id"].as_str().unwrap());
        let mut user = user.clone();
        user["lastName"] = json!("elsewhere");
        story.put(&at, user).await;
        let groups = story.admin.get(&story.at(&format!("{at}/groups"))).await;
        for group in groups.as_array().unwrap() {
            story.remove(&format!("{at}/groups/{}", group["id"].as_str().unwrap())).await;
        }
    }
    let changes = taken_over_at(&mut story, |path| path.contains("/groups/")).await;
    each_is_whole(&story, &changes).await;
}

/// The process slept in the middle of a user, and somebody else has the realm when it wakes.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_slept_in_the_middle_of_a_user_makes_no_further_call_and_calls_that_user_unknown() {
    let mut story = Story::seen("slept", 1).await;
    let at = format!("/users/{}", story.id_of("ana").await);
    let mut user = story.admin.get(&story.at(&at)).await;
    user["lastName"] = json!("elsewhere");
    story.put(&at, user).await;
    for group in story.admin.get(&story.at(&format!("{at}/groups"))).await.as_array().unwrap() {
        story.remove(&format!("{at}/groups/{}", group["id"].as_str().unwrap())).await;
    }
    let proxy = Proxy::before(server().port);
    story.component = Keycloak::new(Config { url: proxy.url.clone(), ..server().config("slept") }).unwrap();
    story.component.hold(&session("ana"), false).await.unwrap();
    let change = story.plan(&[story.one("users/ana")], &[]).await;
    let (runtime, second) = (tokio::runtime::Handle::current(), server().component("slept"));
    proxy.script(move |asked| {
        if asked.writes() && asked.before == 0 {
            runtime.block_on(is_taken_over(&session("bob"), &second));
            std::thread::sleep(std::time::Duration::from_secs(11));
        }
        Fate::Pass
    });
    let error = story.write(&change).await.pop().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Held, Known::Unknown), "{}", error.chain());
    assert!(error.chain().contains("held by bob@bobs-host"), "{}", error.chain());
    assert_eq!(proxy.seen(|asked| asked.writes()), 1);
}
