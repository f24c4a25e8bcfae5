use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};

use super::Canonical;
use super::names::{DEFAULT_ROLE, Names, default_role_of, list, text};
use super::role::role;
use crate::components::keycloak::kinds::Kind;

/// What the server puts into the default role of a realm whose file does not say what is in it.
const OF_THE_REALM: [&str; 2] = ["offline_access", "uma_authorization"];
const ACCOUNT: &str = "account";
const OF_THE_ACCOUNT: [&str; 2] = ["manage-account", "view-profile"];

/// Completes the default role among a realm's `roles`: its name where that is not made of the realm's, and what it is
/// made of where the file tells that as lists of names, as files of before version 13 do, or not at all. Adds roles that
/// those lists name and the file lacks, as the server does.
pub(super) fn complete(realm: &Value, names: &Names, roles: &mut Vec<Canonical>) {
    let told = realm.get("defaultRole").filter(|role| role.is_object());
    let key = Kind::RealmRole.id(&[DEFAULT_ROLE]).key;
    let mut at = roles.iter().position(|one| one.id.key == key);
    if at.is_none() && (told.is_some() || has_lists(realm)) {
        let bare = json!({ "name": names.default_role });
        roles.push(role(told.filter(|role| text(role, "name").is_some()).unwrap_or(&bare), None, names));
        at = roles.len().checked_sub(1);
    }
    let Some(one) = at.and_then(|at| roles.get_mut(at)) else { return };
    let is_named_otherwise = names.default_role != default_role_of(&names.realm);
    let listed = list(realm.get("roles").unwrap_or(&Value::Null), "realm").iter();
    let says = |role: &Value| role.get("composites").is_some() || role.get("composite") == Some(&json!(false));
    let is_said =
        told.into_iter().chain(listed).any(|role| text(role, "name") == Some(&names.default_role) && says(role));
    let mut lacking = Vec::new();
    if let Some(document) = one.document.as_object_mut() {
        if is_named_otherwise {
            document.insert("name".to_owned(), json!(names.default_role));
        }
        if !is_said || (told.is_none() && has_lists(realm)) {
            let held = document.get("composites").cloned().unwrap_or_default();
            let made = composites(&held, realm, told.is_none());
            document.insert("composites".to_owned(), made.document());
            lacking = made.lacking(realm);
        }
    }
    let has: HashSet<_> = roles.iter().map(|one| one.id.key.clone()).collect();
    lacking.retain(|one| !has.contains(&one.id.key));
    roles.extend(lacking);
}

fn has_lists(realm: &Value) -> bool {
    let is_there = |of: &Value| of.get("defaultRoles").is_some_and(Value::is_array);
    is_there(realm) || list(realm, "clients").iter().any(is_there)
}

#[derive(Default)]
struct Composites<'a> {
    realm: BTreeSet<&'a str>,
    clients: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Named by the file's lists.
    listed: Vec<(Option<&'a str>, &'a str)>,
}

fn composites<'a>(held: &'a Value, realm: &'a Value, with_lists: bool) -> Composites<'a> {
    let mut made = Composites::default();
    made.realm.extend(OF_THE_REALM);
    made.realm.extend(list(held, "realm").iter().filter_map(Value::as_str));
    made.clients.entry(ACCOUNT).or_default().extend(OF_THE_ACCOUNT);
    for (client, roles) in held.get("client").and_then(Value::as_object).into_iter().flatten() {
        let roles = roles.as_array().into_iter().flatten().filter_map(Value::as_str);
        made.clients.entry(client).or_default().extend(roles);
    }
    if with_lists {
        let of_realm = list(realm, "defaultRoles").iter().filter_map(Value::as_str).map(|role| (None, role));
        let of_clients = list(realm, "clients").iter().filter_map(|client| Some((text(client, "clientId")?, client)));
        let of_clients = of_clients.flat_map(|(name, client)| {
            list(client, "defaultRoles").iter().filter_map(Value::as_str).map(move |role| (Some(name), role))
        });
        made.listed = of_realm.chain(of_clients).collect();
        for (client, role) in &made.listed {
            match client {
                None => made.realm.insert(role),
                Some(client) => made.clients.entry(client).or_default().insert(role),
            };
        }
    }
    made
}

