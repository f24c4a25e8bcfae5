use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value, json};

use super::realm_view::RealmView;
use super::user::User;
use crate::components::keycloak::http::{Bare, Http, segment};
use crate::model::Result;

/// Lists of roles cost the server the same from any place in them, and groups are counted before each page but the
/// first (26.5): most lists fit into one page.
const PAGE: u64 = 10_000;
/// In groups of so many members, all told, it costs the server less to tell each of some thousand newcomers' groups.
const LONG: u64 = 40_000;
const SIDE_BY_SIDE: usize = 6;

/// Who is in each group, who has each role, who is linked to each provider: some hundred calls for 10,000 users, where
/// four for each would be 40,000. What has no such list is not in it: credentials, consents, and what a link says.
#[derive(Clone, Default)]
pub(super) struct Memberships {
    lists: Vec<List>,
    /// By a user's id the lists that it is in.
    of: HashMap<Box<str>, Vec<usize>>,
    /// Groups are to be asked of each user.
    pub without_groups: bool,
}

/// One list of members, in the order of their names, as far as it was read.
#[derive(Clone)]
struct List {
    tells: Tells,
    path: String,
    provider: Option<String>,
    length: u64,
    last: Option<Box<str>>,
}

/// What the members of one list have in common.
#[derive(Clone)]
enum Tells {
    Group(String),
    Role(Option<String>, String),
    Link,
    Organization(String),
}

impl Memberships {
    /// Direct assignments alone, which is what a restore is about: a role that a group lends is the group's.
    ///
    /// People were only added since `former`: of a list whose last member is in its old place none came before it, and
    /// only what comes after it is read. A restore reads each member once so, and not all of them after each batch. But
    /// for groups: before any page but the first the server counts them, which takes a database that has not looked at
    /// its new tables yet the time of the group times the realm. They are read whole until they are long.
    pub async fn take(http: &Http, realm: &RealmView, former: Option<&Self>) -> Result<Self> {
        let mut taken = former.cloned().unwrap_or_default();
        taken.without_groups |= taken.in_groups() > LONG;
        let known: HashMap<(&str, Option<&str>), usize> = former
            .iter()
            .flat_map(|former| former.lists.iter().enumerate())
            .map(|(at, list)| (list.place(), at))
            .collect();
        let wanted =
            lists(realm).into_iter().filter(|list| !(taken.without_groups && list.is_of_group())).map(|list| {
                let at = known.get(&list.place()).copied();
                let list = at.and_then(|at| former?.lists.get(at).cloned()).unwrap_or(list);
                async move { list.read_on(http).await.map(|read| (at, read)) }
            });
        let answers: Vec<(Option<usize>, Read)> =
            stream::iter(wanted).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        let anew: HashSet<usize> = answers.iter().filter(|(_, read)| read.is_anew).filter_map(|(at, _)| *at).collect();
        if !anew.is_empty() {
            taken.of.values_mut().for_each(|of| of.retain(|list| !anew.contains(list)));
        }
        for (at, read) in answers {
            let at = at.unwrap_or(taken.lists.len());
            for id in read.more {
                taken.of.entry(id).or_default().push(at);
            }
            match taken.lists.get_mut(at) {
                Some(list) => *list = read.list,
                None => taken.lists.push(read.list),
            }
        }
        Ok(taken)
    }

    pub fn note(&self, user: &mut User) {
        let of = self.of.get(&*user.id).into_iter().flatten();
        let lists = of.filter_map(|at| self.lists.get(*at));
        lists.filter(|list| !(self.without_groups && list.is_of_group())).for_each(|list| list.tells.note(user));
    }

    fn in_groups(&self) -> u64 {
        self.lists.iter().filter(|list| list.is_of_group()).map(|list| list.length).sum()
    }
}

/// A list as it is now, and whom it has beside those that were known.
struct Read {
    list: List,
    more: Vec<Box<str>>,
    /// These are all, whoever was known.
    is_anew: bool,
}

impl List {
    fn new(tells: Tells, path: String, provider: Option<&str>) -> Self {
        Self { tells, path, provider: provider.map(str::to_owned), length: 0, last: None }
    }

    fn place(&self) -> (&str, Option<&str>) {
        (&self.path, self.provider.as_deref())
    }

    fn is_of_group(&self) -> bool {
        matches!(self.tells, Tells::Group(_))
    }

    async fn read_on(self, http: &Http) -> Result<Read> {
        if self.last.is_none() || self.is_of_group() {
            return self.read_anew(http).await;
        }
        let mut ids = self.ids(http, self.length.saturating_sub(1)).await?;
        if ids.first() != self.last.as_ref() {
            return self.read_anew(http).await;
        }
        ids.remove(0);
        let last = ids.last().cloned().or(self.last);
        Ok(Read { list: Self { length: self.length + ids.len() as u64, last, ..self }, more: ids, is_anew: false })
    }

    async fn read_anew(self, http: &Http) -> Result<Read> {
        let ids = self.ids(http, 0).await?;
        let (length, last) = (ids.len() as u64, ids.last().cloned());
        Ok(Read { list: Self { length, last, ..self }, more: ids, is_anew: true })
    }

    async fn ids(&self, http: &Http, from: u64) -> Result<Vec<Box<str>>> {
        let mut query = vec![("briefRepresentation", "true")];
        query.extend(self.provider.as_deref().map(|alias| ("idpAlias", alias)));
        let members: Vec<Bare> = http.listed_from(&self.path, &query, PAGE, from).await?;
        Ok(members.into_iter().filter_map(|member| Some(member.id?.into_boxed_str())).collect())
    }
}

impl Tells {
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

/// Every list of a realm, none of its members read.
fn lists(realm: &RealmView) -> Vec<List> {
    let mut lists: Vec<List> = Vec::new();
    for id in realm.groups.values() {
        lists.push(List::new(Tells::Group(id.clone()), format!("/groups/{}/members", segment(id)), None));
    }
    for (client, name) in realm.roles.keys() {
        let path = match client {
            None => format!("/roles/{}/users", segment(name)),
            Some(client) => {
                let Some(id) = realm.clients.get(client) else { continue };
                format!("/clients/{}/roles/{}/users", segment(id), segment(name))
            }
        };
        lists.push(List::new(Tells::Role(client.clone(), name.clone()), path, None));
    }
    lists.extend(realm.providers.iter().map(|alias| List::new(Tells::Link, "/users".to_owned(), Some(alias))));
    for (alias, id) in &realm.organizations {
        let path = format!("/organizations/{}/members", segment(id));
        lists.push(List::new(Tells::Organization(alias.clone()), path, None));
    }
    // Everybody has the default role: the longest list, whose pages come one after the other, is begun first.
    let default = realm.names().map(|names| names.default_role.as_str());
    lists.sort_by_key(|list| !matches!(&list.tells, Tells::Role(None, name) if Some(name.as_str()) == default));
    lists
}
