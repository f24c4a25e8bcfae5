//! A realm under another name, on another server, and people under other ids; by the shipped program.

use std::path::Path;
use std::process::Output;

use reqwest::Method;
use serde_json::{Value, json};

use crate::keycloak::{Admin, one_time_code, other, server};
use crate::reading::made;
use crate::runbooks::{Rekindle, said, with_login};
use crate::sample::Sample;
use crate::sample::people::{OTP_SECRET, PASSWORD, username};

/// A runbook for the whole of a realm, with more settings of its component.
fn runbook(folder: &Path, realm: &str, export: &Path, more: &str) -> String {
    let text = format!(
        "rekindle: 1\ntitle: Copy a realm\n\
         sources:\n  backup: {{ directory: {}, format: keycloak-export }}\n\
         components:\n  keycloak:\n    keycloak: {}\n    realm: {realm}\n    \
         login: {{ realm: master, user: admin, password: {{ env: KEYCLOAK_PASSWORD }} }}\n{more}\
         owners: {{ user: {{ from: backup, kind: user }} }}\n\
         steps:\n  - {{ id: realm, restore: keycloak, from: backup, below: realm }}\n  - id: people\n    each: user\n    \
         needs: [realm]\n    restore: keycloak\n    from: backup\n    below: users/${{user}}\n",
        export.display(),
        server().url()
    );
    let file = folder.join(format!("{realm}.yaml"));
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

fn succeeded(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_under_another_name_has_ids_of_its_own_and_the_old_passwords_and_codes() {
    let admin = Admin::new(server());
    let sample = Sample::new("original", 3);
    sample.make(&admin).await;
    let export = server().export("original", "50");
    let rekindle = Rekindle::new();
    let folder = tempfile::tempdir().unwrap();
    let bob = username(1);
    let logs_in = async |realm: &'static str| {
        assert!(admin.logs_in(realm, "ana", PASSWORD).await, "ana, in {realm}");
        assert!(!admin.logs_in(realm, &bob, PASSWORD).await, "without a code, in {realm}");
        admin.logs_in_with(realm, &bob, PASSWORD, Some(&one_time_code(OTP_SECRET))).await
    };

    // With the ids of the original it cannot stand beside it.
    let twin = runbook(folder.path(), "twin", export.path(), "");
    let refused = rekindle.call(&["run", &twin, "--plain", "--yes"]);
    assert_ne!(refused.status.code(), Some(0));
    assert!(said(&refused).contains("set 'ids: new' at the component"), "{}", said(&refused));

    // Beside the original: everything has another id, for ids are one server's.
    let copy = runbook(folder.path(), "copied", export.path(), "    ids: new\n");
    succeeded(&rekindle.call(&["run", &copy, "--plain", "--yes"]));
    succeeded(&rekindle.call(&["plan", &copy]));
    assert!(logs_in("copied").await);
    assert_ne!(admin.id_of("copied", "ana").await, sample.id("user 0"));
    assert_ne!(admin.get("/copied").await["id"], json!(sample.id("realm")));
    let clients = admin.get("/copied/clients").await;
    for (client, address) in
        [("account", "/realms/copied/account/"), ("security-admin-console", "/admin/copied/console/")]
    {
        let found = clients.as_array().unwrap().iter().find(|one| one["clientId"] == client).unwrap();
        assert_eq!((&found["baseUrl"], &found["redirectUris"]), (&json!(address), &json!([format!("{address}*")])));
    }
    let roles = admin.get("/copied/roles").await;
    let defaults: Vec<&str> = roles
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|role| role["name"].as_str())
        .filter(|name| name.starts_with("default-"))
        .collect();
    assert_eq!(defaults, ["default-roles-copied"]);

    // In place of the original, under another name: everything has its old id.
    admin.remove_realm("original").await;
    let renamed = runbook(folder.path(), "renamed", export.path(), "");
    succeeded(&rekindle.call(&["run", &renamed, "--plain", "--yes"]));
    succeeded(&rekindle.call(&["plan", &renamed]));
    // A code is taken once in its thirty seconds by one realm; this is another one.
    assert!(logs_in("renamed").await);
    assert_eq!(admin.id_of("renamed", "ana").await, sample.id("user 0"));
    assert_eq!(admin.get("/renamed").await["id"], json!(sample.id("realm")));

    // And the way back: nobody, and then no realm.
    let undo = rekindle.call(&["undo", "--yes", "--yes-deletes", "--yes-irreversible"]);
    succeeded(&undo);
    assert_eq!(admin.call(Method::GET, "/renamed", None).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_the_same_name_is_taken_as_the_same_person_where_the_runbook_says_so() {
    let (admin, _) = made("namesakes", 0).await;
    let export = server().export("namesakes", "10");
    let former = admin.id_of("namesakes", "ana").await;
    admin.call(Method::DELETE, &format!("/namesakes/users/{former}"), None).await;
    admin.done(Method::POST, "/namesakes/users", json!({"username": "ana", "enabled": true})).await;
    let now = admin.id_of("namesakes", "ana").await;
    let folder = tempfile::tempdir().unwrap();
    let rekindle = Rekindle::new();
    let keep = runbook(folder.path(), "namesakes", export.path(), "");
    let refused = rekindle.call(&["run", &keep, "--plain", "--yes", "--user", "ana"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("same name, different id"), "{}", said(&refused));
    let accept = runbook(folder.path(), "namesakes", export.path(), "    ids: accept\n");
    let run = rekindle.call(&["run", &accept, "--plain", "--yes", "--user", "ana"]);
    succeeded(&run);
    assert_eq!(admin.id_of("namesakes", "ana").await, now, "it is the account that was there");
    let groups = admin.get(&format!("/namesakes/users/{now}/groups")).await;
    assert!(groups.as_array().unwrap().iter().any(|group| group["name"] == "admins"), "{groups}");
    // She is asked for her profile first, as she was when the export was made.
    admin.done(Method::PUT, &format!("/namesakes/users/{now}"), json!({"requiredActions": []})).await;
    assert!(admin.logs_in("namesakes", "ana", "secret").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_replaced_is_said_to_be_lost_before_and_left_by_the_undo() {
    let (admin, _) = made("passwords", 1).await;
    with_login(&admin, "passwords").await;
    let export = server().export("passwords", "10");
    let id = admin.id_of("passwords", "user00000").await;
    let reset = json!({"type": "password", "value": "a newer one", "temporary": false});
    admin.done(Method::PUT, &format!("/passwords/users/{id}/reset-password"), reset).await;
    let roles = format!("/passwords/users/{id}/role-mappings/realm");
    let dev = admin.get("/passwords/roles/dev").await;
    admin.done(Method::DELETE, &roles, json!([dev])).await;
    let has_dev = async || admin.get(&roles).await.as_array().unwrap().iter().any(|role| role["name"] == "dev");

    let rekindle = Rekindle::new();
    let on = |verb, more: &[&str]| rekindle.on(verb, "keycloak-user.yaml", "passwords", export.path(), more);
    let plan = on("plan", &["--user", "user00000"]);
    assert!(said(&plan).contains("the present one is lost, an undo cannot bring it back: password"), "{}", said(&plan));
    let refused = on("run", &["--plain", "--yes", "--user", "user00000"]);
    assert_ne!(refused.status.code(), Some(0), "{}", said(&refused));
    assert!(said(&refused).contains("--yes-irreversible"), "{}", said(&refused));
    assert!(admin.logs_in("passwords", "user00000", "a newer one").await && !has_dev().await, "nothing was done");
    succeeded(&on("run", &["--plain", "--yes", "--yes-irreversible", "--user", "user00000"]));
    assert!(admin.logs_in("passwords", "user00000", "secret").await && has_dev().await);
    let undo = rekindle.call(&["undo", "--yes", "--yes-deletes"]);
    succeeded(&undo);
    assert!(said(&undo).contains("cannot be brought back"), "{}", said(&undo));
    assert!(!has_dev().await, "all else is as it was");
    assert!(admin.logs_in("passwords", "user00000", "secret").await, "the newer one is gone for good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_moves_to_another_server_with_all_that_a_server_shows() {
    let (from, _) = made("moving", 3).await;
    let to = Admin::new(&other().0);
    let rekindle = Rekindle::new();
    let runbook = format!("{}/runbooks/keycloak-migrate.yaml", env!("CARGO_MANIFEST_DIR"));
    let inputs = [format!("from={}", server().url()), format!("to={}", other().0.url()), "realm=moving".to_owned()];
    let words = |verb| {
        let given = inputs.iter().flat_map(|input| ["--input", input.as_str()]);
        [verb, runbook.as_str()].into_iter().chain(given).collect::<Vec<_>>()
    };
    let plan = rekindle.call(&words("plan"));
    assert_eq!(plan.status.code(), Some(2), "{}", said(&plan));
    assert!(said(&plan).contains("credentials: a live server does not show their secrets"), "{}", said(&plan));
    assert!(said(&plan).contains("keys and secrets that a live server does not show"), "{}", said(&plan));
    let run = rekindle.call(&[words("run"), vec!["--plain", "--yes"]].concat());
    succeeded(&run);
    succeeded(&rekindle.call(&words("plan")));
    for name in ["ana", "user00001", "with space"] {
        assert_eq!(to.id_of("moving", name).await, from.id_of("moving", name).await);
    }
    let of = async |admin: &Admin, path: &str| -> Value { admin.get(&format!("/moving{path}")).await };
    let ana = from.id_of("moving", "ana").await;
    for path in ["/users/count", &format!("/users/{ana}/federated-identity")] {
        assert_eq!(of(&to, path).await, of(&from, path).await, "{path}");
    }
    assert_eq!(of(&to, &format!("/users/{ana}/credentials")).await, json!([]), "and no passwords");
    let app = of(&to, "/clients?clientId=app").await;
    assert_eq!(app[0]["secret"], json!("app-secret"), "who may see clients sees their secrets");
}
