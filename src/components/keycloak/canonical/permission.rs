use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::escape::escaped;
use super::names::{list, text};

/// What a client's authorization service says of people. It can only be written once they are there, so it belongs to
/// their documents, as memberships of groups do: which policies name them, and which resources are theirs.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    /// By username.
    policies: BTreeMap<String, BTreeSet<String>>,
    resources: BTreeMap<String, Vec<Value>>,
}

/// The accounts of clients come with their clients.
const OF_CLIENTS: &str = "service-account-";

impl Permissions {
    /// Of a realm's representation.
    pub fn of(realm: &Value) -> Self {
        let mut made = Self::default();
        for client in list(realm, "clients") {
            let Some((client_id, settings)) = text(client, "clientId").zip(client.get("authorizationSettings")) else {
                continue;
            };
            for policy in list(settings, "policies") {
                let Some(name) = text(policy, "name") else { continue };
                for person in people_of(policy).into_iter().filter(|name| !name.starts_with(OF_CLIENTS)) {
                    made.policies.entry(person).or_default().insert(policy_key(client_id, name));
                }
            }
            for resource in list(settings, "resources") {
                let Some((name, owner)) = text(resource, "name").zip(owner_of(resource)) else { continue };
                let mut of_client = client_of(resource);
                of_client.insert("key".to_owned(), json!(policy_key(client_id, name)));
                made.resources.entry(owner).or_default().push(Value::Object(of_client));
            }
        }
        made
    }

    pub fn policies(&self, username: &str) -> Option<Value> {
        self.policies.get(username).map(|policies| json!(policies))
    }

    /// People whom a policy of a client names.
    pub fn people(&self, client: &str, policy: &str) -> Vec<&str> {
        let key = policy_key(client, policy);
        let named = self.policies.iter().filter(|(_, policies)| policies.contains(&key));
        named.map(|(name, _)| name.as_str()).collect()
    }

    pub fn resources(&self, username: &str) -> Option<Value> {
        self.resources.get(username).map(|resources| json!(resources))
    }
}

/// A client's authorization settings without what belongs to people.
pub(super) fn without_people(settings: &mut Value) {
    let Some(fields) = settings.as_object_mut() else { return };
    if let Some(resources) = fields.get_mut("resources").and_then(Value::as_array_mut) {
        resources.retain(|resource| owner_of(resource).is_none());
    }
    for policy in fields.get_mut("policies").and_then(Value::as_array_mut).into_iter().flatten() {
        let named = people_of(policy);
        if named.is_empty() {
            continue;
        }
        let accounts: Vec<String> = named.into_iter().filter(|name| name.starts_with(OF_CLIENTS)).collect();
        if let Some(config) = policy.get_mut("config").and_then(Value::as_object_mut) {
            config.insert("users".to_owned(), Value::String(json!(accounts).to_string()));
        }
    }
}

/// A policy beside whose accounts of clients these people are named too.
pub fn with_people(mut policy: Value, people: &[&str]) -> Value {
    if people.is_empty() || text(&policy, "type") != Some("user") {
        return policy;
    }
    let mut named = people_of(&policy);
    named.extend(people.iter().map(|name| (*name).to_owned()));
    named.sort_unstable();
    named.dedup();
    if let Some(config) = policy.get_mut("config").and_then(Value::as_object_mut) {
        config.insert("users".to_owned(), Value::String(json!(named).to_string()));
    }
    policy
}

/// `CLIENT/POLICY`, each escaped as in keys.
fn policy_key(client: &str, name: &str) -> String {
    format!("{}/{}", escaped(client), escaped(name))
}

/// The list is a text, as in `"[\"ana\"]"`.
fn people_of(policy: &Value) -> Vec<String> {
    let users =
        policy.pointer("/config/users").and_then(Value::as_str).filter(|_| text(policy, "type") == Some("user"));
    let users = users.and_then(|users| serde_json::from_str::<Vec<String>>(users).ok()).unwrap_or_default();
    users.into_iter().map(|name| name.to_lowercase()).collect()
}

/// Whose it is, if it is a person's: of what the client itself has, nothing is said.
fn owner_of(resource: &Value) -> Option<String> {
    let owner = resource.get("owner")?;
    let name = owner.as_str().or_else(|| text(owner, "name"))?;
    (!name.is_empty() && !name.starts_with(OF_CLIENTS)).then(|| name.to_lowercase())
}

fn client_of(resource: &Value) -> Map<String, Value> {
    let fields = resource.as_object().into_iter().flatten();
    let kept = fields.filter(|(name, value)| !matches!(name.as_str(), "owner" | "id" | "_id") && !is_empty(value));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn is_empty(value: &Value) -> bool {
    super::fields::without_blanks(value).is_none()
}
