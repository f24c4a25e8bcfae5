use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::abilities::Abilities;
use super::document::{Fitted, Terms, fit};
use crate::components::keycloak::export::notes::Notes;
use crate::components::keycloak::kinds::Kind;
use crate::components::keycloak::live::{Keycloak, is_user};
use crate::components::keycloak::place;
use crate::model::{
    Answer, Body, Document, FoundOwners, Location, Probe, Resource, ResourceId, Result, Schema, Scope, TargetIdentity,
    TreePath,
};
use crate::reader::Reader;

/// Kinds of which a server may be unable to hold a part.
const FITTED: [Kind; 4] = [Kind::Client, Kind::ClientScope, Kind::Component, Kind::IdentityProvider];

/// A source, read as one server can hold it.
pub(in crate::components::keycloak) struct FittedSource {
    source: Arc<dyn Reader>,
    server: Arc<Keycloak>,
}

impl FittedSource {
    pub fn new(source: Arc<dyn Reader>, server: Arc<Keycloak>) -> Self {
        Self { source, server }
    }

    /// What cannot be asked now is told by the write.
    async fn terms(&self) -> Terms {
        let info = self.server.live.http.server_info().await.unwrap_or(Value::Null);
        let mut scopes = BTreeMap::new();
        if let Ok(view) = self.server.live.realm_for_plan().await {
            scopes.extend(view.resources().filter_map(|(_, one)| protocol_of_scope(&one.id, &one.document)));
        }
        scopes.extend(self.own_scopes().await);
        Terms { abilities: Abilities::of(&info), scopes }
    }

    async fn own_scopes(&self) -> Vec<(String, String)> {
        let Ok(folder) = TreePath::new(Kind::ClientScope.folder()) else { return Vec::new() };
        let below = Scope { below: folder.clone(), to: folder, owner: None };
        let listed = self.source.list(&[below]).await.pop().and_then(Result::ok).unwrap_or_default();
        let read = self.source.read(&listed).await.into_iter().filter_map(|read| read.ok().flatten());
        read.filter_map(|one| protocol_of_scope(&one.id, &one.document()?.value)).collect()
    }

    /// What is left out of everything in a scope.
    async fn left_out(&self, scope: &Scope) -> Vec<String> {
        if !FITTED.into_iter().any(|kind| place::touches(&scope.below, kind)) {
            return Vec::new();
        }
        let listed = self.source.list(std::slice::from_ref(scope)).await.pop().and_then(Result::ok);
        let wanted: Vec<Location> = listed.into_iter().flatten().filter(|location| is_fitted(&location.id)).collect();
        let read = self.source.read(&wanted).await;
        let terms = self.terms().await;
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

fn protocol_of_scope(id: &ResourceId, document: &Value) -> Option<(String, String)> {
    let (kind, names) = Kind::of_id(id).ok()?;
    let protocol = document.get("protocol").and_then(Value::as_str)?;
    (kind == Kind::ClientScope).then_some((names.into_iter().next()?, protocol.to_owned()))
}

fn fitted(resource: Resource, terms: &Terms) -> (Resource, Fitted) {
    let (Ok((kind, names)), Some(document)) = (Kind::of_id(&resource.id), resource.document()) else {
        return (resource, Fitted::default());
    };
    let mut value = Value::clone(&document.value);
    let fitted = fit(kind, names.last().map_or("", String::as_str), &mut value, terms);
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

    async fn read(&self, wanted: &[Location]) -> Vec<Result<Option<Resource>>> {
        let read = self.source.read(wanted).await;
        if wanted.iter().all(|location| is_user(&location.id.key)) {
            return read;
        }
        let terms = self.terms().await;
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

    async fn probe(&self, probe: &Probe) -> Result<Answer> {
        self.source.probe(probe).await
    }
}
