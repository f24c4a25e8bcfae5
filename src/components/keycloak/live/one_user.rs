use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::realm_view::{RealmView, list, text};
use super::user::{User, lean};
use crate::components::keycloak::canonical::{self, Undated};
use crate::components::keycloak::http::{Http, segment, strange};
use crate::model::{Error, ErrorKind, Result, visible};

/// A user may be in this many groups, which one call tells.
const GROUPS: [(&str, &str); 2] = [("briefRepresentation", "true"), ("max", "100000")];

/// What the other side of a comparison knows of a user, and what a read is to tell for it beside what every read
/// tells, since each costs a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::components::keycloak) struct Details {
    /// Costs none: it spares a look for the name.
    pub id: Option<String>,
    pub credentials: bool,
    pub consents: bool,
    /// Names of attributes: where one is not seen, the server may be hiding it, since its user profile does not name it.
    pub attributes: BTreeSet<String>,
    /// Stands for what the server does not show of an account whose directory is disabled: it shows all of them as
    /// disabled too.
    pub enabled: Option<bool>,
    /// Credentials of which it does not know when they were made: see [`canonical::without_dates`].
    pub undated: Vec<Undated>,
}

impl Details {
    /// What the other side of a comparison holds.
    pub fn of(other: &Value) -> Self {
        let holds = |name: &str| other.get(name).is_some();
        let attributes = other.get("attributes").and_then(Value::as_object).into_iter().flat_map(Map::keys);
        Self {
            id: text(other, "id").map(str::to_owned),
            credentials: holds("credentials"),
            consents: holds("clientConsents"),
            attributes: attributes.cloned().collect(),
            enabled: other.get("enabled").and_then(Value::as_bool),
            undated: canonical::undated(other),
        }
    }

    /// What either tells.
    pub fn with(mut self, other: Self) -> Self {
        self.attributes.extend(other.attributes);
        Self {
            id: self.id.or(other.id),
            credentials: self.credentials || other.credentials,
            consents: self.consents || other.consents,
            attributes: self.attributes,
            enabled: self.enabled.or(other.enabled),
            undated: if self.undated.is_empty() { other.undated } else { self.undated },
        }
    }
}

