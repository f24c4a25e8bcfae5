use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value, json};

use super::realm_view::RealmView;
use super::user::User;
use crate::components::keycloak::http::{Bare, Http, segment};
use crate::model::{Error, Result};

const PAGE: u64 = 1000;
const SIDE_BY_SIDE: usize = 6;

/// Who is in each group, who has each role, who is linked to each provider: some hundred calls for 10,000 users, where
/// four for each would be 40,000. What has no such list is not in it: credentials, consents, and what a link says.
pub(super) struct Memberships {
    lists: Vec<List>,
    /// By a user's id the lists that it is in.
    of: HashMap<Box<str>, Vec<u32>>,
}

/// What the members of one list have in common.
enum List {
    Group(String),
    Role(Option<String>, String),
    Link,
    Organization(String),
}

impl Memberships {
    /// Direct assignments alone, which is what a restore is about: a role that a group lends is the group's.
    pub async fn take(http: &Http, realm: &RealmView) -> Result<Self> {
        let answers = stream::iter(asked(realm)).map(|(list, path, provider)| async move {
            let mut query = vec![("briefRepresentation", "true")];
            query.extend(provider.as_deref().map(|alias| ("idpAlias", alias)));
            let members: Vec<Bare> = http.listed(&path, &query, PAGE).await?;
            let ids: Vec<Box<str>> =
                members.into_iter().filter_map(|member| Some(member.id?.into_boxed_str())).collect();
            Ok::<_, Error>((list, ids))
        });
        let mut answers = answers.buffer_unordered(SIDE_BY_SIDE);
        let mut taken = Self { lists: Vec::new(), of: HashMap::new() };
        while let Some((list, ids)) = answers.try_next().await? {
            let at = u32::try_from(taken.lists.len()).unwrap_or(u32::MAX);
            taken.lists.push(list);
            for id in ids {
                taken.of.entry(id).or_default().push(at);
            }
        }
        Ok(taken)
    }

    pub fn note(&self, user: &mut User) {
        let of = self.of.get(&*user.id).into_iter().flatten();
        of.filter_map(|at| self.lists.get(*at as usize)).for_each(|list| list.note(user));
    }
}

impl List {
    fn note(&self, user: &mut User) {
        let Some(fields) = user.representation.as_object_mut() else { return };
        match self {
            Self::Group(id) => push(fields.entry("groups"), id),
            Self::Role(None, name) => push(fields.entry("realmRoles"), name),
            Self::Role(Some(client), name) => {
                let of_clients = fields.entry("clientRoles").or_insert_with(|| Value::Object(Map::new()));
                if let Some(of_clients) = of_clients.as_object_mut() {
                    push(of_clients.entry(client.clone()), name);
                }
            }
            Self::Link => user.linked = true,
            Self::Organization(alias) => user.organizations.push(alias.clone()),
        }
    }
}

fn push(entry: serde_json::map::Entry<'_>, name: &str) {
    if let Some(list) = entry.or_insert_with(|| json!([])).as_array_mut() {
        list.push(Value::String(name.to_owned()));
    }
}

/// Each list, where it is, and the provider whose it is.
fn asked(realm: &RealmView) -> Vec<(List, String, Option<String>)> {
    let mut asked: Vec<(List, String, Option<String>)> = Vec::new();
    for id in realm.groups.values() {
        asked.push((List::Group(id.clone()), format!("/groups/{}/members", segment(id)), None));
    }
    for (client, name) in realm.roles.keys() {
        let path = match client {
            None => format!("/roles/{}/users", segment(name)),
            Some(client) => {
                let Some(id) = realm.clients.get(client) else { continue };
                format!("/clients/{}/roles/{}/users", segment(id), segment(name))
            }
        };
        asked.push((List::Role(client.clone(), name.clone()), path, None));
    }
    for alias in &realm.providers {
        asked.push((List::Link, "/users".to_owned(), Some(alias.clone())));
    }
    for (alias, id) in &realm.organizations {
        asked.push((List::Organization(alias.clone()), format!("/organizations/{}/members", segment(id)), None));
    }
    // Everybody has the default role: the longest list, whose pages come one after the other, is begun first.
    asked.sort_by_key(|(list, _, _)| !matches!(list, List::Role(None, name) if name.starts_with("default-roles-")));
    asked
}
