use std::collections::BTreeSet;

use serde_json::{Value, json};

/// What a list becomes first, where a system passes over the change of `before` into `after`, because the values are
/// the same and only their order, or how often each comes, is another. `None` where one write is enough; `Some(None)`
/// where the list goes away first.
pub fn way_to(before: &Value, after: &Value) -> Option<Option<Value>> {
    let is_passed_over = before != after && distinct(before)? == distinct(after)?;
    // One of several values is another list; of a single one no part is.
    let is_single = distinct(before)?.len() < 2;
    let first = after.as_array()?.first().filter(|_| !is_single);
    is_passed_over.then(|| first.map(|first| json!([first])))
}

/// Whether two lists hold the same values, each as often, in any order.
pub(super) fn same_values(one: &Value, other: &Value) -> bool {
    let sorted = |list: &Value| -> Option<Vec<String>> {
        let mut values: Vec<String> = list.as_array()?.iter().map(Value::to_string).collect();
        values.sort_unstable();
        Some(values)
    };
    sorted(one).is_some_and(|values| sorted(other) == Some(values))
}

fn distinct(list: &Value) -> Option<BTreeSet<String>> {
    Some(list.as_array()?.iter().map(Value::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_the_same_values_is_written_by_way_of_another() {
        for (before, after, way) in [
            (json!(["1", "2"]), json!(["2", "1"]), Some(Some(json!(["2"])))),
            (json!(["1", "2"]), json!(["2", "1", "2"]), Some(Some(json!(["2"])))),
            (json!(["1", "1"]), json!(["1"]), Some(None)),
            (json!(["1", "2"]), json!(["1"]), None),
            (json!(["1"]), json!(["1"]), None),
            (json!("1"), json!("2"), None),
            (json!([]), json!(["1"]), None),
        ] {
            assert_eq!(way_to(&before, &after), way, "{before} to {after}");
        }
    }

    #[test]
    fn the_same_values_in_any_order_are_the_same() {
        assert!(same_values(&json!(["b", "a", "b"]), &json!(["b", "b", "a"])));
        assert!(!same_values(&json!(["b", "a", "b"]), &json!(["a", "b", "a"])));
        assert!(!same_values(&json!("a"), &json!("a")));
    }
}
