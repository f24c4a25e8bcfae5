use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::super::escape::escaped;
use super::component::directories;
use super::fields::set;
use super::permission::Permissions;

/// How deep groups may lie in one another: a file from outside can hold any depth.
const MAX_DEPTH: usize = 64;

/// What a realm's own names stand for, so that one resource's canonical form is the same in every realm and on every
/// server: groups by their names, not by paths in which a `/` can be part of a name; flows by alias, not by id.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub realm: String,
    /// The realm's own name for its default role. A realm that was renamed keeps the one of before.
    pub default_role: String,
    groups: HashMap<String, String>,
    ambiguous: BTreeSet<String>,
    flows: HashMap<String, String>,
    directories: HashMap<String, String>,
    organizations: HashMap<String, BTreeSet<String>>,
    /// What the authorization services of clients say of people.
    pub permissions: Permissions,
}

/// Stands for the realm's default role in every realm, whatever its name is there.
pub const DEFAULT_ROLE: &str = "default-roles-{realm}";

/// Stands for the realm's name in addresses of its own.
const REALM: &str = "{realm}";
const OWN_FOLDERS: [&str; 2] = ["/realms/", "/admin/"];

/// The name that the server gives to the default role of a realm.
pub fn default_role_of(realm: &str) -> String {
    DEFAULT_ROLE.replace(REALM, &realm.to_lowercase())
}

/// The name of the default role, from a realm's representation.
fn default_role_in(realm: &Value) -> String {
    let told = realm.get("defaultRole").and_then(|role| text(role, "name")).filter(|name| !name.is_empty());
    if let Some(told) = told {
        return told.to_owned();
    }
    let name = default_role_of(text(realm, "realm").unwrap_or_default());
    // Names of roles keep their case; the realm's in this one may have it too.
    let roles = realm.get("roles").map_or(&[][..], |roles| list(roles, "realm"));
    let mut known = roles.iter().filter_map(|role| text(role, "name"));
    known.find(|known| known.eq_ignore_ascii_case(&name)).map_or(name.clone(), str::to_owned)
}

/// The address in the realm of this name.
pub fn address_in(realm: &str, text: &str) -> String {
    let of = |folder: &str| text.strip_prefix(folder)?.strip_prefix(REALM).filter(|rest| rest.starts_with('/'));
    let found = OWN_FOLDERS.iter().find_map(|folder| Some((folder, of(folder)?)));
    found.map_or_else(|| text.to_owned(), |(folder, rest)| format!("{folder}{realm}{rest}"))
}

impl Names {
    /// Of a realm's representation, from an export or from the server.
    pub fn of(realm: &Value) -> Self {
        let mut names = Self {
            realm: text(realm, "realm").unwrap_or_default().to_owned(),
            default_role: default_role_in(realm),
            permissions: Permissions::of(realm),
            ..Self::default()
        };
        let mut by_names = Vec::new();
        names.add_groups(list(realm, "groups"), &[], 0, &mut by_names);
        // A file may tell another path than the names make; the server goes by the names.
        for (path, key) in by_names {
            names.groups.entry(path).or_insert(key);
        }
        for flow in list(realm, "authenticationFlows") {
            if let (Some(id), Some(alias)) = (text(flow, "id"), text(flow, "alias")) {
                names.flows.insert(id.to_owned(), alias.to_owned());
            }
        }
        names.directories = realm.get("components").map(directories).unwrap_or_default();
        for organization in list(realm, "organizations") {
            let alias = text(organization, "alias").or_else(|| text(organization, "name")).unwrap_or_default();
            for member in list(organization, "members") {
                if let Some(username) = text(member, "username") {
                    names.add_member(username, alias);
                }
            }
        }
        names
    }

    pub fn add_member(&mut self, username: &str, organization: &str) {
        self.organizations.entry(username.to_lowercase()).or_default().insert(organization.to_owned());
    }

    fn add_groups(&mut self, groups: &[Value], above: &[String], depth: usize, by_names: &mut Vec<(String, String)>) {
        for group in groups {
            let Some(name) = text(group, "name") else { continue };
            let way: Vec<String> = above.iter().cloned().chain([name.to_owned()]).collect();
            let key = key_of(&way);
            if let Some(id) = text(group, "id") {
                self.groups.insert(id.to_owned(), key.clone());
            }
            let by_name = format!("/{}", way.join("/"));
            let path = text(group, "path").map_or_else(|| by_name.clone(), str::to_owned);
            by_names.push((by_name, key.clone()));
            if self.groups.insert(path.clone(), key.clone()).is_some_and(|other| other != key) {
                self.ambiguous.insert(path);
            }
            if depth < MAX_DEPTH {
                self.add_groups(list(group, "subGroups"), &way, depth + 1, by_names);
            }
        }
    }

