use std::collections::BTreeSet;

use serde_json::Value;

use super::super::canonical::with_people;
use super::super::http::segment;
use super::super::kinds::Kind;
use super::call::Call;
use super::target::{Target, field, text};
use crate::model::Result;

/// The lists of a client's authorization settings, in the order in which their elements can go: a policy is about
/// resources and scopes, a resource has scopes.
const LISTS: [(&str, &str, &str); 3] =
    [("policies", "policy", "id"), ("resources", "resource", "_id"), ("scopes", "scope", "id")];

/// Where the ids of what is there are read, by the order of [`LISTS`]. Nothing where no settings are wanted.
pub(super) fn raw_paths(target: &Target<'_>) -> Result<Vec<String>> {
    if target.kind != Kind::Client || !differs(target) {
        return Ok(Vec::new());
    }
    let at = at(target)?;
    Ok(LISTS.iter().map(|(_, folder, _)| format!("{at}/{folder}?first=0&max=100000&deep=false")).collect())
}

/// What a client's own authorization service decides by. It is written once all roles are there, since policies are
/// about roles; what is wanted is imported, which takes nothing away, so what is to go is removed by itself. Of a new
/// client that is what the server has put there.
pub(super) fn calls(target: &Target<'_>) -> Result<Vec<Call>> {
    if !differs(target) {
        return Ok(Vec::new());
    }
    let at = at(target)?;
    let wanted = field(target.to, "authorizationSettings");
    let mut calls = vec![Call::post(format!("{at}/import"), to_import(target))];
    for (place, (list, folder, id)) in LISTS.into_iter().enumerate() {
        let kept = names(wanted, list);
        let was = names(field(target.from, "authorizationSettings"), list);
        for one in target.raw(place).as_array().into_iter().flatten() {
            let Some((name, id)) = text(one, "name").zip(text(one, id)) else { continue };
            // Resources that are there are passed over by an import, without a word.
            if list == "resources"
                && let Some(after) = named(wanted, list, name)
                && named(field(target.from, "authorizationSettings"), list, name) != Some(after)
            {
                let mut body = after.clone();
                if let Some(fields) = body.as_object_mut() {
                    fields.insert("_id".to_owned(), Value::String(id.to_owned()));
                }
                calls.push(Call::put(format!("{at}/{folder}/{}", segment(id)), body));
            }
            if !kept.contains(name) && (target.is_new || was.contains(name)) {
                calls.push(Call::delete(format!("{at}/{folder}/{}", segment(id))));
            }
        }
    }
    Ok(calls)
}

/// The settings themselves, and of the lists what is new or otherwise: an import writes a policy whole, and a policy's
/// people are no part of what is wanted here. Those whom it names now stay.
fn to_import(target: &Target<'_>) -> Value {
    let (from, wanted) = (field(target.from, "authorizationSettings"), field(target.to, "authorizationSettings"));
    let mut body = wanted.clone();
    for (list, ..) in LISTS {
        let Some(items) = body.get_mut(list).and_then(Value::as_array_mut) else { continue };
        items.retain(|one| text(one, "name").is_none_or(|name| named(from, list, name) != Some(one)));
        if list == "policies" {
            items.iter_mut().for_each(|policy| *policy = with_own_people(target, policy.take()));
        }
    }
    body
}

fn with_own_people(target: &Target<'_>, policy: Value) -> Value {
    let Some(names) = target.standing.view().names() else { return policy };
    let people = names.permissions.people(target.name(), text(&policy, "name").unwrap_or_default());
    with_people(policy, &people)
}

fn at(target: &Target<'_>) -> Result<String> {
    Ok(format!("/clients/{}/authz/resource-server", segment(target.id()?)))
}

fn differs(target: &Target<'_>) -> bool {
    let wanted = field(target.to, "authorizationSettings");
    !wanted.is_null() && field(target.from, "authorizationSettings") != wanted
}

fn named<'a>(settings: &'a Value, list: &str, name: &str) -> Option<&'a Value> {
    field(settings, list).as_array()?.iter().find(|one| text(one, "name") == Some(name))
}

fn names<'a>(settings: &'a Value, list: &str) -> BTreeSet<&'a str> {
    field(settings, list).as_array().into_iter().flatten().filter_map(|one| text(one, "name")).collect()
}
