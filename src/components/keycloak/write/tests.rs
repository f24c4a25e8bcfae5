use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::call::Call;
use super::new_realm::representation;
use super::new_user::NewUser;
use super::resource::{body_calls, link_calls};
use super::standing::Standing;
use super::target::Target;
use super::{empty, user};
use crate::components::keycloak::canonical::{self, MASK};
use crate::components::keycloak::config::Ids;
use crate::components::keycloak::kinds::Kind;
use crate::components::keycloak::live::RealmView;

fn a_realm() -> Value {
    let profile = r#"{"attributes":[{"name":"email"},{"name":"badge"}]}"#;
    json!({
        "id": "r", "realm": "Staff", "enabled": true, "displayName": "x", "browserFlow": "mine",
        "smtpServer": {"host": "mail", "password": "p"}, "localizationTexts": {"de": {"a": "b"}},
        "roles": {"realm": [{"id": "r1", "name": "dev"}, {"id": "r0", "name": "default-roles-staff", "composite": true,
                "composites": {"realm": ["dev"]}}],
            "client": {"app": [{"id": "r2", "name": "re/ad"}]}},
        "groups": [{"id": "g1", "name": "a", "path": "/a", "subGroups": [
            {"id": "g2", "name": "s/l", "path": "/a/s/l", "realmRoles": ["dev"]}]}],
        "defaultGroups": ["/a"], "defaultDefaultClientScopes": ["email"],
        "clients": [{"id": "c1", "clientId": "app", "secret": "s3", "redirectUris": ["a"], "attributes": {"k": "1"},
            "authenticationFlowBindingOverrides": {"browser": "f1"}, "defaultClientScopes": ["email"],
            "protocolMappers": [{"name": "m1", "protocolMapper": "x", "config": {"x": "y"}}]}],
        "clientScopes": [{"id": "s1", "name": "email", "protocol": "openid-connect"}],
        "scopeMappings": [{"client": "app", "roles": ["dev"]}],
        "clientScopeMappings": {"app": [{"clientScope": "email", "roles": ["re/ad"]}]},
        "identityProviders": [{"alias": "gh", "internalId": "i1", "config": {"clientId": "c", "clientSecret": "s"}}],
        "identityProviderMappers": [{"name": "im", "identityProviderAlias": "gh", "config": {"a": "b"}}],
        "requiredActions": [{"alias": "UPDATE_PASSWORD", "providerId": "UPDATE_PASSWORD", "enabled": true}],
        "authenticationFlows": [
            {"id": "f1", "alias": "mine", "topLevel": true, "providerId": "basic-flow", "authenticationExecutions": [
                {"authenticator": "cookie", "requirement": "ALTERNATIVE", "priority": 10},
                {"flowAlias": "forms", "requirement": "REQUIRED", "priority": 20}]},
            {"id": "f2", "alias": "forms", "topLevel": false, "providerId": "basic-flow", "authenticationExecutions": [
                {"authenticator": "otp", "authenticatorConfig": "c", "requirement": "REQUIRED", "priority": 30}]}],
        "authenticatorConfig": [{"alias": "c", "config": {"k": "v"}}],
        "components": {
            "org.keycloak.storage.UserStorageProvider": [{"id": "l", "name": "ldap", "providerId": "ldap",
                "config": {"bindCredential": ["pw"], "url": ["ldap://x"]}, "subComponents": {
                "org.keycloak.storage.ldap.mappers.LDAPStorageMapper": [{"id": "n", "name": "username"}]}}],
            "org.keycloak.userprofile.UserProfileProvider": [{"config": {"kc.user.profile.config": [profile]}}]},
        "clientPolicies": {"policies": [{"name": "p1", "enabled": true}]},
        "organizations": [{"id": "o1", "alias": "org", "name": "Org", "identityProviders": [{"alias": "gh"}]}]
    })
}

fn standing() -> Standing {
    Standing::new(Arc::new(RealmView {
        realm: Some(canonical::realm(&a_realm()).unwrap()),
        groups: BTreeMap::new(),
        clients: BTreeMap::new(),
        organizations: BTreeMap::new(),
        roles: BTreeMap::new(),
        providers: Vec::new(),
        hides_unmanaged: true,
    }))
}

