use serde_json::Value;

use super::target::field;
use crate::diff::documents::way_to;

/// `after` with other attributes in between, where the server would pass over the change: of users, groups and
/// organizations it takes no notice of a list in which the same values come in another order, and of users not even of
/// one in which they come more often. Nothing where one call is enough.
pub(super) fn in_between(before: &Value, after: &Value) -> Option<Value> {
    let (was, wanted) = (field(before, "attributes").as_object()?, field(after, "attributes").as_object()?);
    let mut between = None;
    for (name, values) in wanted {
        let Some(way) = was.get(name).and_then(|former| way_to(former, values)) else { continue };
        let made = between.get_or_insert_with(|| after.clone());
        let Some(attributes) = made.get_mut("attributes").and_then(Value::as_object_mut) else { continue };
        match way {
            Some(list) => drop(attributes.insert(name.clone(), list)),
            None => drop(attributes.remove(name)),
        }
    }
    between
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_attributes_whose_order_is_another_are_written_twice() {
        let of = |phone: &[&str]| json!({"email": "a", "attributes": {"phone": phone, "other": ["x"]}});
        let between = in_between(&of(&["1", "2"]), &of(&["2", "1"]));
        assert_eq!(between, Some(of(&["2"])));
        let between = in_between(&of(&["1", "1"]), &of(&["1"]));
        assert_eq!(between, Some(json!({"email": "a", "attributes": {"other": ["x"]}})));
        assert_eq!(in_between(&of(&["1", "2"]), &of(&["1"])), None);
        assert_eq!(in_between(&json!({}), &of(&["1"])), None);
    }
}
