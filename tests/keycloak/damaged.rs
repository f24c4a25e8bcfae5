//! What was damaged in a living realm comes back, alone and whole, and an undo leads to where it began.

use reqwest::Method;
use serde_json::{Value, json};

use crate::files::File;
use crate::taken::as_the_server_takes_it;

const DELETES: [&str; 4] = ["--plain", "--yes", "--yes-deletes", "--yes-irreversible"];

/// The values of one field, sorted.
fn texts(list: &Value, field: &str) -> Vec<String> {
    let all = list.as_array().unwrap().iter().filter_map(|one| one[field].as_str().map(str::to_owned));
    let mut found: Vec<String> = all.collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blank_that_the_server_does_not_store_is_not_said_to_have_changed_since() {
    let mapper = json!({"name": "team", "protocol": "openid-connect", "protocolMapper": "oidc-usermodel-attribute-mapper",
        "config": {"claim.name": "team", "user.attribute": "team", "aggregate.attrs": ""}});
    let realm = json!({
        "clients": [{"clientId": "app", "secret": "s", "attributes": {"access.token.lifespan": ""}}],
        "clientScopes": [{"name": "teams", "protocol": "openid-connect", "protocolMappers": [mapper]}],
        "identityProviders": [{"alias": "corp", "providerId": "oidc", "config": {"clientId": "c", "issuer": ""}}]});
    let file = File::written("blanks", realm).await;
    file.restore();
    let provider = "/blanks/identity-provider/instances/corp";
    let app = file.place_of("app").await;
    let scopes = file.admin.get("/blanks/client-scopes").await;
    let teams = scopes.as_array().unwrap().iter().find(|one| one["name"] == "teams").unwrap().clone();
    let (scope, id) = (teams["id"].as_str().unwrap(), teams["protocolMappers"][0]["id"].as_str().unwrap());
    let mapper = format!("/blanks/client-scopes/{scope}/protocol-mappers/models/{id}");
    file.change(&app, |client| client["attributes"]["access.token.lifespan"] = json!("7")).await;
    file.change(provider, |provider| provider["config"]["issuer"] = json!("https://theirs.example.org")).await;
    file.change(&mapper, |mapper| mapper["config"]["aggregate.attrs"] = json!("true")).await;
    let shown = async || {
        let lifespan = file.admin.get(&app).await["attributes"]["access.token.lifespan"].clone();
        let issuer = file.admin.get(provider).await["config"]["issuer"].clone();
        [lifespan, issuer, file.admin.get(&mapper).await["config"]["aggregate.attrs"].clone()]
    };
    let before = shown().await;
    file.restore();
    assert!(shown().await.iter().all(|one| one.is_null() || one == ""), "{:?}", shown().await);
    let told = file.undo().await;
    assert!(!told.contains("changed since"), "{told}");
    assert_eq!(shown().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_gives_a_policy_back_and_leaves_how_its_service_decides() {
    let only_ana = json!({"name": "only ana", "type": "user", "config": {"users": "[\"ana\"]"}});
    let app = json!({"clientId": "app", "secret": "s", "serviceAccountsEnabled": true, "authorizationServicesEnabled": true,
        "authorizationSettings": {"policyEnforcementMode": "PERMISSIVE", "decisionStrategy": "AFFIRMATIVE", "policies": [only_ana]}});
    let file =
        File::written("policy-of-group", json!({"clients": [app], "users": [{"username": "ana", "enabled": true}]}))
            .await;
    file.restore();
    let service = format!("{}/authz/resource-server", file.place_of("app").await);
    file.admin.done(Method::POST, "/policy-of-group/groups", json!({"name": "theirs"})).await;
    let group = file.admin.get("/policy-of-group/groups").await[0]["id"].clone();
    let of_group = json!({"name": "of theirs", "groups": [{"id": group, "extendChildren": true}]});
    file.admin.done(Method::POST, &format!("{service}/policy/group"), of_group).await;
    let decides = async || {
        let settings = file.admin.get(&format!("{service}/settings")).await;
        let all = settings["policies"].as_array().unwrap().iter();
        let mut policies: Vec<String> =
            all.map(|one| format!("{} {} {}", one["name"], one["config"]["users"], one["config"]["groups"])).collect();
        policies.sort();
        (settings["policyEnforcementMode"].clone(), settings["decisionStrategy"].clone(), policies)
    };
    let before = decides().await;
    assert_eq!((&before.0, &before.1), (&json!("PERMISSIVE"), &json!("AFFIRMATIVE")));
    let (code, told) = file.exactly("run", &DELETES);
    assert_eq!(code, Some(0), "{told}");
    let between = decides().await;
    assert_eq!((between.0, between.1, between.2.len()), (before.0.clone(), before.1.clone(), before.2.len() - 1));
    file.undo().await;
    assert_eq!(decides().await, before);
}

/// A directory of people with one mapper, of the many that the server gives to a new one.
fn directory() -> Value {
    let mapper = json!({"name": "email", "providerId": "user-attribute-ldap-mapper", "subComponents": {}, "config": {
        "ldap.attribute": ["mail"], "user.model.attribute": ["email"], "read.only": ["true"],
        "is.mandatory.in.ldap": ["false"], "always.read.value.from.ldap": ["false"]}});
    json!({"org.keycloak.storage.UserStorageProvider": [{"name": "people", "providerId": "ldap",
        "subComponents": {"org.keycloak.storage.ldap.mappers.LDAPStorageMapper": [mapper]},
        "config": {"connectionUrl": ["ldap://127.0.0.1:1"], "usersDn": ["ou=x"], "bindDn": ["cn"], "authType": ["none"],
            "usernameLDAPAttribute": ["uid"], "rdnLDAPAttribute": ["uid"], "uuidLDAPAttribute": ["x"], "vendor": ["other"],
            "userObjectClasses": ["x"], "editMode": ["READ_ONLY"], "enabled": ["false"]}}]})
}

async fn mappers(file: &File) -> Vec<String> {
    let all = file.admin.get(&format!("/{}/components", file.name)).await;
    let is_mapper = |one: &&Value| one["providerType"] == "org.keycloak.storage.ldap.mappers.LDAPStorageMapper";
    texts(&all.as_array().unwrap().iter().filter(is_mapper).cloned().collect(), "name")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_made_again_has_the_mappers_of_the_backup_alone() {
    let file = File::written("directory", json!({"components": directory()})).await;
    file.restore();
    assert_eq!(mappers(&file).await, ["email"]);
    let providers = "/directory/components?type=org.keycloak.storage.UserStorageProvider";
    let provider = file.admin.get(providers).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(file.admin.call(Method::DELETE, &format!("/directory/components/{provider}"), None).await.0, 204);
    file.restore();
    assert_eq!(mappers(&file).await, ["email"]);
    let (code, plan) = file.exactly("plan", &[]);
    assert_eq!(code, Some(0), "{plan}");
    file.undo().await;
    assert_eq!(file.admin.get(providers).await, json!([]));
}

/// One client is refused, so the realm is made part by part.
fn with_a_refused_client(mut realm: Value) -> Value {
    let refused = json!({"clientId": "odd", "secret": "s", "redirectUris": ["not an address\u{7}"], "rootUrl": "::::",
        "baseUrl": "javascript:x"});
    realm["clients"] = json!([refused]);
    realm
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_that_is_made_part_by_part_with_a_directory_is_undone_to_an_empty_server() {
    let realm = with_a_refused_client(json!({"components": directory()}));
    let file = File::written("directory-in-parts", realm).await;
    let (code, told) = file.call("run", &["--plain", "--yes"]);
    assert_eq!(code, Some(1), "{told}");
    assert_eq!(mappers(&file).await, ["email"]);
    file.undo().await;
    assert!(!file.is_there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_says_that_a_part_of_it_was_written() {
    let file = File::written("in-part", with_a_refused_client(json!({"roles": {"realm": [{"name": "reader"}]}}))).await;
    let (code, told) = file.call("run", &["--plain", "--yes"]);
    assert_eq!(code, Some(1), "{told}");
    assert_eq!(file.admin.get("/in-part/roles/reader").await["name"], "reader");
    assert!(!told.contains("nothing that stands") && told.contains("a part of 1 attempt that failed"), "{told}");
    // Over the living realm too.
    assert_eq!(file.admin.call(Method::DELETE, "/in-part/roles/reader", None).await.0, 204);
    let (code, told) = file.call("run", &["--plain", "--yes"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(!told.contains("nothing that stands") && told.contains("a part of 1 attempt that failed"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_goes_after_the_identity_provider_that_uses_it_and_comes_back_with_it() {
    let file = File::written("flow-and-provider", json!({})).await;
    file.restore();
    let flow = json!({"alias": "theirs", "providerId": "basic-flow", "topLevel": true, "builtIn": false});
    file.admin.done(Method::POST, "/flow-and-provider/authentication/flows", flow).await;
    let corp = json!({"alias": "corp", "providerId": "oidc", "firstBrokerLoginFlowAlias": "theirs",
        "config": {"clientId": "c", "clientSecret": "s", "authorizationUrl": "https://i.example.org", "tokenUrl": "https://t.example.org"}});
    file.admin.done(Method::POST, "/flow-and-provider/identity-provider/instances", corp).await;
    // A short file says nothing of flows, so the whole one is what an exact run goes by.
    let there = async || {
        let flows = texts(&file.admin.get("/flow-and-provider/authentication/flows").await, "alias");
        let providers = file.admin.get("/flow-and-provider/identity-provider/instances").await;
        (flows.contains(&"theirs".to_owned()), texts(&providers, "firstBrokerLoginFlowAlias"))
    };
    assert_eq!(there().await, (true, vec!["theirs".to_owned()]));
    let (code, plan) = file.exactly("plan", &[]);
    assert_eq!(code, Some(2), "{plan}");
    assert!(!plan.contains("refused"), "{plan}");
    let (code, told) = file.exactly("run", &DELETES);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(there().await, (false, vec![]));
    file.undo().await;
    assert_eq!(there().await, (true, vec!["theirs".to_owned()]));
}

/// Each with what is changed of it.
const CLIENTS: [(&str, &str); 4] =
    [("spa", "publicClient"), ("checks", "bearerOnly"), ("app", "publicClient"), ("silent", "publicClient")];

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_lost_or_got_its_secret_with_another_kind_is_proved_both_ways() {
    let realm = json!({"clients": [{"clientId": "spa", "publicClient": true}, {"clientId": "checks", "bearerOnly": true},
        {"clientId": "app", "publicClient": false}, {"clientId": "silent", "secret": "s"}]});
    let file = File::written("kinds-of-clients", realm).await;
    file.restore();
    for (client, kind) in CLIENTS {
        let at = file.place_of(client).await;
        file.change(&at, |shown| shown[kind] = json!(shown[kind] != json!(true))).await;
    }
    let shown = async |client: &str| {
        let now = file.client_now(client).await;
        json!([now["publicClient"], now["bearerOnly"], now["secret"]])
    };
    let all = async || {
        let mut all = Vec::new();
        for (client, _) in CLIENTS {
            all.push(shown(client).await);
        }
        all
    };
    let before = all().await;
    file.restore();
    assert_eq!(shown("silent").await, json!([false, false, "s"]));
    assert_eq!(shown("spa").await, json!([true, false, null]));
    assert_eq!(shown("checks").await[1], true);
    assert_eq!(shown("app").await[0], false);
    file.undo().await;
    assert_eq!(all().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_a_client_gets_again_is_given_nothing_that_newcomers_get() {
    let account = json!({"username": "service-account-app", "serviceAccountClientId": "app", "enabled": true,
        "createdTimestamp": 1_790_000_000_003_i64});
    let asked =
        json!({"alias": "CONFIGURE_TOTP", "providerId": "CONFIGURE_TOTP", "enabled": true, "defaultAction": true});
    let realm = json!({"clients": [{"clientId": "app", "secret": "s", "serviceAccountsEnabled": true}],
        "groups": [{"name": "newcomers", "realmRoles": ["offline_access"]}], "defaultGroups": ["/newcomers"],
        "requiredActions": [asked], "users": [account]});
    let file = File::written("account-again", realm).await;
    file.restore();
    let app = file.place_of("app").await;
    file.change(&app, |client| client["serviceAccountsEnabled"] = json!(false)).await;
    let before = file.client_now("app").await["defaultClientScopes"].clone();
    let told = file.restore();
    assert!(told.contains("the server dates one that it makes itself"), "{told}");
    assert!(file.client_now("app").await["defaultClientScopes"].to_string().contains("service_account"));
    let account = file.admin.get(&format!("{app}/service-account-user")).await;
    assert_eq!(account["requiredActions"], json!([]));
    let id = account["id"].as_str().unwrap();
    assert_eq!(file.admin.get(&format!("/account-again/users/{id}/groups")).await, json!([]));
    file.undo().await;
    let app = file.client_now("app").await;
    assert_eq!((&app["serviceAccountsEnabled"], &app["defaultClientScopes"]), (&json!(false), &before));
}

/// A file of before Keycloak 26.1 names the scopes of each client, and lacks the one of its account.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_a_client_gets_again_brings_no_scope_that_the_file_does_not_name() {
    let app =
        json!({"clientId": "app", "secret": "s", "serviceAccountsEnabled": true, "defaultClientScopes": ["email"]});
    let file = File::written("account-scope", json!({"clients": [app]})).await;
    file.restore();
    let app = file.place_of("app").await;
    file.change(&app, |client| client["serviceAccountsEnabled"] = json!(false)).await;
    file.restore();
    let (code, plan) = file.exactly("plan", &[]);
    assert_eq!(code, Some(0), "{plan}");
    file.undo().await;
    assert_eq!(file.admin.get(&app).await["serviceAccountsEnabled"], false);
}

/// Found in public files: the console once gave such a policy to every client with an authorization service.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_among_policies_is_named_and_costs_no_realm() {
    let policies = json!([
        {"name": "Default Policy", "type": "js", "config": {"code": "$evaluation.grant();"}},
        {"name": "Default Permission", "type": "resource",
            "config": {"defaultResourceType": "urn:app:resources:default", "applyPolicies": "[\"Default Policy\"]"}},
        {"name": "at night", "type": "time", "config": {"hour": "1", "hourEnd": "2"}}]);
    let app = json!({"clientId": "app", "secret": "s", "serviceAccountsEnabled": true, "authorizationServicesEnabled": true,
        "authorizationSettings": {"policies": policies}});
    let mut other = app.clone();
    other["clientId"] = json!("other");
    other["authorizationSettings"]["policies"].as_array_mut().unwrap().truncate(2);
    let file = File::written("scripts", json!({"clients": [app, other]})).await;
    let told = file.restore();
    assert!(told.contains("the policy Default Policy: the server takes no scripts from files"), "{told}");
    assert!(told.contains("the policy Default Permission: it applies the policy Default Policy"), "{told}");
    let service = format!("{}/authz/resource-server", file.place_of("app").await);
    assert_eq!(texts(&file.admin.get(&format!("{service}/policy")).await, "name"), ["at night"]);
    file.undo().await;
    assert!(!file.is_there().await);
}

/// Found in a public file of Keycloak 4: the file has the client, so the server makes none of its roles.
#[tokio::test(flavor = "multi_thread")]
async fn roles_of_the_account_console_that_only_a_list_of_old_names_are_made() {
    let realm = json!({"keycloakVersion": "4.0.0.Final", "defaultRoles": ["offline_access", "uma_authorization"],
        "clients": [{"clientId": "account", "name": "${client_account}", "defaultRoles": ["view-profile", "manage-account"],
            "redirectUris": ["/auth/realms/old-account/account/*"]}]});
    let (file, _) = as_the_server_takes_it("old-account", realm).await;
    let roles = file.admin.get(&format!("{}/roles", file.place_of("account").await)).await;
    assert!(texts(&roles, "name").contains(&"manage-account".to_owned()), "{roles}");
    file.undo().await;
    assert!(!file.is_there().await);
}
