use serde_json::{Value, json};

use super::super::canonical::{USER_PROFILE, text};
use super::{is_named, list_mut};

const PROFILE: &str = "kc.user.profile.config";
const DIRECTORIES: &str = "org.keycloak.storage.UserStorageProvider";
/// Whether a realm of before Keycloak 24 described its users' attributes.
const WAS_DESCRIBED: &str = "userProfileEnabled";

pub(super) fn update_locale(realm: &mut Value) {
    action(realm, "update_user_locale", "Update User Locale", 1000);
}

pub(super) fn delete_credential(realm: &mut Value) {
    action(realm, "delete_credential", "Delete Credential", 110);
}

pub(super) fn link_provider(realm: &mut Value) {
    action(realm, "idp_link", "Linking Identity Provider", 120);
}

fn action(realm: &mut Value, alias: &str, name: &str, priority: u32) {
    let Some(actions) = list_mut(realm, "requiredActions") else { return };
    if !actions.iter().any(|one| is_named(one, "alias", alias)) {
        actions.push(json!({"alias": alias, "name": name, "providerId": alias, "enabled": true,
            "defaultAction": false, "priority": priority, "config": {}}));
    }
}

pub(super) fn admin_theme(realm: &mut Value) {
    if matches!(text(realm, "adminTheme"), Some("keycloak" | "rh-sso")) {
        realm["adminTheme"] = json!("keycloak.v2");
    }
}

pub(super) fn themes(realm: &mut Value) {
    if matches!(text(realm, "accountTheme"), Some("keycloak" | "rh-sso" | "rh-sso.v2")) {
        realm["accountTheme"] = json!("keycloak.v2");
    }
    for name in ["loginTheme", "emailTheme"] {
        if text(realm, name) == Some("rh-sso") {
            realm[name] = Value::Null;
        }
    }
    for client in list_mut(realm, "clients").into_iter().flatten() {
        if let Some(attributes) = client.get_mut("attributes").and_then(Value::as_object_mut)
            && attributes.get("login_theme").is_some_and(|theme| theme == "rh-sso")
        {
            attributes.remove("login_theme");
        }
    }
}

/// Every realm describes its users' attributes now. Where it did not, all others are kept as they were.
pub(super) fn profile_and_directories(realm: &mut Value) {
    let attributes = realm.get_mut("attributes").and_then(Value::as_object_mut);
    let was_described = attributes.and_then(|attributes| attributes.remove(WAS_DESCRIBED));
    let was_described = was_described.is_some_and(|was| was == "true" || was == true);
    let Some(fields) = realm.as_object_mut() else { return };
    let components = fields.entry("components").or_insert_with(|| json!({}));
    let Some(components) = components.as_object_mut() else { return };
    for directory in components.get_mut(DIRECTORIES).and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(used) = directory.pointer_mut("/config/useTruststoreSpi")
            && *used == json!(["ldapsOnly"])
        {
            *used = json!(["always"]);
        }
    }
    if was_described {
        if let Some(profile) = components.get_mut(USER_PROFILE).and_then(|all| all.get_mut(0)) {
            in_one_piece(profile);
        }
        return;
    }
    let profiles = components.entry(USER_PROFILE).or_insert_with(|| json!([]));
    let Some(profiles) = profiles.as_array_mut() else { return };
    if profiles.is_empty() {
        profiles.push(json!({"providerId": "declarative-user-profile", "config": {}}));
    }
    let Some(profile) = profiles.first_mut().and_then(Value::as_object_mut) else { return };
    let config = profile.entry("config").or_insert_with(|| json!({}));
    let held = config.get(PROFILE).and_then(|texts| texts.get(0)?.as_str());
    let held = held.and_then(|held| serde_json::from_str::<Value>(held).ok()).filter(Value::is_object);
    let mut held = held.unwrap_or_else(|| json!({}));
    held["unmanagedAttributePolicy"] = json!("ENABLED");
    if config.is_object() {
        config[PROFILE] = json!([held.to_string()]);
    }
}

/// Before Keycloak 23 the description was cut into pieces.
fn in_one_piece(profile: &mut Value) {
    let Some(config) = profile.get_mut("config").and_then(Value::as_object_mut) else { return };
    let first = |config: &serde_json::Map<String, Value>, name: &str| -> Option<String> {
        config.get(name)?.get(0)?.as_str().map(str::to_owned)
    };
    let Some(count) = first(config, "config-pieces-count").and_then(|count| count.parse::<usize>().ok()) else {
        return;
    };
    let mut whole = String::new();
    // A file from outside can name any number.
    for name in (0..count.min(config.len())).map(|at| format!("config-piece-{at}")) {
        whole.push_str(&first(config, &name).unwrap_or_default());
        config.remove(&name);
    }
    config.remove("config-pieces-count");
    config.insert(PROFILE.to_owned(), json!([whole]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile_of(realm: &Value) -> Value {
        let text = realm["components"][USER_PROFILE][0]["config"][PROFILE][0].as_str().unwrap();
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn attributes_that_nothing_describes_are_kept_as_they_were_before_24() {
        let mut silent = json!({"realm": "r"});
        profile_and_directories(&mut silent);
        assert_eq!(profile_of(&silent), json!({"unmanagedAttributePolicy": "ENABLED"}));
        let mut described = json!({"realm": "r", "attributes": {WAS_DESCRIBED: "true"}, "components": {USER_PROFILE: [
            {"config": {"config-pieces-count": ["2"], "config-piece-0": ["{\"attri"], "config-piece-1": ["butes\":[]}"]}}]}});
        profile_and_directories(&mut described);
        assert_eq!(profile_of(&described), json!({"attributes": []}));
        assert_eq!(described["attributes"], json!({}));
    }

    #[test]
    fn a_directory_trusts_as_it_did() {
        let mut realm = json!({"components": {DIRECTORIES: [{"config": {"useTruststoreSpi": ["ldapsOnly"]}}]}});
        profile_and_directories(&mut realm);
        assert_eq!(realm["components"][DIRECTORIES][0]["config"]["useTruststoreSpi"], json!(["always"]));
    }
}
