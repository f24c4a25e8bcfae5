use serde_json::{Map, Value, json};

use crate::components::keycloak::canonical::{Canonical, FLOWS_IN_USE, key_of};
use crate::components::keycloak::kinds::Kind;

/// What other parts of a realm refer to one of it, as far as the server takes the reference away with it.
pub(super) fn references<'a>(
    resources: impl Iterator<Item = &'a Canonical>,
    kind: Kind,
    names: &[String],
) -> Map<String, Value> {
    let mut found = Found::default();
    for one in resources {
        let Ok((other, other_names)) = Kind::of_id(&one.id) else { continue };
        found.look(kind, names, other, &other_names, &one.document);
    }
    found.0
}

#[derive(Default)]
struct Found(Map<String, Value>);

impl Found {
    fn push(&mut self, way: &[&str], one: Value) {
        let Some((list, above)) = way.split_last() else { return };
        let mut here = &mut self.0;
        for step in above {
            let below = here.entry(*step).or_insert_with(|| json!({}));
            let Some(below) = below.as_object_mut() else { return };
            here = below;
        }
        if let Some(list) = here.entry(*list).or_insert_with(|| json!([])).as_array_mut() {
            list.push(one);
        }
    }

    fn look(&mut self, kind: Kind, names: &[String], other: Kind, other_names: &[String], document: &Value) {
        let name = names.last().map_or("", String::as_str);
        let own = other_names.last().map_or("", String::as_str);
        let role = match (kind, names) {
            (Kind::RealmRole, _) => Some((None, name)),
            (Kind::ClientRole, [client, _]) => Some((Some(client.as_str()), name)),
            _ => None,
        };
        let holds_role =
            |realm: &str, clients: &str| role.is_some_and(|role| holds_role(document, realm, clients, role));
        match other {
            Kind::Group if holds_role("/realmRoles", "/clientRoles") => {
                self.push(&["groups"], json!(key_of(other_names)))
            }
            Kind::ServiceAccount if holds_role("/realmRoles", "/clientRoles") => self.push(&["accounts"], json!(own)),
            Kind::RealmRole if holds_role("/composites/realm", "/composites/client") => {
                self.push(&["roles", "realm"], json!(own));
            }
            Kind::ClientRole if holds_role("/composites/realm", "/composites/client") => {
                let client = other_names.first().map_or("", String::as_str);
                self.push(&["roles", "client", client], json!(own));
            }
            Kind::Client if holds_role("/scopeMappings/realm", "/scopeMappings/client") => {
                self.push(&["clients"], json!(own));
            }
            Kind::ClientScope if holds_role("/scopeMappings/realm", "/scopeMappings/client") => {
                self.push(&["clientScopes"], json!(own));
            }
            _ => {}
        }
        match (kind, other) {
            (Kind::Group, Kind::ServiceAccount) if has(document, "/groups", &key_of(names)) => {
                self.push(&["accounts"], json!(own));
            }
            (Kind::Group, Kind::Bindings) if has(document, "/defaultGroups", &key_of(names)) => {
                self.push(&["realm"], json!("defaultGroups"));
            }
            (Kind::ClientScope, Kind::Client | Kind::Bindings) => {
                let lists = match other {
                    Kind::Client => ["defaultClientScopes", "optionalClientScopes"],
                    _ => ["defaultDefaultClientScopes", "defaultOptionalClientScopes"],
                };
                for (list, of) in lists.into_iter().zip(["defaultOf", "optionalOf"]) {
                    if has(document, &format!("/{list}"), name) {
                        match other {
                            Kind::Client => self.push(&[of], json!(own)),
                            _ => self.push(&["realm"], json!(list)),
                        }
                    }
                }
            }
            (Kind::IdentityProvider, Kind::Organization) if has(document, "/identityProviders", name) => {
                self.push(&["organizations"], json!(own));
            }
            _ => {}
        }
        if other == Kind::Client && !(kind == Kind::Client && own == name) {
            for policy in policies_of(document, kind, names) {
                self.push(&["policies", own], policy.clone());
            }
        }
    }
}

fn has(document: &Value, list: &str, name: &str) -> bool {
    document.pointer(list).and_then(Value::as_array).is_some_and(|list| list.iter().any(|one| one == name))
}

fn holds_role(document: &Value, realm: &str, clients: &str, (client, name): (Option<&str>, &str)) -> bool {
    match client {
        None => has(document, realm, name),
        Some(client) => {
            let of = document.pointer(clients).and_then(|clients| clients.get(client)).and_then(Value::as_array);
            of.is_some_and(|roles| roles.iter().any(|role| role == name))
        }
    }
}

/// The policies of a client's authorization that name a role, group, client or client scope.
fn policies_of<'d>(client: &'d Value, kind: Kind, names: &[String]) -> impl Iterator<Item = &'d Value> {
    let (list, field, name) = match kind {
        Kind::RealmRole | Kind::ClientRole => ("roles", "id", names.join("/")),
        Kind::Group => ("groups", "path", names.iter().fold(String::new(), |path, name| path + "/" + name)),
        Kind::Client => ("clients", "", names.join("/")),
        Kind::ClientScope => ("clientScopes", "id", names.join("/")),
        _ => ("", "", String::new()),
    };
    let all = client.pointer("/authorizationSettings/policies").and_then(Value::as_array).into_iter().flatten();
    all.filter(move |policy| {
        let told = policy.get("config").and_then(|config| config.get(list)?.as_str());
        let told = told.filter(|_| !list.is_empty()).and_then(|told| serde_json::from_str::<Value>(told).ok());
        let named = |one: &Value| one.as_str() == Some(&name) || one.get(field).and_then(Value::as_str) == Some(&name);
        told.as_ref().and_then(Value::as_array).is_some_and(|told| told.iter().any(named))
    })
}

