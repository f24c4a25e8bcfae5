use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Document, FieldShape, KindSchema, ResourceId, some_of, visible};

/// So many elements of one field are named.
const NAMED: usize = 5;

/// What the backup has otherwise than what is there, and the system has no way to restore in what is there: a line for
/// each such field, with its elements by name.
pub fn missed(
    id: &ResourceId,
    live: Option<&Document>,
    desired: Option<&Document>,
    schema: &KindSchema,
) -> Vec<String> {
    let (Some(live), Some(desired)) = (live, desired) else { return Vec::new() };
    let fields = schema.fields.iter().filter_map(|rule| Some((rule, rule.missed.as_ref()?)));
    let lines = fields.filter_map(|(rule, why)| {
        let wanted = desired.value.get(&rule.path)?;
        let there = live.value.get(&rule.path);
        if there == Some(wanted) {
            return None;
        }
        let place = match &rule.shape {
            FieldShape::KeyedList { key } => {
                let names = lacking(there, wanted, key);
                if names.is_empty() {
                    return None;
                }
                format!("{} of {}", rule.path, some_of(names, NAMED, ", "))
            }
            _ => rule.path.clone(),
        };
        Some(format!("not restored: {place} ({id}): {why}"))
    });
    lines.collect()
}

/// Keys of elements that are wanted and not there as they are wanted.
fn lacking(there: Option<&Value>, wanted: &Value, key: &str) -> Vec<String> {
    let elements = |of: Option<&Value>| -> BTreeMap<String, Value> {
        let items = of.and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| Some((item.get(key)?.as_str()?.to_owned(), item.clone()))).collect()
    };
    let there = elements(there);
    let wanted = elements(Some(wanted)).into_iter().filter(|(name, element)| there.get(name) != Some(element));
    wanted.map(|(name, _)| visible(&name).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{FieldRule, TreePath};

    #[test]
    fn what_a_system_cannot_take_is_named_and_what_is_there_already_is_not() {
        let why = Some("it takes none".to_owned());
        let shape = FieldShape::KeyedList { key: "app".to_owned() };
        let keyed = FieldRule { path: "consents".to_owned(), shape, missed: why.clone(), ..FieldRule::default() };
        let plain = FieldRule { path: "since".to_owned(), missed: why, ..FieldRule::default() };
        let schema = KindSchema { fields: vec![keyed, plain], ..KindSchema::default() };
        let id = ResourceId { kind: "user".into(), key: TreePath::new("users/ana").unwrap() };
        let of = |live: Value, desired: Value| {
            missed(&id, Some(&Document::new(live)), Some(&Document::new(desired)), &schema)
        };
        let apps = |names: &[&str]| json!(names.iter().map(|name| json!({ "app": name })).collect::<Vec<_>>());
        let told = of(json!({"consents": apps(&["a", "x"])}), json!({"consents": apps(&["a", "b", "c"]), "since": 5}));
        let line = |place: &str| format!("not restored: {place} ({id}): it takes none");
        assert_eq!(told, [line("consents of b, c"), line("since")]);
        assert_eq!(of(json!({"consents": apps(&["a", "b"])}), json!({"consents": apps(&["b"])})), Vec::<String>::new());
        assert_eq!(
            of(json!({"since": 5}), json!({})),
            Vec::<String>::new(),
            "a backup that says nothing asks for nothing"
        );
        let many: Vec<String> = (0..9).map(|at| format!("a{at}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(
            of(json!({}), json!({"consents": apps(&many)})),
            [line("consents of a0, a1, a2, a3, a4 and 4 more")]
        );
    }
}
