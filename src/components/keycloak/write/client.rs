use serde_json::{Map, Value, json};

use super::super::always_shown::SCOPE_OF_ACCOUNT;
use super::super::canonical::{MASK, address_in, with_addresses};
use super::super::http::segment;
use super::super::kinds::Kind;
use super::authorization;
use super::call::Call;
use super::overlay::{Gone, keyed_changes, overlaid, set_changes, sets_changes};
use super::realm::both_scopes;
use super::target::{Target, field, joined, text, without};
use crate::model::Result;

const APART: [&str; 5] =
    ["protocolMappers", "scopeMappings", "defaultClientScopes", "optionalClientScopes", "authorizationSettings"];

/// A client without the roles that its tokens may hold.
pub(super) fn body(target: &Target<'_>) -> Result<Vec<Call>> {
    if target.is_new {
        return Ok(vec![Call::post("/clients", new_client(target)?)]);
    }
    let at = format!("/clients/{}", segment(target.id()?));
    let mut calls = Vec::new();
    let shaped = |of: &Value| -> Result<Value> {
        with_flows(target, joined(without(of, &APART), "attributes", "secretAttributes"))
    };
    let (from, to) = (shaped(target.from)?, shaped(target.to)?);
    if from != to {
        let mut body = without(&overlaid(target.raw(0), &from, &to, Gone::Empty), &APART);
        // Without its secret a client keeps it; a mask would become the secret, and nothing at all an empty one.
        let stays = field(&from, "secret") == field(&to, "secret") || field(&to, "secret").is_null();
        if (stays || text(&body, "secret") == Some(MASK))
            && let Some(fields) = body.as_object_mut()
        {
            fields.remove("secret");
        }
        calls.push(Call::put(&at, body));
        calls.extend(without_scope_of_account(target, &at));
    }
    calls.extend(mappers(target, &at));
    calls.extend(both_scopes(
        target,
        ("defaultClientScopes", &format!("{at}/default-client-scopes")),
        ("optionalClientScopes", &format!("{at}/optional-client-scopes")),
    )?);
    Ok(calls)
}

/// With an account of its own a client is given the scope of such by the server, though a file may say otherwise.
fn without_scope_of_account(target: &Target<'_>, at: &str) -> Option<Call> {
    let has = |of: &Value| field(of, "serviceAccountsEnabled") == &json!(true);
    let comes = has(target.to) && !has(target.from);
    let is_wanted = field(target.to, "defaultClientScopes")
        .as_array()
        .is_some_and(|wanted| wanted.contains(&json!(SCOPE_OF_ACCOUNT)));
    let scope = target.standing.id(Kind::ClientScope, &[SCOPE_OF_ACCOUNT]).ok()?;
    (comes && !is_wanted).then(|| Call::delete(format!("{at}/default-client-scopes/{}", segment(scope))))
}

fn new_client(target: &Target<'_>) -> Result<Value> {
    for name in ["defaultClientScopes", "optionalClientScopes"] {
        for scope in set_changes(&json!({}), target.to, name).0 {
            target.standing.id(Kind::ClientScope, &[scope])?;
        }
    }
    let mut made = with_flows(
        target,
        joined(without(target.to, &["scopeMappings", "authorizationSettings"]), "attributes", "secretAttributes"),
    )?;
    if let Some(fields) = made.as_object_mut() {
        fields.insert("clientId".to_owned(), json!(target.name()));
    }
    Ok(made)
}

/// Flows that stand in for the realm's are named by id, and the realm's own addresses hold its name.
fn with_flows(target: &Target<'_>, document: Value) -> Result<Value> {
    let mut document = with_addresses(&document, |address| address_in(target.standing.realm(), address));
    if let Some(Value::Object(flows)) = document.get_mut("authenticationFlowBindingOverrides") {
        for alias in flows.values_mut() {
            let id = alias.as_str().map(|alias| target.standing.id(Kind::Flow, &[alias])).transpose()?;
            *alias = id.map_or(Value::Null, |id| json!(id));
        }
    }
    Ok(document)
}

