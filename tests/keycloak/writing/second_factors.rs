//! Security keys, passkeys and recovery codes, which only an export holds whole.

use std::path::Path;

use rekindle::model::Fidelity;

use super::*;
use crate::sample::people::username;

/// As the server stores one. It knows the maker of the first, and says so where it shows the key.
fn key(kind: &str, label: &str, created: u64, known: bool) -> Value {
    let data = json!({
        "aaguid": if known { "adce0002-35bc-c60a-648b-0b25f1f05503" } else { "00000000-0000-0000-0000-000000000000" },
        "credentialId": label, "counter": 7, "attestationStatement": null, "attestationStatementFormat": "none",
        "credentialPublicKey": "pQECAyYgASFYIKrsPRf2wsxz5q8cLMG7VQwtBTPBv4gBmb5GFoH7hnBbIlggV_eoZqV3N9hD1qHN4T_sC2qpt9NYFnT1vjm2nqX3Wv8",
        "transports": ["usb", "nfc", "hybrid"]});
    json!({"type": kind, "userLabel": label, "createdDate": created, "secretData": "{}", "credentialData": data.to_string()})
}

fn recovery_codes(created: u64) -> Value {
    let codes = json!({"codes": [{"number": 1, "encodedHashedValue": "aGFzaA=="}, {"number": 2, "encodedHashedValue": "aGFzaB=="}]});
    let data = json!({"hashIterations": null, "algorithm": "RS512", "remaining": 2, "totalCodes": 2});
    json!({"type": "recovery-authn-codes", "userLabel": "Recovery codes", "createdDate": created,
        "secretData": codes.to_string(), "credentialData": data.to_string()})
}

/// A realm whose second user has all of them, as its backup says.
async fn with_factors(name: &str) -> Story {
    use rekindle::components::keycloak::canonical::{self, Names, Side};
    let mut story = Story::seen(name, 2).await;
    let at = format!("/users/{}", story.id_of(&username(1)).await);
    let factors = [
        key("webauthn", "key ring", 1_700_000_100_000, true),
        key("webauthn", "spare", 1_700_000_200_000, false),
        key("webauthn-passwordless", "laptop", 1_700_000_300_000, true),
        recovery_codes(1_700_000_400_000),
    ];
    let mut bob = crate::sample::people::user(&story.sample, 1);
    for factor in factors {
        story.put(&at, json!({"credentials": [factor]})).await;
        bob["credentials"].as_array_mut().unwrap().push(factor);
    }
    let names = Names::of(&json!({"realm": name}));
    let credentials = canonical::user(&bob, &names, Side::Backup).unwrap().document["credentials"].take();
    let bob = story.backup.iter_mut().find(|one| one.id.key.to_string() == "users/bob+test@example.org").unwrap();
    let rekindle::model::Body::Document(document) = &mut bob.body else { panic!("no document") };
    std::sync::Arc::make_mut(&mut document.value)["credentials"] = credentials;
    story
}

/// Bob as an export holds him.
fn exported(files: &Path, realm: &str) -> Value {
    let users: Value =
        serde_json::from_slice(&std::fs::read(files.join(format!("{realm}-users-0.json"))).unwrap()).unwrap();
    users["users"].as_array().unwrap().iter().find(|user| user["username"] == json!(username(1))).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_account_has_the_same_keys_and_codes_again() {
    let mut story = with_factors("passkeys").await;
    let before = server().export("passkeys", "50");
    story.back_up(&before).await;
    let bob = [story.one("users/bob+test@example.org")];
    // As the server shows a key it is not as it is stored; that is no difference.
    assert_eq!(story.differences(&bob).await, nothing());
    story.remove(&format!("/users/{}", story.id_of(&username(1)).await)).await;
    let changes = story.plan(&bob, &[]).await;
    let credentials = changes[0].change.hunks.iter().filter(|hunk| hunk.place().starts_with("credentials"));
    assert!(credentials.into_iter().all(|hunk| hunk.fidelity == Fidelity::Exact), "{:?}", changes[0].change.hunks);
    story.write_all(&changes).await;
    assert_eq!(story.differences(&bob).await, nothing());
    let after = server().export("passkeys", "50");
    let (before, after) = (exported(before.path(), "passkeys"), exported(after.path(), "passkeys"));
    assert_eq!(before["credentials"].as_array().unwrap().len(), 6);
    assert_eq!(after, before, "in every field, ids and their order too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_comes_back_to_who_is_there_and_one_that_is_replaced_is_said_to_be_lost() {
    let story = with_factors("keyring").await;
    let at = format!("/users/{}", story.id_of(&username(1)).await);
    let shown = story.admin.get(&story.at(&format!("{at}/credentials"))).await;
    let before = shown.clone();
    let id = |label: &str| {
        let found = shown.as_array().unwrap().iter().find(|one| one["userLabel"] == label).unwrap();
        format!("{at}/credentials/{}", found["id"].as_str().unwrap())
    };
    story.remove(&id("key ring")).await;
    story.remove(&id("laptop")).await;
    story.remove(&id("spare")).await;
    let mut other = key("webauthn", "spare", 1_700_000_200_000, false);
    other["credentialData"] = json!(other["credentialData"].as_str().unwrap().replace("\"spare\"", "\"another\""));
    story.put(&at, json!({"credentials": [other]})).await;

    let bob = [story.one("users/bob+test@example.org")];
    let changes = story.plan(&bob, &[]).await;
    let told: Vec<(String, Fidelity)> =
        changes[0].change.hunks.iter().map(|hunk| (hunk.place(), hunk.fidelity)).collect();
    assert_eq!(told.iter().filter(|(_, fidelity)| *fidelity == Fidelity::Exact).count(), 2, "{told:?}");
    let replaced = "credentials[key=webauthn@1700000200000].state".to_owned();
    assert!(told.contains(&(replaced, Fidelity::Irreversible)), "{told:?}");
    let warned = story.component.check(&changes).await.pop().unwrap().unwrap().warnings;
    assert!(
        warned.iter().any(|line| line.contains("is lost") && line.contains("webauthn of 2023-11-14 22:16:40")),
        "{warned:?}"
    );

    story.write_all(&changes).await;
    assert_eq!(story.differences(&bob).await, nothing());
    let after = story.admin.get(&story.at(&format!("{at}/credentials"))).await;
    let factors = |shown: Value| -> Vec<Value> {
        let mut all = shown.as_array().unwrap().clone();
        all.iter_mut().for_each(|one| drop(one.as_object_mut().unwrap().remove("id")));
        all
    };
    assert_eq!(factors(after), factors(before), "in every field but the id, in their order");
}
