use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::target::field;

/// `after` with other attributes in between, where the server would pass over the change: of users, groups and
/// organizations it takes no notice of a list in which the same values come in another order, and of users not even of
/// one in which they come more often. Nothing where one call is enough.
pub(super) fn in_between(before: &Value, after: &Value) -> Option<Value> {
    let (was, wanted) = (field(before, "attributes").as_object()?, field(after, "attributes").as_object()?);
    let mut made = wanted.clone();
    let mut passed_over = false;
    for (name, values) in wanted {
        let Some(former) = was.get(name).filter(|former| *former != values && distinct(former) == distinct(values))
        else {
            continue;
        };
        passed_over = true;
        // One of several values is another list; of a single one no part is.
        match values.as_array().and_then(|values| values.first()).filter(|_| distinct(former).len() > 1) {
            Some(first) => drop(made.insert(name.clone(), json!([first]))),
            None => drop(made.remove(name)),
        }
    }
    let mut between = after.clone();
    between["attributes"] = Value::Object(made);
    passed_over.then_some(between)
}

fn distinct(values: &Value) -> BTreeSet<String> {
    values.as_array().into_iter().flatten().map(Value::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_the_same_values_is_written_by_way_of_another() {
        let of = |values: &[&str]| json!({"email": "a", "attributes": {"phone": values, "other": ["x"]}});
        let between = |before: &[&str], after: &[&str]| {
            in_between(&of(before), &of(after)).map(|made| made["attributes"].clone())
        };
        assert_eq!(between(&["1", "2"], &["2", "1"]), Some(json!({"phone": ["2"], "other": ["x"]})));
        assert_eq!(between(&["1", "2"], &["2", "1", "2"]), Some(json!({"phone": ["2"], "other": ["x"]})));
        assert_eq!(between(&["1", "1"], &["1"]), Some(json!({"other": ["x"]})));
        assert_eq!(between(&["1", "2"], &["1"]), None);
        assert_eq!(between(&["1"], &["1"]), None);
        assert_eq!(in_between(&json!({}), &of(&["1"])), None);
    }
}
