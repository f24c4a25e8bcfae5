use serde_json::{Map, Value, json};

use super::super::canonical::MASK;
use super::super::http::segment;
use super::call::Call;
use super::overlay::keyed_changes;
use super::target::without;
use crate::component::Refusal;
use crate::model::{DocumentPath, Error, ErrorKind, PathStep, Result, visible};

/// The calls for credentials of the user at `at`: each is one `PUT` that changes nothing else. The stored id is left
/// out, for with it the server skips the credential in silence; and so a password is replaced in place.
pub(super) fn calls(at: &str, from: &Value, to: &Value, desired: &Value) -> Result<Vec<Call>> {
    labels_are_free(from, to)?;
    let mut calls = Vec::new();
    let changes = keyed_changes(&plain(from), &plain(to), "credentials", "key")
        .into_iter()
        .map(|change| (change.name.to_owned(), change.before.is_some(), change.after.is_some()))
        .collect::<Vec<_>>();
    for (key, was, is) in changes {
        let live = find(from, &key).and_then(|live| text(live.get("hidden")?, "id"));
        let gone = live.map(|id: &str| Call::delete(format!("{at}/credentials/{}", segment(id))));
        if !is {
            calls.extend(gone);
            continue;
        }
        let after = find(to, &key);
        // A name alone takes no secret, and leaves the credential as it is.
        if let (true, Some(id)) = (differs_in_name(from, to, &key), live) {
            let name = after.and_then(|after| text(after, "userLabel")).filter(|name| !name.is_empty());
            let at = format!("{at}/credentials/{}/userLabel", segment(id));
            calls.extend(name.map(|name| Call::put(at, json!(name))));
            continue;
        }
        let source = find(desired, &key).or(after);
        let new = Call::put(at, json!({"credentials": [representation(source, &key)?]}));
        // Of its type there can be several, so a new one would stand beside the old one. A call that changes nothing
        // tells first whether the server takes any of this user: it looks at the whole profile each time.
        if let Some(gone) = gone.filter(|_| was && !key.starts_with("password")) {
            calls.extend([Call::put(at, json!({"enabled": to.get("enabled")})), gone]);
        }
        calls.push(new);
    }
    Ok(calls)
}

/// Whether the credential is on both sides, and is the same but for what it is called.
fn differs_in_name(from: &Value, to: &Value, key: &str) -> bool {
    let others = |of| find(of, key).map(|one| without(one, &["userLabel", "hidden"]));
    others(from).is_some() && others(from) == others(to)
}

/// The server lets nobody take a credential's name away. So such a name stays: `to` with it, and what stays.
pub(super) fn with_names_that_stay(from: &Value, to: &Value) -> (Value, Vec<Refusal>) {
    let mut made = to.clone();
    let mut refused = Vec::new();
    for credential in made.get_mut("credentials").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(key) = text(credential, "key").map(str::to_owned) else { continue };
        let name = find(from, &key).and_then(|before| text(before, "userLabel"));
        let Some(name) = name.filter(|_| text(credential, "userLabel").is_none() && differs_in_name(from, to, &key))
        else {
            continue;
        };
        credential["userLabel"] = json!(name);
        let keyed = PathStep::Keyed { key: "key".to_owned(), is: key.as_str().into() };
        let place = [PathStep::Field("credentials".to_owned()), keyed, PathStep::Field("userLabel".to_owned())];
        let why = format!("the server takes no credential without a name once it has one: it stays {}", visible(name));
        refused.push(Refusal { place: DocumentPath(place.to_vec()), why });
    }
    (made, refused)
}

/// The server takes no two credentials of one user by the same label, and says of it that the user's name is taken.
pub(super) fn labels_are_free(from: &Value, to: &Value) -> Result<()> {
    let held = |of: &'_ Value| -> Vec<(String, String)> {
        let all = of.get("credentials").and_then(Value::as_array).into_iter().flatten();
        let pair = |one: &Value| Some((text(one, "key")?.to_owned(), text(one, "userLabel")?.to_lowercase()));
        all.filter_map(pair).collect()
    };
    let (before, after) = (held(from), held(to));
    let taken = |(at, (key, label)): (usize, &(String, String))| {
        let others = after.iter().enumerate().filter(|(other, _)| *other != at);
        let is_new = !before.contains(&(key.clone(), label.clone()));
        is_new && others.into_iter().any(|(_, (_, other))| other == label)
    };
    let Some((key, _)) = after.iter().enumerate().find(|one| taken(*one)).map(|(_, one)| one) else { return Ok(()) };
    let label = find(to, key).and_then(|one| text(one, "userLabel")).unwrap_or_default();
    let why = format!("another one of this user is called {} too", visible(label));
    Err(Error::new(ErrorKind::Conflict, format!("write the credential {}", visible(key)), why)
        .next("leave it out, or rename the other one, or restore with 'mode: exact', which takes the other one away"))
}

