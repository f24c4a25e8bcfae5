use serde_json::Value;

use super::super::canonical::{DIRECTORY, OF_THE_DIRECTORY};
use super::super::kinds::Kind;
use super::overlay::{set_changes, sets_changes};
use super::standing::{Standing, group_path};
use super::target::{field, text};
use crate::model::{Error, ErrorKind, Result, visible};

/// A directory, as LDAP is, that accounts of the realm come from: some of what they hold is the directory's own.
pub(super) struct Directory<'a> {
    name: &'a str,
    standing: &'a Standing,
}

impl<'a> Directory<'a> {
    /// The one that this account comes from, if it comes from any.
    pub fn of(account: &'a Value, standing: &'a Standing) -> Option<Self> {
        Some(Self { name: text(account, "federationLink")?, standing })
    }

    /// The server's id of it. An account of a directory that is not there the server takes, and removes when it is next
    /// looked at.
    pub fn id(&self) -> Result<&'a str> {
        self.standing.id(Kind::Component, &[DIRECTORY, self.name])
    }

    pub fn shown(&self) -> String {
        format!("the directory '{}'", visible(self.name))
    }

    /// That nothing is changed which the realm only reads from the directory: the server refuses all of it, some of it
    /// after the rest was written.
    pub fn lets_change(&self, before: &Value, after: &Value) -> Result<()> {
        let refused: Vec<String> = changed(before, after).into_iter().filter(|field| self.owns(field)).collect();
        if refused.is_empty() {
            return Ok(());
        }
        let why = format!("it is read from {}", self.shown());
        Err(Error::new(ErrorKind::Refused, format!("change {}", refused.join(", ")), why)
            .next("change it in the directory, or leave that out"))
    }

    /// What of a change does not stay in the realm, or is otherwise than it looks; in words.
    pub fn warnings(&self, before: &Value, after: &Value) -> Vec<String> {
        let written = |field: &String| self.mode() == "WRITABLE" && !self.owns(field) && self.mapper(field).is_some();
        let mut into: Vec<String> = changed(before, after).into_iter().filter(written).collect();
        let (joined, left) = set_changes(before, after, "groups");
        into.extend(joined.iter().chain(&left).filter(|way| self.keeps_groups(way, "LDAP_ONLY")).map(|way| group(way)));
        let roles =
            |holds: bool| holds && self.mappers("role-ldap-mapper").any(|config| one(config, "mode") == "LDAP_ONLY");
        let (come, go) = set_changes(before, after, "realmRoles");
        let (come_of_clients, go_of_clients) = sets_changes(before, after, "clientRoles");
        if roles(!(come.is_empty() && go.is_empty() && come_of_clients.is_empty() && go_of_clients.is_empty())) {
            into.push("roles".to_owned());
        }
        let apart: Vec<String> =
            joined.iter().filter(|way| self.keeps_groups(way, "READ_ONLY")).map(|way| group(way)).collect();
        let mut warnings = Vec::new();
        if !into.is_empty() {
            warnings.push(format!("written into {} itself: {}", self.shown(), into.join(", ")));
        }
        if !apart.is_empty() {
            warnings.push(format!("noted in the realm alone, not in {}: {}", self.shown(), apart.join(", ")));
        }
        warnings
    }

    /// Of an account that came back by itself.
    pub fn same_name(&self, error: Error) -> Error {
        let why = format!("{}; the live one came from {}", error.chain(), self.shown());
        Error::new(error.kind(), "restore the account", why).known(error.effect()).next(
            "'ids: accept' at the component gives all else to the account that is there; for the old id, disable the \
             directory in the admin console, remove the users that it has imported, restore, and enable it",
        )
    }

    /// An account of a directory is not removed: what that means for the person depends on the directory.
    pub fn keeps_account(&self) -> Error {
        let why = match self.mode() {
            "WRITABLE" => format!("{} would lose the person too", self.shown()),
            _ => format!("{} brings it back under another id", self.shown()),
        };
        Error::new(ErrorKind::Refused, "remove the account", why)
            .next("remove the person in the directory, or leave the account")
    }

    /// Of an account that was made and is not there.
    pub fn knows_nobody(&self) -> Error {
        let why = format!("the server took it and removed it again, since {} does not know the person", self.shown());
        Error::new(ErrorKind::Refused, "restore the account", why)
            .next("bring the person back in the directory, then retry, or leave this user out")
    }

    fn owns(&self, field: &str) -> bool {
        self.mode() == "READ_ONLY" || self.mapper(field).is_some_and(|config| one(config, "read.only") == "true")
    }

    fn mode(&self) -> &'a str {
        let found = self.standing.document(&Kind::Component.id(&[DIRECTORY, self.name]).key);
        found.map_or("", |found| one(field(found, "config"), "editMode"))
    }

    fn mappers(&self, provider: &'static str) -> impl Iterator<Item = &'a Value> {
        let own = Kind::Component.id(&[DIRECTORY, self.name]).key;
        let below = self.standing.view().resources().filter(move |(key, _)| key.relative_to(&own).is_some());
        let of = below.filter(move |(_, found)| text(&found.document, "providerId") == Some(provider));
        of.map(|(_, found)| field(&found.document, "config"))
    }

    /// Settings of what fills a field of the profile.
    fn mapper(&self, field: &str) -> Option<&'a Value> {
        let name = field.strip_prefix("attributes.").unwrap_or(field);
        let mut filling = self.mappers("user-attribute-ldap-mapper");
        let whole_name = || self.mappers("full-name-ldap-mapper").next();
        filling
            .find(|config| one(config, "user.model.attribute") == name)
            .or_else(|| whole_name().filter(|_| matches!(name, "firstName" | "lastName")))
    }

    fn keeps_groups(&self, way: &str, mode: &str) -> bool {
        let path = group_path(way);
        self.mappers("group-ldap-mapper").any(|config| {
            let below = one(config, "groups.path").trim_end_matches('/');
            one(config, "mode") == mode && path.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

/// An account as it is now, but for what the realm notes of the directory: that moves by itself.
pub(super) fn but_for_notes(now: &Value, live: &Value) -> Value {
    let mut made = now.clone();
    if live.get("federationLink").is_none() {
        return made;
    }
    for name in OF_THE_DIRECTORY {
        let noted = field(field(live, "attributes"), name);
        match (made.get_mut("attributes").and_then(Value::as_object_mut), noted.is_null()) {
            (Some(attributes), false) => drop(attributes.insert(name.to_owned(), noted.clone())),
            (Some(attributes), true) => drop(attributes.remove(name)),
            (None, _) => {}
        }
    }
    made
}

/// Fields of the profile that differ, as a plan names them.
fn changed(before: &Value, after: &Value) -> Vec<String> {
    let plain = ["email", "firstName", "lastName"].into_iter();
    let mut found: Vec<String> =
        plain.filter(|name| field(before, name) != field(after, name)).map(str::to_owned).collect();
    let attributes = |of: &Value| field(of, "attributes").as_object().cloned().unwrap_or_default();
    let (before, after) = (attributes(before), attributes(after));
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differing = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    found.extend(differing.map(|name| format!("attributes.{}", visible(name))));
    found
}

fn group(way: &str) -> String {
    format!("groups[{}]", visible(way))
}

/// A setting's value: the server keeps each as a list of one.
fn one<'a>(config: &'a Value, name: &str) -> &'a str {
    field(config, name).as_array().and_then(|values| values.first()?.as_str()).unwrap_or_default()
}
