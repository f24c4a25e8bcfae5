//! What realm files say that is easily lost: names, orders, blanks, and ids that live under other names.

use reqwest::Method;
use serde_json::{Value, json};

use crate::files::File;

async fn default_role(file: &File) -> (String, Vec<String>) {
    let realm = file.admin.get(&format!("/{}", file.name)).await;
    let id = realm["defaultRole"]["id"].as_str().unwrap();
    let made_of = file.admin.get(&format!("/{}/roles-by-id/{id}/composites", file.name)).await;
    let mut names: Vec<String> =
        made_of.as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    (realm["defaultRole"]["name"].as_str().unwrap().to_owned(), names)
}

const OF_THE_SERVER: [&str; 4] = ["manage-account", "offline_access", "uma_authorization", "view-profile"];

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_that_was_renamed_has_its_default_role_by_the_old_name() {
    let mut file = File::of("renamed-realm", json!({})).await;
    let old = json!("default-roles-of-before");
    for role in file.realm["roles"]["realm"].as_array_mut().unwrap() {
        if role["name"] == "default-roles-renamed-realm" {
            role["name"] = old.clone();
        }
    }
    file.realm["defaultRole"]["name"] = old.clone();
    file.write_realm();
    file.write_people(&file.ana());
    file.admin.remove_realm(file.name).await;
    file.restore();
    assert_eq!(
        default_role(&file).await,
        ("default-roles-of-before".to_owned(), OF_THE_SERVER.map(str::to_owned).to_vec())
    );
    // A living realm whose default role has another name gets the one of the backup, and back.
    let id = file.admin.get("/renamed-realm").await["defaultRole"]["id"].as_str().unwrap().to_owned();
    file.admin
        .done(Method::PUT, &format!("/renamed-realm/roles-by-id/{id}"), json!({"name": "mine", "description": "x"}))
        .await;
    file.restore();
    assert_eq!(default_role(&file).await.0, "default-roles-of-before");
    file.undo().await;
    assert_eq!(default_role(&file).await.0, "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_default_roles_in_old_files_are_what_newcomers_get() {
    let mut file = File::of("old-defaults", json!({})).await;
    file.realm = json!({"realm": "old-defaults", "enabled": true, "defaultRoles": ["user", "made"],
        "roles": {"realm": [{"name": "user"}]},
        "clients": [{"clientId": "app", "secret": "s", "defaultRoles": ["read"], "publicClient": false}]});
    file.write_realm();
    file.admin.remove_realm(file.name).await;
    file.restore();
    let (_, mut names) = default_role(&file).await;
    names.retain(|name| !OF_THE_SERVER.contains(&name.as_str()));
    assert_eq!(names, ["made", "read", "user"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_and_repetition_of_an_attributes_values_come_back() {
    let values = json!({"o": ["z", "a", "z"]});
    let mut file = File::of(
        "ordered",
        json!({"groups": [{"name": "g", "attributes": values}], "roles": {"realm": [{"name": "r", "attributes": values}]}}),
    )
    .await;
    let mut profile = file.admin.get("/ordered/users/profile").await;
    profile["unmanagedAttributePolicy"] = json!("ENABLED");
    file.realm["components"]["org.keycloak.userprofile.UserProfileProvider"] = json!([{"providerId": "declarative-user-profile", "config": {"kc.user.profile.config": [profile.to_string()]}}]);
    file.realm["webAuthnPolicySignatureAlgorithms"] = json!(["RS256", "ES256"]);
    file.write_realm();
    let mut people = file.ana();
    people[0]["attributes"] = values.clone();
    file.write_people(&people);
    file.admin.remove_realm(file.name).await;
    file.restore();
    let now = async || {
        let ana = file.admin.id_of("ordered", "ana").await;
        let user = file.admin.get(&format!("/ordered/users/{ana}")).await["attributes"].clone();
        let group = file.admin.get("/ordered/groups?briefRepresentation=false").await[0].clone();
        let role = file.admin.get("/ordered/roles/r").await;
        let algorithms = file.admin.get("/ordered").await["webAuthnPolicySignatureAlgorithms"].clone();
        (ana, user, group, role, algorithms)
    };
    let (ana, user, mut group, mut role, algorithms) = now().await;
    assert_eq!([&user, &group["attributes"], &role["attributes"]], [&values; 3]);
    assert_eq!(algorithms, json!(["RS256", "ES256"]));
    // The server passes over a list of the same values in another order, so it is changed by way of another one.
    let group_at = format!("/ordered/groups/{}", group["id"].as_str().unwrap());
    for other in [json!({"o": ["a"]}), json!({"o": ["a", "z", "z"]})] {
        let of_user = json!({"username": "ana", "attributes": other});
        file.admin.done(Method::PUT, &format!("/ordered/users/{ana}"), of_user).await;
        group["attributes"] = other.clone();
        file.admin.done(Method::PUT, &group_at, group.clone()).await;
        role["attributes"] = other;
        file.admin.done(Method::PUT, "/ordered/roles/r", role.clone()).await;
    }
    let (code, plan) = file.call("plan", &[]);
    assert_eq!((code, plan.matches("attributes.o").count()), (Some(2), 3), "{plan}");
    file.restore();
    let (_, user, group, role, _) = now().await;
    assert_eq!([&user, &group["attributes"], &role["attributes"]], [&values; 3]);
    file.undo().await;
    let (_, user, group, ..) = now().await;
    assert_eq!([&user["o"], &group["attributes"]["o"]], [&json!(["a", "z", "z"]); 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_blanks_is_blank() {
    let scope = json!({"name": "silent", "protocol": "openid-connect", "attributes": {"consent.screen.text": ""}});
    let app = json!({"clientId": "app", "secret": "s", "publicClient": false, "description": "", "attributes": {"tos_uri": ""}});
    let mut file = File::of("blanked", json!({"internationalizationEnabled": true, "supportedLocales": ["en"]})).await;
    file.realm["displayName"] = json!("");
    file.realm["attributes"]["flag"] = json!("");
    file.realm["localizationTexts"] = json!({"en": {"loginTitle": "", "kept": "x"}});
    file.realm["clientScopes"].as_array_mut().unwrap().push(scope);
    file.realm["clients"].as_array_mut().unwrap().push(app);
    file.write_realm();
    file.write_people(&file.ana());
    file.admin.remove_realm(file.name).await;
    file.restore();
    let is_blank = async || {
        let realm = file.admin.get("/blanked").await;
        let messages = file.admin.get("/blanked/localization/en").await;
        let scopes = file.admin.get("/blanked/client-scopes").await;
        let scope = scopes.as_array().unwrap().iter().find(|scope| scope["name"] == "silent").unwrap().clone();
        let app = file.client_now("app").await;
        assert_eq!(
            [
                &realm["displayName"],
                &realm["attributes"]["flag"],
                &messages["loginTitle"],
                &scope["attributes"]["consent.screen.text"]
            ],
            [&json!(""); 4]
        );
        (realm, app)
    };
    let (mut realm, mut app) = is_blank().await;
    // Somebody fills them in.
    realm["displayName"] = json!("Somebody's");
    realm["attributes"]["flag"] = json!("up");
    file.admin.done(Method::PUT, "/blanked", realm).await;
    file.admin.done(Method::POST, "/blanked/localization/en", json!({"loginTitle": "Welcome"})).await;
    app["attributes"]["tos_uri"] = json!("https://somebody.example");
    let at = format!("/blanked/clients/{}", app["id"].as_str().unwrap());
    file.admin.done(Method::PUT, &at, app).await;
    file.restore();
    let (_, app) = is_blank().await;
    assert_eq!(app["attributes"].get("tos_uri"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_is_named_and_not_planned_for_ever() {
    let mut file = File::of("loose-ends", json!({})).await;
    file.realm["authenticatorConfig"].as_array_mut().unwrap().push(json!({"alias": "unused", "config": {"k": "v"}}));
    file.realm["passwordPolicy"] = json!("passwordHistory(3)");
    file.write_realm();
    let mut people = file.ana();
    let secret = json!({"value": "AAAA", "salt": "AAAA", "additionalParameters": {}}).to_string();
    let data = json!({"hashIterations": 5, "algorithm": "pbkdf2-sha256", "additionalParameters": {}}).to_string();
    let credential = |kind: &str, date: i64| json!({"type": kind, "createdDate": date, "secretData": secret, "credentialData": data});
    people[0]["credentials"] = json!([
        credential("password", 1_790_000_002_000),
        credential("password-history", 1_790_000_001_000),
        credential("sms", 3)
    ]);
    file.write_people(&people);
    file.admin.remove_realm(file.name).await;
    let told = file.restore();
    for named in ["unused", "a former password that a policy remembers", "a sms, unless the server has a plugin for it"]
    {
        assert!(told.contains(named), "{named}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_renamed_on_the_server_is_named_and_can_be_made_beside_it() {
    let app = json!({"clients": [{"clientId": "app", "secret": "s", "publicClient": false}]});
    let mut file = File::of("renamed-client", app).await;
    file.client("app")["secret"] = json!("s");
    file.write_realm();
    file.write_people(&file.ana());
    let mut renamed = file.client_now("app").await;
    let at = format!("/renamed-client/clients/{}", renamed["id"].as_str().unwrap());
    renamed["clientId"] = json!("app-new");
    file.admin.done(Method::PUT, &at, renamed.clone()).await;
    file.admin.done(Method::POST, "/renamed-client/users", json!({"username": "bob", "enabled": true})).await;
    let mut people = file.ana();
    people[0]["id"] = json!(file.admin.id_of("renamed-client", "bob").await);
    file.write_people(&people);
    let (_, plan) = file.call("plan", &[]);
    for named in ["the client app-new", "the user bob"] {
        assert!(plan.contains(named), "{named}: {plan}");
    }
    let (code, told) = file.call("run", &["--plain", "--yes"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("is the one of the client app-new here"), "{told}");
    assert_eq!(file.client_now("app").await, Value::Null);
    // Under its old name it is the one that the backup holds.
    renamed["clientId"] = json!("app");
    file.admin.done(Method::PUT, &at, renamed).await;
    file.write_people(&file.ana());
    file.restore();
}
