use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::component::{USER_PROFILE, components};
use super::fields::{Fields, compact, keyed, of_texts, set, unmasked, without_blanks, without_null};
use super::loose::loose;
use super::names::{Names, list, text};
use super::role::{group_set, groups, role};
use super::{Canonical, client, default_role, flow, invalid, provider};
use crate::components::keycloak::kinds::Kind;
use crate::model::{Result, TreePath};

pub use provider::organization;

/// A realm but for its people, taken apart into resources.
pub struct Realm {
    pub id: String,
    pub names: Names,
    /// As in `26.5.3`, if it says so.
    pub version: Option<String>,
    pub resources: BTreeMap<TreePath, Canonical>,
    /// What it holds and this version does not know, in words.
    pub unknown: Vec<String>,
}

/// Fields that are resources of their own, or make them.
const ELSEWHERE: [&str; 19] = [
    "groups",
    "roles",
    "clients",
    "clientScopes",
    "scopeMappings",
    "clientScopeMappings",
    "identityProviders",
    "identityProviderMappers",
    "authenticationFlows",
    "authenticatorConfig",
    "requiredActions",
    "components",
    "organizations",
    "localizationTexts",
    "clientProfiles",
    "clientPolicies",
    "users",
    "defaultRole",
    "defaultRoles",
];

/// Fields that name the flow which the realm uses for something.
pub const FLOWS_IN_USE: [&str; 7] = [
    "browserFlow",
    "registrationFlow",
    "directGrantFlow",
    "resetCredentialsFlow",
    "clientAuthenticationFlow",
    "dockerAuthenticationFlow",
    "firstBrokerLoginFlow",
];

/// Sets among the settings; whatever else of a realm is neither a single value nor named below is not known.
const SETS: [&str; 3] = ["eventsListeners", "enabledEventTypes", "supportedLocales"];

/// Lists in the order of preference.
pub const ORDERED: [&str; 6] = [
    "webAuthnPolicySignatureAlgorithms",
    "webAuthnPolicyAcceptableAaguids",
    "webAuthnPolicyExtraOrigins",
    "webAuthnPolicyPasswordlessSignatureAlgorithms",
    "webAuthnPolicyPasswordlessAcceptableAaguids",
    "webAuthnPolicyPasswordlessExtraOrigins",
];

/// Choices for which the server takes a blank as the first of them.
const UNSPECIFIED: [&str; 8] = [
    "webAuthnPolicyAttestationConveyancePreference",
    "webAuthnPolicyAuthenticatorAttachment",
    "webAuthnPolicyRequireResidentKey",
    "webAuthnPolicyUserVerificationRequirement",
    "webAuthnPolicyPasswordlessAttestationConveyancePreference",
    "webAuthnPolicyPasswordlessAuthenticatorAttachment",
    "webAuthnPolicyPasswordlessRequireResidentKey",
    "webAuthnPolicyPasswordlessUserVerificationRequirement",
];

/// Settings of old files that today's server reads and passes over: they are named as unknown.
const OBSOLETE: [&str; 6] = [
    "passwordCredentialGrantAllowed",
    "social",
    "updateProfileOnInitialSocialLogin",
    "codeSecret",
    "realmCacheEnabled",
    "userCacheEnabled",
];

/// Names of realm attributes that are this program's own.
const OWN_ATTRIBUTES: &str = "rekindle.";
/// Who writes to the realm now.
pub const HOLDER: &str = "rekindle.holder";

/// Whether the server keeps a setting in an attribute of this name, which files of before Keycloak 12 hold beside the
/// setting: it is never shown.
fn is_stored_setting(name: &str) -> bool {
    name.starts_with("_browser_header.")
        || name.starts_with("client-policies.")
        || (name.starts_with("webAuthnPolicy") && name.ends_with("Passwordless"))
        || name == "firstBrokerLoginFlowId"
}