fn shown(calls: &[Call]) -> Vec<String> {
    calls.iter().map(|call| format!("{call:?}")).collect()
}

fn target<'a>(
    kind: Kind,
    names: &'a [String],
    from: &'a Value,
    to: &'a Value,
    raw: &'a [Value],
    standing: &'a Standing,
) -> Target<'a> {
    Target { kind, names, from, to, is_new: from == empty(), raw, standing }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn each_hunk_of_a_user_who_is_there_is_a_call_of_its_own() {
    let from = json!({"realmRoles": ["old"], "groups": ["/a"], "email": "a@x"});
    let to = json!({"realmRoles": ["dev"], "groups": ["/a/s%2Fl"], "email": "a@x", "clientRoles": {"app": ["re/ad"]},
        "federatedIdentities": [{"identityProvider": "gh", "userId": "1"}], "organizations": ["org"]});
    let calls = user::calls("u1", &from, &to, &to, &Value::Null, &standing()).unwrap();
    let wanted = [
        "POST /users/u1/federated-identity/gh",
        "PUT /users/u1/groups/g2",
        "POST /users/u1/role-mappings/realm",
        "POST /users/u1/role-mappings/clients/c1",
        "DELETE /users/u1/groups/g1",
        "POST /organizations/o1/members",
    ];
    assert_eq!(shown(&calls), wanted);
    assert_eq!(calls[2].body, Some(json!([{"id": "r1", "name": "dev"}])));
    assert_eq!(user::calls("u1", &to, &to, &to, &Value::Null, &standing()).unwrap(), []);
}

#[test]
fn a_profile_is_written_whole_since_attributes_alone_would_wipe_names() {
    let raw = json!({"id": "u1", "username": "ana", "firstName": "Ana", "lastName": "B", "email": "a@x", "enabled": true,
        "attributes": {"badge": ["1"]}, "access": {}, "federatedIdentities": [], "notBefore": 3});
    let from = json!({"attributes": {"badge": ["1"]}, "lastName": "B"});
    let to = json!({"attributes": {"badge": ["2"]}});
    let calls = user::calls("u1", &from, &to, &to, &raw, &standing()).unwrap();
    let body = json!({"id": "u1", "username": "ana", "firstName": "Ana", "lastName": "", "email": "a@x", "enabled": true,
        "attributes": {"badge": ["2"]}, "requiredActions": []});
    assert_eq!(calls, [Call::put("/users/u1", body)]);
}

#[test]
fn what_the_server_would_drop_in_silence_is_refused() {
    let dropped = json!({"attributes": {"badge": ["1"], "hobby": ["x"]}});
    let error = user::calls("u1", empty(), &dropped, &dropped, &json!({}), &standing()).unwrap_err();
    assert!(error.to_string().contains("attribute hobby"), "{error}");
    let dropped = json!({"requiredActions": ["DANCE"]});
    let error = user::calls("u1", empty(), &dropped, &dropped, &json!({}), &standing()).unwrap_err();
    assert!(error.to_string().contains("required action DANCE"), "{error}");
}

#[test]
fn a_credential_is_written_without_the_id_that_would_make_the_server_skip_it() {
    let held = |state: &str, id: &str| {
        json!({"credentials": [{"key": "password", "type": "password", "state": state,
            "hidden": {"id": id, "secretData": "{s}", "credentialData": "{c}", "createdDate": 5, "priority": 10}}]})
    };
    let (live, backup) = (held("1", "x"), held("2", "y"));
    let mut expected = backup.clone();
    // The diff leaves alone what is not compared.
    expected["credentials"][0]["hidden"] = live["credentials"][0]["hidden"].clone();
    let calls = user::calls("u1", &live, &expected, &backup, &Value::Null, &standing()).unwrap();
    let one = json!({"type": "password", "secretData": "{s}", "credentialData": "{c}", "createdDate": 5});
    assert_eq!(calls, [Call::put("/users/u1", json!({"credentials": [one]}))]);
    let gone = user::calls("u1", &live, empty(), empty(), &Value::Null, &standing()).unwrap();
    assert_eq!(shown(&gone), ["DELETE /users/u1/credentials/x"]);
    let mut masked = backup;
    masked["credentials"][0]["hidden"]["secretData"] = json!(MASK);
    assert!(user::calls("u1", &live, &expected, &masked, &Value::Null, &standing()).is_err());
}

