use std::collections::HashMap;

use serde_json::Value;

use super::rules::{Cursor, Rules};
use crate::model::{Digest, Document, FieldShape, KindSchema};

/// Below this depth nothing is filled in. Readers refuse documents that are deeper.
const MAX_DEPTH: usize = 128;

/// `wanted` with the fields that the system has chosen where `wanted` says nothing. Sets and plain lists stay as they
/// are wanted; elements of keyed lists are filled in by their keys.
pub fn filled_in(mut wanted: Value, now: &Value, schema: &KindSchema) -> Value {
    let rules = Rules::new(schema);
    fill(&mut wanted, now, &rules, &rules.root(), 0);
    wanted
}

fn fill(wanted: &mut Value, now: &Value, rules: &Rules<'_>, at: &Cursor, depth: usize) {
    match (wanted, now) {
        _ if depth >= MAX_DEPTH => {}
        (Value::Object(wanted), Value::Object(now)) => {
            for (name, there) in now {
                match wanted.get_mut(name) {
                    Some(wanted) => fill(wanted, there, rules, &rules.field(at, name), depth + 1),
                    None => {
                        wanted.insert(name.clone(), there.clone());
                    }
                }
            }
        }
        (Value::Array(wanted), Value::Array(now)) => {
            let FieldShape::KeyedList { key } = rules.shape(at) else { return };
            let by_key = |one: &Value| one.get(key).map(Document::fingerprint_of);
            let there: HashMap<Digest, &Value> = now.iter().filter_map(|one| Some((by_key(one)?, one))).collect();
            let below = rules.element(at);
            for element in wanted {
                if let Some(there) = by_key(element).and_then(|key| there.get(&key)) {
                    fill(element, there, rules, &below, depth + 1);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FieldRule;

    #[test]
    fn what_the_system_chose_is_filled_in_and_no_element_is() {
        let of = |path: &str, shape: FieldShape| FieldRule { path: path.to_owned(), shape, ..FieldRule::default() };
        let keyed = FieldShape::KeyedList { key: "name".to_owned() };
        let schema =
            KindSchema { fields: vec![of("mappers", keyed), of("roles", FieldShape::Set)], ..KindSchema::default() };
        let wanted = json!({"config": {"a": "1"}, "mappers": [{"name": "m"}], "roles": ["x"], "list": [{}]});
        let now = json!({"enabled": true, "config": {"a": "2", "b": "3"}, "list": [{"n": 1}],
            "mappers": [{"name": "m", "config": {}}, {"name": "other"}], "roles": ["x", "y"]});
        assert_eq!(
            filled_in(wanted, &now, &schema),
            json!({"enabled": true, "config": {"a": "1", "b": "3"}, "mappers": [{"name": "m", "config": {}}],
                "roles": ["x"], "list": [{}]})
        );
    }
}
