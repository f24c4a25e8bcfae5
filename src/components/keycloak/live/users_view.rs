use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::realm_view::{RealmView, text};
use crate::components::keycloak::http::{Bare, Http, Item, segment, strange};
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
    /// By lower-cased username.
    users: HashMap<Box<str>, Packed>,
    tells: Vec<Tells>,
}

/// One of many, held as text: as a value each takes some kilobytes, and there may be a million.
struct Packed {
    text: Box<[u8]>,
    /// Which of the view's `tells` are true of it.
    told: Vec<u32>,
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
            return Ok(Self { begun, cost: begun.elapsed(), users: HashMap::new(), tells: Vec::new() });
        }
        let full = [("briefRepresentation", "false")];
        let keep = |user: Lean| {
            let (id, name) = (user.id()?.to_owned(), user.text("username")?.to_lowercase());
            let text = serde_json::to_vec(&user.fields).ok()?.into_boxed_slice();
            Some((id, name.into_boxed_str(), Packed { text, told: Vec::new() }))
        };
        let (users, told) =
            tokio::try_join!(http.counted("/users", "/users/count", &full, PAGE, keep), inverted(http, realm))?;
        let mut by_id: HashMap<String, (Box<str>, Packed)> =
            users.into_iter().map(|(id, name, user)| (id, (name, user))).collect();
        let mut tells = Vec::with_capacity(told.len());
        for (at, (tell, ids)) in (0..).zip(told) {
            for id in ids {
                // Service accounts are members too, and no users of the list.
                if let Some((_, user)) = by_id.get_mut(&id) {
                    user.told.push(at);
                }
            }
            tells.push(tell);
        }
        Ok(Self { begun, cost: begun.elapsed(), users: by_id.into_values().collect(), tells })
    }

    /// As the canonical form takes it; by lower-cased username.
    pub fn user(&self, name: &str) -> Result<Option<User>> {
        let Some(packed) = self.users.get(name) else { return Ok(None) };
        let representation: Value = serde_json::from_slice(&packed.text)
            .map_err(|error| strange("read a user", "it is not as it was read").caused_by(error))?;
        let id = text(&representation, "id").unwrap_or_default().to_owned();
        let mut user = User { id, representation, linked: false, organizations: Vec::new() };
        let told = packed.told.iter().filter_map(|at| self.tells.get(*at as usize));
        told.for_each(|tells| user.note(tells));
        Ok(Some(user))
    }
}

/// A user without what describes the profile's form, which is most of an answer and is passed over unread.
#[derive(Deserialize)]
struct Lean {
    #[serde(default, rename = "userProfileMetadata")]
    _form: IgnoredAny,
    #[serde(default, rename = "access")]
    _access: IgnoredAny,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl Lean {
    fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }
}

impl Item for Lean {
    fn id(&self) -> Option<&str> {
        self.text("id")
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

/// The same of one that is held as a value.
pub(super) fn lean(user: &Value) -> Value {
    Value::Object(Lean::deserialize(user).map(|lean| lean.fields).unwrap_or_default())
}

/// Direct assignments alone, which is what a restore is about: a role that a group lends is the group's.
async fn inverted(http: &Http, realm: &RealmView) -> Result<Vec<(Tells, Vec<String>)>> {
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
        let members: Vec<Bare> = http.listed(&path, &query, BARE_PAGE).await?;
        let ids = members.into_iter().filter_map(|member| member.id).collect();
        Ok::<_, Error>((tells, ids))
    });
    answers.buffer_unordered(SIDE_BY_SIDE).try_collect().await
}
