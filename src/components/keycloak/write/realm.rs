use serde_json::{Map, Value, json};

use super::super::http::segment;
use super::super::kinds::Kind;
use super::call::Call;
use super::overlay::{Gone, overlaid, set_changes};
use super::target::{Target, field, text};
use crate::model::Result;

/// What the server takes where it makes the realm, and never again.
pub(super) const MADE_WITH: [&str; 4] = ["id", "keycloakVersion", "privateKey", "certificate"];

/// The realm itself: the whole of what the server shows with the differences laid over it, since a field that is left
/// out stays and a map is taken whole.
pub(super) fn settings(target: &Target<'_>) -> Result<Vec<Call>> {
    let body = overlaid(target.raw(0), &with_mail(target.from), &with_mail(target.to), Gone::Absent);
    Ok(vec![Call::put("", super::target::without(&body, &MADE_WITH))])
}

/// The mail server's password back in its place. One that is masked is kept by the server.
pub(super) fn with_mail(document: &Value) -> Value {
    let mut made = document.clone();
    if let Some(fields) = made.as_object_mut()
        && let Some(password) = fields.remove("smtpPassword")
    {
        let server = fields.entry("smtpServer").or_insert_with(|| json!({}));
        if let Some(server) = server.as_object_mut() {
            server.insert("password".to_owned(), password);
        }
    }
    made
}

/// Texts of one language: those that come are laid over what is there, each that goes is a call.
pub(super) fn localization(target: &Target<'_>) -> Result<Vec<Call>> {
    let at = format!("/localization/{}", segment(target.name()));
    let fields = |of: &Value| of.as_object().cloned().unwrap_or_default();
    let (from, to) = (fields(target.from), fields(target.to));
    let come: Map<String, Value> = to
        .iter()
        .filter(|(name, text)| from.get(*name) != Some(text))
        .map(|(name, text)| (name.clone(), text.clone()))
        .collect();
    let mut calls = Vec::new();
    if !come.is_empty() {
        calls.push(Call::post(&at, Value::Object(come)));
    }
    let gone = from.keys().filter(|name| !to.contains_key(*name));
    calls.extend(gone.map(|name| Call::delete(format!("{at}/{}", segment(name)))));
    Ok(calls)
}

/// In the order in which the server has its attributes, for forms show them in that order; new ones at the end.
pub(super) fn profile(target: &Target<'_>) -> Result<Vec<Call>> {
    let mut body = target.raw(0).clone();
    if !body.is_object() {
        body = json!({});
    }
    let Some(fields) = body.as_object_mut() else { return Ok(Vec::new()) };
    for name in ["attributes", "groups"] {
        fields.insert(name.to_owned(), in_order(fields.get(name), field(target.to, name)));
    }
    match text(target.to, "unmanagedAttributePolicy") {
        None | Some("DISABLED") => fields.remove("unmanagedAttributePolicy"),
        Some(policy) => fields.insert("unmanagedAttributePolicy".to_owned(), json!(policy)),
    };
    Ok(vec![Call::put("/users/profile", body)])
}

/// Elements of `wanted` by name, in the order of `shown`.
pub(super) fn in_order(shown: Option<&Value>, wanted: &Value) -> Value {
    let shown: Vec<&str> =
        shown.and_then(Value::as_array).into_iter().flatten().filter_map(|one| text(one, "name")).collect();
    let mut wanted = wanted.as_array().cloned().unwrap_or_default();
    let place = |one: &Value| shown.iter().position(|name| Some(*name) == text(one, "name")).unwrap_or(usize::MAX);
    wanted.sort_by_key(place);
    Value::Array(wanted)
}

/// Profiles and policies for clients; the server's own, global ones are not in these lists.
pub(super) fn policies(target: &Target<'_>) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    for (at, name) in ["profiles", "policies"].into_iter().enumerate() {
        if field(target.from, name) != field(target.to, name) {
            let list = in_order(target.raw(at).get(name), field(target.to, name));
            calls.push(Call::put(format!("/client-policies/{name}"), json!({ name: list })));
        }
    }
    Ok(calls)
}

/// What the realm uses by default: flows by the realm itself, groups and scopes by a call each.
pub(super) fn bindings(target: &Target<'_>) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    let lists = ["defaultGroups", "defaultDefaultClientScopes", "defaultOptionalClientScopes"];
    let flows = |of: &Value| super::target::without(of, &lists);
    let (from, to) = (flows(target.from), flows(target.to));
    if from != to {
        let changed = to.as_object().into_iter().flatten().filter(|(name, alias)| from.get(*name) != Some(*alias));
        for alias in changed.filter_map(|(_, alias)| alias.as_str()) {
            target.standing.id(Kind::Flow, &[alias])?;
        }
        let body = overlaid(target.raw(0), &from, &to, Gone::Absent);
        calls.push(Call::put("", super::target::without(&body, &["id"])));
    }
    let (comes, goes) = set_changes(target.from, target.to, "defaultGroups");
    for way in comes {
        calls.push(Call::put_nothing(format!("/default-groups/{}", segment(target.standing.group(way)?))));
    }
    for way in goes {
        calls.push(Call::delete(format!("/default-groups/{}", segment(target.standing.group(way)?))));
    }
    calls.extend(both_scopes(
        target,
        ("defaultDefaultClientScopes", "/default-default-client-scopes"),
        ("defaultOptionalClientScopes", "/default-optional-client-scopes"),
    )?);
    Ok(calls)
}

/// The two lists of client scopes, each with its address. What goes is first: a scope is in one of them only.
pub(super) fn both_scopes(target: &Target<'_>, default: (&str, &str), optional: (&str, &str)) -> Result<Vec<Call>> {
    let mut calls = scopes(target, default.0, default.1)?;
    calls.extend(scopes(target, optional.0, optional.1)?);
    calls.sort_by_key(|call| call.method != reqwest::Method::DELETE);
    Ok(calls)
}

/// Client scopes of a realm or of a client, one call each.
fn scopes(target: &Target<'_>, name: &str, at: &str) -> Result<Vec<Call>> {
    let (comes, goes) = set_changes(target.from, target.to, name);
    let mut calls = Vec::new();
    for scope in goes {
        if let Ok(id) = target.standing.id(Kind::ClientScope, &[scope]) {
            calls.push(Call::delete(format!("{at}/{}", segment(id))));
        }
    }
    for scope in comes {
        calls.push(Call::put_nothing(format!("{at}/{}", segment(target.standing.id(Kind::ClientScope, &[scope])?))));
    }
    Ok(calls)
}
