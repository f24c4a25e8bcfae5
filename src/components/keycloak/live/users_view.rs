use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value, json};

use super::realm_view::{RealmView, text};
use crate::components::keycloak::http::{Http, segment};
use crate::model::{Error, Result};

/// Users with all their attributes; and bare ones, of whom only the id is wanted.
const PAGE: u64 = 500;
const BARE_PAGE: u64 = 1000;
const SIDE_BY_SIDE: usize = 6;

/// All users of a realm as they were at one moment, read in bulk: the list itself, then who is in each group, who has
/// each role, who is linked to each provider. Some hundred calls for 10,000 users, where six for each would be
/// 60,000. What has no bulk read is not in it: credentials, consents, and what a link says.
pub(in crate::components::keycloak) struct UsersView {
    pub begun: Instant,
    pub cost: Duration,
    /// By lower-cased username: representations as the canonical form takes them.
    pub users: HashMap<String, User>,
}

#[derive(Clone, Debug)]
pub(in crate::components::keycloak) struct User {
    pub id: String,
    pub representation: Value,
    /// Whether some identity provider knows this user.
    pub linked: bool,
    pub organizations: Vec<String>,
}

/// What one inverted read tells of each user in its answer.
enum Tells {
    Group(String),
    Role(Option<String>, String),
    Link,
    Organization(String),
}

impl UsersView {
    pub async fn take(http: &Http, realm: &RealmView) -> Result<Self> {
        let begun = Instant::now();
        if realm.realm.is_none() {
            return Ok(Self { begun, cost: begun.elapsed(), users: HashMap::new() });
        }
        let full = [("briefRepresentation", "false")];
        let keep = |user: &Value| Ok(Some(lean(user)));
        let (users, told) =
            tokio::try_join!(http.counted("/users", "/users/count", &full, PAGE, keep), inverted(http, realm))?;
        let mut by_id: HashMap<String, User> = HashMap::with_capacity(users.len());
        for representation in users {
            let Some(id) = text(&representation, "id").map(str::to_owned) else { continue };
            by_id.insert(id.clone(), User { id, representation, linked: false, organizations: Vec::new() });
        }
        for (tells, ids) in told {
            for id in ids {
                // Service accounts are members too, and no users of the list.
                if let Some(user) = by_id.get_mut(&id) {
                    user.note(&tells);
                }
            }
        }
        let named =
            by_id.into_values().filter_map(|user| Some((text(&user.representation, "username")?.to_lowercase(), user)));
        let users = named.collect();
        Ok(Self { begun, cost: begun.elapsed(), users })
    }
}

impl User {
    /// Ids of the groups that it is in.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        super::realm_view::list(&self.representation, "groups").iter().filter_map(Value::as_str)
    }

    fn note(&mut self, tells: &Tells) {
        let Some(fields) = self.representation.as_object_mut() else { return };
        match tells {
            Tells::Group(id) => push(fields.entry("groups"), id),
            Tells::Role(None, name) => push(fields.entry("realmRoles"), name),
            Tells::Role(Some(client), name) => {
                let of_clients = fields.entry("clientRoles").or_insert_with(|| Value::Object(Map::new()));
                if let Some(of_clients) = of_clients.as_object_mut() {
                    push(of_clients.entry(client.clone()), name);
                }
            }
            Tells::Link => self.linked = true,
            Tells::Organization(alias) => self.organizations.push(alias.clone()),
        }
    }
}

fn push(entry: serde_json::map::Entry<'_>, name: &str) {
    if let Some(list) = entry.or_insert_with(|| json!([])).as_array_mut() {
        list.push(Value::String(name.to_owned()));
    }
}

/// Without what describes the profile's form: that is most of an answer.
pub(super) fn lean(user: &Value) -> Value {
    let fields = user.as_object().into_iter().flatten();
    let kept = fields.filter(|(name, _)| !matches!(name.as_str(), "userProfileMetadata" | "access"));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Direct assignments alone, which is what a restore is about: a role that a group lends is the group's.
async fn inverted(http: &Http, realm: &RealmView) -> Result<Vec<(Tells, HashSet<String>)>> {
    let mut asked: Vec<(Tells, String, Option<String>)> = Vec::new();
    for id in realm.groups.values() {
        asked.push((Tells::Group(id.clone()), format!("/groups/{}/members", segment(id)), None));
    }
    for (client, name) in realm.roles.keys() {
        let path = match client {
            None => format!("/roles/{}/users", segment(name)),
            Some(client) => {
                let Some(id) = realm.clients.get(client) else { continue };
                format!("/clients/{}/roles/{}/users", segment(id), segment(name))
            }
        };
        asked.push((Tells::Role(client.clone(), name.clone()), path, None));
    }
    for alias in &realm.providers {
        asked.push((Tells::Link, "/users".to_owned(), Some(alias.clone())));
    }
    for (alias, id) in &realm.organizations {
        asked.push((Tells::Organization(alias.clone()), format!("/organizations/{}/members", segment(id)), None));
    }
    // Everybody has the default role: the longest list, whose pages come one after the other, is begun first.
    asked.sort_by_key(|(tells, _, _)| !matches!(tells, Tells::Role(None, name) if name.starts_with("default-roles-")));
    let answers = stream::iter(asked).map(|(tells, path, provider)| async move {
        let mut query = vec![("briefRepresentation", "true")];
        query.extend(provider.as_deref().map(|alias| ("idpAlias", alias)));
        let items = http.listed(&path, &query, BARE_PAGE).await?;
        let ids = items.iter().filter_map(|item| Some(text(item, "id")?.to_owned())).collect();
        Ok::<_, Error>((tells, ids))
    });
    answers.buffer_unordered(SIDE_BY_SIDE).try_collect().await
}
