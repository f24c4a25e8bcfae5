use serde_json::{Map, Value, json};

use super::super::config::Ids;
use super::super::http::segment;
use super::super::kinds::Kind;
use super::call::Call;
use super::credential;
use super::directory::Directory;
use super::permission;
use super::standing::{Standing, group_path, missing};
use crate::model::Result;

/// Fields that a new user takes as they are.
const KEPT: [&str; 12] = [
    "username",
    "email",
    "firstName",
    "lastName",
    "enabled",
    "emailVerified",
    "createdTimestamp",
    "notBefore",
    "requiredActions",
    "attributes",
    "federatedIdentities",
    "clientRoles",
];

/// A user that is not there, as `partialImport` takes it, and what it cannot be given that way: memberships of groups
/// that share their path with another one, and of organizations.
pub(super) struct NewUser {
    pub representation: Value,
    pub groups: Vec<String>,
    pub organizations: Vec<String>,
}

impl NewUser {
    /// Whatever it refers to must be there: the server makes missing roles, hides links to missing providers, and
    /// refuses all else without a name.
    pub fn of(to: &Value, desired: &Value, ids: Ids, standing: &Standing) -> Result<Self> {
        check(to, standing)?;
        let mut made = Map::new();
        for name in KEPT {
            made.extend(to.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        // What is created in a copy beside the original must not have the original's ids.
        let keeps_ids = ids != Ids::New;
        if keeps_ids {
            made.extend(to.get("id").map(|id| ("id".to_owned(), id.clone())));
        }
        if let Some(directory) = Directory::of(to, standing) {
            made.insert("federationLink".to_owned(), json!(directory.id()?));
        }
        made.insert("credentials".to_owned(), credential::all(to, desired, keeps_ids)?.into());
        let roles = texts(to, "realmRoles").map(|name| json!(standing.role_name(name)));
        made.insert("realmRoles".to_owned(), roles.collect());
        let shared = |way: &&str| standing.names().is_some_and(|names| names.is_ambiguous(&group_path(way)));
        let (apart, clear): (Vec<&str>, Vec<&str>) = texts(to, "groups").partition(shared);
        made.insert("groups".to_owned(), clear.into_iter().map(group_path).collect());
        if let Some(consents) = to.get("clientConsents") {
            made.insert("clientConsents".to_owned(), consents.clone());
        }
        Ok(Self {
            representation: Value::Object(made),
            groups: apart.into_iter().map(str::to_owned).collect(),
            organizations: texts(to, "organizations").map(str::to_owned).collect(),
        })
    }

    pub fn id(&self) -> Option<&str> {
        self.representation.get("id").and_then(Value::as_str)
    }

    /// What is left to do once the user is there as `id`.
    pub fn afterwards(&self, id: &str, standing: &Standing) -> Result<Vec<Call>> {
        let mut calls = Vec::new();
        for group in &self.groups {
            calls.push(Call::put_nothing(format!("/users/{}/groups/{}", segment(id), segment(standing.group(group)?))));
        }
        for organization in &self.organizations {
            let of = standing.id(Kind::Organization, &[organization])?;
            calls.push(Call::post(format!("/organizations/{}/members", segment(of)), json!(id)));
        }
        Ok(calls)
    }
}

/// The call that creates users, all or none: with `FAIL` nobody who is there is touched.
pub(super) fn import(users: &[&NewUser]) -> Call {
    let users: Vec<&Value> = users.iter().map(|user| &user.representation).collect();
    Call::post("/partialImport", json!({"ifResourceExists": "FAIL", "users": users}))
}

fn check(to: &Value, standing: &Standing) -> Result<()> {
    texts(to, "realmRoles").try_for_each(|name| standing.realm_role(name).map(|_| ()))?;
    texts(to, "groups").try_for_each(|way| standing.group(way).map(|_| ()))?;
    for (client, names) in to.get("clientRoles").and_then(Value::as_object).into_iter().flatten() {
        standing.id(Kind::Client, &[client])?;
        for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
            standing.client_role(client, name)?;
        }
    }
    let needed = [
        ("federatedIdentities", "identityProvider", Kind::IdentityProvider),
        ("clientConsents", "clientId", Kind::Client),
    ];
    for (list, key, kind) in needed {
        let given = to.get(list).and_then(Value::as_array).into_iter().flatten();
        for name in given.filter_map(|one| one.get(key).and_then(Value::as_str)) {
            if !standing.has(&kind.id(&[name]).key) {
                return Err(missing(kind, name));
            }
        }
    }
    let consents = to.get("clientConsents").and_then(Value::as_array).into_iter().flatten();
    for scope in consents.flat_map(|consent| texts(consent, "grantedClientScopes")) {
        // A client can stand for its own scope.
        if !standing.has(&Kind::ClientScope.id(&[scope]).key) && !standing.has(&Kind::Client.id(&[scope]).key) {
            return Err(missing(Kind::ClientScope, scope));
        }
    }
    permission::check(to, standing)?;
    texts(to, "organizations").try_for_each(|alias| standing.id(Kind::Organization, &[alias]).map(|_| ()))
}

pub(super) fn texts<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    of.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
