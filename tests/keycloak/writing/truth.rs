//! The truth of the plan: every field that the server shows of every resource, before and after a restore.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A place, as `clients[app].redirectUris`, and what is there.
type Fields = BTreeMap<String, String>;

/// All that the server tells an administrator of a realm, in its own form.
async fn everything(story: &Story) -> Fields {
    let mut fields = Fields::new();
    let path = story.at("/partial-export?exportClients=true&exportGroupsAndRoles=true");
    let (status, export) = story.admin.call(Method::POST, &path, None).await;
    assert_eq!(status, 200);
    flatten("realm", &export, &mut fields);
    for path in
        ["/clients", "/users/profile", "/client-policies/policies", "/client-policies/profiles", "/organizations"]
    {
        flatten(path, &story.admin.get(&story.at(path)).await, &mut fields);
    }
    // The order in which forms ask.
    let profile = story.admin.get(&story.at("/users/profile")).await;
    for list in ["attributes", "groups"] {
        let names: Vec<String> = profile[list].as_array().unwrap().iter().map(|one| one["name"].to_string()).collect();
        fields.insert(format!("order of the profile's {list}"), names.join(" "));
    }
    for organization in story.admin.get(&story.at("/organizations")).await.as_array().unwrap() {
        for below in ["members", "identity-providers"] {
            let id = organization["id"].as_str().unwrap();
            let list = story.admin.get(&story.at(&format!("/organizations/{id}/{below}"))).await;
            flatten(&format!("/organizations/{}/{below}", organization["alias"]), &list, &mut fields);
        }
    }
    let users = story.admin.get(&story.at("/users?max=-1&briefRepresentation=false")).await;
    for user in users.as_array().unwrap() {
        let at = format!("users/{}", user["username"].as_str().unwrap());
        flatten(&at, user, &mut fields);
        for below in ["groups", "role-mappings", "federated-identity", "credentials", "consents", "unmanagedAttributes"]
        {
            let path = format!("/users/{}/{below}", user["id"].as_str().unwrap());
            flatten(&format!("{at}/{below}"), &story.admin.get(&story.at(&path)).await, &mut fields);
        }
    }
    fields
}

/// Lists by the names of their elements, in no order; what describes the form or the caller is left out.
fn flatten(at: &str, value: &Value, into: &mut Fields) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                // The profile's component holds what is read at its own place, in one text.
                let apart = ["userProfileMetadata", "access", "org.keycloak.userprofile.UserProfileProvider"];
                if !apart.contains(&name.as_str()) {
                    flatten(&format!("{at}.{name}"), field, into);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let names = [
                    "clientId",
                    "username",
                    "alias",
                    "name",
                    "identityProvider",
                    "authenticator",
                    "flowAlias",
                    "client",
                    "clientScope",
                    "executor",
                    "condition",
                    "type",
                ];
                let named = names.iter().find_map(|name| item.get(name)?.as_str());
                // Two components have one name, for two kinds of callers.
                let of = item.get("subType").and_then(Value::as_str).map(|of| format!(" of {of}")).unwrap_or_default();
                let mut key = format!("{at}[{}{of}]", named.map_or_else(|| item.to_string(), str::to_owned));
                while into.keys().any(|other| other.starts_with(&format!("{key}."))) {
                    key.push('\'');
                }
                match item.is_object() {
                    true => flatten(&key, item, into),
                    false => drop(into.insert(key, String::new())),
                }
            }
        }
        // To the server nothing and an empty text are one.
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        // A policy holds lists as texts, in the order of the server's own set of ids, which is another in every realm.
        Value::String(text) if text.starts_with('[') => match serde_json::from_str(text) {
            Ok(list @ Value::Array(_)) => flatten(at, &list, into),
            _ => drop(into.insert(at.to_owned(), value.to_string())),
        },
        other => drop(into.insert(at.to_owned(), other.to_string())),
    }
}

fn otherwise(before: &Fields, after: &Fields) -> BTreeSet<String> {
    let places: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    places.into_iter().filter(|place| before.get(*place) != after.get(*place)).cloned().collect()
}

/// Of a realm with everything in it, lost whole and restored onto nothing from its own export.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_otherwise_after_a_whole_realm_was_restored_but_what_was_said_to_be() {
    let story = Story::with("truth", 8, true).await;
    let before = everything(&story).await;
    assert!(before.len() > 2000, "{}", before.len());
    story.admin.remove_realm("truth").await;
    let realm = story.below("realm");
    let changes = story.plan(&realm, &[]).await;
    story.write_all(&changes).await;
    let people = story.below("users");
    let people_changes = story.plan(&people, &[]).await;
    story.write_all(&people_changes).await;
    let hunks: usize = changes.iter().chain(&people_changes).map(|change| change.change.hunks.len()).sum();
    let not_applied = [story.differences(&realm).await, story.differences(&people).await].concat();
    assert_eq!(not_applied, nothing(), "shown and not applied");
    let after = everything(&story).await;
    let changed: Vec<String> =
        otherwise(&before, &after).into_iter().filter(|place| !is_inner(place, &after)).collect();
    println!(
        "{} fields, {hunks} hunks shown and applied, 0 shown and not applied, {} changed and not shown: {changed:#?}",
        before.len(),
        changed.len()
    );
    assert_eq!(changed, nothing(), "changed and not shown");
}

/// What the server keeps for itself: ids inside of a resource, to which nothing refers; when a secret was made; dates of
/// consents, which the plan says to become now; and settings that it notes down a second time when a realm is saved.
fn is_inner(place: &str, after: &Fields) -> bool {
    let ids = ["protocolMappers", "authenticatorConfig", "identityProviderMappers"];
    let twin = place.strip_prefix("realm.attributes.").is_some_and(|name| after.contains_key(&format!("realm.{name}")));
    twin || place.ends_with(".client.secret.creation.time")
        || (place.ends_with(".id") && ids.iter().any(|list| place.contains(list)))
        || (place.contains("/consents") && place.ends_with("Date"))
}
