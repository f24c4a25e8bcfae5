use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::target::{text, without};

/// Into the list of its type.
pub(super) fn place(by_type: &mut Map<String, Value>, component: Value) {
    let provider_type = text(&component, "providerType").unwrap_or_default().to_owned();
    let list = by_type.entry(provider_type).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(without(&component, &["providerType"]));
    }
}

/// Each below the one whose names begin its own: the deepest are put away first.
pub(super) fn nested(mut all: BTreeMap<Vec<String>, Value>, below: &str) -> Vec<(Vec<String>, Value)> {
    let step = if below == "subComponents" { 2 } else { 1 };
    let mut by_depth: Vec<Vec<String>> = all.keys().cloned().collect();
    by_depth.sort_by_key(|names| std::cmp::Reverse(names.len()));
    for names in by_depth.into_iter().filter(|names| names.len() > step) {
        let parent = names.get(..names.len() - step).unwrap_or_default().to_vec();
        let Some(child) = all.remove(&names) else { continue };
        let Some(fields) = all.get_mut(&parent).and_then(Value::as_object_mut) else { continue };
        if step == 2 {
            let by_type = fields.entry(below).or_insert_with(|| json!({}));
            if let Some(by_type) = by_type.as_object_mut() {
                place(by_type, child);
            }
        } else if let Some(list) = fields.entry(below).or_insert_with(|| json!([])).as_array_mut() {
            list.push(child);
        }
    }
    all.into_iter().collect()
}
