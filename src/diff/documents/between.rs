use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::rules::{Cursor, Rules};
use super::way::{same_values, way_to};
use crate::model::{Digest, Document, FieldShape, KindSchema, field_part, value_part};

/// The first place at which `now` is not on the way from `before` to `after`: neither as it was nor as it is wanted, so
/// that somebody else was there. Nothing where a write of the one into the other may have been cut short. An element
/// that is to change may be missing, for some systems take it away to make it anew.
pub fn off_the_way(before: Option<&Value>, now: &Value, after: &Value, schema: &KindSchema) -> Option<String> {
    let rules = Rules::new(schema);
    let fills_in = schema.fills_in && before.is_none();
    let place = Way { rules: &rules, fills_in }.strays([before, Some(now), Some(after)], &rules.root(), 0)?;
    Some(place.trim_start_matches('.').to_owned())
}

/// Below this depth values are compared whole. Readers refuse documents that are deeper.
const MAX_DEPTH: usize = 128;

/// Before, now and after.
type Three<'v> = [Option<&'v Value>; 3];

struct Way<'r, 'a> {
    rules: &'r Rules<'a>,
    /// What is made gets fields of the system's own choice.
    fills_in: bool,
}

impl Way<'_, '_> {
    /// As a path from here on.
    fn strays(&self, three: Three<'_>, at: &Cursor, depth: usize) -> Option<String> {
        let [before, now, after] = three;
        if at.ignored || (at.given && after.is_none()) || now == before || now == after {
            return None;
        }
        let here = Some(String::new());
        if at.secret || depth >= MAX_DEPTH {
            return here;
        }
        if self.rules.goes_by_way(at) && is_by_the_way(three) {
            return None;
        }
        if three.iter().flatten().all(|value| value.is_object()) {
            let names: BTreeSet<&String> =
                three.iter().flatten().filter_map(|value| value.as_object()).flat_map(|fields| fields.keys()).collect();
            return names.into_iter().find_map(|name| {
                let below = three.map(|of| of.and_then(|of| of.get(name)));
                if self.fills_in && below[2].is_none() {
                    return None;
                }
                Some(format!(".{}{}", field_part(name), self.strays(below, &self.rules.field(at, name), depth + 1)?))
            });
        }
        if !three.iter().flatten().all(|value| value.is_array()) {
            return here;
        }
        match self.rules.shape(at) {
            FieldShape::Plain => here,
            FieldShape::Set => self.set(three, at),
            FieldShape::KeyedList { key } => self.keyed(three, key, at, depth),
        }
    }

    fn set(&self, three: Three<'_>, at: &Cursor) -> Option<String> {
        if self.rules.element(at).ignored {
            return None;
        }
        let [before, now, after] =
            three.map(|list| items(list).map(|item| (Document::fingerprint_of(item), item)).collect::<HashMap<_, _>>());
        let strange = now.iter().find(|(one, _)| !before.contains_key(*one) && !after.contains_key(*one));
        let missing = || before.iter().find(|(one, _)| !now.contains_key(*one) && after.contains_key(*one));
        let (_, item) = strange.or_else(missing)?;
        let is_secret = self.rules.secret_below(&self.rules.element(at));
        Some(if is_secret { String::new() } else { format!("[{}]", value_part(item)) })
    }

    fn keyed(&self, three: Three<'_>, key: &str, at: &Cursor, depth: usize) -> Option<String> {
        let below = self.rules.element(at);
        let [Some(before), Some(now), Some(after)] = three.map(|list| by_key(list, key)) else {
            return Some(String::new());
        };
        let names: BTreeSet<&Digest> = before.keys().chain(now.keys()).chain(after.keys()).collect();
        names.into_iter().find_map(|name| {
            let three = [before.get(name).copied(), now.get(name).copied(), after.get(name).copied()];
            if matches!(three, [Some(before), None, Some(after)] if before != after) {
                return None;
            }
            let rest = self.strays(three, &below, depth + 1)?;
            let name = three.into_iter().flatten().find_map(|item| item.get(key));
            Some(format!("[{}]{rest}", name.map(value_part).unwrap_or_default()))
        })
    }
}

/// Whether a list is one of the two in another order, or what is written first to change the order.
fn is_by_the_way([before, now, after]: Three<'_>) -> bool {
    let is_one_of = |now: &Value| [before, after].into_iter().flatten().any(|one| same_values(one, now));
    let way = before.zip(after).and_then(|(before, after)| way_to(before, after));
    now.is_some_and(is_one_of) || way.is_some_and(|way| way.as_ref() == now)
}

fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