/// Who uses a flow, in words: the server removes none that is used.
pub(in crate::components::keycloak) fn uses_of_flow<'a>(
    resources: impl Iterator<Item = &'a Canonical>,
    alias: &str,
) -> Vec<String> {
    let mut found = Vec::new();
    for one in resources {
        let Ok((kind, names)) = Kind::of_id(&one.id) else { continue };
        let is_it = |field: &str| one.document.get(field).and_then(Value::as_str) == Some(alias);
        let name = names.last().map_or("", String::as_str);
        match kind {
            Kind::Bindings => {
                found.extend(FLOWS_IN_USE.into_iter().filter(|of| is_it(of)).map(|of| format!("the realm's {of}")))
            }
            Kind::IdentityProvider if is_it("firstBrokerLoginFlowAlias") || is_it("postBrokerLoginFlowAlias") => {
                found.push(format!("the identity provider {name}"));
            }
            Kind::Client => {
                let overrides = one.document.get("authenticationFlowBindingOverrides").and_then(Value::as_object);
                if overrides.is_some_and(|flows| flows.values().any(|flow| flow == alias)) {
                    found.push(format!("the client {name}"));
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::keycloak::canonical;

    fn realm() -> canonical::Realm {
        canonical::realm(&json!({"realm": "r", "browserFlow": "mine", "defaultGroups": ["/team"], "defaultOptionalClientScopes": ["mail"],
            "roles": {"realm": [{"name": "extra"}, {"name": "big", "composite": true, "composites": {"realm": ["extra"], "client": {"app": ["read"]}}}],
                "client": {"app": [{"name": "read"}, {"name": "all", "composites": {"client": {"app": ["read"]}}}]}},
            "groups": [{"name": "team", "realmRoles": ["extra"], "subGroups": [{"name": "sub", "clientRoles": {"app": ["read"]}}]}],
            "clients": [{"clientId": "app", "defaultClientScopes": ["mail"], "authenticationFlowBindingOverrides": {"browser": "mine"}},
                {"clientId": "az", "authorizationSettings": {"policies": [
                    {"name": "p", "type": "role", "config": {"roles": "[{\"id\":\"extra\",\"required\":true}]"}},
                    {"name": "q", "type": "group", "config": {"groups": "[{\"path\":\"/team\"}]"}},
                    {"name": "c", "type": "client", "config": {"clients": "[\"app\"]"}}]}}],
            "clientScopes": [{"name": "mail"}], "scopeMappings": [{"client": "app", "roles": ["extra"]}],
            "clientScopeMappings": {"app": [{"clientScope": "mail", "roles": ["read"]}]},
            "identityProviders": [{"alias": "gh", "firstBrokerLoginFlowAlias": "mine"}],
            "organizations": [{"alias": "org", "identityProviders": [{"alias": "gh"}]}]}))
        .unwrap()
    }

    fn of(kind: Kind, names: &[&str]) -> Value {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut found = references(realm().resources.values(), kind, &names);
        if let Some(Value::Object(policies)) = found.get_mut("policies") {
            let name = |policy: &Value| policy["name"].clone();
            policies.values_mut().for_each(|list| *list = list.as_array().unwrap().iter().map(name).collect());
        }
        Value::Object(found)
    }

    #[test]
    fn all_that_the_server_takes_away_with_it_is_found() {
        assert_eq!(
            of(Kind::RealmRole, &["extra"]),
            json!({"groups": ["/team"], "roles": {"realm": ["big"]}, "clients": ["app"], "policies": {"az": ["p"]}})
        );
        assert_eq!(
            of(Kind::ClientRole, &["app", "read"]),
            json!({"groups": ["/team/sub"], "roles": {"realm": ["big"], "client": {"app": ["all"]}}, "clientScopes": ["mail"]})
        );
        assert_eq!(of(Kind::Group, &["team"]), json!({"realm": ["defaultGroups"], "policies": {"az": ["q"]}}));
        assert_eq!(
            of(Kind::ClientScope, &["mail"]),
            json!({"defaultOf": ["app"], "realm": ["defaultOptionalClientScopes"]})
        );
        assert_eq!(of(Kind::IdentityProvider, &["gh"]), json!({"organizations": ["org"]}));
        assert_eq!(of(Kind::Client, &["app"]), json!({"policies": {"az": ["c"]}}));
    }

    #[test]
    fn who_uses_a_flow_is_named() {
        let found = uses_of_flow(realm().resources.values(), "mine");
        assert_eq!(found, ["the realm's browserFlow", "the client app", "the identity provider gh"]);
        assert!(uses_of_flow(realm().resources.values(), "other").is_empty());
    }
}
