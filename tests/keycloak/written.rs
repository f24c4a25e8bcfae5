//! Realm files of few words, as people write them, and of old servers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::files::File;
use crate::runbooks::said;

/// Every kind of thing with as little as the server's import takes.
fn of_few_words() -> Value {
    let ldap = json!({"connectionUrl": ["ldap://127.0.0.1:1"], "usersDn": ["ou=x"], "bindDn": ["cn"], "authType": ["none"],
        "usernameLDAPAttribute": ["uid"], "rdnLDAPAttribute": ["uid"], "uuidLDAPAttribute": ["x"], "vendor": ["other"],
        "userObjectClasses": ["x"], "editMode": ["READ_ONLY"], "enabled": ["false"]});
    let of_roles = json!({"name": "of roles", "type": "role", "config": {"roles": "[{\"id\":\"reader\"}]"}});
    let all = json!({"name": "all", "type": "resource", "config": {"resources": "[\"album\"]", "applyPolicies": "[\"of roles\"]"}});
    json!({
        "organizationsEnabled": true,
        "accessTokenLifespan": "600",
        "passwordCredentialGrantAllowed": true,
        "otpSupportedApplications": ["An App Of Old"],
        "attributes": {"_browser_header.xFrameOptions": "SAMEORIGIN", "mine": 7},
        "smtpServer": {"host": "mail.example.org", "from": "id@example.org", "port": 25},
        "clients": [
            {"clientId": "bare"},
            {"clientId": "spa", "publicClient": "true", "fullScopeAllowed": "false", "protocolMappers": [{"name": "mail",
                "protocol": "openid-connect", "protocolMapper": "oidc-usermodel-attribute-mapper",
                "config": {"claim.name": "mail", "userinfo.token.claim": true}}]},
            {"clientId": "sp", "protocol": "saml"},
            {"clientId": "checks", "bearerOnly": true},
            {"clientId": "off", "secret": "s", "authorizationSettings": {"scopes": [{"name": "see"}]}},
            {"clientId": "app", "secret": "s", "serviceAccountsEnabled": true, "authorizationServicesEnabled": true,
                "authorizationSettings": {"resources": [{"name": "album", "scopes": ["see"]}], "policies": [of_roles, all]}}],
        "clientScopes": [{"name": "badge"}, {"name": "mail", "protocol": "openid-connect"}],
        "identityProviders": [{"alias": "corp", "providerId": "oidc", "updateProfileFirstLoginMode": "on"}, {"alias": "shop", "providerId": "google"}],
        "identityProviderMappers": [{"name": "m", "identityProviderAlias": "corp",
            "identityProviderMapper": "hardcoded-attribute-idp-mapper", "config": {"attribute": "a"}}],
        "components": {
            "org.keycloak.storage.UserStorageProvider": [{"name": "people", "providerId": "ldap", "config": ldap}],
            "org.keycloak.keys.KeyProvider": [{"name": "rsa", "providerId": "rsa-generated"},
                {"name": "ec", "providerId": "ecdsa-generated"}, {"name": "hmac", "providerId": "hmac-generated"}]},
        "authenticationFlows": [
            {"alias": "ours", "providerId": "basic-flow", "topLevel": true, "authenticationExecutions": [
                {"authenticator": "auth-cookie", "requirement": "ALTERNATIVE"},
                {"flowAlias": "forms of ours", "authenticatorFlow": true, "requirement": "ALTERNATIVE"}]},
            {"alias": "forms of ours", "providerId": "basic-flow", "authenticationExecutions": [
                {"authenticator": "auth-username-password-form", "requirement": "REQUIRED"}]}],
        "requiredActions": [{"alias": "VERIFY_EMAIL"}],
        "roles": {"realm": [{"name": "reader"}], "client": {"bare": [{"name": "writer"}]}},
        "groups": [{"name": "staff", "subGroups": [{"name": "berlin"}]}],
        "defaultGroups": ["staff/berlin"],
        "organizations": [{"name": "acme"}, {"name": "other", "domains": [{"name": "other.example.org"}]}],
        "clientProfiles": {"profiles": [{"name": "strict"}]},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_short_file_does_not_say_is_the_servers_to_choose_and_no_difference() {
    let file = File::written("few-words", of_few_words()).await;
    file.restore();
    let spa = file.client_now("spa").await;
    assert_eq!((&spa["publicClient"], &spa["fullScopeAllowed"]), (&json!(true), &json!(false)));
    assert_eq!(spa["protocolMappers"][0]["config"]["userinfo.token.claim"], "true");
    let settings = file.admin.get("/few-words").await;
    assert_eq!((&settings["attributes"]["mine"], &settings["accessTokenLifespan"]), (&json!("7"), &json!(600)));
    file.undo().await;
    assert!(!file.is_there().await);
}

/// Over a realm that was made of the same file by the server's own import.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_servers_import_made_of_a_short_file_is_what_the_file_asks_for() {
    let file = File::written("few-words-imported", of_few_words()).await;
    file.admin.make_realm(&file.realm).await;
    let (code, plan) = file.call("plan", &[]);
    assert_eq!(code, Some(0), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_people_have_and_no_list_describes_are_made_of_their_names() {
    let realm = json!({"clients": [{"clientId": "kafka", "secret": "s", "serviceAccountsEnabled": true}],
        "users": [{"username": "ana", "enabled": true, "realmRoles": ["chief"], "clientRoles": {"kafka": ["topic:*:read"]}},
            {"username": "service-account-kafka", "serviceAccountClientId": "kafka", "clientRoles": {"kafka": ["topic:a:write"]}}]});
    let file = File::written("named-roles", realm).await;
    let told = file.restore();
    assert!(told.contains("all but the name of a role"), "{told}");
    // Described since, it is no less than what the file names.
    let chief = json!({"name": "chief", "description": "of all", "composite": true});
    file.admin.done(Method::PUT, "/named-roles/roles/chief", chief).await;
    let reader = file.admin.get("/named-roles/roles/offline_access").await;
    file.admin.done(Method::POST, "/named-roles/roles/chief/composites", json!([reader])).await;
    let (code, plan) = file.call("plan", &[]);
    assert_eq!(code, Some(0), "{plan}");
    file.undo().await;
    assert!(!file.is_there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_typed_into_a_file_log_in_and_are_shown_nowhere() {
    let person = |name: &str, credential: Value| {
        json!({"username": name, "enabled": true, "email": format!("{name}@example.org"),
        "firstName": name, "lastName": name, "credentials": [credential]})
    };
    let realm = json!({"users": [
        person("ana", json!({"type": "password", "value": "typed-by-ana", "temporary": false})),
        person("bob", json!({"type": "password", "value": "typed-by-bob", "temporary": true})),
        person("cyd", json!({"value": "typed-by-cyd"}))]});
    let file = File::written("typed", realm).await;
    let (code, plan) = file.call("plan", &[]);
    assert_eq!(code, Some(2), "{plan}");
    assert!(!plan.contains("typed-by"), "{plan}");
    let told = file.restore();
    assert!(!told.contains("typed-by"), "{told}");
    for name in ["ana", "cyd"] {
        assert!(file.admin.logs_in(file.name, name, &format!("typed-by-{name}")).await, "{name}");
        assert!(!file.admin.logs_in(file.name, name, "another").await, "{name}");
    }
    let bob = file.admin.id_of(file.name, "bob").await;
    let of_bob = |now: Value| now["requiredActions"].clone();
    assert_eq!(of_bob(file.admin.get(&format!("/typed/users/{bob}")).await), json!(["UPDATE_PASSWORD"]));
    let report = said(&file.rekindle.call(&["report"]));
    assert!(!report.contains("typed-by"), "{report}");
    assert!(!file.rekindle.holds("typed-by"), "in a file of the run");
    file.undo().await;
    assert!(!file.is_there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_an_old_file_log_in() {
    // PBKDF2 of "password", as Keycloak 4 wrote it.
    let hash = json!({"type": "password", "hashedSaltedValue": "751fat1KXRn0p/yStI8jUeqVu5d2QsAHHtTkAQpCy2z+n5eqPhAUw7uxTu1yvl5T24HC6SaL0BsGgcOMoHySlw==", "salt": "MDEyMzQ1Njc4OWFiY2RlZg==", "hashIterations": 1,
        "algorithm": "pbkdf2-sha256", "counter": 0, "createdDate": 1_530_000_000_000_i64, "digits": 0, "period": 0, "config": {}});
    let code = json!({"type": "otp", "secretData": "{\"value\":\"DJmQfC73VGFhw7D4QJ8A\"}",
        "credentialData": "{\"digits\":6,\"counter\":0,\"period\":30,\"algorithm\":\"HmacSHA1\",\"subType\":\"totp\"}"});
    let realm = json!({"keycloakVersion": "4.0.0", "users": [
        {"username": "ana", "enabled": true, "email": "ana@example.org", "firstName": "A", "lastName": "N", "credentials": [hash]},
        {"username": "bob", "enabled": true, "credentials": [code]}]});
    let file = File::written("of-old", realm).await;
    file.restore();
    assert!(file.admin.logs_in(file.name, "ana", "password").await);
    assert!(!file.admin.logs_in(file.name, "ana", "other").await);
    file.undo().await;
    assert!(!file.is_there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn exact_over_a_short_file_removes_what_its_lists_lack_and_nothing_that_the_server_chose() {
    let file = File::written("short-exact", of_few_words()).await;
    file.restore();
    let (code, told) = file.exactly("plan", &[]);
    assert_eq!(code, Some(0), "{told}");
    // Somebody adds a client, a mapper of one that the file has, and a redirect to one that the file gives none.
    file.admin.done(Method::POST, "/short-exact/clients", json!({"clientId": "later", "secret": "s"})).await;
    let spa = file.client_now("spa").await["id"].as_str().unwrap().to_owned();
    let mapper = json!({"name": "extra", "protocol": "openid-connect",
        "protocolMapper": "oidc-usermodel-attribute-mapper", "config": {"claim.name": "x"}});
    file.admin.done(Method::POST, &format!("/short-exact/clients/{spa}/protocol-mappers/models"), mapper).await;
    let (code, told) = file.exactly("plan", &[]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("realm/clients/later") && told.contains("protocolMappers[name=extra]"), "{told}");
    assert!(!told.contains("realm/clients/account") && !told.contains("realm/flows"), "{told}");
    let (code, told) = file.exactly("run", &["--plain", "--yes", "--yes-deletes", "--yes-irreversible"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(file.client_now("later").await, Value::Null);
    let (code, told) = file.exactly("plan", &[]);
    assert_eq!(code, Some(0), "{told}");
    file.undo().await;
    assert_eq!(file.client_now("later").await["secret"], "s");
    assert_eq!(file.client_now("spa").await["protocolMappers"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_utf_16_or_with_a_mark_at_its_begin_is_restored_as_the_servers_import_does() {
    let text = json!({"realm": "encoded", "enabled": true, "displayName": "Grüße",
        "users": [{"username": "jörg", "enabled": true}]});
    let marked = format!("\u{FEFF}{text}");
    for bytes in [marked.clone().into_bytes(), marked.encode_utf16().flat_map(u16::to_le_bytes).collect()] {
        let file = File::written("encoded", json!({})).await;
        file.write_bytes(&bytes);
        file.restore();
        assert_eq!(file.admin.get("/encoded").await["displayName"], "Grüße");
        assert!(!file.admin.id_of("encoded", "jörg").await.is_empty());
        file.undo().await;
        assert!(!file.is_there().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_has_another_id_and_is_as_in_the_file_in_all_else_is_left_and_named() {
    let of = |id: &str, email: &str| {
        json!({"realm": "another-id", "enabled": true, "users": [{"id": id, "username": "ana", "enabled": true,
            "email": email, "firstName": "Ana", "lastName": "Noll"}]})
    };
    let first = "0c2b5a5e-7d0e-4a7e-9f5b-00000000a1d1";
    let file = File::written("another-id", of(first, "ana@example.org")).await;
    file.restore();
    file.write_bytes(of("0c2b5a5e-7d0e-4a7e-9f5b-00000000a1d2", "ana@example.org").to_string().as_bytes());
    let told = file.restore();
    assert!(told.contains("left as it is: id of user users/ana"), "{told}");
    assert_eq!(file.admin.id_of("another-id", "ana").await, first);
    // With any other difference it may be somebody else.
    file.write_bytes(of("0c2b5a5e-7d0e-4a7e-9f5b-00000000a1d2", "other@example.org").to_string().as_bytes());
    let (code, told) = file.call("run", &["--plain", "--yes"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("same name, different id"), "{told}");
    assert_eq!(file.admin.get(&format!("/another-id/users/{first}")).await["email"], "ana@example.org");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_an_authorization_service_leaves_the_people_whom_its_policies_name() {
    let only_ana = json!({"name": "only ana", "type": "user", "config": {"users": "[\"ana\"]"}});
    let at_night = json!({"name": "at night", "type": "time", "config": {"hour": "1", "hourEnd": "2"}});
    let app = json!({"clientId": "app", "secret": "s", "serviceAccountsEnabled": true, "authorizationServicesEnabled": true,
        "authorizationSettings": {"policyEnforcementMode": "PERMISSIVE", "policies": [only_ana, at_night]}});
    let people = json!([{"username": "ana", "enabled": true}, {"username": "bob", "enabled": true}]);
    let file = File::written("policy-people", json!({"clients": [app], "users": people})).await;
    file.restore();
    // Somebody removes one policy and makes another, which names bob.
    let app = file.client_now("app").await["id"].as_str().unwrap().to_owned();
    let service = format!("/policy-people/clients/{app}/authz/resource-server");
    let found = file.admin.get(&format!("{service}/policy?name=at%20night")).await;
    let gone = format!("{service}/policy/{}", found[0]["id"].as_str().unwrap());
    assert_eq!(file.admin.call(Method::DELETE, &gone, None).await.0, 204);
    let bob = file.admin.id_of("policy-people", "bob").await;
    let own = json!({"name": "my own", "logic": "NEGATIVE", "users": [bob]});
    file.admin.done(Method::POST, &format!("{service}/policy/user"), own).await;
    let named = async || -> Vec<(String, String)> {
        let settings = file.admin.get(&format!("{service}/settings")).await;
        assert_eq!(settings["policyEnforcementMode"], "PERMISSIVE");
        let all = settings["policies"].as_array().unwrap().iter();
        let of = |policy: &Value| {
            Some((policy["name"].as_str()?.to_owned(), policy["config"]["users"].as_str()?.to_owned()))
        };
        let mut named: Vec<_> = all.filter_map(of).collect();
        named.sort();
        named
    };
    let text = |name: &str, users: &str| (name.to_owned(), users.to_owned());
    let wanted = [text("my own", "[\"bob\"]"), text("only ana", "[\"ana\"]")];
    file.restore();
    assert_eq!(named().await, wanted, "after the restore");
    file.undo().await;
    assert_eq!(named().await, wanted, "after the undo");
}
