//! Files of older servers: what comes of them is what the server's own import makes of them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::files::File;

/// A realm as Keycloak 24 would have written it, with one who administers it.
async fn of_24(name: &'static str) -> File {
    let probe = json!({"clientId": "probe", "publicClient": true, "directAccessGrantsEnabled": true});
    let mut file = File::of(name, json!({"clients": [probe]})).await;
    let realm = &mut file.realm;
    realm["keycloakVersion"] = json!("24.0.5");
    for setting in
        ["adminPermissionsEnabled", "verifiableCredentialsEnabled", "maxTemporaryLockouts", "bruteForceStrategy"]
    {
        realm.as_object_mut().unwrap().remove(setting);
    }
    let is_new = |scope: &Value| ["basic", "service_account"].iter().any(|new| scope == new || scope["name"] == *new);
    for list in ["clientScopes", "defaultDefaultClientScopes"] {
        realm[list].as_array_mut().unwrap().retain(|scope| !is_new(scope));
    }
    realm["requiredActions"].as_array_mut().unwrap().retain(|action| action["alias"] != "idp_link");
    for client in realm["clients"].as_array_mut().unwrap() {
        client["defaultClientScopes"].as_array_mut().unwrap().retain(|scope| !is_new(scope));
        if ["admin-cli", "security-admin-console"].iter().any(|own| client["clientId"] == *own) {
            client["fullScopeAllowed"] = json!(false);
            client["attributes"].as_object_mut().unwrap().remove("client.use.lightweight.access.token.enabled");
        }
        // The console masks them in its files.
        client.as_object_mut().unwrap().remove("secret");
    }
    realm["users"] = json!([{"username": "chief", "enabled": true, "email": "chief@example.org", "firstName": "C",
        "lastName": "H", "realmRoles": [realm["defaultRole"]["name"]], "clientRoles": {"realm-management": ["realm-admin"]},
        "credentials": [{"type": "password", "value": "chief"}]}]);
    file.write_realm();
    file.admin.remove_realm(name).await;
    file
}

/// The claims of a token that an application is given, and how the realm's own administration answers.
async fn chief(file: &File) -> (Value, u16) {
    let token = file.admin.token_of(file.name, "probe", "chief", "chief").await;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let token = file.admin.token_of(file.name, "admin-cli", "chief", "chief").await;
    let status = file.admin.status_for(&token, &format!("/{}/users", file.name)).await;
    (serde_json::from_slice(&claims).unwrap(), status)
}

async fn scopes_and_rights(file: &File) -> Vec<Value> {
    let clients = file.admin.get(&format!("/{}/clients", file.name)).await;
    let mut found: Vec<Value> = Vec::new();
    for client in clients.as_array().unwrap() {
        let mut scopes: Vec<&str> =
            client["defaultClientScopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
        scopes.sort_unstable();
        let light = &client["attributes"]["client.use.lightweight.access.token.enabled"];
        found.push(json!([client["clientId"], scopes, client["fullScopeAllowed"], light]));
    }
    let mut names = |list: Value, name: &str| {
        found.extend(list.as_array().unwrap().iter().map(|one| json!([name, one[name]])));
    };
    names(file.admin.get(&format!("/{}/client-scopes", file.name)).await, "name");
    names(file.admin.get(&format!("/{}/authentication/required-actions", file.name)).await, "alias");
    names(file.admin.get(&format!("/{}/default-default-client-scopes", file.name)).await, "name");
    found.sort_by_key(Value::to_string);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_realm_of_24_say_whose_they_are_and_its_administrators_get_in() {
    let file = of_24("of-24").await;
    file.admin.make_realm(&file.realm).await;
    let own = scopes_and_rights(&file).await;
    file.admin.remove_realm(file.name).await;
    let told = file.restore();
    assert!(told.contains("what only Keycloak 24.0.5, which wrote it, means"), "{told}");
    assert_eq!(scopes_and_rights(&file).await, own);
    let (claims, status) = chief(&file).await;
    assert!(claims["sub"].is_string(), "{claims}");
    assert_eq!(status, 200);
    file.undo().await;
    assert!(!file.is_there().await);
}

/// The server was upgraded since the last backup.
#[tokio::test(flavor = "multi_thread")]
async fn over_a_living_realm_nothing_comes_back_that_only_the_older_server_meant() {
    let file = of_24("upgraded").await;
    file.admin.make_realm(&file.realm).await;
    let (code, plan) = file.call("plan", &[]);
    assert_eq!(code, Some(0), "{plan}");
    // What the conversion gives is restored where it was lost.
    let console = file.client_now("admin-cli").await;
    let at = format!("/upgraded/clients/{}", console["id"].as_str().unwrap());
    let mut lost = console.clone();
    lost["fullScopeAllowed"] = json!(false);
    file.admin.done(Method::PUT, &at, lost).await;
    assert_eq!(chief(&file).await.1, 403);
    file.restore();
    assert_eq!(chief(&file).await.1, 200);
}

/// Where the server refuses the whole, it is made part by part.
#[tokio::test(flavor = "multi_thread")]
async fn a_realm_of_24_that_is_made_part_by_part_is_no_other() {
    let mut file = of_24("of-24-in-parts").await;
    file.realm["clients"]
        .as_array_mut()
        .unwrap()
        .push(json!({"clientId": "odd", "secret": "s", "redirectUris": ["not an address\u{7}"],
        "rootUrl": "::::", "baseUrl": "javascript:x"}));
    file.write_realm();
    let (code, told) = file.call("run", &["--plain", "--yes"]);
    assert_eq!(code, Some(1), "the server takes no such client: {told}");
    let (claims, status) = chief(&file).await;
    assert!(claims["sub"].is_string(), "{claims}");
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_and_roles_of_a_realm_of_before_20_are_as_the_servers_import_makes_them() {
    let mut file = of_24("of-18").await;
    file.realm["keycloakVersion"] = json!("17.0.1");
    file.realm["components"].as_object_mut().unwrap().remove("org.keycloak.userprofile.UserProfileProvider");
    let account = &mut file.realm["roles"]["client"]["account"];
    account.as_array_mut().unwrap().retain(|role| role["name"] != "view-groups");
    for mapping in file.realm["clientScopeMappings"]["account"].as_array_mut().unwrap() {
        mapping["roles"].as_array_mut().unwrap().retain(|role| role != "view-groups");
    }
    file.realm["clientScopes"].as_array_mut().unwrap().retain(|scope| scope["name"] != "acr");
    file.realm["defaultDefaultClientScopes"].as_array_mut().unwrap().retain(|scope| scope != "acr");
    for client in file.realm["clients"].as_array_mut().unwrap() {
        client["defaultClientScopes"].as_array_mut().unwrap().retain(|scope| scope != "acr");
    }
    file.realm["users"][0]["attributes"] = json!({"team": ["blue"]});
    file.realm["adminTheme"] = json!("keycloak");
    file.write_realm();
    file.admin.make_realm(&file.realm).await;
    let own = scopes_and_rights(&file).await;
    let (code, plan) = file.call("plan", &[]);
    assert_eq!(code, Some(0), "{plan}");
    file.admin.remove_realm(file.name).await;
    file.restore();
    assert_eq!(scopes_and_rights(&file).await, own);
    let chief = file.admin.id_of(file.name, "chief").await;
    assert_eq!(file.admin.get(&format!("/of-18/users/{chief}")).await["attributes"], json!({"team": ["blue"]}));
    assert_eq!(file.admin.get("/of-18").await["adminTheme"], "keycloak.v2");
    file.undo().await;
    assert!(!file.is_there().await);
}