impl Composites<'_> {
    fn document(&self) -> Value {
        json!({"realm": self.realm, "client": self.clients})
    }

    /// Roles that the lists name and nothing else does. The server makes those of the client `account` only where it
    /// makes that client too.
    fn lacking(&self, realm: &Value) -> Vec<Canonical> {
        let clients: BTreeSet<&str> = list(realm, "clients").iter().filter_map(|one| text(one, "clientId")).collect();
        let is_lacking = |(client, role): &&(Option<&str>, &str)| match client {
            None => !OF_THE_REALM.contains(role),
            Some(client) => clients.contains(client),
        };
        let made = |(client, role): &(Option<&str>, &str)| Canonical {
            id: match client {
                None => Kind::RealmRole.id(&[role]),
                Some(client) => Kind::ClientRole.id(&[client, role]),
            },
            document: json!({}),
            unknown: Vec::new(),
        };
        let mut made: Vec<Canonical> = self.listed.iter().filter(is_lacking).map(made).collect();
        made.sort_by(|one, other| one.id.key.cmp(&other.id.key));
        made.dedup_by(|one, other| one.id.key == other.id.key);
        made
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Realm, realm};
    use super::*;

    fn read(file: Value) -> Realm {
        realm(&file).unwrap()
    }

    fn default_role(realm: &Realm) -> &Value {
        &realm.resources[&Kind::RealmRole.id(&[DEFAULT_ROLE]).key].document
    }

    #[test]
    fn the_default_role_is_the_one_that_the_file_names() {
        let renamed = read(json!({"realm": "New", "defaultRole": {"name": "default-roles-old"}, "roles": {"realm": [
            {"name": "default-roles-old", "composite": true, "composites": {"realm": ["dev"]}},
            {"name": "default-roles-new", "composite": false}, {"name": "dev"}]},
            "groups": [{"name": "g", "realmRoles": ["default-roles-new", "default-roles-old"]}]}));
        assert_eq!(default_role(&renamed), &json!({"name": "default-roles-old", "composites": {"realm": ["dev"]}}));
        assert!(renamed.resources.contains_key(&Kind::RealmRole.id(&["default-roles-new"]).key));
        let group = &renamed.resources[&Kind::Group.id(&["g"]).key].document;
        assert_eq!(group["realmRoles"], json!(["default-roles-new", DEFAULT_ROLE]));
    }

    #[test]
    fn lists_of_names_are_what_the_default_role_is_made_of() {
        let old = read(
            json!({"realm": "r", "defaultRoles": ["user", "offline_access", "made"], "roles": {"realm": [{"name": "user"}]},
            "clients": [{"clientId": "app", "defaultRoles": ["read"]}]}),
        );
        assert_eq!(
            default_role(&old)["composites"],
            json!({"realm": ["made", "offline_access", "uma_authorization", "user"],
                "client": {"account": ["manage-account", "view-profile"], "app": ["read"]}})
        );
        for made in [Kind::RealmRole.id(&["made"]), Kind::ClientRole.id(&["app", "read"])] {
            assert_eq!(old.resources[&made.key].document, json!({}), "{made}");
        }
        assert!(!old.resources.contains_key(&Kind::RealmRole.id(&["uma_authorization"]).key));
    }

    #[test]
    fn roles_of_the_account_console_are_the_servers_to_make_unless_the_file_has_that_client() {
        let role = Kind::ClientRole.id(&[ACCOUNT, "manage-account"]).key;
        let of = |clients: Value| read(json!({"realm": "r", "defaultRoles": ["user"], "clients": clients}));
        assert!(!of(json!([])).resources.contains_key(&role));
        let listed = json!([{"clientId": ACCOUNT, "defaultRoles": ["manage-account"]}]);
        assert_eq!(of(listed).resources[&role].document, json!({}));
    }

    #[test]
    fn a_default_role_that_is_only_named_is_what_the_server_makes_of_it() {
        let short = read(json!({"realm": "r", "defaultRole": {"name": "mine"}, "defaultRoles": ["passed over"]}));
        let made = default_role(&short);
        assert_eq!((&made["name"], &made["composites"]["realm"]), (&json!("mine"), &json!(OF_THE_REALM)));
        let emptied = read(json!({"realm": "r", "defaultRole": {"name": "default-roles-r", "composite": false}}));
        assert_eq!(default_role(&emptied), &json!({}));
        let silent = read(json!({"realm": "r"}));
        assert!(!silent.resources.contains_key(&Kind::RealmRole.id(&[DEFAULT_ROLE]).key));
    }
}
