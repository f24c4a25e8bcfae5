use serde_json::{Map, Value, json};

use super::super::canonical::ACTIONS;
use super::super::http::segment;
use super::super::kinds::Kind;
use super::attribute_order::in_between;
use super::call::Call;
use super::credential;
use super::directory::Directory;
use super::overlay::{Gone, keyed_changes, overlaid, set_changes, sets_changes};
use super::standing::{Standing, missing};
use crate::model::{Error, ErrorKind, Result, visible};

/// What one `PUT` of a user writes, all of it at once: with `attributes` in it, names that it lacks are wiped.
const PROFILE: [&str; 7] =
    ["email", "firstName", "lastName", "enabled", "emailVerified", "attributes", "requiredActions"];

/// The calls that make the user `id` what `to` says, one for each thing that differs. `raw` is the user as the server
/// shows it now; `desired` is what the source holds, with what it takes to write credentials.
pub(super) fn calls(
    id: &str,
    from: &Value,
    to: &Value,
    desired: &Value,
    raw: &Value,
    standing: &Standing,
) -> Result<Vec<Call>> {
    let at = format!("/users/{}", segment(id));
    let mut calls = Vec::new();
    let (before, after) = (profile(from), profile(to));
    if before != after {
        check_profile(&before, &after, standing)?;
        if let Some(directory) = Directory::of(from, standing) {
            directory.lets_change(&before, &after)?;
        }
        let between = in_between(&before, &after);
        calls.extend(between.map(|between| Call::put(&at, profile_body(raw, &before, &between))));
        calls.push(Call::put(&at, profile_body(raw, &before, &after)));
    }
    calls.extend(credential::calls(&at, from, to, desired)?);
    calls.extend(links(&at, from, to, standing)?);
    let (joined, left) = set_changes(from, to, "groups");
    for group in joined {
        calls.push(Call::put_nothing(format!("{at}/groups/{}", segment(standing.group(group)?))));
    }
    calls.extend(roles(&at, from, to, standing)?);
    for group in left {
        calls.push(Call::delete(format!("{at}/groups/{}", segment(standing.group(group)?))));
    }
    let (joined, left) = set_changes(from, to, "organizations");
    for organization in joined {
        let of = standing.id(Kind::Organization, &[organization])?;
        calls.push(Call::post(format!("/organizations/{}/members", segment(of)), json!(id)));
    }
    for organization in left {
        let of = standing.id(Kind::Organization, &[organization])?;
        calls.push(Call::delete(format!("/organizations/{}/members/{}", segment(of), segment(id))));
    }
    let consents = keyed_changes(from, to, "clientConsents", "clientId");
    for gone in consents.iter().filter(|consent| consent.after.is_none()) {
        calls.push(Call::delete(format!("{at}/consents/{}", segment(gone.name))));
    }
    Ok(calls)
}

/// Whether the user itself is written, for which it must be seen as the server shows it.
pub(super) fn changes_profile(from: &Value, to: &Value) -> bool {
    profile(from) != profile(to)
}

fn profile(document: &Value) -> Value {
    let field = |name: &&str| Some(((*name).to_owned(), document.get(*name)?.clone()));
    Value::Object(PROFILE.iter().filter_map(field).collect::<Map<_, _>>())
}

/// The whole of what the server shows, with the differences laid over it.
fn profile_body(raw: &Value, before: &Value, after: &Value) -> Value {
    let mut body = overlaid(raw, before, after, Gone::Absent);
    if let Some(fields) = body.as_object_mut() {
        // Not a part of it, or written by calls of their own.
        let apart = ["access", "userProfileMetadata", "federatedIdentities", "totp", "credentials", "groups"];
        let apart_too = ["realmRoles", "clientRoles", "clientConsents", "disableableCredentialTypes", "notBefore"];
        apart.iter().chain(&apart_too).for_each(|name| {
            fields.remove(*name);
        });
        for name in ["email", "firstName", "lastName"] {
            fields.entry(name).or_insert_with(|| json!(""));
        }
        for (name, empty) in [("attributes", json!({})), ("requiredActions", json!([]))] {
            let held = fields.entry(name).or_insert(Value::Null);
            if held.is_null() {
                *held = empty;
            }
        }
    }
    body
}

/// What the server would drop without a word.
fn check_profile(before: &Value, after: &Value, standing: &Standing) -> Result<()> {
    let (comes, _) = set_changes(before, after, "requiredActions");
    for action in comes {
        if !ACTIONS.contains(&action) && !standing.has(&Kind::RequiredAction.id(&[action]).key) {
            return Err(missing(Kind::RequiredAction, action));
        }
    }
    let attributes = after.get("attributes").and_then(Value::as_object).into_iter().flatten();
    let was = |name: &str| before.get("attributes").and_then(|attributes| attributes.get(name));
    for (name, value) in attributes {
        if was(name) != Some(value) && !standing.keeps_attribute(name) {
            let doing = format!("write the attribute {}", visible(name));
            let why = "the user profile does not name it and the realm keeps no others: the server would drop it";
            return Err(Error::new(ErrorKind::Refused, doing, why)
                .next("restore realm/user-profile first, or leave that attribute out"));
        }
    }
    Ok(())
}

/// A link is not changed but taken away and made.
fn links(at: &str, from: &Value, to: &Value, standing: &Standing) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    for link in keyed_changes(from, to, "federatedIdentities", "identityProvider") {
        let path = format!("{at}/federated-identity/{}", segment(link.name));
        if link.after.is_some() && !standing.has(&Kind::IdentityProvider.id(&[link.name]).key) {
            return Err(missing(Kind::IdentityProvider, link.name));
        }
        if link.before.is_some() {
            calls.push(Call::delete(&path));
        }
        calls.extend(link.after.map(|after| Call::post(&path, after.clone())));
    }
    Ok(calls)
}

/// Role mappings of a user or of a group, one call each: what is added first, so that nobody is without rights between.
pub(super) fn roles(at: &str, from: &Value, to: &Value, standing: &Standing) -> Result<Vec<Call>> {
    let of_realm = format!("{at}/role-mappings/realm");
    let (added, removed) = set_changes(from, to, "realmRoles");
    let (added_of_clients, removed_of_clients) = sets_changes(from, to, "clientRoles");
    let mut calls = Vec::new();
    for name in added {
        calls.push(Call::post(&of_realm, json!([standing.realm_role(name)?])));
    }
    let of_client = |client: &str| -> Result<String> {
        Ok(format!("{at}/role-mappings/clients/{}", segment(standing.id(Kind::Client, &[client])?)))
    };
    for (client, name) in added_of_clients {
        calls.push(Call::post(of_client(client)?, json!([standing.client_role(client, name)?])));
    }
    // A role that is not there any more is held by nobody.
    for name in removed {
        if let Ok(role) = standing.realm_role(name) {
            calls.push(Call::delete_these(&of_realm, json!([role])));
        }
    }
    for (client, name) in removed_of_clients {
        if let (Ok(path), Ok(role)) = (of_client(client), standing.client_role(client, name)) {
            calls.push(Call::delete_these(path, json!([role])));
        }
    }
    Ok(calls)
}