/// `None` where the list is not made of maps with a key of their own.
fn by_key<'v>(list: Option<&'v Value>, key: &str) -> Option<HashMap<Digest, &'v Value>> {
    let mut found = HashMap::new();
    for item in items(list) {
        if found.insert(Document::fingerprint_of(item.get(key)?), item).is_some() {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FieldRule;

    fn schema() -> KindSchema {
        let rule = |path: &str| FieldRule { path: path.to_owned(), ..FieldRule::default() };
        let keyed = FieldShape::KeyedList { key: "name".to_owned() };
        let fields = vec![
            FieldRule { shape: FieldShape::Set, ..rule("roles") },
            FieldRule { shape: FieldShape::Set, ..rule("clientRoles.*") },
            FieldRule { shape: keyed, ..rule("links") },
            FieldRule { ignored: true, ..rule("seen") },
            FieldRule { secret: true, ..rule("secrets") },
            FieldRule { by_way: true, ..rule("ways.*") },
        ];
        KindSchema { fields, ..KindSchema::default() }
    }

    fn between(before: Option<Value>, now: Value, after: Value) -> bool {
        off_the_way(before.as_ref(), &now, &after, &schema()).is_none()
    }

    #[test]
    fn a_part_of_what_was_to_be_written_is_on_the_way() {
        let before = json!({"mail": "a", "roles": ["dev", "old"], "clientRoles": {"app": ["x", "y"]}, "seen": 1});
        let after = json!({"mail": "b", "roles": ["dev", "new"], "attributes": {"a": 1, "b": 2}, "seen": 1});
        for part in [
            json!({"mail": "b", "roles": ["dev", "old"], "clientRoles": {"app": ["x", "y"]}}),
            json!({"mail": "a", "roles": ["new", "old", "dev"], "clientRoles": {"app": ["y"]}, "seen": 7}),
            json!({"mail": "a", "roles": ["dev"], "clientRoles": {"app": []}, "attributes": {"b": 2}}),
        ] {
            assert!(between(Some(before.clone()), part.clone(), after.clone()), "{part}");
        }
    }

    #[test]
    fn what_is_neither_is_somebody_elses() {
        let before = json!({"mail": "a", "nick": "n", "roles": ["dev"], "list": [1, 2]});
        let after = json!({"mail": "b", "nick": "n", "roles": ["dev", "new"], "list": [2, 3]});
        for other in [
            json!({"mail": "c", "nick": "n", "roles": ["dev"], "list": [1, 2]}),
            json!({"mail": "b", "roles": ["dev"], "list": [1, 2]}),
            json!({"mail": "b", "nick": "n", "roles": ["dev", "root"], "list": [1, 2]}),
            json!({"mail": "b", "nick": "n", "roles": [], "list": [1, 2]}),
            json!({"mail": "b", "nick": "n", "roles": ["dev"], "list": [2]}),
            json!({"mail": "b", "nick": "n", "roles": ["dev"], "list": [1, 2], "more": true}),
        ] {
            assert!(!between(Some(before.clone()), other.clone(), after.clone()), "{other}");
        }
    }

    #[test]
    fn what_is_made_may_be_there_in_part_and_an_element_may_be_gone_to_be_made_anew() {
        let after = json!({"mail": "b", "roles": ["x", "y"], "links": [{"name": "hub", "id": 2}]});
        assert!(between(None, json!({"mail": "b", "roles": ["y"]}), after.clone()));
        assert!(!between(None, json!({"mail": "c"}), after.clone()));
        let before = json!({"mail": "b", "links": [{"name": "hub", "id": 1}, {"name": "other", "id": 1}]});
        let after = json!({"mail": "b", "links": [{"name": "hub", "id": 2}, {"name": "other", "id": 1}]});
        assert!(between(
            Some(before.clone()),
            json!({"mail": "b", "links": [{"name": "other", "id": 1}]}),
            after.clone()
        ));
        assert!(!between(Some(before), json!({"mail": "b", "links": [{"name": "hub", "id": 2}]}), after));
    }

    #[test]
    fn the_place_that_strayed_is_named() {
        let before =
            json!({"mail": "a", "roles": ["dev"], "clientRoles": {"app": ["x"]}, "links": [{"name": "hub", "id": 1}]});
        for (now, place) in [
            (json!({"mail": "c"}), "mail"),
            (json!({"roles": ["dev", "root"]}), "roles[root]"),
            (json!({"clientRoles": {"app": ["x", "y"]}}), "clientRoles.app[y]"),
            (json!({"links": [{"name": "hub", "id": 2}]}), "links[hub].id"),
            (json!({"links": []}), "links[hub].id"),
        ] {
            let mut whole = before.clone();
            whole.as_object_mut().unwrap().extend(now.as_object().unwrap().clone());
            assert_eq!(off_the_way(Some(&before), &whole, &before, &schema()).as_deref(), Some(place));
        }
    }

    #[test]
    fn a_list_whose_order_changes_may_be_cut_short_at_the_list_between() {
        let of = |list: Value| json!({"mail": "a", "ways": {"phone": list}});
        let none = json!({"mail": "a"});
        let is_on_the_way = |before: &[&str], now: &[&str], after: &[&str]| {
            between(Some(of(json!(before))), of(json!(now)), of(json!(after)))
        };
        assert!(is_on_the_way(&["1", "2"], &["2"], &["2", "1"]));
        assert!(between(Some(of(json!(["1", "1"]))), none.clone(), of(json!(["1"]))));
        assert!(between(Some(of(json!(["1", "1"]))), json!({"mail": "a", "ways": {}}), of(json!(["1"]))));
        assert!(is_on_the_way(&["1", "2", "2"], &["2", "1", "2"], &["3"]));
        assert!(between(Some(none.clone()), of(json!(["2", "1"])), of(json!(["1", "2"]))));
        assert!(!is_on_the_way(&["1", "2"], &["1"], &["2", "1"]));
        assert!(!is_on_the_way(&["1", "2"], &["3"], &["2", "1"]));
        assert!(!is_on_the_way(&["1", "2"], &["2"], &["3", "2"]));
        assert!(!between(Some(of(json!(["1", "2"]))), none, of(json!(["2", "1"]))));
    }

    #[test]
    fn half_of_a_secret_is_no_part_of_it() {
        let (before, after) = (json!({"secrets": {"a": 1, "b": 1}}), json!({"secrets": {"a": 2, "b": 2}}));
        assert!(!between(Some(before), json!({"secrets": {"a": 2, "b": 1}}), after));
    }
}
