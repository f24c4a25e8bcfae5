use serde_json::{Map, Value, json};

use super::super::canonical::DEFAULT_ROLE;
use super::super::http::segment;
use super::super::kinds::Kind;
use super::attribute_order::in_between;
use super::call::Call;
use super::overlay::{set_changes, sets_changes};
use super::standing::{Standing, default_role_in};
use super::target::{Target, field, text};
use super::user::roles;
use crate::model::Result;

/// A role of the realm or of a client, without what it is made of.
pub(super) fn body(target: &Target<'_>) -> Result<Vec<Call>> {
    let name = match (target.kind, text(target.to, "name")) {
        (Kind::RealmRole, Some(name)) if target.name() == DEFAULT_ROLE => {
            default_role_in(target.standing.realm(), name)
        }
        (Kind::RealmRole, _) => target.standing.role_name(target.name()),
        _ => target.name().to_owned(),
    };
    let body = named(target.to, name);
    if !target.is_new {
        return Ok(match differs(target) {
            true => vec![Call::put(format!("/roles-by-id/{}", segment(target.id()?)), body)],
            false => Vec::new(),
        });
    }
    let at = match target.names {
        [client, _] if target.kind == Kind::ClientRole => {
            format!("/clients/{}/roles", segment(target.standing.id(Kind::Client, &[client])?))
        }
        _ => "/roles".to_owned(),
    };
    Ok(vec![Call::post(at, body)])
}

/// A group at its place below others. Its id is left out: with one the server would move the group that has it.
pub(super) fn group(target: &Target<'_>) -> Result<Vec<Call>> {
    let body = named(target.to, target.name().to_owned());
    if !target.is_new {
        let at = format!("/groups/{}", segment(target.id()?));
        let between = in_between(target.from, target.to).map(|between| named(&between, target.name().to_owned()));
        let mut calls: Vec<Call> = between.map(|between| Call::put(&at, between)).into_iter().collect();
        if differs(target) {
            calls.push(Call::put(at, body));
        }
        return Ok(calls);
    }
    let above: Vec<&str> = target.names.iter().rev().skip(1).rev().map(String::as_str).collect();
    let at = match above.is_empty() {
        true => "/groups".to_owned(),
        false => format!("/groups/{}/children", segment(target.standing.id(Kind::Group, &above)?)),
    };
    Ok(vec![Call::post(at, body)])
}

/// Roles that a group gives.
pub(super) fn group_links(target: &Target<'_>) -> Result<Vec<Call>> {
    roles(&format!("/groups/{}", segment(target.id()?)), target.from, target.to, target.standing)
}

/// Roles that a role is made of, one call each.
pub(super) fn links(target: &Target<'_>) -> Result<Vec<Call>> {
    let (from, to) = (field(target.from, "composites"), field(target.to, "composites"));
    if from == to {
        return Ok(Vec::new());
    }
    let at = format!("/roles-by-id/{}/composites", segment(target.id()?));
    Ok(held(target.standing, from, to)?
        .into_iter()
        .map(|(comes, role)| match comes {
            true => Call::post(&at, json!([role])),
            false => Call::delete_these(&at, json!([role])),
        })
        .collect())
}

/// Roles of `{realm: […], client: {id: […]}}` that come or go.
pub(super) fn held(standing: &Standing, from: &Value, to: &Value) -> Result<Vec<(bool, Value)>> {
    let (comes, goes) = set_changes(from, to, "realm");
    let (comes_of_clients, goes_of_clients) = sets_changes(from, to, "client");
    let mut made = Vec::new();
    for name in comes {
        made.push((true, standing.realm_role(name)?));
    }
    for (client, name) in comes_of_clients {
        made.push((true, standing.client_role(client, name)?));
    }
    made.extend(goes.into_iter().filter_map(|name| Some((false, standing.realm_role(name).ok()?))));
    let gone = goes_of_clients.into_iter().filter_map(|(client, name)| standing.client_role(client, name).ok());
    made.extend(gone.map(|role| (false, role)));
    Ok(made)
}

fn differs(target: &Target<'_>) -> bool {
    ["description", "attributes", "name"].iter().any(|name| field(target.from, name) != field(target.to, name))
}

fn named(of: &Value, name: String) -> Value {
    let mut made = Map::new();
    made.insert("name".to_owned(), json!(name));
    made.insert("description".to_owned(), json!(text(of, "description").unwrap_or_default()));
    let attributes = of.get("attributes").cloned();
    made.insert("attributes".to_owned(), attributes.unwrap_or_else(|| json!({})));
    Value::Object(made)
}
