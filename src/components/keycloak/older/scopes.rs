use serde_json::{Value, json};

use super::{is_named, list_mut};

const OPENID: &str = "openid-connect";

/// The claims of what somebody may do, and from where applications may ask.
pub(super) fn roles_and_origins(realm: &mut Value) {
    let of_roles = |name: &str, provider: &str, claim: &str| {
        let config = json!({"user.attribute": "foo", "multivalued": "true", "claim.name": claim, "jsonType.label": "String",
            "access.token.claim": "true", "introspection.token.claim": "true"});
        mapper(name, provider, config)
    };
    let plain = || json!({"access.token.claim": "true", "introspection.token.claim": "true"});
    let mappers = json!([
        of_roles("realm roles", "oidc-usermodel-realm-role-mapper", "realm_access.roles"),
        of_roles("client roles", "oidc-usermodel-client-role-mapper", "resource_access.${client_id}.roles"),
        mapper("audience resolve", "oidc-audience-resolve-mapper", plain()),
    ]);
    let mut roles = scope("roles", "OpenID Connect scope for add user roles to the access token", mappers);
    roles["attributes"]["display.on.consent.screen"] = json!("true");
    roles["attributes"]["consent.screen.text"] = json!("${rolesScopeConsentText}");
    to_all_clients(realm, roles);
    let mappers = json!([mapper("allowed web origins", "oidc-allowed-origins-mapper", plain())]);
    let about = "OpenID Connect scope for add allowed web origins to the access token";
    let mut origins = scope("web-origins", about, mappers);
    origins["attributes"]["consent.screen.text"] = json!("");
    to_all_clients(realm, origins);
}

/// Of each client on request.
pub(super) fn microprofile(realm: &mut Value) {
    let config = |more: Value| {
        let mut config = json!({"id.token.claim": "true", "access.token.claim": "true", "introspection.token.claim": "true",
            "jsonType.label": "String"});
        if let (Some(config), Some(more)) = (config.as_object_mut(), more.as_object()) {
            config.extend(more.clone());
        }
        config
    };
    let upn = config(json!({"user.attribute": "username", "claim.name": "upn", "userinfo.token.claim": "true"}));
    let groups = config(json!({"user.attribute": "foo", "claim.name": "groups", "multivalued": "true"}));
    let mappers = json!([
        mapper("upn", "oidc-usermodel-attribute-mapper", upn),
        mapper("groups", "oidc-usermodel-realm-role-mapper", groups),
    ]);
    let mut scope = scope("microprofile-jwt", "Microprofile - JWT built-in scope", mappers);
    scope["attributes"]["include.in.token.scope"] = json!("true");
    to_clients(realm, scope, ["optionalClientScopes", "defaultOptionalClientScopes"]);
}

/// The claim by which a token says how surely somebody was recognised.
pub(super) fn acr(realm: &mut Value) {
    let config = json!({"id.token.claim": "true", "access.token.claim": "true", "introspection.token.claim": "true"});
    let mapper = mapper("acr loa level", "oidc-acr-mapper", config);
    let about = "OpenID Connect scope for add acr (authentication context class reference) to the token";
    to_all_clients(realm, scope("acr", about, json!([mapper])));
}

/// The claims that every token had by itself: without this scope a token does not say whose it is.
pub(super) fn basic(realm: &mut Value) {
    let sub = json!({"introspection.token.claim": "true", "access.token.claim": "true"});
    let mappers = json!([mapper("sub", "oidc-sub-mapper", sub), note("auth_time", "AUTH_TIME", "auth_time", "long")]);
    to_all_clients(realm, scope("basic", "OpenID Connect scope for add all basic claims to the token", mappers));
}

/// For clients with an account of their own that are made from now on.
pub(super) fn service_account(realm: &mut Value) {
    let mappers = json!([
        note("Client Host", "clientHost", "clientHost", "String"),
        note("Client ID", "client_id", "client_id", "String"),
        note("Client IP Address", "clientAddress", "clientAddress", "String"),
    ]);
    let about = "Specific scope for a client enabled for service accounts";
    add(realm, scope("service_account", about, mappers));
}

fn scope(name: &str, about: &str, mappers: Value) -> Value {
    json!({"name": name, "description": about, "protocol": OPENID, "protocolMappers": mappers,
        "attributes": {"include.in.token.scope": "false", "display.on.consent.screen": "false"}})
}

fn mapper(name: &str, provider: &str, config: Value) -> Value {
    json!({"name": name, "protocol": OPENID, "protocolMapper": provider, "config": config})
}

/// A claim made of what the session notes.
fn note(name: &str, of_session: &str, claim: &str, kind: &str) -> Value {
    let config = json!({"user.session.note": of_session, "claim.name": claim, "jsonType.label": kind,
        "id.token.claim": "true", "access.token.claim": "true", "introspection.token.claim": "true"});
    mapper(name, "oidc-usersessionmodel-note-mapper", config)
}

/// Whether it was added: a realm whose file lists no scopes gets the server's own, with all of them.
fn add(realm: &mut Value, scope: Value) -> bool {
    let name = scope["name"].as_str().unwrap_or_default();
    let Some(scopes) = list_mut(realm, "clientScopes") else { return false };
    if scopes.iter().any(|one| is_named(one, "name", name)) {
        return false;
    }
    scopes.push(scope);
    true
}

/// To the scopes of the realm, and to those that each client has by default.
fn to_all_clients(realm: &mut Value, scope: Value) {
    to_clients(realm, scope, ["defaultClientScopes", "defaultDefaultClientScopes"]);
}

fn to_clients(realm: &mut Value, scope: Value, [of_client, of_realm]: [&str; 2]) {
    let name = scope["name"].clone();
    if !add(realm, scope) {
        return;
    }
    let takes = |client: &Value| {
        let is_bearer = client.get("bearerOnly").and_then(Value::as_bool) == Some(true);
        let protocol = client.get("protocol").and_then(Value::as_str);
        !is_bearer && protocol.is_none_or(|protocol| protocol == OPENID)
    };
    let clients = realm.get_mut("clients").and_then(Value::as_array_mut).into_iter().flatten();
    for client in clients.filter(|client| takes(client)) {
        push(client, of_client, &name);
    }
    push(realm, of_realm, &name);
}

fn push(of: &mut Value, list: &str, name: &Value) {
    let is_new = |list: &&mut Vec<Value>| !list.contains(name);
    if let Some(list) = list_mut(of, list).filter(is_new) {
        list.push(name.clone());
    }
}
