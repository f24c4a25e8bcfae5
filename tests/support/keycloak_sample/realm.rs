use serde_json::{Value, json};

use super::Sample;

/// As `POST /admin/realms` takes it, people not included.
pub fn representation(sample: &Sample) -> Value {
    let mut realm = settings(sample);
    realm["roles"] = roles(sample);
    realm["groups"] = groups(sample);
    realm["clients"] = clients(sample);
    let provider = identity_provider(sample);
    realm["identityProviders"] = json!([provider]);
    realm["identityProviderMappers"] = json!([{
        "name": "department", "identityProviderAlias": "corp", "identityProviderMapper": "oidc-user-attribute-idp-mapper",
        "config": {"syncMode": "INHERIT", "claim": "dept", "user.attribute": "department"}}]);
    realm
}

fn settings(sample: &Sample) -> Value {
    json!({
        "id": sample.id("realm"),
        "realm": sample.name,
        "displayName": "Staff — Übung",
        "displayNameHtml": "<b>${staff}</b>",
        "enabled": true,
        "sslRequired": "none",
        "loginWithEmailAllowed": true,
        "editUsernameAllowed": true,
        "accessTokenLifespan": 420,
        "passwordPolicy": "length(4)",
        "internationalizationEnabled": true,
        "supportedLocales": ["en", "de"],
        "defaultLocale": "en",
        "localizationTexts": {"de": {"greeting": "Grüß dich, {0}"}},
        "smtpServer": {"host": "127.0.0.1", "port": "2525", "from": "id@example.org", "auth": "true",
            "user": "mailer", "password": "mail secret"},
        "attributes": {"acr.loa.map": "{}", "own.setting": "kept"},
        "enabledEventTypes": ["LOGIN", "LOGOUT"],
        "organizationsEnabled": true,
        "defaultGroups": ["/staff"]
    })
}

fn roles(sample: &Sample) -> Value {
    json!({
        "realm": [
            {"id": sample.id("reader"), "name": "reader", "description": "${role_reader}"},
            {"id": sample.id("writer"), "name": "wri/ter", "attributes": {"level": ["2", "1"]}},
            {"id": sample.id("chief"), "name": "chief", "composite": true,
                "composites": {"realm": ["reader", "wri/ter"], "client": {"app": ["manage"]}}}],
        "client": {"app": [
            {"id": sample.id("read"), "name": "read"},
            {"id": sample.id("manage"), "name": "manage", "composite": true, "composites": {"client": {"app": ["read"]}}}]}
    })
}

fn groups(sample: &Sample) -> Value {
    let group = |name: &str, below: Vec<Value>| json!({"id": sample.id(name), "name": name, "subGroups": below});
    let teams = (0..sample.teams()).map(|team| group(&format!("team-{team:02}"), Vec::new())).collect();
    let mut staff =
        group("staff", vec![group("berlin", vec![group("platform/ops", vec![group("on call", Vec::new())])])]);
    staff["attributes"] = json!({"cost": ["100", "20"]});
    staff["realmRoles"] = json!(["reader"]);
    staff["clientRoles"] = json!({"app": ["read"]});
    json!([staff, group("teams", teams), group("Übung ☃", Vec::new())])
}

fn clients(sample: &Sample) -> Value {
    let mapper = json!({"name": "department", "protocol": "openid-connect",
        "protocolMapper": "oidc-usermodel-attribute-mapper",
        "config": {"user.attribute": "department", "claim.name": "dept", "jsonType.label": "String",
            "id.token.claim": "true", "access.token.claim": "true", "multivalued": "true"}});
    json!([
        {"id": sample.id("app"), "clientId": "app", "name": "${client_app}", "secret": "app secret", "enabled": true,
            "redirectUris": ["https://app.example.org/*", "http://localhost:8080/*"],
            "webOrigins": ["https://app.example.org"], "directAccessGrantsEnabled": true,
            "serviceAccountsEnabled": true, "protocolMappers": [mapper], "attributes": {"own": "1"}},
        {"id": sample.id("batch"), "clientId": "batch", "secret": "batch secret", "enabled": true,
            "serviceAccountsEnabled": true, "standardFlowEnabled": false, "fullScopeAllowed": false},
        {"id": sample.id("portal"), "clientId": "portal", "publicClient": true, "consentRequired": true,
            "directAccessGrantsEnabled": true, "redirectUris": ["https://portal.example.org/*"], "enabled": true},
        {"id": sample.id("sp"), "clientId": "https://saml.example.org/sp", "protocol": "saml", "enabled": true,
            "redirectUris": ["https://saml.example.org/acs"], "attributes": {"saml.client.signature": "false"}}
    ])
}

fn identity_provider(sample: &Sample) -> Value {
    json!({
        "internalId": sample.id("corp"),
        "alias": "corp",
        "providerId": "oidc",
        "enabled": true,
        "trustEmail": true,
        "config": {
            "clientId": "keycloak", "clientSecret": "corp secret", "clientAuthMethod": "client_secret_post",
            "authorizationUrl": "https://corp.example.org/auth", "tokenUrl": "https://corp.example.org/token"}
    })
}

pub fn client_scope() -> Value {
    json!({"name": "badge", "protocol": "openid-connect", "description": "The badge's number",
        "attributes": {"include.in.token.scope": "true"},
        "protocolMappers": [{"name": "badge", "protocol": "openid-connect",
            "protocolMapper": "oidc-usermodel-attribute-mapper",
            "config": {"user.attribute": "badge", "claim.name": "badge", "jsonType.label": "String"}}]})
}
