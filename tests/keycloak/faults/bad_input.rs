use std::sync::atomic::{AtomicBool, Ordering};

use rekindle::component::Component;
use rekindle::model::{ErrorKind, Known};
use reqwest::Method;
use serde_json::{Value, json};

use super::proxy::Fate;
use super::*;
use crate::keycloak::Admin;
use crate::no_ledger::NoLedger;

/// Everybody's account is gone.
pub(super) async fn remove_everybody(story: &Story) {
    let users = story.admin.get(&story.at("/users?max=-1")).await;
    for user in users.as_array().unwrap() {
        story.remove(&format!("/users/{}", user["id"].as_str().unwrap())).await;
    }
}

/// The approval was for the realm that was there: one of the same name is another one.
#[tokio::test(flavor = "multi_thread")]
async fn another_realm_behind_the_same_name_is_not_written_to() {
    let (story, proxy) = Story::behind_a_proxy("swapped", 6).await;
    let export = server().export("swapped", "50");
    remove_everybody(&story).await;
    let operator = Operator::new(&proxy.url, "swapped", export.path());
    // Cut off before anything is written.
    proxy.script(|asked| {
        if asked.writes() { Fate::Answer("429 Too Many Requests", "Retry-After: 0\r\n", "{}") } else { Fate::Pass }
    });
    let run = operator.run();
    assert_eq!(run.status.code(), Some(1), "{}", said(&run));
    story.admin.make_realm(&json!({"realm": "swapped", "enabled": true})).await;
    proxy.script(|_| Fate::Pass);
    let resume = operator.resume();
    let told = said(&resume);
    assert_eq!(resume.status.code(), Some(1), "{told}");
    assert!(told.contains("the run began with") && told.contains("answers now"), "{told}");
    assert_eq!(story.admin.get("/swapped/users?max=-1").await, json!([]), "{told}");

    // Within one run: it is another one between the approval and the write.
    let handle = tokio::runtime::Handle::current();
    let (planned, is_other) = (AtomicBool::new(false), AtomicBool::new(false));
    proxy.script(move |asked| {
        let is_planned = planned.fetch_or(asked.path.contains("/users?"), Ordering::SeqCst);
        if is_planned && asked.path.ends_with("/swapped") && !is_other.swap(true, Ordering::SeqCst) {
            let admin = Admin::new(server());
            handle.block_on(async { admin.make_realm(&json!({"realm": "swapped", "enabled": true})).await });
        }
        Fate::Pass
    });
    let run = Operator::new(&proxy.url, "swapped", export.path()).run();
    assert_eq!(run.status.code(), Some(1), "{}", said(&run));
    assert!(said(&run).contains("answers now"), "{}", said(&run));
    assert_eq!(story.admin.get("/swapped/users?max=-1").await, json!([]), "{}", said(&run));
}

/// One is changed by somebody else while its plan waits: that approval alone is void.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_changed_between_approval_and_write_voids_that_approval_only() {
    let (story, proxy) = Story::behind_a_proxy("stranger", 6).await;
    // The server takes no change of those whose names it would not give today.
    let named = ["users/ana", "users/eve@example.org", "users/bob+test@example.org"];
    let people: Vec<_> = named.iter().map(|place| story.one(place)).collect();
    for one in &people {
        let id = story.id_of(one.document().unwrap().value["username"].as_str().unwrap()).await;
        let mut now = story.admin.get(&story.at(&format!("/users/{id}"))).await;
        now["lastName"] = json!("Lost");
        story.put(&format!("/users/{id}"), now).await;
    }
    let changes = story.plan(&people, &[]).await;
    let ana = story.id_of("ana").await;
    let mut now = story.admin.get(&story.at(&format!("/users/{ana}"))).await;
    now["lastName"] = json!("Newly Wed");
    story.put(&format!("/users/{ana}"), now).await;
    proxy.script(|_| Fate::Pass);
    let answers = story.write(&changes).await;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!((refused[0].kind(), refused[0].effect()), (ErrorKind::Conflict, Known::NotApplied));
    assert!(refused[0].chain().contains("its lastName has changed since the plan was made"), "{}", refused[0].chain());
    assert_eq!(story.differences(&people).await, ["user users/ana: Update lastName"]);
}

