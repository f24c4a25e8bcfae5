use serde_json::{Map, Value, json};

use super::Canonical;
use super::fields::{Fields, compact, keyed, of_texts, split_secrets, without_blanks};
use super::names::{Names, list, scope_mappings};
use super::permission::without_people;
use crate::components::keycloak::kinds::Kind;
use crate::model::{some_of, visible};

/// How many are named of what is passed over.
const NAMED: usize = 4;

/// Of a client, single values.
pub const CLIENT_FIELDS: [&str; 24] = [
    "id",
    "name",
    "description",
    "type",
    "rootUrl",
    "adminUrl",
    "baseUrl",
    "surrogateAuthRequired",
    "enabled",
    "alwaysDisplayInConsole",
    "clientAuthenticatorType",
    "notBefore",
    "bearerOnly",
    "consentRequired",
    "standardFlowEnabled",
    "implicitFlowEnabled",
    "directAccessGrantsEnabled",
    "serviceAccountsEnabled",
    "authorizationServicesEnabled",
    "publicClient",
    "frontchannelLogout",
    "protocol",
    "fullScopeAllowed",
    "nodeReRegistrationTimeout",
];

/// Fields that can hold addresses of the realm on its own server, as its account console's do.
const OWN_ADDRESSES: [&str; 4] = ["rootUrl", "adminUrl", "baseUrl", "redirectUris"];

pub(super) fn client(representation: &Value, realm: &Value, names: &Names) -> Canonical {
    let mut placed = with_addresses(representation, |address| names.address(address));
    let is_made_confidential = keeps_secret(&mut placed);
    let listed_twice = in_one_list(&mut placed);
    let mut fields = Fields::of(&placed);
    let client_id = fields.text("clientId").unwrap_or_default();
    fields.keep(&CLIENT_FIELDS);
    fields.keep_sets(&["redirectUris", "webOrigins"]);
    fields.keep_sets_even_empty(&["defaultClientScopes", "optionalClientScopes"]);
    // A mask stays in its place: what is masked is not gone.
    let secret = fields.take("secret").and_then(without_blanks);
    fields.put("secret", secret);
    attributes(&mut fields, "attributes", "secretAttributes");
    let flows = fields.take("authenticationFlowBindingOverrides").and_then(Value::as_object);
    let flows: Map<String, Value> = flows
        .into_iter()
        .flatten()
        .filter_map(|(name, id)| Some((name.clone(), Value::String(names.flow(id.as_str()?)))))
        .collect();
    fields.put("authenticationFlowBindingOverrides", compact(&Value::Object(flows)));
    let given = fields.take("protocolMappers");
    fields.put("protocolMappers", given.and_then(mappers));
    let consents = given.filter(|given| have_consents(given));
    let authorization = fields.take("authorizationSettings").and_then(authorization);
    fields.put("authorizationSettings", authorization);
    fields.put("scopeMappings", scope_mappings(realm, names, "client", client_id));
    fields.pass_over(&["clientId", "access", "origin", "registrationAccessToken", "registeredNodes", "defaultRoles"]);
    let (document, mut unknown) = fields.finish();
    unknown.extend(consents.map(|_| CONSENTS.to_owned()));
    if is_made_confidential {
        unknown
            .push("that it keeps no secret: a client with an authorization service is made one that does".to_owned());
    }
    unknown
        .extend(listed_twice.map(|scopes| format!("on request, the client scopes that it has by default: {scopes}")));
    Canonical { id: Kind::Client.id(&[client_id]), document, unknown }
}

/// A client with an authorization service has an account and a secret, whatever else the file says. Whether the file
/// says otherwise.
fn keeps_secret(client: &mut Value) -> bool {
    let Some(fields) = client.as_object_mut() else { return false };
    let has_settings = fields.get("authorizationSettings").is_some_and(|settings| !settings.is_null());
    let is = |fields: &Map<String, Value>, name: &str| {
        fields.get(name).is_some_and(|value| *value == Value::Bool(true) || value == "true")
    };
    if !has_settings && !is(fields, "authorizationServicesEnabled") {
        return false;
    }
    let is_without = is(fields, "publicClient") || is(fields, "bearerOnly");
    for (name, value) in [("authorizationServicesEnabled", true), ("serviceAccountsEnabled", true)] {
        fields.insert(name.to_owned(), Value::Bool(value));
    }
    for name in ["publicClient", "bearerOnly"].into_iter().filter(|_| is_without) {
        fields.insert(name.to_owned(), Value::Bool(false));
    }
    is_without
}

