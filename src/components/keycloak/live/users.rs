use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::Live;
use super::one_user::{self, Details};
use super::realm_view::{RealmView, text};
use super::user::{self, User};
use crate::components::keycloak::canonical::{self, Side};
use crate::components::keycloak::kinds::Kind;
use crate::model::{Error, Resource, ResourceId, Result, TreePath};

/// One user on its way through the calls that tell of it.
struct Read {
    id: ResourceId,
    details: Details,
    /// Read with many others: its memberships stand in lists.
    is_of_many: bool,
    /// They did not tell its groups.
    lacks_groups: bool,
}

/// So few users are read one by one, each as it is now.
const FEW: usize = 16;
/// One user read alone costs as much as this many read in bulk.
const BULK_PAYS: u64 = 12;
const SIDE_BY_SIDE: usize = 8;

impl Live {
    /// The names of all users, sorted.
    pub(super) async fn all_users(&self) -> Result<Vec<String>> {
        let realm = self.realm_for_names().await?;
        let roster = self.roster(&realm, self.fresh_of_all()).await?;
        let mut names: Vec<String> = roster.names().map(str::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Id and name of whoever has each of these e-mails; who has one that nobody has is not in the answer.
    pub(in crate::components::keycloak) async fn holders(
        &self,
        realm: &RealmView,
        emails: &[String],
    ) -> Result<HashMap<String, (String, String)>> {
        if emails.len() > FEW {
            let roster = self.roster(realm, self.fresh([])).await?;
            let held = |email: &String| {
                let (id, name) = roster.holder(email)?;
                Some((email.clone(), (id.to_owned(), name.to_owned())))
            };
            return Ok(emails.iter().filter_map(held).collect());
        }
        let ask = |email: String| async move {
            let query = [("email", email.as_str()), ("exact", "true"), ("briefRepresentation", "true")];
            let found = self.http.get("/users", &query).await?;
            let first = found.as_array().and_then(|found| found.first());
            let name = |of| first.and_then(|one| text(one, of)).map(str::to_owned);
            Ok::<_, Error>(name("id").zip(name("username")).map(|held| (email, held)))
        };
        let read: Vec<_> = stream::iter(emails.to_vec()).map(ask).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        Ok(read.into_iter().flatten().collect())
    }

    /// The ids of those who have these names, in lower case.
    pub(in crate::components::keycloak) async fn ids_of(
        &self,
        realm: &RealmView,
        names: Vec<String>,
    ) -> Result<HashMap<String, String>> {
        if names.len() > FEW {
            let roster = self.roster(realm, self.fresh_of_all()).await?;
            let found = names.into_iter().filter_map(|name| Some((name.clone(), roster.id(&name)?.to_owned())));
            return Ok(found.collect());
        }
        let ask = |name: String| async move {
            let query = [("username", name.as_str()), ("exact", "true"), ("briefRepresentation", "true")];
            let found = self.http.get("/users", &query).await?;
            let is_it = |one: &&serde_json::Value| text(one, "username").is_some_and(|own| own.to_lowercase() == name);
            let id = found.as_array().into_iter().flatten().find(is_it).and_then(|one| text(one, "id"));
            Ok::<_, Error>(id.map(|id| (name.clone(), id.to_owned())))
        };
        let read: Vec<_> = stream::iter(names).map(ask).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        Ok(read.into_iter().flatten().collect())
    }

    /// The names of those who have these ids.
    pub(in crate::components::keycloak) async fn names_of(
        &self,
        realm: &RealmView,
        ids: Vec<String>,
    ) -> Result<HashMap<String, String>> {
        if ids.len() > FEW {
            let roster = self.roster(realm, self.fresh([])).await?;
            let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
            let all = roster.names().filter_map(|name| Some((roster.id(name)?, name)));
            let found = all.filter(|(id, _)| wanted.contains(id));
            return Ok(found.map(|(id, name)| (id.to_owned(), name.to_owned())).collect());
        }
        let found = user::of_ids(&self.http, ids).await?;
        let name = |(id, user): (String, User)| Some((id, text(&user.representation, "username")?.to_owned()));
        Ok(found.into_iter().filter_map(name).collect())
    }

    /// Users by key, each for itself.
    pub(super) async fn users(
        &self,
        wanted: &[ResourceId],
        details: &[Details],
    ) -> Result<BTreeMap<TreePath, Result<Option<Resource>>>> {
        let realm = self.realm_for_names().await?;
        let keys: Vec<&TreePath> = wanted.iter().map(|id| &id.key).collect();
        let mut many = match self.pays_in_bulk(&realm, &keys).await? {
            true => self.many(&realm, wanted, details).await?,
            false => HashMap::new(),
        };
        let asked = wanted.iter().enumerate().map(|(at, id)| {
            let details = details.get(at).cloned().unwrap_or_default();
            (id.clone(), details, many.remove(&id.key))
        });
        let asked: Vec<(ResourceId, Details, Option<Option<User>>)> = asked.collect();
        let realm = &*realm;
        let read = stream::iter(asked).map(|(id, details, known)| async move {
            let is_of_many = matches!(known, Some(Some(_)));
            let user = self.with_details(realm, &id, &details, known).await;
            (Read { id, details, is_of_many, lacks_groups: false }, user)
        });
        let mut read: Vec<(Read, Result<Option<User>>)> = read.buffer_unordered(SIDE_BY_SIDE).collect().await;
        self.note_memberships(realm, &mut read).await?;
        let finished = stream::iter(read).map(|(Read { id, details, lacks_groups, .. }, user)| async move {
            let read = async {
                let mut user = user?;
                if let (Some(user), true) = (&mut user, lacks_groups && !realm.groups.is_empty()) {
                    one_user::add_groups(&self.http, user).await?;
                }
                self.finished(realm, user, &details).await
            };
            let read = read.await;
            (Kind::of_id(&id).map(|(kind, names)| kind.id(&names).key).unwrap_or(id.key), read)
        });
        Ok(finished.buffer_unordered(SIDE_BY_SIDE).collect().await)
    }

    async fn with_details(
        &self,
        realm: &RealmView,
        id: &ResourceId,
        details: &Details,
        known: Option<Option<User>>,
    ) -> Result<Option<User>> {
        let user = match known {
            Some(found) => found,
            None => one_user::read(&self.http, realm, &username(id)?).await?,
        };
        let Some(mut user) = user else { return Ok(None) };
        one_user::add_details(&self.http, realm, &mut user, details).await?;
        Ok(Some(user))
    }

    /// The lists come last: who reads them has the realm alone, and until then others write.
    async fn note_memberships(&self, realm: &RealmView, read: &mut [(Read, Result<Option<User>>)]) -> Result<()> {
        let of_many = |read: &&(Read, Result<Option<User>>)| read.0.is_of_many && matches!(read.1, Ok(Some(_)));
        let keys: Vec<&TreePath> = read.iter().filter(of_many).map(|(read, _)| &read.id.key).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let memberships = self.memberships(realm, &keys).await?;
        for (read, user) in read.iter_mut().filter(|(read, _)| read.is_of_many) {
            if let Ok(Some(user)) = user {
                memberships.note(user);
                read.lacks_groups = memberships.without_groups;
            }
        }
        Ok(())
    }

    /// Many come in several batches, of which each alone may not pay: what was asked for lately counts too.
    async fn pays_in_bulk(&self, realm: &RealmView, keys: &[&TreePath]) -> Result<bool> {
        if keys.len() <= FEW || realm.realm.is_none() {
            return Ok(false);
        }
        let asked = self.asked_lately(keys.len() as u64);
        if self.memberships.get(self.fresh(keys.iter().copied())).await.is_some() {
            return Ok(true);
        }
        Ok(asked.saturating_mul(BULK_PAYS) >= self.http.count("/users/count").await?)
    }

    /// As a bulk read tells them but for their memberships, by key; who is not in the answer is to be read alone.
    async fn many(
        &self,
        realm: &RealmView,
        wanted: &[ResourceId],
        details: &[Details],
    ) -> Result<HashMap<TreePath, Option<User>>> {
        let begun = self.roster.last().await.map(|(begun, _)| begun);
        let named = wanted.iter().enumerate().filter_map(|(at, id)| {
            let given = details.get(at).and_then(|details| details.id.as_deref());
            // A user that was just written has the id that it was written with.
            let is_new = || self.users_written([&id.key]).is_some_and(|at| begun.is_none_or(|begun| at > begun));
            Some((&id.key, username(id).ok()?, given.filter(|_| is_new())))
        });
        let (written, others): (Vec<_>, Vec<_>) = named.partition(|(_, _, given)| given.is_some());
        let mut ids: HashMap<String, (&TreePath, String)> =
            written.into_iter().filter_map(|(key, name, given)| Some((given?.to_owned(), (key, name)))).collect();
        let mut found = HashMap::with_capacity(wanted.len());
        if !others.is_empty() {
            let roster = self.roster(realm, self.fresh(others.iter().map(|(key, _, _)| *key))).await?;
            for (key, name, _) in others {
                match roster.id(&name) {
                    Some(id) => drop(ids.insert(id.to_owned(), (key, name))),
                    None => drop(found.insert(key.clone(), None)),
                }
            }
        }
        let users = user::of_ids(&self.http, ids.keys().cloned().collect()).await?;
        let there = users.into_iter().filter_map(|(id, user)| {
            let (key, name) = ids.get(&id)?;
            user.is_named(name).then_some((*key, user))
        });
        found.extend(there.map(|(key, user)| (key.clone(), Some(user))));
        Ok(found)
    }

    /// One user as it is now.
    pub(in crate::components::keycloak) async fn user_now(
        &self,
        realm: &RealmView,
        id: &ResourceId,
        details: Details,
    ) -> Result<Option<Resource>> {
        let found = self.with_details(realm, id, &details, None).await?;
        self.finished(realm, found, &details).await
    }

    async fn finished(&self, realm: &RealmView, found: Option<User>, details: &Details) -> Result<Option<Resource>> {
        let (Some(mut user), Some(names)) = (found, realm.names()) else { return Ok(None) };
        let now;
        let names = match user.groups().all(|id| names.knows_group(id)) {
            true => names,
            // A group came since the realm was read.
            false => {
                now = self.realm_now().await?;
                now.names().unwrap_or(names)
            }
        };
        one_user::add_links(&self.http, realm, &mut user).await?;
        let mut made = canonical::user(&user.representation, names, Side::Live)?;
        canonical::without_dates(&mut made.document, &details.undated);
        if let (Some(enabled), Some(directory)) = (details.enabled, text(&made.document, "federationLink"))
            && realm.is_disabled(directory)
        {
            made.document["enabled"] = enabled.into();
        }
        if !user.organizations.is_empty()
            && let Some(fields) = made.document.as_object_mut()
        {
            user.organizations.sort_unstable();
            fields.insert("organizations".to_owned(), user.organizations.into());
        }
        Ok(Some(made.resource()))
    }
}

/// The name that a user's key stands for.
fn username(id: &ResourceId) -> Result<String> {
    let (_, mut names) = Kind::of_id(id)?;
    Ok(names.pop().unwrap_or_default().to_lowercase())
}