/// Takes a realm's representation apart: the realm file of an export, or the server's partial export.
pub fn realm(representation: &Value) -> Result<Realm> {
    let name = text(representation, "realm").filter(|name| !name.is_empty());
    if name.is_none() {
        return Err(invalid("read a realm", "it has no field 'realm' with its name"));
    }
    let names = Names::of(representation);
    let mut all = Vec::new();
    let mut unknown = Vec::new();
    let (settings, not_known) = settings(representation);
    unknown.extend(not_known);
    unknown.extend(loose(representation));
    all.push(settings);
    all.push(bindings(representation, &names));
    all.extend(policies(representation));
    all.extend(localization(representation));
    all.extend(representation.get("components").and_then(user_profile_in));
    if let Some(given) = representation.get("components") {
        components(given, &[], &mut all);
    }
    all.extend(list(representation, "requiredActions").iter().map(provider::required_action));
    all.extend(flow::flows(representation));
    let scopes = list(representation, "clientScopes").iter();
    all.extend(scopes.map(|scope| client::client_scope(scope, representation, &names)));
    let providers = list(representation, "identityProviders").iter();
    all.extend(providers.map(|provider| provider::identity_provider(provider, representation)));
    all.extend(list(representation, "clients").iter().map(|one| client::client(one, representation, &names)));
    let roles = representation.get("roles").unwrap_or(&Value::Null);
    all.extend(list(roles, "realm").iter().map(|one| role(one, None, &names)));
    for (client, given) in roles.get("client").and_then(Value::as_object).into_iter().flatten() {
        all.extend(given.as_array().into_iter().flatten().map(|one| role(one, Some(client), &names)));
    }
    default_role::complete(representation, &names, &mut all);
    groups(list(representation, "groups"), &names, &[], &mut all);
    all.extend(list(representation, "organizations").iter().map(organization));
    let mut resources = BTreeMap::new();
    for one in all {
        let key = one.id.key.clone();
        if resources.insert(key.clone(), one).is_some() {
            return Err(invalid("read a realm", format!("it holds {key} twice")));
        }
    }
    let version = text(representation, "keycloakVersion").map(str::to_owned);
    let id = text(representation, "id").unwrap_or_default().to_owned();
    Ok(Realm { id, names, version, resources, unknown })
}

fn settings(representation: &Value) -> (Canonical, Vec<String>) {
    let mut fields = Fields::of(representation);
    fields.pass_over(&ELSEWHERE);
    fields.pass_over(&FLOWS_IN_USE);
    fields.pass_over(&["realm", "keycloakVersion", "defaultGroups", "defaultDefaultClientScopes"]);
    // The server names the client of its administrators' permissions itself.
    fields.pass_over(&["defaultOptionalClientScopes", "publicKey", "adminPermissionsClient"]);
    // A key of before Keycloak 3, of which the server makes the realm's providers of keys where the file lists none.
    for name in ["privateKey", "certificate"] {
        let value = fields.text(name).filter(|_| !has_keys(representation)).map(|text| json!(text));
        fields.put(name, value);
    }
    // The server tells which apps suit its policy for one-time codes.
    fields.pass_over(&["otpSupportedApplications"]);
    if let Some(server) = fields.take("smtpServer").and_then(Value::as_object) {
        let plain: Map<String, Value> = server
            .iter()
            .filter(|(name, _)| *name != "password")
            .map(|(name, value)| (name.clone(), of_texts(value)))
            .collect();
        fields.put("smtpServer", compact(&Value::Object(plain)));
        fields.put("smtpPassword", unmasked(server.get("password").and_then(without_blanks)));
    }
    {
        // Never left out: a server always has some, so a realm without its own has an empty map.
        let attributes = fields.take("attributes").and_then(Value::as_object).into_iter().flatten();
        // Some settings the server writes down as attributes too, once the realm is saved.
        let is_setting = |name: &str| representation.get(name).is_some() || is_stored_setting(name);
        let kept = attributes.filter(|(name, _)| !name.starts_with(OWN_ATTRIBUTES) && !is_setting(name));
        let kept: Map<String, Value> = kept.map(|(name, value)| (name.clone(), of_texts(value))).collect();
        fields.put("attributes", without_null(&Value::Object(kept)));
    }
    // An empty header is not sent, and one that is left out has the server's default.
    let headers = fields.take("browserSecurityHeaders").and_then(without_null);
    fields.put("browserSecurityHeaders", headers);
    fields.keep(&["requiredCredentials"]);
    fields.keep_sets(&SETS);
    fields.keep_lists(&ORDERED);
    for name in UNSPECIFIED {
        let value = fields.take(name).and_then(compact);
        fields.put(name, value.map(|value| if value == json!("") { json!("not specified") } else { value }));
    }
    // The server reads it in any case.
    let ssl = fields.text("sslRequired").map(|value| json!(value.to_lowercase()));
    fields.put("sslRequired", ssl);
    // Single values of any name are settings, in later versions too.
    let single: Vec<String> = fields
        .rest()
        .filter(|(name, value)| !value.is_array() && !value.is_object() && !OBSOLETE.contains(&name.as_str()))
        .map(|(name, _)| name.clone())
        .collect();
    fields.keep(&single.iter().map(String::as_str).collect::<Vec<_>>());
    let (document, unknown) = fields.finish();
    (Canonical { id: Kind::RealmSettings.id::<&str>(&[]), document, unknown: Vec::new() }, unknown)
}

