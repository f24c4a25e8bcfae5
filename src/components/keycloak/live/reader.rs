use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::one_user::Details;
use super::realm_view::{RealmView, text};
use super::{Keycloak, is_user, probe};
use crate::components::keycloak::canonical;
use crate::components::keycloak::held::{HELD_BY, within};
use crate::components::keycloak::http::strange;
use crate::components::keycloak::kinds::Kind;
use crate::components::keycloak::place;
use crate::model::{
    Answer, Body, Document, Error, FoundOwners, Identity, Location, Probe, Resource, ResourceId, Result, Schema, Scope,
    TargetIdentity, TreePath, visible,
};
use crate::reader::{Beside, Reader, Wanted};

const SIDE_BY_SIDE: usize = 4;

#[async_trait]
impl Reader for Keycloak {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        let config = &self.live.http.config;
        let realm = self.live.http.get_maybe("", &[]).await?;
        let id = match &realm {
            Some(realm) => {
                let id = text(realm, "id").filter(|id| !id.is_empty());
                Identity::Present(
                    id.ok_or_else(|| strange("ask the realm who it is", "its answer has no id"))?.to_owned(),
                )
            }
            None => Identity::Absent,
        };
        Ok(TargetIdentity {
            // It is journalled, shown before each approval, and the same for a run to its end.
            system: match config.insecure {
                true => format!("Keycloak realm, {},", TargetIdentity::UNCHECKED),
                false => "Keycloak realm".to_owned(),
            },
            address: visible(&format!("{}/realms/{}", config.url, config.realm)).into_owned(),
            id,
        })
    }

    async fn owners(&self, below: &TreePath, kind: Option<&str>) -> Result<FoundOwners> {
        let folder = match kind {
            Some(name) => place::folder_of(name)?,
            None => below.clone(),
        };
        place::known(&folder)?;
        let keys: Vec<TreePath> = match is_user(&folder) {
            true => {
                self.live.is_there().await?;
                self.live.all_users().await?.iter().map(|name| Kind::User.id(&[name]).key).collect()
            }
            false => self.live.realm_for_plan().await?.resources().map(|(key, _)| key.clone()).collect(),
        };
        Ok(place::owners_in(&folder, keys.iter()).into())
    }

    /// The realm itself was found.
    fn can_have_no_owners(&self) -> bool {
        true
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let mut named = Vec::new();
        let mut all = false;
        let mut realm = false;
        for scope in scopes {
            match reach(scope) {
                Reach::Users => all = true,
                Reach::User(id) => named.push(id),
                Reach::Realm => realm = true,
                Reach::Everything => (all, realm) = (true, true),
            }
        }
        let view = match realm {
            true => Some(self.live.realm_for_plan().await),
            false => None,
        };
        let everyone = match all {
            true => Some(self.live.all_users().await),
            false => None,
        };
        let found = match named.is_empty() {
            true => Ok(BTreeMap::new()),
            false => self.live.users(&named, &[]).await,
        };
        scopes.iter().map(|scope| self.listed(scope, view.as_ref(), everyone.as_ref(), &found)).collect()
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let mut users = Vec::new();
        let mut details = Vec::new();
        for Wanted { at: location, beside } in wanted {
            if is_user(&location.id.key) {
                users.push(location.id.clone());
                let other = beside.document();
                details.push(other.map_or_else(Details::default, |other| Details::of(&other.value)));
            }
        }
        let is_realm = users.len() < wanted.len();
        let view = match is_realm {
            true => Some(self.live.realm_for_plan().await),
            false => None,
        };
        let found = match users.is_empty() {
            true => Ok(BTreeMap::new()),
            false => self.live.users(&users, &details).await,
        };
        let held = match &view {
            Some(Ok(view)) => self.held(view, wanted).await,
            _ => HashMap::new(),
        };
        let read = |(at, Wanted { at: location, beside }): (usize, &Wanted<'_>)| -> Result<Option<Resource>> {
            let (kind, id) = Kind::of_id(&location.id).map(|(kind, names)| (kind, kind.id(&names)))?;
            let other = beside.document();
            let found = match is_user(&id.key) {
                true => match found.as_ref().map_err(again)?.get(&id.key) {
                    Some(Ok(found)) => found.clone(),
                    Some(Err(error)) => return Err(again(error)),
                    None => None,
                },
                false => {
                    let view = view.as_ref().map(|view| view.as_ref().map_err(again)).transpose()?;
                    let realm = view.and_then(|view| view.realm.as_ref());
                    let found = realm.and_then(|realm| realm.resources.get(&id.key));
                    // What a realm always has cannot go: a backup that lacks it says nothing of it.
                    let stays = matches!(beside, Beside::Nothing) && is_always_there(kind);
                    let found = found.filter(|_| !stays);
                    found
                        .map(|found| {
                            let shown = other.map(|other| canonical::as_said(kind, &found.document, &other.value));
                            let mut shown = shown.unwrap_or_else(|| found.document.clone());
                            if let (Some(fields), Some(held)) = (shown.as_object_mut(), held.get(&at)) {
                                fields.insert(HELD_BY.to_owned(), held.as_ref().map_err(again)?.clone());
                            }
                            Ok::<_, Error>(found.resource_of(shown))
                        })
                        .transpose()?
                }
            };
            Ok(found.map(|found| Resource { id: location.id.clone(), ..found }))
        };
        wanted.iter().enumerate().map(read).collect()
    }

    fn shown_beside(&self, resource: &Resource, other: &Resource) -> Option<Resource> {
        let (shown, said) = (resource.document()?, other.document()?);
        let (kind, _) = Kind::of_id(&resource.id).ok()?;
        let mut made = canonical::as_said(kind, &shown.value, &said.value);
        if is_user(&resource.id.key) {
            canonical::without_dates(&mut made, &canonical::undated(&said.value));
        }
        Some(Resource { id: resource.id.clone(), body: Body::Document(Document::new(made)) })
    }

    /// As a source, a live realm lacks what no server shows.
    async fn not_restored(&self, scopes: &[Scope]) -> Vec<Vec<String>> {
        let of = |scope: &Scope| match reach(scope) {
            Reach::Users | Reach::User(_) => vec!["credentials: a live server does not show their secrets".to_owned()],
            Reach::Realm => vec!["keys and secrets that a live server does not show".to_owned()],
            Reach::Everything => vec!["credentials, keys and secrets that a live server does not show".to_owned()],
        };
        scopes.iter().map(of).collect()
    }

    async fn probe(&self, probe: &Probe) -> Result<Answer> {
        probe::ask(self, probe).await
    }
}

