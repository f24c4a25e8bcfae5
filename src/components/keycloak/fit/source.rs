use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::abilities::Abilities;
use super::choices::Choices;
use super::document::{Fitted, Terms, fit, has_rare_credentials};
use crate::components::keycloak::always_shown::{SAML_SCOPES, SCOPES_OF_THE_SERVER};
use crate::components::keycloak::export::notes::Notes;
use crate::components::keycloak::kinds::Kind;
use crate::components::keycloak::live::{Keycloak, is_user};
use crate::components::keycloak::place;
use crate::model::{
    Answer, Body, Document, FoundOwners, Location, Probe, Resource, ResourceId, Result, Schema, Scope, TargetIdentity,
    TreePath,
};
use crate::reader::{Reader, Wanted};

/// Kinds of which a server may be unable to hold a part.
const FITTED: [Kind; 8] = [
    Kind::Bindings,
    Kind::Client,
    Kind::ClientScope,
    Kind::Component,
    Kind::IdentityProvider,
    Kind::RealmRole,
    Kind::ClientRole,
    Kind::ServiceAccount,
];

/// Fields of a client that can keep no secret.
const KEEP_NO_SECRET: [&str; 2] = ["publicClient", "bearerOnly"];

/// A source, read as one server can hold it.
pub(in crate::components::keycloak) struct FittedSource {
    source: Arc<dyn Reader>,
    server: Arc<Keycloak>,
}

impl FittedSource {
    pub fn new(source: Arc<dyn Reader>, server: Arc<Keycloak>) -> Self {
        Self { source, server }
    }

    async fn abilities_alone(&self) -> Terms {
        let info = self.server.live.http.server_info().await.unwrap_or(Value::Null);
        Terms { abilities: Abilities::of(&info), ..Terms::default() }
    }

    /// What cannot be asked now is told by the write.
    async fn terms(&self) -> Terms {
        let (mut scopes, mut roles, mut with_secret) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let (mut without_secret, mut bare) = (BTreeMap::new(), BTreeMap::new());
        let mut is_there = false;
        if let Ok(view) = self.server.live.realm_for_plan().await {
            scopes.extend(view.resources().filter_map(|(_, one)| protocol_of_scope(&one.id, &one.document)));
            let there = view.resources().filter(|(key, _)| is_role(key));
            roles.extend(there.map(|(key, one)| (key.clone(), one.document.clone())));
            let clients = view.resources().filter(|(_, one)| *one.id.kind == *Kind::Client.name());
            for (_, one) in clients {
                let Some(name) = name_of(&one.id) else { continue };
                let is = |field: &&str| one.document.get(*field).and_then(Value::as_bool) == Some(true);
                without_secret.extend(KEEP_NO_SECRET.into_iter().find(is).map(|field| (name.clone(), field)));
                if one.document.get("secret").is_some() {
                    with_secret.insert(name.clone());
                }
                if !is(&"serviceAccountsEnabled") {
                    let scopes = one.document.get("defaultClientScopes").and_then(Value::as_array);
                    bare.insert(name, scopes.cloned().unwrap_or_default());
                }
            }
            is_there = view.realm.is_some();
        }
        let own_scopes = self.own(Kind::ClientScope).await;
        if own_scopes.is_empty() {
            for name in SCOPES_OF_THE_SERVER {
                let protocol = if SAML_SCOPES.contains(&name) { "saml" } else { "openid-connect" };
                scopes.entry(name.to_owned()).or_insert_with(|| Some(protocol.to_owned()));
            }
        }
        scopes.extend(own_scopes.iter().filter_map(|one| protocol_of_scope(&one.id, &one.document()?.value)));
        Terms { scopes, roles, with_secret, without_secret, bare, is_there, ..self.abilities_alone().await }
    }