/// Whether a realm's representation lists providers of keys.
pub(super) fn has_keys(realm: &Value) -> bool {
    let providers = realm.get("components").and_then(|components| components.get("org.keycloak.keys.KeyProvider"));
    providers.and_then(Value::as_array).is_some_and(|providers| !providers.is_empty())
}

fn bindings(representation: &Value, names: &Names) -> Canonical {
    let mut fields = Fields::of(representation);
    for flow in FLOWS_IN_USE {
        let alias = fields.text(flow).map(|alias| json!(alias));
        fields.put(flow, alias);
    }
    fields.keep_sets_even_empty(&["defaultDefaultClientScopes", "defaultOptionalClientScopes"]);
    let given = list(representation, "defaultGroups").iter().filter_map(Value::as_str);
    let (doubtful, clear): (Vec<&str>, Vec<&str>) = given.partition(|path| names.is_ambiguous(path));
    fields.put("defaultGroups", group_set(Some(&json!(clear)), names));
    let unknown = doubtful.into_iter().map(|path| format!("the default group {path}: two groups have this path"));
    Canonical { id: Kind::Bindings.id::<&str>(&[]), document: fields.finish().0, unknown: unknown.collect() }
}

fn policies(representation: &Value) -> Option<Canonical> {
    let mut made = Map::new();
    for (field, list_name) in [("clientProfiles", "profiles"), ("clientPolicies", "policies")] {
        let given = representation.get(field).map_or(&[][..], |given| list(given, list_name));
        let sorted = keyed(given.iter().filter_map(without_null).collect(), "name");
        made.extend(sorted.map(|sorted| (list_name.to_owned(), sorted)));
    }
    (!made.is_empty()).then(|| Canonical {
        id: Kind::ClientPolicies.id::<&str>(&[]),
        document: Value::Object(made),
        unknown: Vec::new(),
    })
}

fn localization(representation: &Value) -> Vec<Canonical> {
    let texts = representation.get("localizationTexts").and_then(Value::as_object);
    let of = |(locale, texts): (&String, &Value)| {
        let document = compact(texts)?;
        Some(Canonical { id: Kind::Localization.id(&[locale]), document, unknown: Vec::new() })
    };
    texts.into_iter().flatten().filter_map(of).collect()
}

fn user_profile_in(components: &Value) -> Option<Canonical> {
    let config = components.get(USER_PROFILE)?.as_array()?.first()?.get("config")?;
    let text = config.get("kc.user.profile.config")?.as_array()?.first()?.as_str()?;
    serde_json::from_str(text).ok().map(|profile| user_profile(&profile))
}

/// The user profile's own form: `attributes` and `groups` by name, and the policy for attributes that it does not name.
pub fn user_profile(profile: &Value) -> Canonical {
    let mut fields = Fields::of(profile);
    let names = |list_name: &str| -> Vec<Value> {
        list(profile, list_name).iter().filter_map(|one| one.get("name").cloned()).collect()
    };
    // Forms ask in this order, and the lists are in that of their names.
    let order = json!({"attributes": names("attributes"), "groups": names("groups")});
    fields.put("order", compact(&order));
    for name in ["attributes", "groups"] {
        let given = fields.take(name).and_then(Value::as_array);
        let given: Vec<Value> = given.into_iter().flatten().filter_map(without_null).map(with_sets).collect();
        fields.put(name, keyed(given, "name"));
    }
    let policy = fields.text("unmanagedAttributePolicy").map_or_else(|| json!("DISABLED"), |policy| json!(policy));
    fields.put("unmanagedAttributePolicy", Some(policy));
    let (document, unknown) = fields.finish();
    Canonical { id: Kind::UserProfile.id::<&str>(&[]), document, unknown }
}

/// Who may see and change an attribute, in any order.
fn with_sets(mut attribute: Value) -> Value {
    if let Some(Value::Object(permissions)) = attribute.get_mut("permissions") {
        permissions.values_mut().for_each(|roles| *roles = set(roles).unwrap_or(Value::Null));
        permissions.retain(|_, roles| !roles.is_null());
    }
    attribute
}