/// What a user refers to is gone: the server would make a role, hide a link and tell no reason for the others.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_refers_to_what_is_not_there_is_refused_by_its_name_and_nothing_is_made() {
    let (story, _proxy) = Story::behind_a_proxy("dangling", 3).await;
    remove_everybody(&story).await;
    let id = |found: Value| found[0]["id"].as_str().unwrap().to_owned();
    let app = id(story.admin.get(&story.at("/clients?clientId=app")).await);
    // Each is missed by somebody: ana and the third have the role of the client, the second the link.
    story.remove("/roles/reader").await;
    story.remove(&format!("/clients/{app}")).await;
    story.remove("/identity-provider/instances/corp").await;
    let changes = story.plan(&story.below("users"), &[]).await;
    let warned = story.component.check(&changes).await;
    for checked in &warned {
        let warnings = checked.as_ref().unwrap().warnings.join("; ");
        assert!(warnings.contains("refused unless it is restored before"), "{warnings}");
    }
    for answer in story.write(&changes).await {
        let error = answer.unwrap_err();
        assert_eq!(error.effect(), Known::NotApplied);
        let told = error.chain();
        let named = ["role reader", "client app", "identity provider corp", "identity-provider corp", "realm-role"];
        assert!(named.iter().any(|name| told.contains(name)) || told.contains("reader"), "{told}");
    }
    assert_eq!(story.admin.get(&story.at("/users?max=-1")).await, json!([]));
    let roles = story.admin.get(&story.at("/roles")).await;
    assert!(roles.as_array().unwrap().iter().all(|role| role["name"] != "reader"), "a role was made by side effect");
}

/// The same of people who are there, and without a call for each of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_somebody_who_is_there_is_foretold_to_be_refused_too() {
    let (story, proxy) = Story::behind_a_proxy("foretold", 30).await;
    let people = story.below("users");
    let mut emails = 0;
    for (at, one) in people.iter().enumerate() {
        let wanted = &one.document().unwrap().value;
        let id = story.id_of(wanted["username"].as_str().unwrap()).await;
        let mut now = story.admin.get(&story.at(&format!("/users/{id}"))).await;
        now["email"] = json!(format!("other-{at}@example.org"));
        // The server takes no change of those whose names it would not give today.
        let path = story.at(&format!("/users/{id}"));
        emails += usize::from(story.admin.call(Method::PUT, &path, Some(now)).await.0 == 204);
    }
    assert!(emails > 16, "{emails} can be changed: fewer are asked for one by one");
    let ana = &story.one("users/ana").document().unwrap().value.clone();
    let thief = json!({"username": "thief", "email": ana["email"], "enabled": true});
    story.admin.done(Method::POST, &story.at("/users"), thief).await;
    story.remove("/roles/reader").await;
    let changes = story.plan(&people, &[]).await;
    let checked = |at: &str, checked: &[rekindle::model::Result<rekindle::component::Checked>]| {
        let at = changes.iter().position(|one| one.change.id.key.to_string() == at).unwrap();
        checked[at].as_ref().unwrap().warnings.join("; ")
    };
    proxy.script(|_| Fate::Pass);
    let all = story.component.check(&changes).await;
    let calls = proxy.seen(|asked| asked.path.contains("/users"));
    assert!(calls <= 4, "{calls} calls for {emails} e-mails");
    let said = checked("users/ana", &all);
    assert!(said.contains("belongs to the user thief"), "{said}");
    assert!(said.contains("refused unless it is restored before") && said.contains("role reader"), "{said}");
    let alone: Vec<_> = changes.iter().filter(|one| one.change.id.key.to_string() == "users/ana").cloned().collect();
    let said = story.component.check(&alone).await.pop().unwrap().unwrap().warnings.join("; ");
    assert!(said.contains("belongs to the user thief"), "{said}");
    let others = all.iter().filter(|one| one.as_ref().unwrap().warnings.join("").contains("belongs to the user"));
    assert_eq!(others.count(), 1);
}

