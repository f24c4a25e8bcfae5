//! What a removal takes from others. The server deletes, with a role, its mappings to people, groups and other roles;
//! with a group, its memberships; with a client, its roles, and so on, without a word. So the document of what is to be
//! removed tells them, under [`HELD_BY`]: the plan shows them, they are kept with the document, and an undo gives them
//! back. A tour:
//!
//! - [`references`]: pure; what other parts of the realm refer to it.
//! - `people`: who holds it, from the server's lists.
//! - [`words`]: both in words.

mod people;
mod references;
mod words;

pub(super) use references::uses_of_flow;
pub(super) use words::{people_in, warnings};

use serde_json::{Map, Value};

/// The field of a document in which this stands. A backup has none.
pub(super) const HELD_BY: &str = "heldBy";

/// What is there now of what was said to be there: a read-back asks whether all of it is back.
pub(super) fn within(now: &Value, said: &Value) -> Value {
    match (now, said) {
        (Value::Object(now), Value::Object(said)) => {
            let both = said.iter().filter_map(|(name, said)| Some((name.clone(), within(now.get(name)?, said))));
            Value::Object(both.collect::<Map<_, _>>())
        }
        (Value::Array(now), Value::Array(said)) => {
            let now: std::collections::HashSet<String> = now.iter().map(Value::to_string).collect();
            Value::Array(said.iter().filter(|one| now.contains(&one.to_string())).cloned().collect())
        }
        (now, _) => now.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_back_is_asked_for_and_what_came_since_is_not() {
        let said = json!({"users": ["ana", "bob"], "roles": {"realm": ["r"]}, "groups": ["/g"]});
        let now = json!({"users": ["bob", "cyd"], "roles": {"realm": ["r", "s"], "client": {"a": ["b"]}}});
        assert_eq!(within(&now, &said), json!({"users": ["bob"], "roles": {"realm": ["r"]}}));
    }
}
