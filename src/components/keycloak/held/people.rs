use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value, json};

use super::HELD_BY;
use super::references::references;
use crate::components::keycloak::canonical::DEFAULT_ROLE;
use crate::components::keycloak::http::{Bare, Http, segment};
use crate::components::keycloak::kinds::Kind;
use crate::components::keycloak::live::{Live, RealmView};
use crate::model::{ErrorKind, Result};

const PAGE: u64 = 1000;
const SIDE_BY_SIDE: usize = 4;
/// Of a client's account, what the server does not make of itself.
const OF_ACCOUNTS: [&str; 4] = ["attributes", "realmRoles", "clientRoles", "groups"];

impl Live {
    /// Who holds a part of the realm, and what else a removal takes away with it. Empty where nothing does.
    pub async fn held_by(&self, view: &RealmView, kind: Kind, names: &[String]) -> Result<Map<String, Value>> {
        let mut found = of_one(&self.http, view, kind, names).await?;
        let (Kind::Client, Some(client)) = (kind, names.first()) else { return Ok(found) };
        let roles = view.roles.keys().filter(|(of, _)| of.as_ref() == Some(client)).map(|(_, role)| role.clone());
        let each = stream::iter(roles.collect::<Vec<_>>()).map(|role| async move {
            let names = [client.clone(), role];
            let held = of_one(&self.http, view, Kind::ClientRole, &names).await?;
            let mut made = document(view, Kind::ClientRole, &names);
            if !held.is_empty() {
                made.insert(HELD_BY.to_owned(), Value::Object(held));
            }
            let [_, role] = names;
            Ok::<_, crate::model::Error>((role, Value::Object(made)))
        });
        let roles: Map<String, Value> = each.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        if !roles.is_empty() {
            found.insert("ownRoles".to_owned(), Value::Object(roles));
        }
        let mut account = document(view, Kind::ServiceAccount, names);
        account.retain(|name, _| OF_ACCOUNTS.contains(&name.as_str()));
        if !account.is_empty() {
            found.insert("account".to_owned(), Value::Object(account));
        }
        Ok(found)
    }
}

/// A part of the realm as it is, without the id that it cannot have again.
fn document(view: &RealmView, kind: Kind, names: &[String]) -> Map<String, Value> {
    let found = view.realm.as_ref().and_then(|realm| realm.resources.get(&kind.id(names).key));
    let mut made = found.and_then(|found| found.document.as_object()).cloned().unwrap_or_default();
    made.remove("id");
    made
}

async fn of_one(http: &Http, view: &RealmView, kind: Kind, names: &[String]) -> Result<Map<String, Value>> {
    let mut found = references(view.resources().map(|(_, one)| one), kind, names);
    let Some((path, provider)) = list_of(view, kind, names) else { return Ok(found) };
    let query: Vec<(&str, &str)> =
        provider.iter().map(|alias| ("idpAlias", alias.as_str())).chain([("briefRepresentation", "true")]).collect();
    let people: Vec<Bare> = match http.listed(&path, &query, PAGE).await {
        // It went away meanwhile, perhaps before the client that it is of.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(found),
        listed => listed?,
    };
    let accounts: BTreeSet<String> =
        view.clients.keys().map(|client| format!("service-account-{}", client.to_lowercase())).collect();
    let people = people.into_iter().filter_map(|one| Some((one.id?, one.username?.to_lowercase())));
    let mut people: Vec<(String, String)> = people.filter(|(_, name)| !accounts.contains(name)).collect();
    people.sort_by(|(_, one), (_, other)| one.cmp(other));
    people.dedup();
    if people.is_empty() {
        return Ok(found);
    }
    match provider {
        Some(alias) => {
            let alias = alias.as_str();
            let each = stream::iter(people).map(|(id, name)| link(http, id, name, alias));
            let links: Vec<Option<Value>> = each.buffered(SIDE_BY_SIDE).try_collect().await?;
            found.insert("links".to_owned(), links.into_iter().flatten().collect());
        }
        None => {
            found.insert("users".to_owned(), people.into_iter().map(|(_, name)| name).collect());
        }
    }
    Ok(found)
}

/// By what somebody is known to an identity provider.
async fn link(http: &Http, id: String, name: String, alias: &str) -> Result<Option<Value>> {
    let links = http.get_maybe(&format!("/users/{}/federated-identity", segment(&id)), &[]).await?;
    let mut links = links.iter().filter_map(Value::as_array).flatten();
    let own = links.find(|link| link.get("identityProvider").and_then(Value::as_str) == Some(alias));
    Ok(own.map(|own| json!({"user": name, "userId": own.get("userId"), "userName": own.get("userName")})))
}

/// Where the server lists who holds it, and the identity provider that it is asked about.
fn list_of(view: &RealmView, kind: Kind, names: &[String]) -> Option<(String, Option<String>)> {
    let name = names.last()?;
    let path = match kind {
        Kind::RealmRole => {
            let default = &view.names()?.default_role;
            format!("/roles/{}/users", segment(if name == DEFAULT_ROLE { default } else { name }))
        }
        Kind::ClientRole => {
            format!("/clients/{}/roles/{}/users", segment(view.clients.get(names.first()?)?), segment(name))
        }
        Kind::Group => {
            let id = view.groups.get(&crate::components::keycloak::canonical::key_of(names))?;
            format!("/groups/{}/members", segment(id))
        }
        Kind::Organization => format!("/organizations/{}/members", segment(view.organizations.get(name)?)),
        Kind::IdentityProvider => return Some(("/users".to_owned(), Some(name.clone()))),
        _ => return None,
    };
    Some((path, None))
}