/// The user profile asks for more than the backup has: somebody who is there cannot be changed, and is told why.
#[tokio::test(flavor = "multi_thread")]
async fn a_required_attribute_that_is_missing_is_named_by_the_plan_and_by_the_refusal() {
    let (story, proxy) = Story::behind_a_proxy("demanding", 3).await;
    let ana = story.id_of("ana").await;
    let mut now = story.admin.get(&story.at(&format!("/users/{ana}"))).await;
    now["lastName"] = json!("Lost");
    story.put(&format!("/users/{ana}"), now).await;
    let bob = story.id_of(&crate::sample::people::username(1)).await;
    story.remove(&format!("/users/{bob}")).await;
    let mut profile = story.admin.get(&story.at("/users/profile")).await;
    profile["attributes"].as_array_mut().unwrap().push(json!({
        "name": "staffNumber", "permissions": {"view": ["admin"], "edit": ["admin"]}, "required": {"roles": ["admin", "user"]}}));
    story.put("/users/profile", profile).await;
    proxy.script(|_| Fate::Pass);
    let changes = story.plan(&story.below("users"), &[]).await;
    let warnings: Vec<String> =
        story.component.check(&changes).await.into_iter().flat_map(|checked| checked.unwrap().warnings).collect();
    assert!(warnings.iter().any(|line| line.contains("staffNumber")), "{warnings:?}");
    for (change, answer) in changes.iter().zip(story.component.write(&changes, &NoLedger).await) {
        match change.live {
            // The server takes it from an import, without asking its profile.
            None => assert!(answer.is_ok(), "{:?}", answer.unwrap_err()),
            Some(_) => {
                let error = answer.unwrap_err();
                assert_eq!(error.effect(), Known::NotApplied, "{}", error.chain());
                assert!(error.chain().contains("staffNumber"), "{}", error.chain());
            }
        }
    }
    let now = story.admin.get(&story.at(&format!("/users/{ana}"))).await;
    assert_eq!(now["lastName"], "Lost");
}

/// An export from another version: what it holds and nobody knows is told, and the rest is restored.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_an_older_or_newer_server_is_restored_as_far_as_it_is_known() {
    let (story, proxy) = Story::behind_a_proxy("versions", 6).await;
    for version in ["18.0.2", "99.1.0"] {
        let export = server().export("versions", "50");
        let path = export.path().join("versions-realm.json");
        let mut realm: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        realm["keycloakVersion"] = json!(version);
        std::fs::write(&path, realm.to_string()).unwrap();
        let path = export.path().join("versions-users-0.json");
        let mut users: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for user in users["users"].as_array_mut().unwrap() {
            user["passkeys"] = json!([{"of": "a later version"}]);
        }
        std::fs::write(&path, users.to_string()).unwrap();
        remove_everybody(&story).await;
        proxy.script(|_| Fate::Pass);
        let operator = Operator::new(&proxy.url, "versions", export.path());
        let plan = operator.plan();
        assert_eq!(plan.status.code(), Some(2), "{}", said(&plan));
        assert!(said(&plan).contains("passkeys"), "{}", said(&plan));
        assert!(said(&plan).contains(version), "{version}: {}", said(&plan));
        let run = operator.run();
        assert_eq!(run.status.code(), Some(0), "{}", said(&run));
        assert_eq!(story.differences(&story.below("users")).await, Vec::<String>::new(), "{version}");
        assert_eq!(story.admin.call(Method::GET, &story.at("/users/count"), None).await.1, json!(6));
    }
}