/// All of them in the order in which a user is asked for them, as a new user takes them.
pub(super) fn all(to: &Value, desired: &Value, with_ids: bool) -> Result<Vec<Value>> {
    let given = to.get("credentials").and_then(Value::as_array).into_iter().flatten();
    let mut made = Vec::new();
    for key in given.filter_map(|credential| text(credential, "key")) {
        let source = find(desired, key);
        let hidden = source.and_then(|source| source.get("hidden")).unwrap_or(&Value::Null);
        let mut credential = representation(source, key)?;
        if let (true, Some(id), Some(fields)) = (with_ids, hidden.get("id"), credential.as_object_mut()) {
            fields.insert("id".to_owned(), id.clone());
        }
        made.push((place(hidden), credential));
    }
    made.sort_by_key(|(place, _)| *place);
    Ok(made.into_iter().map(|(_, credential)| credential).collect())
}

/// Which of several is asked for first: by priority, and among equals the older one.
fn place(hidden: &Value) -> (i64, i64) {
    let number = |name: &str| hidden.get(name).and_then(Value::as_i64).unwrap_or(i64::MAX);
    (number("priority"), number("createdDate"))
}

/// The calls that put credentials in the order that the backup has them in, since what was written came last. `shown`
/// is the server's list after that.
pub(super) fn order(at: &str, shown: &Value, desired: &Value) -> Vec<Call> {
    let time = |of: &Value| of.get("createdDate").and_then(Value::as_i64);
    let held: Vec<(&str, Option<i64>, &str)> = shown
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some((text(one, "type")?, time(one), text(one, "id")?)))
        .collect();
    let mut wanted: Vec<_> = desired
        .get("credentials")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| {
            let (kind, hidden) = (text(one, "type")?, one.get("hidden")?);
            let is_it = |held: &&(&str, Option<i64>, &str)| held.0 == kind && held.1 == time(hidden);
            Some((place(hidden), held.iter().find(is_it)?.2))
        })
        .collect();
    wanted.sort();
    let ids: Vec<&str> = wanted.into_iter().map(|(_, id)| id).collect();
    let now: Vec<&str> = held.iter().map(|(_, _, id)| *id).filter(|id| ids.contains(id)).collect();
    if ids == now {
        return Vec::new();
    }
    let aboves = std::iter::once(None).chain(ids.iter().map(Some));
    let step = |(id, above): (&&str, Option<&&str>)| {
        let path = match above {
            None => format!("{at}/credentials/{}/moveToFirst", segment(id)),
            Some(above) => format!("{at}/credentials/{}/moveAfter/{}", segment(id), segment(above)),
        };
        Call::new(reqwest::Method::POST, path, None)
    };
    ids.iter().zip(aboves).map(step).collect()
}

fn representation(source: Option<&Value>, key: &str) -> Result<Value> {
    let unusable = |why: &str| {
        let doing = format!("write the credential {}", visible(key));
        Error::new(ErrorKind::Invalid, doing, why).next("leave it out, or take a backup that holds its secret")
    };
    let source = source.ok_or_else(|| unusable("the backup does not hold it"))?;
    let hidden = source.get("hidden").and_then(Value::as_object);
    let hidden = hidden.ok_or_else(|| unusable("the backup holds it without its secret"))?;
    let is_mask = |name: &str| hidden.get(name).and_then(Value::as_str) == Some(MASK);
    if is_mask("secretData") || is_mask("value") || !(hidden.contains_key("secretData") || hidden.contains_key("value"))
    {
        return Err(unusable("the backup holds it without its secret"));
    }
    let mut made: Map<String, Value> = Map::new();
    for name in ["type", "userLabel"] {
        made.extend(source.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    let apart = |name: &String| name == "id" || name == "priority";
    made.extend(hidden.iter().filter(|(name, _)| !apart(name)).map(|(name, value)| (name.clone(), value.clone())));
    Ok(Value::Object(made))
}

/// Without what is not compared.
fn plain(document: &Value) -> Value {
    let given = document.get("credentials").and_then(Value::as_array).into_iter().flatten();
    let without = given.map(|credential| {
        let mut credential = credential.clone();
        credential.as_object_mut().map(|fields| fields.remove("hidden"));
        credential
    });
    json!({"credentials": without.collect::<Vec<_>>()})
}

fn find<'a>(document: &'a Value, key: &str) -> Option<&'a Value> {
    document.get("credentials")?.as_array()?.iter().find(|credential| text(credential, "key") == Some(key))
}

fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name).and_then(Value::as_str)
}
