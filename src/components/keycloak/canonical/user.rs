use serde_json::{Map, Value, json};

use super::super::kinds::Kind;
use super::credential::{Side, credentials};
use super::fields::{Fields, keyed, lists_by_name, set};
use super::names::{Names, list, text};
use super::provider::action_of_user;
use super::{Canonical, invalid};
use crate::model::{Result, visible};

/// Attributes in which the realm notes what a directory says of an account: nobody else can change them, and some move
/// by themselves.
pub const OF_THE_DIRECTORY: [&str; 4] = ["LDAP_ID", "LDAP_ENTRY_DN", "createTimestamp", "modifyTimestamp"];

/// A user, or the user that a client's service account is: the same representation, told apart by
/// `serviceAccountClientId`.
///
/// `groups` may hold paths, as an export does, or ids. On the live side the reader adds what the server lists apart:
/// `groups`, `realmRoles`, `clientRoles`, and where they were asked for `credentials` and `clientConsents`.
pub fn user(representation: &Value, names: &Names, side: Side) -> Result<Canonical> {
    let mut fields = Fields::of(representation);
    let Some(username) = fields.text("username") else {
        return Err(invalid("read a user", "it has no username"));
    };
    let username = username.to_lowercase();
    let client = fields.text("serviceAccountClientId");
    let id = match client {
        Some(client) => Kind::ServiceAccount.id(&[client]),
        None => Kind::User.id(&[&username]),
    };
    let mut unknown = Vec::new();
    fields.keep(&["id", "createdTimestamp"]);
    for name in ["firstName", "lastName"] {
        let value = fields.text(name).map(|text| json!(text));
        fields.put(name, value);
    }
    let directory = fields.text("federationLink").map(|id| Value::String(names.directory(id)));
    fields.put("federationLink", directory);
    fields.put("username", Some(Value::String(username.clone())));
    let email = fields.text("email").map(|email| Value::String(email.to_lowercase()));
    fields.put("email", email);
    for flag in ["enabled", "emailVerified"] {
        let value = fields.take(flag).and_then(Value::as_bool).unwrap_or(false);
        fields.put(flag, Some(Value::Bool(value)));
    }
    let not_before = fields.take("notBefore").and_then(Value::as_i64).filter(|seconds| *seconds != 0);
    fields.put("notBefore", not_before.map(Value::from));
    let actions = fields.take("requiredActions").and_then(Value::as_array).into_iter().flatten();
    let mut actions: Vec<Value> =
        actions.filter_map(Value::as_str).map(|action| json!(action_of_user(action))).collect();
    // The server asks for another password at the next login.
    actions.extend(has_temporary_password(representation).then(|| json!("UPDATE_PASSWORD")));
    fields.put("requiredActions", set(&Value::Array(actions)));
    if let Some(given) = fields.take("attributes") {
        let (attributes, blank) = attributes(given);
        fields.put("attributes", attributes);
        unknown.extend(blank.into_iter().filter(|_| side == Side::Backup));
    }
    fields.keep_sets_by_name(&["clientRoles"]);
    let roles = names.roles(fields.take("realmRoles"));
    fields.put("realmRoles", roles);
    let (groups, doubtful) = groups(fields.take("groups"), names);
    fields.put("groups", groups);
    unknown.extend(doubtful);
    fields.put("organizations", names.organizations(&username));
    if client.is_none() {
        fields.put("authorizationPolicies", names.permissions.policies(&username));
        fields.put("ownedResources", names.permissions.resources(&username));
    }
    if let Some((links, not_known)) = fields.take("federatedIdentities").and_then(links) {
        fields.put("federatedIdentities", links);
        unknown.extend(not_known);
    }
    let given = fields.take("clientConsents");
    unknown.extend(given.into_iter().flat_map(beyond_consents));
    let consents = given.map(|given| consents(given, side));
    fields.put("clientConsents", consents.flatten());
    if let Some(given) = fields.take("credentials") {
        let (credentials, secretless) = credentials(given, side);
        fields.put("credentials", credentials);
        unknown.extend(secretless);
    }
    fields.pass_over(&["access", "userProfileMetadata", "totp", "disableableCredentialTypes", "origin", "self"]);
    let (document, not_known) = fields.finish();
    unknown.extend(not_known);
    Ok(Canonical { id, document, unknown })
}

/// The server keeps no blank value of an attribute where a user is changed. Those that are left out, in words.
fn attributes(given: &Value) -> (Option<Value>, Vec<String>) {
    let Some(mut lists) = lists_by_name(given) else { return (None, Vec::new()) };
    let Some(by_name) = lists.as_object_mut() else { return (None, Vec::new()) };
    let mut blank = Vec::new();
    for (name, values) in by_name.iter_mut() {
        let Some(values) = values.as_array_mut() else { continue };
        let before = values.len();
        values.retain(|value| value.as_str() != Some(""));
        if values.len() < before {
            blank.push(format!("the blank value of the attribute {}", visible(name)));
        }
    }
    by_name.retain(|_, values| values.as_array().is_some_and(|values| !values.is_empty()));
    ((!by_name.is_empty()).then_some(lists), blank)
}

fn has_temporary_password(user: &Value) -> bool {
    let is_temporary = |one: &Value| one.get("temporary") == Some(&Value::Bool(true)) && text(one, "value").is_some();
    list(user, "credentials").iter().any(is_temporary)
}

fn groups(given: Option<&Value>, names: &Names) -> (Option<Value>, Vec<String>) {
    let given: Vec<&str> = given.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let (doubtful, clear): (Vec<&str>, Vec<&str>) = given.into_iter().partition(|path| names.is_ambiguous(path));
    let keys = clear.into_iter().map(|path| Value::String(names.group(path))).collect();
    let doubtful = doubtful.into_iter().map(|path| format!("membership of {path}: two groups have this path"));
    (set(&Value::Array(keys)), doubtful.collect())
}

fn links(given: &Value) -> Option<(Option<Value>, Vec<String>)> {
    let link = |link: &Value| {
        let mut fields = Fields::of(link);
        fields.keep(&["identityProvider", "userId", "userName"]);
        fields.finish()
    };
    let (links, not_known): (Vec<Value>, Vec<Vec<String>>) = given.as_array()?.iter().map(link).unzip();
    let not_known = not_known.into_iter().flatten().map(|field| format!("federatedIdentities: {field}"));
    Some((keyed(links, "identityProvider"), not_known.collect()))
}

fn beyond_consents(given: &Value) -> Vec<String> {
    let beyond = |consent: &Value| {
        let mut fields = Fields::of(consent);
        fields.pass_over(&["clientId", "grantedClientScopes", "createdDate", "lastUpdatedDate"]);
        fields.finish().1
    };
    let all = given.as_array().into_iter().flatten().flat_map(beyond);
    all.map(|field| format!("clientConsents: {field}")).collect()
}

/// Their dates become those of the restore, whatever is written.
fn consents(given: &Value, side: Side) -> Option<Value> {
    let consent = |consent: &Value| {
        let scopes = set(&Value::Array(list(consent, "grantedClientScopes").to_vec()));
        let mut made = Map::new();
        made.insert("clientId".to_owned(), json!(text(consent, "clientId")));
        made.extend(scopes.map(|scopes| ("grantedClientScopes".to_owned(), scopes)));
        Value::Object(made)
    };
    let made = keyed(given.as_array()?.iter().map(consent).collect(), "clientId");
    // What was asked for and is not there is told from what was not asked for.
    made.or_else(|| (side == Side::Live).then(|| json!([])))
}