/// One user by name as it is now, or none.
pub(super) async fn read(http: &Http, realm: &RealmView, username: &str) -> Result<Option<User>> {
    if realm.realm.is_none() {
        return Ok(None);
    }
    let query = [("username", username), ("exact", "true"), ("briefRepresentation", "false")];
    let found = http.get("/users", &query).await?;
    let Some(found) = found.as_array() else { return Err(strange("look for a user", "its answer is no list")) };
    let is_it = |user: &&Value| text(user, "username").is_some_and(|name| name.to_lowercase() == username);
    let Some(found) = found.iter().find(is_it) else { return Ok(None) };
    let id = text(found, "id").unwrap_or_default().to_owned();
    let at = |below: &str| format!("/users/{}/{below}", segment(&id));
    let (groups_at, roles_at, links_at) = (at("groups"), at("role-mappings"), at("federated-identity"));
    let organizations_at = format!("/organizations/members/{}/organizations", segment(&id));
    let organizations = async {
        match realm.organizations.is_empty() {
            true => Ok(json!([])),
            false => http.get(&organizations_at, &[]).await,
        }
    };
    let read = tokio::try_join!(
        http.get(&groups_at, &GROUPS),
        http.get(&roles_at, &[]),
        http.get(&links_at, &[]),
        organizations
    );
    let (groups, roles, links, organizations) = match read {
        Ok(read) => read,
        // It went away between the two calls.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut representation = lean(found);
    let Some(fields) = representation.as_object_mut() else {
        return Err(strange(format!("read the user {}", visible(username)), "its answer is no user"));
    };
    fields.insert("groups".to_owned(), ids(&groups));
    let names = |list: &[Value]| Value::Array(list.iter().filter_map(|role| role.get("name").cloned()).collect());
    fields.insert("realmRoles".to_owned(), names(list(&roles, "realmMappings")));
    let of_clients = roles.get("clientMappings").and_then(Value::as_object).into_iter().flatten();
    let of_clients: Map<String, Value> =
        of_clients.map(|(client, given)| (client.clone(), names(list(given, "mappings")))).collect();
    fields.insert("clientRoles".to_owned(), Value::Object(of_clients));
    fields.insert("federatedIdentities".to_owned(), links);
    let aliases = organizations.as_array().into_iter().flatten().filter_map(|one| text(one, "alias"));
    let organizations = aliases.map(str::to_owned).collect();
    Ok(Some(User { id, representation, linked: false, organizations }))
}

/// The server asks the directory that an account comes from, and does not say so where that does not answer.
fn from_directory(realm: &RealmView, user: &User, error: Error) -> Error {
    let Some((link, names)) = text(&user.representation, "federationLink").zip(realm.names()) else { return error };
    let directory = visible(&names.directory(link)).into_owned();
    let known = error.effect();
    Error::new(error.kind(), format!("read an account of the directory '{directory}'"), error.chain())
        .known(known)
        .next(format!("see that the directory '{directory}' answers the server, then retry"))
}

/// Adds to a user what neither a bulk read nor a list tells.
pub(super) async fn add_details(http: &Http, realm: &RealmView, user: &mut User, details: &Details) -> Result<()> {
    let at = |below: &str| format!("/users/{}/{below}", segment(&user.id));
    let credentials = details.credentials.then(|| at("credentials"));
    let consents = details.consents.then(|| at("consents"));
    let seen = user.representation.get("attributes");
    let is_unseen = |name: &String| seen.and_then(|seen| seen.get(name)).is_none();
    let unmanaged =
        (realm.hides_unmanaged && details.attributes.iter().any(is_unseen)).then(|| at("unmanagedAttributes"));
    let get = |path: Option<String>| async move {
        match path {
            Some(path) => http.get(&path, &[]).await.map(Some),
            None => Ok(None),
        }
    };
    let read = tokio::try_join!(get(credentials), get(consents), get(unmanaged));
    let (credentials, consents, unmanaged) = read.map_err(|error| from_directory(realm, user, error))?;
    let Some(fields) = user.representation.as_object_mut() else { return Ok(()) };
    for (name, value) in [("credentials", credentials), ("clientConsents", consents)] {
        fields.extend(value.map(|value| (name.to_owned(), value)));
    }
    if let Some(Value::Object(unmanaged)) =
        unmanaged.filter(|unmanaged| unmanaged.as_object().is_some_and(|map| !map.is_empty()))
    {
        let attributes = fields.entry("attributes").or_insert_with(|| Value::Object(Map::new()));
        if let Some(attributes) = attributes.as_object_mut() {
            attributes.extend(unmanaged);
        }
    }
    Ok(())
}

/// The groups of a user that was read with many, where no list told them.
pub(super) async fn add_groups(http: &Http, user: &mut User) -> Result<()> {
    let groups = http.get(&format!("/users/{}/groups", segment(&user.id)), &GROUPS).await?;
    if let Some(fields) = user.representation.as_object_mut() {
        fields.insert("groups".to_owned(), ids(&groups));
    }
    Ok(())
}

fn ids(groups: &Value) -> Value {
    Value::Array(groups.as_array().into_iter().flatten().filter_map(|group| group.get("id").cloned()).collect())
}

/// Of one whom some identity provider knows: by what name. Lists tell no more than that it does.
pub(super) async fn add_links(http: &Http, realm: &RealmView, user: &mut User) -> Result<()> {
    if !user.linked {
        return Ok(());
    }
    let links = http.get(&format!("/users/{}/federated-identity", segment(&user.id)), &[]).await;
    let links = links.map_err(|error| from_directory(realm, user, error))?;
    if let Some(fields) = user.representation.as_object_mut() {
        fields.insert("federatedIdentities".to_owned(), links);
    }
    Ok(())
}