fn is_always_there(kind: Kind) -> bool {
    matches!(kind, Kind::RealmSettings | Kind::UserProfile | Kind::Bindings)
}

/// Which part of a realm a scope is about.
enum Reach {
    Everything,
    Realm,
    Users,
    User(ResourceId),
}

fn reach(scope: &Scope) -> Reach {
    if scope.to.is_root() {
        return Reach::Everything;
    }
    if !is_user(&scope.to) {
        return Reach::Realm;
    }
    match (Kind::of_key(&scope.to), &scope.owner) {
        (Some((kind, names)), _) => Reach::User(kind.id(&names)),
        (None, Some(owner)) => Reach::User(place::owner_id(&owner.name)),
        (None, None) => Reach::Users,
    }
}

pub(super) fn again(error: &Error) -> Error {
    let made = Error::new(error.kind(), "read the realm", error.chain()).known(error.effect());
    match error.hint() {
        Some(hint) => made.next(hint),
        None => made,
    }
}

impl Keycloak {
    /// By position, who holds what: of what the other side lacks, so that it may be removed, and of what was removed and
    /// is back.
    async fn held(&self, view: &RealmView, wanted: &[Wanted<'_>]) -> HashMap<usize, Result<Value>> {
        let asked = wanted.iter().enumerate().filter_map(|(at, Wanted { at: location, beside })| {
            let (kind, names) = Kind::of_id(&location.id).ok()?;
            let said = match beside {
                Beside::Unknown => return None,
                Beside::Nothing => None,
                Beside::This(other) => Some(other.document()?.value.get(HELD_BY)?.clone()),
            };
            let is_there = view.realm.as_ref().is_some_and(|realm| realm.resources.contains_key(&kind.id(&names).key));
            (is_there && !is_user(&location.id.key)).then_some((at, kind, names, said))
        });
        let read = stream::iter(asked.collect::<Vec<_>>()).map(|(at, kind, names, said)| async move {
            let held = self.live.held_by(view, kind, &names).await.map(Value::Object);
            (at, held.map(|held| said.map_or(held.clone(), |said| within(&held, &said))))
        });
        let read: Vec<(usize, Result<Value>)> = read.buffer_unordered(SIDE_BY_SIDE).collect().await;
        let is_something = |held: &Result<Value>| held.as_ref().map_or(true, |held| held != &json!({}));
        read.into_iter().filter(|(_, held)| is_something(held)).collect()
    }

    fn listed(
        &self,
        scope: &Scope,
        view: Option<&Result<Arc<RealmView>>>,
        everyone: Option<&Result<Vec<String>>>,
        found: &Result<BTreeMap<TreePath, Result<Option<Resource>>>>,
    ) -> Result<Vec<Location>> {
        place::known(&scope.to)?;
        let location = |id: ResourceId| Location { at: id.key.clone(), id };
        let reach = reach(scope);
        let mut locations = Vec::new();
        if let (Reach::Realm | Reach::Everything, Some(view)) = (&reach, view) {
            let view = view.as_ref().map_err(again)?;
            let below = view.resources().filter(|(key, _)| key.relative_to(&scope.to).is_some());
            locations.extend(below.map(|(_, one)| location(one.id.clone())));
        }
        if let (Reach::Users | Reach::Everything, Some(everyone)) = (&reach, everyone) {
            locations.extend(everyone.as_ref().map_err(again)?.iter().map(|name| location(Kind::User.id(&[name]))));
        }
        if let Reach::User(id) = reach {
            match found.as_ref().map_err(again)?.get(&id.key) {
                Some(Ok(Some(_))) => locations.push(location(id)),
                Some(Err(error)) => return Err(again(error)),
                _ => {}
            }
        }
        Ok(locations)
    }
}