#[test]
fn what_a_user_is_asked_for_first_is_what_the_backup_says() {
    let shown =
        json!([{"id": "o", "type": "otp", "createdDate": 7}, {"id": "p", "type": "password", "createdDate": 5}]);
    let of = |kind: &str, created: u8, priority: u8| json!({"type": kind, "hidden": {"createdDate": created, "priority": priority}});
    let backup = json!({"credentials": [of("otp", 7, 20), of("password", 5, 10)]});
    let calls = super::credential::order("/users/u1", &shown, &backup);
    let wanted = ["POST /users/u1/credentials/p/moveToFirst", "POST /users/u1/credentials/o/moveAfter/p"];
    assert_eq!(self::shown(&calls), wanted);
    let backup = json!({"credentials": [of("otp", 7, 10), of("password", 5, 20)]});
    assert_eq!(super::credential::order("/users/u1", &shown, &backup), []);
}

#[test]
fn a_new_user_names_all_it_needs_or_is_refused_with_the_name() {
    let wanted = json!({"id": "u9", "username": "ana", "groups": ["/a/s%2Fl"], "realmRoles": ["default-roles-{realm}"],
        "clientRoles": {"app": ["re/ad"]}, "credentials": [{"key": "password", "type": "password",
            "hidden": {"id": "x", "secretData": "{}", "createdDate": 1}}]});
    let user = NewUser::of(&wanted, &wanted, Ids::Keep, &standing()).unwrap();
    let made = &user.representation;
    assert_eq!((&made["groups"], &made["realmRoles"]), (&json!(["/a/s/l"]), &json!(["default-roles-staff"])));
    assert_eq!((&made["id"], &made["credentials"][0]["id"]), (&json!("u9"), &json!("x")));
    let copy = NewUser::of(&wanted, &wanted, Ids::New, &standing()).unwrap().representation;
    assert_eq!((copy.get("id"), copy["credentials"][0].get("id")), (None, None));
    let missing = [
        (json!({"realmRoles": ["ops"]}), "realm role ops"),
        (json!({"clientRoles": {"app": ["write"]}}), "client role app/write"),
        (json!({"clientRoles": {"web": ["write"]}}), "client web"),
        (json!({"groups": ["/b"]}), "group /b"),
        (json!({"federatedIdentities": [{"identityProvider": "hub"}]}), "identity provider hub"),
        (json!({"clientConsents": [{"clientId": "web"}]}), "client web"),
        (json!({"clientConsents": [{"clientId": "app", "grantedClientScopes": ["x"]}]}), "client scope x"),
        (json!({"organizations": ["acme"]}), "organization acme"),
    ];
    for (wanted, name) in missing {
        let Err(error) = NewUser::of(&wanted, &wanted, Ids::Keep, &standing()) else { panic!("{name} is not missed") };
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_client_that_is_written_keeps_the_secret_that_nobody_named() {
    let standing = standing();
    let raw = [json!({"id": "c1", "clientId": "app", "secret": MASK, "later": 1, "attributes": {"k": "1", "z": "2"},
        "protocolMappers": [{"id": "pm", "name": "m1"}]})];
    let from = json!({"secret": "s3", "attributes": {"k": "1"}, "protocolMappers": [{"name": "m1", "config": {}}]});
    let to = json!({"secret": "s3", "description": "d", "protocolMappers": [{"name": "m1", "config": {"a": "b"}}],
        "scopeMappings": {"realm": ["dev"]}});
    let app = names(&["app"]);
    let target = target(Kind::Client, &app, &from, &to, &raw, &standing);
    let calls = body_calls(&target).unwrap();
    assert_eq!(shown(&calls), ["PUT /clients/c1", "PUT /clients/c1/protocol-mappers/models/pm"]);
    let body =
        json!({"id": "c1", "clientId": "app", "later": 1, "description": "d", "attributes": {"k": "", "z": "2"}});
    assert_eq!(calls[0].body, Some(body));
    assert_eq!(shown(&link_calls(&target).unwrap()), ["POST /clients/c1/scope-mappings/realm"]);
}

#[test]
fn a_group_is_made_below_its_parent_and_without_an_id() {
    let standing = standing();
    let to = json!({"id": "g1", "attributes": {"x": ["1"]}, "realmRoles": ["dev"]});
    let new = names(&["a", "new"]);
    let calls = body_calls(&target(Kind::Group, &new, empty(), &to, &[], &standing)).unwrap();
    let body = json!({"name": "new", "description": "", "attributes": {"x": ["1"]}});
    assert_eq!(calls, [Call::post("/groups/g1/children", body)]);
    let orphan = names(&["b", "new"]);
    let error = body_calls(&target(Kind::Group, &orphan, empty(), &to, &[], &standing)).unwrap_err();
    assert!(error.to_string().contains("the group b"), "{error}");
}

#[test]
fn a_flow_is_made_from_outside_to_inside() {
    let standing = standing();
    let key = Kind::Flow.id(&["mine"]).key;
    let flow = standing.document(&key).unwrap().clone();
    let name = names(&["mine"]);
    let calls = body_calls(&target(Kind::Flow, &name, empty(), &flow, &[], &standing)).unwrap();
    let visible: Vec<String> = shown(&calls).iter().map(|call| call.replace('\0', "|")).collect();
    let wanted = [
        "POST /authentication/flows",
        "POST /authentication/executions",
        "POST /authentication/flows",
        "POST /authentication/executions",
        "POST /authentication/executions",
        "POST /authentication/executions/|e.1.0|/config",
    ];
    assert_eq!(visible, wanted);
    // Where only a requirement differs, it is set in place, at the place that the flat list of the server has it.
    let mut other = flow.clone();
    other["executions"][1]["flow"]["executions"][0]["requirement"] = json!("DISABLED");
    let raw = [json!([{"id": "x1", "level": 0}, {"id": "x2", "level": 0}, {"id": "x3", "level": 1}])];
    let calls = body_calls(&target(Kind::Flow, &name, &flow, &other, &raw, &standing)).unwrap();
    assert_eq!(shown(&calls), ["PUT /authentication/flows/mine/executions"]);
    assert_eq!(calls[0].body.as_ref().map(|body| &body["id"]), Some(&json!("x3")));
}

#[test]
fn a_realm_made_of_its_resources_is_the_realm_that_they_were_taken_from() {
    let taken = canonical::realm(&a_realm()).unwrap();
    let wanted: Vec<_> = taken
        .resources
        .values()
        .map(|one| {
            let (kind, names) = Kind::of_id(&one.id).unwrap();
            (kind, names, &one.document)
        })
        .collect();
    let made = representation("Staff", &wanted, true);
    let again = canonical::realm(&made).unwrap();
    // Client policies come last, for they change what is written after them.
    let policies = Kind::ClientPolicies.id::<&str>(&[]).key;
    let keys =
        |realm: &canonical::Realm| realm.resources.keys().filter(|key| **key != policies).cloned().collect::<Vec<_>>();
    assert!(taken.resources.contains_key(&policies) && !again.resources.contains_key(&policies));
    assert_eq!(keys(&again), keys(&taken));
    for (key, one) in taken.resources.iter().filter(|(key, _)| **key != policies) {
        let mut now = again.resources[key].document.clone();
        if let Some(fields) = now.as_object_mut() {
            // Which the server takes as it means them when they are not there.
            let implied = ["builtIn", "name"];
            implied.iter().filter(|name| one.document.get(**name).is_none()).for_each(|name| {
                fields.remove(*name);
            });
        }
        assert_eq!(now, one.document, "{key}");
    }
    let other = representation("Copy", &wanted, false);
    assert_eq!((other["realm"].as_str(), other.get("id")), (Some("Copy"), None));
    assert_eq!(other["roles"]["realm"][0]["name"], json!("default-roles-copy"));
    assert_eq!(other["defaultRole"]["name"], json!("default-roles-copy"));
}