/// A scope is given by default or on request; where a file says both, the server gives it by default. Answers with
/// those, in words.
fn in_one_list(client: &mut Value) -> Option<String> {
    let default = list(client, "defaultClientScopes").to_vec();
    let optional = client.get_mut("optionalClientScopes").and_then(Value::as_array_mut)?;
    let (both, kept): (Vec<Value>, Vec<Value>) = optional.drain(..).partition(|scope| default.contains(scope));
    *optional = kept;
    let names = both.iter().filter_map(Value::as_str).map(visible);
    (!both.is_empty()).then(|| some_of(names, NAMED, ", "))
}

/// A client's representation or document with its own addresses put otherwise.
pub fn with_addresses(client: &Value, place: impl Fn(&str) -> String) -> Value {
    let mut made = client.clone();
    for name in OWN_ADDRESSES {
        match made.get_mut(name) {
            Some(Value::String(text)) => *text = place(text),
            Some(Value::Array(items)) => {
                for item in items {
                    if let Value::String(text) = item {
                        *text = place(text);
                    }
                }
            }
            _ => {}
        }
    }
    made
}

pub(super) fn client_scope(representation: &Value, realm: &Value, names: &Names) -> Canonical {
    let mut fields = Fields::of(representation);
    let name = fields.text("name").unwrap_or_default();
    fields.keep(&["id", "description", "protocol"]);
    attributes(&mut fields, "attributes", "secretAttributes");
    let given = fields.take("protocolMappers");
    fields.put("protocolMappers", given.and_then(mappers));
    fields.put("scopeMappings", scope_mappings(realm, names, "clientScope", name));
    fields.pass_over(&["name"]);
    let (document, mut unknown) = fields.finish();
    unknown.extend(given.filter(|given| have_consents(given)).map(|_| CONSENTS.to_owned()));
    Canonical { id: Kind::ClientScope.id(&[name]), document, unknown }
}

/// Set by the server when it makes the client.
const MADE_BY_SERVER: [&str; 2] = ["client.secret.creation.time", "realm_client"];

pub(super) fn attributes(fields: &mut Fields<'_>, plain_name: &str, secret_name: &str) {
    let Some(given) = fields.take(plain_name) else { return };
    let (mut plain, secret) = split_secrets(given);
    if let Some(Value::Object(plain)) = &mut plain {
        plain.retain(|name, _| !MADE_BY_SERVER.contains(&name.as_str()));
    }
    fields.put(plain_name, plain.as_ref().and_then(compact));
    fields.put(secret_name, secret);
}

/// The order of its lists means nothing, nor that of the lists which a policy holds as texts.
fn authorization(settings: &Value) -> Option<Value> {
    let mut settings = settings.clone();
    without_people(&mut settings);
    let mut settings = without_blanks(&without_ids(&settings, 0))?;
    name_scopes(&mut settings);
    for name in ["resources", "policies", "scopes"] {
        let Some(items) = settings.get_mut(name).and_then(Value::as_array_mut) else { continue };
        for item in items.iter_mut() {
            one_address(item);
            filled(name, item);
            for list in ["uris", "scopes"] {
                item.get_mut(list).and_then(Value::as_array_mut).into_iter().for_each(|list| sort(list));
            }
            let config = item.get_mut("config").and_then(Value::as_object_mut);
            config.into_iter().flatten().for_each(|(name, text)| sort_text(name, text));
        }
        sort(items);
    }
    // Of what can be permitted, as each start of the server orders it anew.
    if let Some(schema) = settings.get_mut("authorizationSchema") {
        sort_all(schema, 0);
    }
    Some(settings)
}

