use std::sync::atomic::{AtomicBool, Ordering};

use rekindle::component::Component;
use rekindle::model::{ErrorKind, Known, Location, Resource};
use rekindle::reader::{Reader, Wanted};
use reqwest::Method;
use serde_json::json;

use super::bad_input::remove_everybody;
use super::proxy::{Asked, Fate};
use super::*;
use crate::no_ledger::NoLedger;

/// What a write may meet that leaves nobody sure of it, or sure that it was not taken.
const FATES: [Fate; 8] = [
    Fate::CutBefore,
    Fate::CutAfter,
    Fate::Truncate,
    Fate::Answer("401 Unauthorized", "", "{\"error\":\"HTTP 401 Unauthorized\"}"),
    Fate::Answer("429 Too Many Requests", "Retry-After: 0\r\n", "{}"),
    Fate::Answer("503 Service Unavailable", "Retry-After: 0\r\n", "<html>busy</html>"),
    Fate::Answer("502 Bad Gateway", "", "<html>nobody there</html>"),
    Fate::Answer("200 OK", "", "<html><title>Sign in</title></html>"),
];

/// Takes from ana what takes several calls to give back.
pub(super) async fn damage(story: &Story) {
    let ana = story.id_of("ana").await;
    let mut now = story.admin.get(&story.at(&format!("/users/{ana}"))).await;
    now["attributes"]["badge"] = json!(["B-99"]);
    now["enabled"] = json!(false);
    story.put(&format!("/users/{ana}"), now).await;
    let roles = story.at(&format!("/users/{ana}/role-mappings/realm"));
    for name in ["reader", "wri/ter"] {
        let all = story.admin.get(&story.at("/roles")).await;
        let role = all.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
        assert_eq!(story.admin.call(Method::DELETE, &roles, Some(json!([role]))).await.0, 204);
    }
    let groups = story.admin.get(&story.at(&format!("/users/{ana}/groups"))).await;
    for group in groups.as_array().unwrap() {
        story.remove(&format!("/users/{ana}/groups/{}", group["id"].as_str().unwrap())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_any_call_of_a_change_meets_the_user_is_wholly_as_wanted() {
    let (story, proxy) = Story::behind_a_proxy("cut-change", 2).await;
    let ana = story.one("users/ana");
    for fate in FATES {
        for nth in 0.. {
            damage(&story).await;
            let changes = story.plan(std::slice::from_ref(&ana), &[]).await;
            let met = fate.clone();
            proxy.script(move |asked| if asked.writes() && asked.before == nth { met.clone() } else { Fate::Pass });
            let answer = story.write(&changes).await.pop().unwrap();
            let writes = proxy.seen(Asked::writes);
            assert!(answer.is_ok(), "{fate:?} at write {nth}: {:?}", answer.unwrap_err());
            assert_eq!(story.differences(std::slice::from_ref(&ana)).await, Vec::<String>::new(), "{fate:?} at {nth}");
            if writes <= nth {
                assert!(nth >= 5, "ana needs a profile, two roles and two groups: {nth} writes");
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_people_are_looked_for_before_they_are_sent_again() {
    let (story, proxy) = Story::behind_a_proxy("cut-new", 20).await;
    let people = story.below("users");
    for fate in FATES {
        remove_everybody(&story).await;
        let changes = story.plan(&people, &[]).await;
        let met = fate.clone();
        // A login that is refused twice is lost.
        let most = if matches!(fate, Fate::Answer("401 Unauthorized", ..)) { 1 } else { 2 };
        proxy.script(move |asked| if asked.writes() && asked.before < most { met.clone() } else { Fate::Pass });
        story.write_all(&changes).await;
        assert_eq!(story.differences(&people).await, Vec::<String>::new(), "{fate:?}");
        let there = story.admin.get(&story.at("/users?max=-1")).await;
        assert_eq!(there.as_array().unwrap().len(), people.len(), "{fate:?}");
        if matches!(fate, Fate::CutAfter | Fate::Truncate) {
            let imports = proxy.seen(|asked| asked.path.contains("partialImport"));
            assert_eq!(imports, 1, "{fate:?}: people who are there are sent again");
        }
    }
}

/// With the network back at once, and with nothing to be reached until the operator comes again.
#[tokio::test(flavor = "multi_thread")]
async fn a_realm_whose_making_was_cut_off_is_settled_by_reading_and_finished() {
    let story = Story::of("cut-realm", 3).await;
    let export = server().export("cut-realm", "50");
    let steps = "  - { id: realm, restore: keycloak, from: backup, below: realm }\n";
    for (fate, stays_away) in [(Fate::CutAfter, false), (Fate::CutAfter, true), (Fate::CutBefore, true)] {
        story.admin.remove_realm("cut-realm").await;
        let proxy = Proxy::before(server().port);
        let (is_cut, met) = (AtomicBool::new(false), fate.clone());
        proxy.script(move |asked| {
            let makes = asked.method == "POST" && asked.path.ends_with("/admin/realms");
            match is_cut.load(Ordering::SeqCst) {
                true if stays_away => Fate::CutBefore,
                false if makes => {
                    is_cut.store(true, Ordering::SeqCst);
                    met.clone()
                }
                _ => Fate::Pass,
            }
        });
        let operator = Operator::of_steps(&proxy.url, "cut-realm", export.path(), steps);
        let run = operator.run();
        assert_eq!(proxy.seen(|asked| asked.method == "POST" && asked.path.ends_with("/admin/realms")), 1);
        match stays_away {
            true => {
                assert_eq!(run.status.code(), Some(1), "{fate:?}: {}", said(&run));
                assert!(said(&run).contains("UNKNOWN") && said(&run).contains("rekindle resume"), "{}", said(&run));
                proxy.script(|_| Fate::Pass);
                let resume = operator.resume();
                assert_eq!(resume.status.code(), Some(0), "{fate:?}: {}", said(&resume));
                let makes = proxy.seen(|asked| asked.method == "POST" && asked.path.ends_with("/admin/realms"));
                assert_eq!(makes, usize::from(matches!(fate, Fate::CutBefore)), "{fate:?}: {}", said(&resume));
            }
            false => assert_eq!(run.status.code(), Some(0), "{}", said(&run)),
        }
        let left = story.differences(&story.below("realm")).await;
        // What the server adds of its own to what it makes is its choice, where the backup says nothing.
        let is_choice = |one: &&String| {
            let adds = !one.contains("Create ") && !one.contains("Update ");
            adds && (one.starts_with("client ") || one.starts_with("client-scope "))
        };
        let otherwise: Vec<&String> = left.iter().filter(|one| !is_choice(one)).collect();
        assert_eq!(otherwise, Vec::<&String>::new(), "{fate:?}");
        operator.has_nothing_left(&format!("{fate:?}"));
        // The run began with a realm that was not there.
        let report = operator.call(&["report", "--json"]);
        let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
        let realm = story.admin.get("/cut-realm").await;
        assert_eq!(report["identities"]["keycloak"]["id"], realm["id"], "{fate:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_disturbed_is_tried_again_and_never_looks_like_fewer_people() {
    let (story, proxy) = Story::behind_a_proxy("cut-read", 60).await;
    let people = story.below("users");
    let with: Vec<Option<Resource>> = people.iter().cloned().map(Some).collect();
    for fate in FATES {
        for nth in [0, 3, 9, 20] {
            let met = fate.clone();
            proxy.script(move |asked| {
                let hit = !asked.writes() && !asked.is_login() && asked.before == nth;
                if hit { met.clone() } else { Fate::Pass }
            });
            let component = behind(&proxy, "cut-read");
            let wanted: Vec<_> = people.iter().map(|one| Location::of(&one.id)).collect();
            for read in component.read(&Wanted::beside(&wanted, &with)).await {
                match read {
                    Ok(found) => assert!(found.is_some(), "{fate:?} at read {nth}: somebody is not there"),
                    // A page of somebody else's is no answer to be had by asking once more.
                    Err(error) => {
                        assert!(matches!(fate, Fate::Answer("200 OK", ..)), "{fate:?} at {nth}: {}", error.chain());
                        assert!(error.chain().contains("no JSON"), "{}", error.chain());
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_told_after_a_few_tries_and_nothing_is_said_to_be_written() {
    let (story, proxy) = Story::behind_a_proxy("cut-gone", 2).await;
    damage(&story).await;
    let changes = story.plan(&[story.one("users/ana")], &[]).await;
    proxy.script(|asked| {
        if asked.writes() { Fate::Answer("429 Too Many Requests", "Retry-After: 0\r\n", "{}") } else { Fate::Pass }
    });
    let error = story.component.write(&changes, &NoLedger).await.pop().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Busy, Known::NotApplied), "{}", error.chain());
    assert_eq!(proxy.seen(Asked::writes), 6);
}