    /// The same, as far as these are concerned.
    async fn terms_for<'i>(&self, mut ids: impl Iterator<Item = &'i ResourceId>) -> Terms {
        let mut terms = self.terms().await;
        if ids.any(|id| &*id.kind == Kind::ServiceAccount.name()) {
            let is_on = |one: &Resource| {
                let enabled =
                    one.document().and_then(|document| document.value.get("serviceAccountsEnabled")?.as_bool());
                enabled == Some(true)
            };
            let clients = self.own(Kind::Client).await;
            let without = clients.iter().filter(|one| !is_on(one)).filter_map(|one| name_of(&one.id));
            let view = self.server.live.realm_for_plan().await.ok();
            let has_one = |client: &String| {
                let key = Kind::ServiceAccount.id(&[client]).key;
                view.as_ref().is_some_and(|view| view.resources().any(|(there, _)| *there == key))
            };
            terms.without_account = without.filter(|client| !has_one(client)).collect();
            if terms.is_there {
                let named = clients.iter().filter_map(|one| name_of(&one.id));
                terms.new_accounts = named.filter(|client| !has_one(client)).collect();
            }
        }
        terms
    }

    /// What the server has made in the realm as it is.
    async fn choices(&self) -> Choices {
        let Ok(view) = self.server.live.realm_for_plan().await else { return Choices::default() };
        let settings = self.own(Kind::RealmSettings).await.pop();
        let said = settings.as_ref().and_then(Resource::document).map(|document| &*document.value);
        Choices::of(said, view)
    }

    /// All of that kind in the source.
    async fn own(&self, kind: Kind) -> Vec<Resource> {
        let Ok(folder) = TreePath::new(kind.folder()) else { return Vec::new() };
        let below = Scope { below: folder.clone(), to: folder, owner: None };
        let listed = self.source.list(&[below]).await.pop().and_then(Result::ok).unwrap_or_default();
        self.source.read(&Wanted::alone(&listed)).await.into_iter().filter_map(|read| read.ok().flatten()).collect()
    }

    /// What is left out of everything in a scope.
    async fn left_out(&self, scope: &Scope) -> Vec<String> {
        if !FITTED.into_iter().any(|kind| place::touches(&scope.below, kind)) {
            return Vec::new();
        }
        let listed = self.source.list(std::slice::from_ref(scope)).await.pop().and_then(Result::ok);
        let wanted: Vec<Location> = listed.into_iter().flatten().filter(|location| is_fitted(&location.id)).collect();
        let read = self.source.read(&Wanted::alone(&wanted)).await;
        let terms = self.terms_for(wanted.iter().map(|location| &location.id)).await;
        let mut notes = Notes::default();
        for resource in read.into_iter().filter_map(|read| read.ok().flatten()) {
            let (_, fitted) = fitted(resource.clone(), &terms);
            fitted.left_out.iter().for_each(|word| notes.add(&resource.id.key, word));
        }
        notes.finish()
    }
}

fn is_fitted(id: &ResourceId) -> bool {
    Kind::of_id(id).is_ok_and(|(kind, _)| FITTED.contains(&kind))
}

fn is_role(key: &TreePath) -> bool {
    Kind::of_key(key).is_some_and(|(kind, _)| matches!(kind, Kind::RealmRole | Kind::ClientRole))
}

fn name_of(id: &ResourceId) -> Option<String> {
    Kind::of_id(id).ok()?.1.into_iter().next()
}

fn protocol_of_scope(id: &ResourceId, document: &Value) -> Option<(String, Option<String>)> {
    let (kind, names) = Kind::of_id(id).ok()?;
    let protocol = document.get("protocol").and_then(Value::as_str).map(str::to_owned);
    (kind == Kind::ClientScope).then_some((names.into_iter().next()?, protocol))
}

fn fitted(resource: Resource, terms: &Terms) -> (Resource, Fitted) {
    let (Ok((kind, names)), Some(document)) = (Kind::of_id(&resource.id), resource.document()) else {
        return (resource, Fitted::default());
    };
    let mut value = Value::clone(&document.value);
    let fitted = fit(kind, &names, &mut value, terms);
    if value == *document.value {
        return (resource, fitted);
    }
    (Resource { id: resource.id, body: Body::Document(Document::new(value)) }, fitted)
}

#[async_trait]
impl Reader for FittedSource {
    fn schema(&self) -> &Schema {
        self.source.schema()
    }

    async fn identity(&self) -> Result<TargetIdentity> {
        self.source.identity().await
    }

    async fn owners(&self, below: &TreePath, kind: Option<&str>) -> Result<FoundOwners> {
        self.source.owners(below, kind).await
    }

    fn can_have_no_owners(&self) -> bool {
        self.source.can_have_no_owners()
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        self.source.list(scopes).await
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let read = self.source.read(wanted).await;
        let is_people = wanted.iter().all(|one| is_user(&one.at.id.key));
        let has_rare = |one: &Resource| one.document().is_some_and(|document| has_rare_credentials(&document.value));
        let mut found = read.iter().filter_map(|read| read.as_ref().ok()?.as_ref());
        let terms = match (is_people, is_people && found.any(has_rare)) {
            (true, false) => return read,
            (true, true) => self.abilities_alone().await,
            (false, _) => self.terms_for(wanted.iter().map(|one| &one.at.id)).await,
        };
        let fit = |found: Option<Resource>| {
            let (resource, fitted) = fitted(found?, &terms);
            (!fitted.is_left_out).then_some(resource)
        };
        read.into_iter().map(|read| read.map(fit)).collect()
    }

    async fn not_restored(&self, scopes: &[Scope]) -> Vec<Vec<String>> {
        let mut answers = self.source.not_restored(scopes).await;
        answers.resize(scopes.len(), Vec::new());
        for (answer, scope) in answers.iter_mut().zip(scopes) {
            answer.extend(self.left_out(scope).await);
        }
        answers
    }

    async fn unclear(&self, scopes: &[Scope]) -> Vec<Vec<ResourceId>> {
        let mut answers = self.source.unclear(scopes).await;
        answers.resize(scopes.len(), Vec::new());
        if scopes.iter().all(|scope| is_user(&scope.to)) {
            return answers;
        }
        let made = self.choices().await.made_by_server();
        answers.iter_mut().for_each(|answer| answer.extend(made.iter().cloned()));
        answers
    }

    async fn probe(&self, probe: &Probe) -> Result<Answer> {
        self.source.probe(probe).await
    }
}
