use std::path::Path;
use std::process::{Command, Output};

use reqwest::Method;
use serde_json::json;

use crate::keycloak::{Admin, server};
use crate::reading::made;

/// The shipped program on a shipped runbook.
fn plan(runbook: &str, realm: &str, export: &Path, more: &[&str]) -> Output {
    let runs = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_rekindle"))
        .args(["plan", &format!("{}/runbooks/{runbook}", env!("CARGO_MANIFEST_DIR"))])
        .args(["--input", &format!("url={}", server().url()), "--input", &format!("realm={realm}")])
        .args(["--input", &format!("export={}", export.display())])
        .args(more)
        .env("KEYCLOAK_PASSWORD", "admin")
        .env("KEYCLOAK_SECRET", "rekindle-secret")
        .env("XDG_STATE_HOME", runs.path())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A client of the realm whose service account may do all in it.
async fn with_login(admin: &Admin, realm: &str) {
    let client = json!({"clientId": "rekindle", "secret": "rekindle-secret", "serviceAccountsEnabled": true, "publicClient": false});
    admin.done(Method::POST, &format!("/{realm}/clients"), client).await;
    let id = |found: serde_json::Value| found[0]["id"].as_str().unwrap().to_owned();
    let client = id(admin.get(&format!("/{realm}/clients?clientId=rekindle")).await);
    let management = id(admin.get(&format!("/{realm}/clients?clientId=realm-management")).await);
    let account = admin.get(&format!("/{realm}/clients/{client}/service-account-user")).await;
    let role = admin.get(&format!("/{realm}/clients/{management}/roles/realm-admin")).await;
    let path = format!("/{realm}/users/{}/role-mappings/clients/{management}", account["id"].as_str().unwrap());
    admin.done(Method::POST, &path, json!([role])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_has_nothing_to_restore_from_its_own_export_and_then_what_was_lost() {
    let (admin, _) = made("planned", 30).await;
    with_login(&admin, "planned").await;
    let export = server().export("planned", "10");
    for runbook in ["keycloak-realm.yaml", "keycloak-user.yaml"] {
        let output = plan(runbook, "planned", export.path(), &[]);
        assert_eq!(output.status.code(), Some(0), "{runbook}: {}", said(&output));
    }
    let ana = admin.id_of("planned", "ana").await;
    let dev = admin.get("/planned/roles/dev").await;
    admin.done(Method::DELETE, &format!("/planned/users/{ana}/role-mappings/realm"), json!([dev])).await;
    let gone = admin.id_of("planned", "user00003").await;
    let (status, _) = admin.call(Method::DELETE, &format!("/planned/users/{gone}"), None).await;
    assert_eq!(status, 204);
    let output = plan("keycloak-user.yaml", "planned", export.path(), &["--user", "ana,user00003,user00004"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let text = said(&output);
    assert!(text.contains("realmRoles[dev]"), "{text}");
    assert!(text.contains("users/user00003"), "{text}");
    assert!(!text.contains("users/user00004"), "{text}");
    assert!(!text.contains("salt"), "a hash is shown: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_name_with_another_id_is_a_conflict_with_its_choices() {
    let (admin, _) = made("impostor", 0).await;
    with_login(&admin, "impostor").await;
    let export = server().export("impostor", "10");
    let ana = admin.id_of("impostor", "ana").await;
    admin.call(Method::DELETE, &format!("/impostor/users/{ana}"), None).await;
    admin.done(Method::POST, "/impostor/users", json!({"username": "ana", "enabled": true})).await;
    let output = plan("keycloak-user.yaml", "impostor", export.path(), &["--user", "ana"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("same name, different id"), "{}", said(&output));
    assert!(said(&output).contains("ids: accept"), "{}", said(&output));
}
