//! What today's server makes of a realm that an older one wrote. The server's own import converts a file by the version
//! that the file names, after Keycloak's `DefaultMigrationManager`. The same is done here before anything is compared:
//! so a plan shows what comes, and never writes back what only the older version meant. Pure. A tour:
//!
//! - [`version`]: which version a file names.
//! - [`scopes`]: client scopes that all clients got since, with the claims that every token once had.
//! - [`clients`]: the realm's own clients, and their roles.
//! - [`flows`]: executions and flows that are no more, or mean something else.
//! - [`settings`]: themes, the user profile, directories, and what a user can be asked to do.
//!
//! What is not here is converted by the server where the realm is made, for it is sent the version too.

mod clients;
mod flows;
mod scopes;
mod settings;
mod version;

pub use version::Version;

use serde_json::Value;

use super::canonical::text;

/// What a file of before this version lacks, in the order of the server's own steps.
type Step = (Version, fn(&mut Value));

const STEPS: [Step; 17] = [
    (Version(4, 6, 0), scopes::roles_and_origins),
    (Version(6, 0, 0), scopes::microprofile),
    (Version(8, 0, 0), clients::own_addresses),
    (Version(8, 0, 2), flows::alternatives_apart),
    (Version(9, 0, 0), settings::update_locale),
    (Version(18, 0, 0), scopes::acr),
    (Version(20, 0, 0), clients::view_groups),
    (Version(21, 0, 0), settings::admin_theme),
    (Version(22, 0, 0), settings::themes),
    (Version(22, 0, 0), flows::without_http_challenge),
    (Version(23, 0, 0), flows::without_profile_action),
    (Version(24, 0, 0), settings::profile_and_directories),
    (Version(24, 0, 3), settings::delete_credential),
    (Version(25, 0, 0), scopes::basic),
    (Version(26, 0, 0), clients::administration),
    (Version(26, 1, 0), scopes::service_account),
    (Version(26, 3, 0), settings::link_provider),
];

/// A realm's representation in the form of today.
pub fn converted(realm: &Value) -> Value {
    let mut made = realm.clone();
    // Whatever version the file names: nothing is optional since Keycloak 8.
    flows::without_optional(&mut made);
    let Some(version) = text(realm, "keycloakVersion").and_then(Version::of) else { return made };
    for (_, step) in STEPS.iter().filter(|(since, _)| version < *since) {
        step(&mut made);
    }
    made
}

/// A list of the representation, to be changed; `None` where the file says nothing of it, which is the server's choice.
fn list_mut<'a>(of: &'a mut Value, name: &str) -> Option<&'a mut Vec<Value>> {
    of.get_mut(name)?.as_array_mut()
}

fn is_named(one: &Value, field: &str, name: &str) -> bool {
    text(one, field) == Some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_of_today_or_without_a_version_stays_as_it_is() {
        for version in [json!("26.5.3"), json!("99.0.0"), json!(null), json!("nightly")] {
            let file = json!({"realm": "r", "keycloakVersion": version, "clientScopes": [], "requiredActions": [],
                "clients": [{"clientId": "admin-cli", "fullScopeAllowed": false, "defaultClientScopes": []}]});
            assert_eq!(converted(&file), file);
        }
    }

    #[test]
    fn what_the_file_says_nothing_of_is_the_servers_to_make() {
        let file = json!({"realm": "r", "keycloakVersion": "18.0.2"});
        let made = converted(&file);
        assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(), ["components", "keycloakVersion", "realm"]);
    }

    #[test]
    fn the_administration_of_a_realm_of_24_goes_on() {
        let client = |id: &str| json!({"clientId": id, "fullScopeAllowed": false, "defaultClientScopes": ["email"]});
        let made = converted(&json!({"realm": "r", "keycloakVersion": "24.0.5",
            "clients": [client("admin-cli"), client("app"), {"clientId": "checks", "bearerOnly": true, "defaultClientScopes": []},
                {"clientId": "sp", "protocol": "saml", "defaultClientScopes": []}],
            "clientScopes": [{"name": "email"}], "defaultDefaultClientScopes": ["email"], "requiredActions": []}));
        let clients = made["clients"].as_array().unwrap();
        assert_eq!(clients[0]["fullScopeAllowed"], true);
        assert_eq!(clients[0]["attributes"], json!({"client.use.lightweight.access.token.enabled": "true"}));
        assert_eq!((&clients[1]["fullScopeAllowed"], clients[1].get("attributes")), (&json!(false), None));
        let scopes: Vec<&Value> = clients.iter().map(|client| &client["defaultClientScopes"]).collect();
        assert_eq!(scopes, [&json!(["email", "basic"]), &json!(["email", "basic"]), &json!([]), &json!([])]);
        assert_eq!(made["defaultDefaultClientScopes"], json!(["email", "basic"]));
        let names: Vec<&Value> = made["clientScopes"].as_array().unwrap().iter().map(|scope| &scope["name"]).collect();
        assert_eq!(names, ["email", "basic", "service_account"]);
        assert_eq!(made["requiredActions"][0]["alias"], "idp_link");
    }
}