pub(super) fn scope(target: &Target<'_>) -> Result<Vec<Call>> {
    let shaped = |of: &Value| {
        let mut made = joined(without(of, &["scopeMappings"]), "attributes", "secretAttributes");
        if let Some(fields) = made.as_object_mut() {
            fields.insert("name".to_owned(), json!(target.name()));
        }
        made
    };
    if target.is_new {
        return Ok(vec![Call::post("/client-scopes", shaped(target.to))]);
    }
    let at = format!("/client-scopes/{}", segment(target.id()?));
    let bare = |of: &Value| without(&shaped(of), &["protocolMappers"]);
    let (from, to) = (bare(target.from), bare(target.to));
    let mut calls = Vec::new();
    if from != to {
        calls.push(Call::put(&at, without(&overlaid(target.raw(0), &from, &to, Gone::Empty), &["protocolMappers"])));
    }
    calls.extend(mappers(target, &at));
    Ok(calls)
}

/// Mappers of a client or a scope: one call each, by the ids that the server shows.
fn mappers(target: &Target<'_>, at: &str) -> Vec<Call> {
    let at = format!("{at}/protocol-mappers/models");
    let ids = ids_by_name(field(target.raw(0), "protocolMappers"));
    element_calls(target, "protocolMappers", &at, &ids)
}

pub(super) fn ids_by_name(list: &Value) -> Map<String, Value> {
    let pair = |one: &Value| Some((text(one, "name")?.to_owned(), one.get("id")?.clone()));
    list.as_array().into_iter().flatten().filter_map(pair).collect()
}

pub(super) fn element_calls(target: &Target<'_>, list: &str, at: &str, ids: &Map<String, Value>) -> Vec<Call> {
    let changes = keyed_changes(target.from, target.to, list, "name");
    let of = |change: &super::overlay::Element<'_>| {
        let id = ids.get(change.name);
        let path = id.and_then(Value::as_str).map(|id| format!("{at}/{}", segment(id)));
        match (change.after, path) {
            (Some(after), Some(path)) => {
                let mut body = after.clone();
                if let (Some(fields), Some(id)) = (body.as_object_mut(), id) {
                    fields.insert("id".to_owned(), id.clone());
                    fields.entry("config").or_insert_with(|| json!({}));
                }
                Some(Call::put(path, body))
            }
            (Some(after), None) => Some(Call::post(at, after.clone())),
            (None, path) => path.map(Call::delete),
        }
    };
    changes.iter().filter_map(of).collect()
}

/// Roles that tokens of a client or scope may hold, and what a client's authorization service decides by.
pub(super) fn links(target: &Target<'_>) -> Result<Vec<Call>> {
    let mut calls = scope_mappings(target)?;
    if target.kind == Kind::Client {
        calls.extend(authorization::calls(target)?);
    }
    Ok(calls)
}

fn scope_mappings(target: &Target<'_>) -> Result<Vec<Call>> {
    let (from, to) = (field(target.from, "scopeMappings"), field(target.to, "scopeMappings"));
    if from == to {
        return Ok(Vec::new());
    }
    let folder = if target.kind == Kind::Client { "clients" } else { "client-scopes" };
    let at = format!("/{folder}/{}/scope-mappings", segment(target.id()?));
    let mut calls = Vec::new();
    let (comes, goes) = set_changes(from, to, "realm");
    for name in comes {
        calls.push(Call::post(format!("{at}/realm"), json!([target.standing.realm_role(name)?])));
    }
    for name in goes {
        calls.push(Call::delete_these(format!("{at}/realm"), json!([target.standing.realm_role(name)?])));
    }
    let (comes, goes) = sets_changes(from, to, "client");
    let of = |client: &str| {
        Ok::<_, crate::model::Error>(format!("{at}/clients/{}", segment(target.standing.id(Kind::Client, &[client])?)))
    };
    for (client, name) in comes {
        calls.push(Call::post(of(client)?, json!([target.standing.client_role(client, name)?])));
    }
    for (client, name) in goes {
        calls.push(Call::delete_these(of(client)?, json!([target.standing.client_role(client, name)?])));
    }
    Ok(calls)
}