    /// A group by its id or by the server's path for it, as `/a/b` with the `/` in names escaped; people leave out the
    /// first `/`, or write one at the end. One that the realm does not have keeps the path that it was given.
    pub fn group(&self, id_or_path: &str) -> String {
        let known = self.groups.get(id_or_path).cloned();
        let whole = || self.groups.get(&format!("/{}", id_or_path.trim_matches('/'))).cloned();
        known.or_else(whole).unwrap_or_else(|| id_or_path.to_owned())
    }

    pub fn knows_group(&self, id_or_path: &str) -> bool {
        self.groups.contains_key(id_or_path)
    }

    /// Paths that two groups share, because a name holds a `/`: whom they stand for nobody can tell.
    pub fn is_ambiguous(&self, path: &str) -> bool {
        self.ambiguous.contains(path)
    }

    pub fn flow(&self, id: &str) -> String {
        self.flows.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// A directory by its id. One that the realm does not have keeps its id.
    pub fn directory(&self, id: &str) -> String {
        self.directories.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    pub fn organizations(&self, username: &str) -> Option<Value> {
        let of = self.organizations.get(&username.to_lowercase())?;
        Some(Value::Array(of.iter().cloned().map(Value::String).collect()))
    }

    pub fn role(&self, name: &str) -> String {
        match name == self.default_role && !name.is_empty() {
            true => DEFAULT_ROLE.to_owned(),
            false => name.to_owned(),
        }
    }

    /// An address of the realm on its own server, which holds the realm's name: `/realms/NAME/account/`.
    pub fn address(&self, text: &str) -> String {
        for folder in OWN_FOLDERS {
            let rest = text.strip_prefix(folder).and_then(|rest| rest.strip_prefix(self.realm.as_str()));
            if let Some(rest) = rest.filter(|rest| rest.starts_with('/')) {
                return format!("{folder}{REALM}{rest}");
            }
        }
        text.to_owned()
    }

    /// A list of realm roles as a set.
    pub fn roles(&self, list: Option<&Value>) -> Option<Value> {
        let items = list?.as_array()?;
        let named = items.iter().filter_map(Value::as_str).map(|name| Value::String(self.role(name))).collect();
        set(&Value::Array(named))
    }
}

/// Names of a group and of those above it, as the canonical form writes them.
pub fn key_of<S: AsRef<str>>(way: &[S]) -> String {
    way.iter().fold(String::new(), |key, name| key + "/" + &escaped(name.as_ref()))
}

pub(in crate::components::keycloak) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(in crate::components::keycloak) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// `{realm: […], client: {id: […]}}` of the roles that each holder is given, as scope mappings list them.
pub(super) fn scope_mappings(realm: &Value, names: &Names, holder: &str, of: &str) -> Option<Value> {
    let is_ours = |mapping: &&Value| text(mapping, holder) == Some(of);
    let mut mappings = Map::new();
    let ours = list(realm, "scopeMappings").iter().filter(is_ours).flat_map(|mapping| list(mapping, "roles"));
    let of_realm: Vec<Value> = ours.cloned().collect();
    if let Some(roles) = names.roles(Some(&Value::Array(of_realm))) {
        mappings.insert("realm".to_owned(), roles);
    }
    let mut of_clients: BTreeMap<&String, Vec<Value>> = BTreeMap::new();
    for (client, given) in realm.get("clientScopeMappings").and_then(Value::as_object).into_iter().flatten() {
        let ours = given.as_array().into_iter().flatten().filter(is_ours);
        of_clients.entry(client).or_default().extend(ours.flat_map(|mapping| list(mapping, "roles")).cloned());
    }
    let of_clients: Map<String, Value> = of_clients
        .into_iter()
        .filter_map(|(client, roles)| Some((client.clone(), set(&Value::Array(roles))?)))
        .collect();
    if !of_clients.is_empty() {
        mappings.insert("client".to_owned(), Value::Object(of_clients));
    }
    (!mappings.is_empty()).then_some(Value::Object(mappings))
}
