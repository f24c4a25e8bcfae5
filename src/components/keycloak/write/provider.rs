use serde_json::{Value, json};

use super::super::http::segment;
use super::super::kinds::Kind;
use super::attribute_order::in_between;
use super::call::Call;
use super::client::{element_calls, ids_by_name};
use super::overlay::{Gone, overlaid, set_changes};
use super::target::{Target, field, joined, text, without};
use crate::model::Result;

/// An identity provider and its mappers. A secret that is masked stays as it is.
pub(super) fn body(target: &Target<'_>) -> Result<Vec<Call>> {
    let alias = target.name();
    for name in ["firstBrokerLoginFlowAlias", "postBrokerLoginFlowAlias"] {
        if let Some(flow) = text(target.to, name) {
            target.standing.id(Kind::Flow, &[flow])?;
        }
    }
    let at = format!("/identity-provider/instances/{}", segment(alias));
    let shaped = |of: &Value| {
        let mut made = joined(without(of, &["mappers", "id"]), "config", "secretConfig");
        if let Some(fields) = made.as_object_mut() {
            fields.insert("alias".to_owned(), json!(alias));
        }
        made
    };
    let mut calls = Vec::new();
    if target.is_new {
        let mut made = shaped(target.to);
        if let (Some(fields), Some(id)) = (made.as_object_mut(), target.to.get("id")) {
            fields.insert("internalId".to_owned(), id.clone());
        }
        calls.push(Call::post("/identity-provider/instances", made));
    } else {
        let (from, to) = (shaped(target.from), shaped(target.to));
        if from != to {
            calls.push(Call::put(&at, overlaid(target.raw(0), &from, &to, Gone::Absent)));
        }
    }
    let mappers = element_calls(target, "mappers", &format!("{at}/mappers"), &ids_by_name(target.raw(1)));
    calls.extend(mappers.into_iter().map(|mut call| {
        if let Some(Value::Object(fields)) = &mut call.body {
            fields.insert("identityProviderAlias".to_owned(), json!(alias));
        }
        call
    }));
    Ok(calls)
}

pub(super) fn required_action(target: &Target<'_>) -> Result<Vec<Call>> {
    let at = format!("/authentication/required-actions/{}", segment(target.name()));
    let mut calls = Vec::new();
    let mut shown = target.raw(0).clone();
    if target.is_new {
        let provider = text(target.to, "providerId").unwrap_or(target.name());
        let name = text(target.to, "name").unwrap_or(target.name());
        calls.push(Call::post(
            "/authentication/register-required-action",
            json!({"providerId": provider, "name": name}),
        ));
        shown = json!({"alias": target.name()});
    }
    calls.push(Call::put(&at, overlaid(&shown, target.from, target.to, Gone::Empty)));
    Ok(calls)
}

/// An organization; its members are written with each user.
pub(super) fn organization(target: &Target<'_>) -> Result<Vec<Call>> {
    let shaped = |of: &Value| {
        let mut made = without(of, &["identityProviders", "id"]);
        if let Some(fields) = made.as_object_mut() {
            fields.insert("alias".to_owned(), json!(target.name()));
        }
        made
    };
    if target.is_new {
        return Ok(vec![Call::post("/organizations", shaped(target.to))]);
    }
    let at = format!("/organizations/{}", segment(target.id()?));
    let (from, to) = (shaped(target.from), shaped(target.to));
    let body = |to: &Value| Call::put(&at, overlaid(target.raw(0), &from, to, Gone::Absent));
    let mut calls: Vec<Call> = in_between(&from, &to).iter().map(body).collect();
    if from != to {
        calls.push(body(&to));
    }
    Ok(calls)
}

pub(super) fn organization_links(target: &Target<'_>) -> Result<Vec<Call>> {
    let (comes, goes) = set_changes(target.from, target.to, "identityProviders");
    if comes.is_empty() && goes.is_empty() {
        return Ok(Vec::new());
    }
    let at = format!("/organizations/{}/identity-providers", segment(target.id()?));
    let mut calls = Vec::new();
    for alias in comes {
        target.standing.id(Kind::IdentityProvider, &[alias])?;
        calls.push(Call::post(&at, json!(alias)));
    }
    calls.extend(goes.into_iter().map(|alias| Call::delete(format!("{at}/{}", segment(alias)))));
    Ok(calls)
}

/// A component at its place: below the realm, or below another one as LDAP's mappers are.
pub(super) fn component(target: &Target<'_>) -> Result<Vec<Call>> {
    let shaped = |of: &Value| joined(without(of, &["id"]), "config", "secretConfig");
    if !target.is_new {
        let (from, to) = (shaped(target.from), shaped(target.to));
        let at = format!("/components/{}", segment(target.id()?));
        return Ok(match from == to {
            true => Vec::new(),
            false => vec![Call::put(at, overlaid(target.raw(0), &from, &to, Gone::Empty))],
        });
    }
    let above = target.names.len().checked_sub(2).and_then(|to| target.names.get(..to)).unwrap_or_default();
    let above: Vec<&str> = above.iter().map(String::as_str).collect();
    let parent = match above.is_empty() {
        true => target.standing.realm_id(),
        false => Some(target.standing.id(Kind::Component, &above)?),
    };
    let mut made = joined(target.to.clone(), "config", "secretConfig");
    if let Some(fields) = made.as_object_mut() {
        fields.insert("parentId".to_owned(), json!(parent));
        fields.entry("name").or_insert_with(|| field(target.to, "providerId").clone());
    }
    Ok(vec![Call::post("/components", made)])
}
