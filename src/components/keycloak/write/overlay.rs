use serde_json::{Map, Value, json};

/// How a server is told that an entry of a map goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// It is not in the map any more.
    Absent,
    /// It is there and empty: a map that lacks it means "as it is".
    Empty,
}

/// `raw` with what is otherwise in `to` than in `from`, so that fields that nobody knows stay. A field of the outer
/// map that goes is sent empty, for without it the server leaves it as it is.
pub(super) fn overlaid(raw: &Value, from: &Value, to: &Value, gone: Gone) -> Value {
    let mut made = raw.clone();
    lay(&mut made, from, to, Gone::Empty, gone);
    made
}

fn lay(raw: &mut Value, from: &Value, to: &Value, here: Gone, below: Gone) {
    let empty = Map::new();
    let (from, to) = (from.as_object().unwrap_or(&empty), to.as_object().unwrap_or(&empty));
    if !raw.is_object() {
        *raw = json!({});
    }
    let Some(into) = raw.as_object_mut() else { return };
    for (name, before) in from {
        match to.get(name) {
            Some(after) if after == before => {}
            Some(after) if after.is_object() && before.is_object() => {
                lay(into.entry(name.clone()).or_insert_with(|| json!({})), before, after, below, below);
            }
            Some(after) => {
                into.insert(name.clone(), after.clone());
            }
            None => match (before, here) {
                (Value::Object(_), _) => {
                    lay(into.entry(name.clone()).or_insert_with(|| json!({})), before, &json!({}), below, below);
                }
                (_, Gone::Absent) => {
                    into.remove(name);
                }
                (Value::Array(_), Gone::Empty) => {
                    into.insert(name.clone(), json!([]));
                }
                (Value::String(_), Gone::Empty) => {
                    into.insert(name.clone(), json!(""));
                }
                (_, Gone::Empty) => {
                    into.insert(name.clone(), Value::Null);
                }
            },
        }
    }
    for (name, after) in to.iter().filter(|(name, _)| !from.contains_key(*name)) {
        match (into.get_mut(name), after) {
            (Some(into), Value::Object(_)) if into.is_object() => lay(into, &json!({}), after, below, below),
            _ => {
                into.insert(name.clone(), after.clone());
            }
        }
    }
}

/// Texts of a set that come, and those that go.
pub(super) fn set_changes<'a>(from: &'a Value, to: &'a Value, field: &str) -> (Vec<&'a str>, Vec<&'a str>) {
    let of = |value: &'a Value| -> Vec<&'a str> {
        value.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (from, to) = (of(from), of(to));
    let without =
        |these: &[&'a str], those: &[&'a str]| these.iter().copied().filter(|one| !those.contains(one)).collect();
    (without(&to, &from), without(&from, &to))
}

/// The same for a map of sets: roles by client.
pub(super) type ByName<'a> = Vec<(&'a str, &'a str)>;

pub(super) fn sets_changes<'a>(from: &'a Value, to: &'a Value, field: &str) -> (ByName<'a>, ByName<'a>) {
    let of = |value: &'a Value| -> ByName<'a> {
        let maps = value.get(field).and_then(Value::as_object).into_iter().flatten();
        let each = maps.flat_map(|(name, items)| {
            items.as_array().into_iter().flatten().filter_map(Value::as_str).map(move |item| (name.as_str(), item))
        });
        each.collect()
    };
    let (from, to) = (of(from), of(to));
    let without =
        |these: &ByName<'a>, those: &ByName<'a>| these.iter().copied().filter(|one| !those.contains(one)).collect();
    (without(&to, &from), without(&from, &to))
}

/// An element of a keyed list that comes, goes or differs.
pub(super) struct Element<'a> {
    pub name: &'a str,
    pub before: Option<&'a Value>,
    pub after: Option<&'a Value>,
}

pub(super) fn keyed_changes<'a>(from: &'a Value, to: &'a Value, field: &str, key: &str) -> Vec<Element<'a>> {
    let of = |value: &'a Value| -> Vec<(&'a str, &'a Value)> {
        let items = value.get(field).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| Some((item.get(key)?.as_str()?, item))).collect()
    };
    let (from, to) = (of(from), of(to));
    let find = |of: &[(&'a str, &'a Value)], name: &str| of.iter().find(|(one, _)| *one == name).map(|(_, item)| *item);
    let goes = from.iter().filter(|(name, _)| find(&to, name).is_none());
    let goes = goes.map(|(name, item)| Element { name, before: Some(item), after: None });
    let comes = to.iter().filter_map(|(name, item)| {
        let before = find(&from, name);
        (before != Some(*item)).then_some(Element { name, before, after: Some(item) })
    });
    goes.chain(comes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_nobody_knows_stay_and_what_goes_is_sent_empty() {
        let raw =
            json!({"later": 1, "a": "x", "list": [1], "attributes": {"k": "1", "own": "2"}, "secret": "**********"});
        let from = json!({"a": "x", "list": [1], "attributes": {"k": "1"}});
        let to = json!({"b": true});
        let absent = overlaid(&raw, &from, &to, Gone::Absent);
        let secret = "**********";
        assert_eq!(
            absent,
            json!({"later": 1, "a": "", "list": [], "attributes": {"own": "2"}, "b": true, "secret": secret})
        );
        let empty = overlaid(&raw, &from, &to, Gone::Empty);
        assert_eq!(empty["attributes"], json!({"k": "", "own": "2"}));
    }

    #[test]
    fn only_the_element_that_differs_is_written() {
        let from = json!({"m": [{"name": "a", "v": 1}, {"name": "b", "v": 1}, {"name": "c"}]});
        let to = json!({"m": [{"name": "a", "v": 1}, {"name": "b", "v": 2}, {"name": "d"}]});
        let found = keyed_changes(&from, &to, "m", "name");
        let found: Vec<_> = found.iter().map(|one| (one.name, one.before.is_some(), one.after.is_some())).collect();
        assert_eq!(found, [("c", true, false), ("b", true, true), ("d", false, true)]);
    }
}
