use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::rules::{Cursor, Rules};
use crate::model::{Digest, Document, FieldShape, KindSchema};

/// Below this depth values are compared whole. Readers refuse documents that are deeper.
const MAX_DEPTH: usize = 128;

/// Whether both hold the same, but for the order in which sets and keyed lists are written. Ignored fields count: this
/// is asked before a text takes another one's place.
pub fn alike(one: &Value, two: &Value, schema: &KindSchema) -> bool {
    let rules = Rules::new(schema);
    one == two || Likeness(&rules).at(one, two, &rules.root(), 0)
}

struct Likeness<'r, 'a>(&'r Rules<'a>);

impl Likeness<'_, '_> {
    fn at(&self, one: &Value, two: &Value, at: &Cursor, depth: usize) -> bool {
        if one == two || at.secret || depth >= MAX_DEPTH {
            return one == two;
        }
        match (one, two) {
            (Value::Object(one), Value::Object(two)) => {
                let is_alike = |(name, field): (&String, &Value)| {
                    two.get(name).is_some_and(|other| self.at(field, other, &self.0.field(at, name), depth + 1))
                };
                one.len() == two.len() && one.iter().all(is_alike)
            }
            (Value::Array(one), Value::Array(two)) => match self.0.shape(at) {
                FieldShape::Plain => false,
                FieldShape::Set => names(one) == names(two),
                FieldShape::KeyedList { key } => {
                    let (Some(one), Some(two)) = (by_key(one, key), by_key(two, key)) else { return false };
                    let below = self.0.element(at);
                    let is_alike = |(name, element): (&Digest, &&Value)| {
                        two.get(name).is_some_and(|other| self.at(element, other, &below, depth + 1))
                    };
                    one.len() == two.len() && one.iter().all(is_alike)
                }
            },
            _ => false,
        }
    }
}

fn names(list: &[Value]) -> BTreeSet<Digest> {
    list.iter().map(Document::fingerprint_of).collect()
}

/// `None` where the list is not made of maps with a key of their own.
fn by_key<'v>(list: &'v [Value], key: &str) -> Option<HashMap<Digest, &'v Value>> {
    let found: HashMap<Digest, &Value> =
        list.iter().map(|item| Some((Document::fingerprint_of(item.get(key)?), item))).collect::<Option<_>>()?;
    (found.len() == list.len()).then_some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FieldRule;

    #[test]
    fn only_the_order_of_sets_and_keyed_lists_is_no_difference() {
        let rule = |path: &str, shape| FieldRule { path: path.to_owned(), shape, ..FieldRule::default() };
        let keyed = FieldShape::KeyedList { key: "id".to_owned() };
        let ignored = FieldRule { ignored: true, ..rule("seen", FieldShape::Plain) };
        let fields = vec![rule("roles", FieldShape::Set), rule("keys", keyed), ignored];
        let schema = KindSchema { fields, ..KindSchema::default() };
        let one =
            json!({"roles": ["a", "b"], "keys": [{"id": 1, "v": [1, 2]}, {"id": "1"}], "list": [1, 2], "seen": 1});
        let with = |name: &str, value: Value| {
            let mut other = one.clone();
            other[name] = value;
            alike(&one, &other, &schema)
        };
        assert!(with("roles", json!(["b", "a", "b"])));
        assert!(with("keys", json!([{"id": "1"}, {"id": 1, "v": [1, 2]}])));
        assert!(!with("roles", json!(["b"])));
        assert!(!with("keys", json!([{"id": 1}, {"id": "1", "v": [1, 2]}])));
        assert!(!with("keys", json!([{"id": "1"}, {"id": 1, "v": [2, 1]}])));
        assert!(!with("list", json!([2, 1])));
        assert!(!with("seen", json!(2)), "what nobody compares is still somebody's");
        assert!(!with("more", json!(2)));
    }
}