/// A resource may name its scopes by texts alone; the server makes those that are not listed.
fn name_scopes(settings: &mut Value) {
    let mut named = Vec::new();
    for resource in settings.get_mut("resources").and_then(Value::as_array_mut).into_iter().flatten() {
        for scope in resource.get_mut("scopes").and_then(Value::as_array_mut).into_iter().flatten() {
            if scope.is_string() {
                *scope = json!({ "name": scope });
            }
            named.push(scope.clone());
        }
    }
    let Some(fields) = settings.as_object_mut().filter(|_| !named.is_empty()) else { return };
    let Some(listed) = fields.entry("scopes").or_insert_with(|| json!([])).as_array_mut() else { return };
    let is_listed = |listed: &[Value], scope: &Value| listed.iter().any(|one| one.get("name") == scope.get("name"));
    for scope in named {
        if !is_listed(listed, &scope) {
            listed.push(json!({ "name": scope.get("name") }));
        }
    }
}

/// Older files give a resource one address; the server makes it the only one of the list.
fn one_address(resource: &mut Value) {
    let Some(fields) = resource.as_object_mut() else { return };
    if let Some(address) = fields.remove("uri")
        && !fields.contains_key("uris")
    {
        fields.insert("uris".to_owned(), Value::Array(vec![address]));
    }
}

fn sort_all(value: &mut Value, depth: usize) {
    match value {
        _ if depth > MAX_DEPTH => {}
        Value::Object(fields) => fields.values_mut().for_each(|field| sort_all(field, depth + 1)),
        Value::Array(items) => sort(items),
        _ => {}
    }
}

fn sort(list: &mut [Value]) {
    list.sort_by_key(|one| one.get("name").map_or_else(|| one.to_string(), Value::to_string));
}

/// What the server takes for granted, since a file need not say it.
fn filled(list: &str, item: &mut Value) {
    let Some(fields) = item.as_object_mut() else { return };
    let mut given = |name: &str, value: Value| {
        fields.entry(name).or_insert(value);
    };
    match list {
        "policies" => {
            given("logic", json!("POSITIVE"));
            given("decisionStrategy", json!("UNANIMOUS"));
        }
        "resources" => given("ownerManagedAccess", json!(false)),
        _ => {}
    }
}

fn sort_text(name: &str, text: &mut Value) {
    let parsed = text.as_str().filter(|text| text.starts_with('[')).map(serde_json::from_str);
    if let Some(Ok(Value::Array(mut items))) = parsed {
        for role in items.iter_mut().filter(|_| name == "roles").filter_map(Value::as_object_mut) {
            role.entry("required").or_insert(Value::Bool(false));
        }
        sort(&mut items);
        *text = Value::String(Value::Array(items).to_string());
    }
}

/// What is told of mappers that ask for consent.
const CONSENTS: &str = "the consent texts of its mappers: the server asks for consent by client scope";

fn have_consents(mappers: &Value) -> bool {
    let asks = |mapper: &Value| mapper.get("consentRequired") == Some(&Value::Bool(true));
    mappers.as_array().is_some_and(|mappers| mappers.iter().any(asks))
}

fn mappers(given: &Value) -> Option<Value> {
    // Consents are asked for by scope since Keycloak 4; the server takes no notice of what a mapper says of them.
    let mapper = |mapper: &Value| {
        let mut mapper = compact(&without_ids(mapper, 0))?;
        let fields = mapper.as_object_mut()?;
        if let Some(config) = fields.get_mut("config") {
            *config = of_texts(config);
        }
        fields.remove("consentRequired");
        fields.remove("consentText");
        Some(mapper)
    };
    keyed(given.as_array()?.iter().filter_map(mapper).collect(), "name")
}

/// How deep a representation may be; deeper ones are not read.
const MAX_DEPTH: usize = 32;

fn without_ids(value: &Value, depth: usize) -> Value {
    match value {
        _ if depth > MAX_DEPTH => Value::Null,
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "id" | "_id"));
            Value::Object(kept.map(|(name, field)| (name.clone(), without_ids(field, depth + 1))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| without_ids(item, depth + 1)).collect()),
        other => other.clone(),
    }
}
