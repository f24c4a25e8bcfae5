//! What the server's import takes of hand-written files is taken, and means the same.

use reqwest::Method;
use serde_json::{Value, json};

use crate::files::File;
use crate::keycloak::{Admin, server};
use crate::runbooks::said;

/// Restored onto nothing; the server's own import of the file leaves nothing to do; undone to nothing.
pub async fn as_the_server_takes_it(name: &'static str, realm: Value) -> (File, String) {
    let file = File::written(name, realm).await;
    file.admin.make_realm(&file.realm).await;
    let (code, plan) = file.call("plan", &[]);
    assert_eq!(code, Some(0), "{plan}");
    file.admin.remove_realm(name).await;
    let told = file.restore();
    (file, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_only_groups_and_scope_mappings_name_are_made() {
    let realm = json!({"clients": [{"clientId": "app", "secret": "s"}],
        "groups": [{"name": "staff", "realmRoles": ["api"], "clientRoles": {"account": ["helper"]}}],
        "scopeMappings": [{"client": "app", "roles": ["seen"]}], "clientScopeMappings": {"account": [{"client": "app", "roles": ["shown"]}]},
        "users": [{"username": "ana", "enabled": true, "groups": ["/staff"], "clientRoles": {"account": ["guest"]}}]});
    let (file, told) = as_the_server_takes_it("named-by-groups", realm).await;
    assert!(told.contains("all but the name of a role"), "{told}");
    let id = file.admin.id_of(file.name, "ana").await;
    let roles = file.admin.get(&format!("/{}/users/{id}/role-mappings", file.name)).await;
    assert_eq!(roles["clientMappings"]["account"]["mappings"][0]["name"], "guest");
    file.undo().await;
    assert!(!file.is_there().await);
}

fn otp(secret: &str, label: &str) -> Value {
    json!({"type": "otp", "userLabel": label, "secretData": format!("{{\"value\":\"{secret}\"}}"),
        "credentialData": "{\"digits\":6,\"counter\":0,\"period\":30,\"algorithm\":\"HmacSHA1\",\"subType\":\"totp\"}"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_without_a_date_is_made_now_and_known_again() {
    let ana = json!({"username": "ana", "enabled": true, "firstName": "A", "lastName": "N", "email": "ana@example.org",
        "credentials": [{"type": "password", "value": "pw"}, otp("DJmQfC73VGFhw7D4QJ8A", "phone"), otp("DJmQfC73VGFhw7D4QJ8B", "tablet")]});
    let (file, told) = as_the_server_takes_it("undated", json!({"users": [ana]})).await;
    assert!(!told.contains("1970"), "{told}");
    let at = format!("/{}/users/{}", file.name, file.admin.id_of(file.name, "ana").await);
    let held = |all: Value| -> Vec<(String, i64)> {
        let one = |one: &Value| {
            (one["userLabel"].as_str().unwrap_or_default().to_owned(), one["createdDate"].as_i64().unwrap())
        };
        all.as_array().unwrap().iter().map(one).collect()
    };
    let made = held(file.admin.get(&format!("{at}/credentials")).await);
    assert!(made.iter().all(|(_, date)| *date > 1_700_000_000_000), "{made:?}");
    // One of them is lost, comes back, and goes again with the undo.
    let all = file.admin.get(&format!("{at}/credentials")).await;
    let tablet = all.as_array().unwrap().iter().find(|one| one["userLabel"] == "tablet").unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    file.admin.done(Method::DELETE, &format!("{at}/credentials/{tablet}"), json!({})).await;
    file.restore();
    assert_eq!(held(file.admin.get(&format!("{at}/credentials")).await).len(), 3);
    file.undo().await;
    let mut left: Vec<String> =
        held(file.admin.get(&format!("{at}/credentials")).await).into_iter().map(|(label, _)| label).collect();
    left.sort();
    assert_eq!(left, ["", "phone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_authorization_settings_has_the_service_that_they_are_for() {
    let settings = || json!({"resources": [{"name": "album", "uris": ["/*"]}]});
    let realm = json!({"clients": [
        {"clientId": "silent", "secret": "s", "authorizationSettings": settings()},
        {"clientId": "denied", "secret": "s", "authorizationServicesEnabled": false, "authorizationSettings": settings()},
        {"clientId": "public", "publicClient": true, "authorizationServicesEnabled": true},
        {"clientId": "checks", "bearerOnly": true, "authorizationSettings": settings()}]});
    let (file, told) = as_the_server_takes_it("authorizing", realm).await;
    assert!(told.contains("a client with an authorization service is made one that does"), "{told}");
    for (client, resources) in [("silent", 1), ("denied", 1), ("public", 0), ("checks", 1)] {
        let now = file.client_now(client).await;
        assert_eq!(
            (&now["authorizationServicesEnabled"], &now["publicClient"]),
            (&json!(true), &json!(false)),
            "{client}"
        );
        let at = format!("/{}/clients/{}/authz/resource-server/settings", file.name, now["id"].as_str().unwrap());
        assert_eq!(file.admin.get(&at).await["resources"].as_array().unwrap().len(), resources, "{client}");
    }
    file.undo().await;
    assert!(!file.is_there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_realm_of_before_3_stays_its_key() {
    let key = a_key().await;
    let (file, told) = as_the_server_takes_it("own-key", json!({"privateKey": key.clone()})).await;
    assert!(!told.contains("privateKey: the server makes"), "{told}");
    let held = keys_of(&file).await;
    file.admin.make_realm(&file.realm).await;
    assert_eq!(keys_of(&file).await, held, "the public half is of the file's key");
    assert_eq!(held.len(), 2, "for signing and for encryption");
}

/// Public keys of RSA.
async fn keys_of(file: &File) -> Vec<Value> {
    let all = file.admin.get(&format!("/{}/keys", file.name)).await;
    let rsa = all["keys"].as_array().unwrap().iter().filter(|key| key["type"] == "RSA");
    rsa.map(|key| key["publicKey"].clone()).collect()
}

/// One that the server made for another realm, which only its own export tells.
async fn a_key() -> Value {
    let admin = Admin::new(server());
    admin.make_realm(&json!({"realm": "key-of-another", "enabled": true})).await;
    let export = server().export("key-of-another", "50");
    admin.remove_realm("key-of-another").await;
    let text = std::fs::read(export.path().join("key-of-another-realm.json")).unwrap();
    let realm: Value = serde_json::from_slice(&text).unwrap();
    let providers = realm["components"]["org.keycloak.keys.KeyProvider"].as_array().unwrap();
    let signs = providers.iter().find(|one| one["providerId"] == "rsa-generated").unwrap();
    signs["config"]["privateKey"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_are_nowhere_are_passed_over_and_one_in_both_lists_is_given_by_default() {
    let realm = json!({"defaultDefaultClientScopes": ["email", "ghost"], "clients": [
        {"clientId": "app", "defaultClientScopes": ["nosuch", "email"], "optionalClientScopes": ["email", "phone"]}]});
    let (file, told) = as_the_server_takes_it("no-such-scope", realm).await;
    for said in [
        "the client scope nosuch: there is none of that name",
        "the client scope ghost: there is none",
        "by default: email",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let app = file.client_now("app").await;
    assert_eq!((&app["defaultClientScopes"], &app["optionalClientScopes"]), (&json!(["email"]), &json!(["phone"])));
    file.undo().await;
    assert!(!file.is_there().await);
}

/// Found in public files: a SAML scope of the server's own on another client, words in another case, a setting that no
/// server shows, and a path that is not the one of the group's names.
#[tokio::test(flavor = "multi_thread")]
async fn odd_words_of_public_files_mean_what_the_server_makes_of_them() {
    let realm = json!({"sslRequired": "NONE", "groups": [{"name": "Superuser", "path": "/Superusers"}],
        "clients": [{"clientId": "app", "publicClient": true, "defaultClientScopes": ["role_list", "email"]}],
        "components": {"org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy": [{"name": "Allowed",
            "providerId": "allowed-protocol-mappers", "subType": "anonymous", "config": {"consent-required-for-all-mappers": ["true"]}}]},
        "users": [{"username": "ana", "enabled": true, "groups": ["Superuser"]}]});
    let (file, told) = as_the_server_takes_it("odd-words", realm).await;
    assert!(told.contains("the client scope role_list: it is for saml"), "{told}");
    let id = file.admin.id_of(file.name, "ana").await;
    assert_eq!(file.admin.get(&format!("/odd-words/users/{id}/groups")).await[0]["name"], "Superuser");
    file.undo().await;
    assert!(!file.is_there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_optional_in_a_flow_is_asked_of_those_who_have_it() {
    let execution = |authenticator: &str, requirement: &str, priority: u8| json!({"authenticator": authenticator, "requirement": requirement, "priority": priority});
    let realm = json!({"browserFlow": "ours", "authenticationFlows": [{"alias": "ours", "providerId": "basic-flow", "topLevel": true, "builtIn": false,
        "authenticationExecutions": [execution("auth-username-password-form", "REQUIRED", 10), execution("auth-otp-form", "OPTIONAL", 20)]}]});
    let (file, _) = as_the_server_takes_it("optional", realm).await;
    assert_eq!(file.admin.get("/optional").await["enabled"], true);
    let flow = file.admin.get("/optional/authentication/flows/ours/executions").await;
    let shown: Vec<(&Value, &Value)> =
        flow.as_array().unwrap().iter().map(|one| (&one["displayName"], &one["requirement"])).collect();
    assert_eq!(shown[1], (&json!("ours - auth-otp-form - Conditional"), &json!("CONDITIONAL")));
    file.undo().await;
    assert!(!file.is_there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_in_the_realm_file_and_beside_it_are_one_backup() {
    let person = |name: &str| json!({"username": name, "enabled": true});
    let file = File::written("both-files", json!({"users": [person("ana")]})).await;
    file.write_people(&json!([person("bob")]));
    file.restore();
    for name in ["ana", "bob"] {
        file.admin.id_of(file.name, name).await;
    }
    // One who is in both is refused by name.
    file.write_people(&json!([person("bob"), person("ana")]));
    let (code, told) = file.call("plan", &[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("users/ana"), "{told}");
}

/// The server lists an action that nobody asked the realm for, and takes it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_the_realm_does_not_list_is_given_back() {
    let bob = json!({"username": "bob", "enabled": true, "email": "bob@example.org", "firstName": "B", "lastName": "O",
        "requiredActions": ["configure_totp"]});
    let (file, _) = as_the_server_takes_it(
        "unlisted-action",
        json!({"requiredActions": [{"alias": "UPDATE_PROFILE", "providerId": "UPDATE_PROFILE"}], "users": [bob]}),
    )
    .await;
    let at = format!("/unlisted-action/users/{}", file.admin.id_of(file.name, "bob").await);
    let bob = |actions: &[&str], name: &str| json!({"requiredActions": actions, "firstName": name, "lastName": "O", "email": "bob@example.org"});
    file.admin.done(Method::PUT, &at, bob(&["VERIFY_EMAIL", "CONFIGURE_TOTP"], "Q")).await;
    let (code, told) = file.call("run", &["--plain", "--yes"]);
    assert_eq!(code, Some(0), "{told}");
    file.admin.done(Method::PUT, &at, bob(&[], "B")).await;
    file.restore();
    assert_eq!(file.admin.get(&at).await["requiredActions"], json!(["CONFIGURE_TOTP"]));
    file.undo().await;
    file.admin.done(Method::PUT, &at, bob(&["VERIFY_EMAIL", "CONFIGURE_TOTP"], "Q")).await;
    let (code, told) = file.exactly_people("run", &["--plain", "--yes", "--yes-deletes"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(file.admin.get(&at).await["requiredActions"], json!(["CONFIGURE_TOTP"]));
    file.undo().await;
    let now = file.admin.get(&at).await;
    assert_eq!((&now["firstName"], now["requiredActions"].as_array().unwrap().len()), (&json!("Q"), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_credential_is_called_comes_back_with_the_undo() {
    let bob = json!({"username": "bob", "enabled": true, "email": "bob@example.org", "firstName": "B", "lastName": "O",
        "credentials": [{"type": "password", "userLabel": "mine", "createdDate": 1_700_000_000_000_i64,
            "secretData": "{\"value\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}",
            "credentialData": "{\"hashIterations\":27500,\"algorithm\":\"pbkdf2-sha256\"}"}, otp("DJmQfC73VGFhw7D4QJ8A", "phone")]});
    let (file, _) = as_the_server_takes_it("labels", json!({"users": [bob]})).await;
    let at = format!("/labels/users/{}", file.admin.id_of(file.name, "bob").await);
    let otp = |all: &Value| all.as_array().unwrap().iter().find(|one| one["type"] == "otp").cloned().unwrap();
    let before = otp(&file.admin.get(&format!("{at}/credentials")).await);
    file.admin.rename_credential(&at, before["id"].as_str().unwrap(), "old phone").await;
    file.admin.done(Method::PUT, &at, json!({"firstName": "Q", "lastName": "O", "email": "bob@example.org"})).await;
    file.restore();
    let now = otp(&file.admin.get(&format!("{at}/credentials")).await);
    assert_eq!((&now["userLabel"], &now["id"]), (&json!("phone"), &before["id"]), "a name takes no new factor");
    let undo = file.rekindle.call(&["undo", "--yes", "--yes-deletes", "--yes-irreversible"]);
    assert_eq!(undo.status.code(), Some(0), "{}", said(&undo));
    assert_eq!(otp(&file.admin.get(&format!("{at}/credentials")).await)["userLabel"], "old phone");
    assert_eq!(file.admin.get(&at).await["firstName"], "Q");
}

#[tokio::test(flavor = "multi_thread")]
async fn exact_takes_a_consent_away_that_the_backup_lacks_and_says_that_no_undo_gives_it_back() {
    let consent = |client: &str| json!({"clientId": client, "grantedClientScopes": ["email"]});
    let client = |name: &str| json!({"clientId": name, "publicClient": true, "consentRequired": true});
    let person = |consents: Vec<Value>| json!({"username": "ana", "enabled": true, "clientConsents": consents});
    let realm = |consents| json!({"clients": [client("app"), client("other")], "users": [person(consents)]});
    let mut file = File::written("consents", realm(vec![consent("app"), consent("other")])).await;
    file.admin.make_realm(&file.realm).await;
    file.realm["users"] = json!([person(vec![consent("app")])]);
    file.write_realm();
    let (code, plan) = file.call("plan", &[]);
    assert_eq!(code, Some(0), "merge keeps it: {plan}");
    let (code, told) = file.exactly_people("run", &["--plain", "--yes", "--yes-deletes"]);
    assert_eq!(code, Some(2), "it waits for a decision: {told}");
    let (code, told) = file.exactly_people("run", &["--plain", "--yes", "--yes-deletes", "--yes-irreversible"]);
    assert_eq!(code, Some(0), "{told}");
    let at = format!("/consents/users/{}/consents", file.admin.id_of(file.name, "ana").await);
    let left = file.admin.get(&at).await;
    let left: Vec<&Value> = left.as_array().unwrap().iter().map(|one| &one["clientId"]).collect();
    assert_eq!(left, ["app"]);
    let (code, plan) = file.exactly_people("plan", &[]);
    assert_eq!(code, Some(0), "{plan}");
}
