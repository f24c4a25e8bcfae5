use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::Canonical;
use super::fields::{Fields, sets_by_name, split_secrets, unmasked};
use super::names::text;
use crate::components::keycloak::kinds::Kind;

/// How deep components may lie in one another; an LDAP provider's mappers are one deep.
const MAX_DEPTH: usize = 8;

/// The user profile lies among the components, as one text.
pub(in crate::components::keycloak) const USER_PROFILE: &str = "org.keycloak.userprofile.UserProfileProvider";

/// Where people can come from: LDAP and its like.
pub const DIRECTORY: &str = "UserStorageProvider";

/// The names of a realm's directories, by the server's ids.
pub(super) fn directories(by_type: &Value) -> HashMap<String, String> {
    let of_type = by_type.as_object().into_iter().flatten().filter(|(of, _)| of.rsplit('.').next() == Some(DIRECTORY));
    let mut found = Vec::new();
    components(&of_type.map(|(of, given)| (of.clone(), given.clone())).collect::<Value>(), &[], &mut found);
    let named = found.into_iter().filter_map(|one| {
        let (_, names) = Kind::of_id(&one.id).ok()?;
        let [_, name] = <[String; 2]>::try_from(names).ok()?;
        Some((text(&one.document, "id")?.to_owned(), name))
    });
    named.collect()
}

/// The components of a realm or of one above them: a map from provider type to list. A key is the type's last name
/// and the component's own, with the sub-type where there is one: LDAP's mappers lie below it.
pub(super) fn components(by_type: &Value, above: &[String], into: &mut Vec<Canonical>) {
    for (provider_type, given) in by_type.as_object().into_iter().flatten() {
        if provider_type == USER_PROFILE {
            continue;
        }
        let short = provider_type.rsplit('.').next().unwrap_or(provider_type);
        let mut given: Vec<&Value> = given.as_array().into_iter().flatten().collect();
        // Two of one name are told apart by their order, which must not be the server's chance.
        given.sort_by_key(|component| text(component, "providerId").unwrap_or_default());
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for representation in given {
            let mut name = text(representation, "name").unwrap_or_default().to_owned();
            if let Some(sub_type) = text(representation, "subType").filter(|sub_type| !sub_type.is_empty()) {
                name = format!("{name} ({sub_type})");
            }
            let times = seen.entry(name.clone()).or_default();
            *times += 1;
            if *times > 1 {
                name = format!("{name} #{times}");
            }
            let way: Vec<String> = above.iter().cloned().chain([short.to_owned(), name]).collect();
            into.push(component(representation, provider_type, &way));
            if way.len() < 2 * MAX_DEPTH
                && let Some(below) = representation.get("subComponents")
            {
                components(below, &way, into);
            }
        }
    }
}

/// When a directory was read last: it moves by itself.
const NOTED_BY_SERVER: &str = "lastSync";

fn component(representation: &Value, provider_type: &str, way: &[String]) -> Canonical {
    let mut fields = Fields::of(representation);
    fields.put("providerType", Some(json!(provider_type)));
    fields.keep(&["id", "name", "providerId", "subType"]);
    if let Some(config) = fields.take("config") {
        let (mut plain, secret) = split_secrets(config);
        if let Some(Value::Object(plain)) = &mut plain {
            plain.retain(|name, _| !name.starts_with(NOTED_BY_SERVER));
        }
        fields.put("config", plain.as_ref().and_then(sets_by_name));
        fields.put("secretConfig", unmasked(secret.as_ref().and_then(sets_by_name)));
    }
    fields.pass_over(&["parentId", "providerType", "subComponents"]);
    let (mut document, unknown) = fields.finish();
    if provider_type == "org.keycloak.keys.KeyProvider" {
        hide_keys(&mut document);
    }
    Canonical { id: Kind::Component.id(way), document, unknown }
}

/// What belongs to a generated key is shown in an export only, so it goes where its secrets are.
fn hide_keys(document: &mut Value) {
    let Some(fields) = document.as_object_mut() else { return };
    let Some(config) = fields.get_mut("config").and_then(Value::as_object_mut) else { return };
    let mut of_the_key: Map<String, Value> = Map::new();
    for name in ["kid", "certificate", "keyUse", "ecdsaPublicKey", "ecdhPublicKey", "eddsaPublicKey"] {
        of_the_key.extend(config.remove(name).map(|value| (name.to_owned(), value)));
    }
    if config.is_empty() {
        fields.remove("config");
    }
    if !of_the_key.is_empty() {
        let secret = fields.entry("secretConfig").or_insert_with(|| Value::Object(Map::new()));
        if let Some(secret) = secret.as_object_mut() {
            secret.extend(of_the_key);
        }
    }
}
