use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::visible;

/// One representation on its way to its canonical form: every field is taken by somebody, or is named at the end.
pub(super) struct Fields<'a> {
    from: Option<&'a Map<String, Value>>,
    known: BTreeSet<&'a str>,
    into: Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub fn of(value: &'a Value) -> Self {
        Self { from: value.as_object(), known: BTreeSet::new(), into: Map::new() }
    }

    /// A field that something is made of.
    pub fn take(&mut self, name: &str) -> Option<&'a Value> {
        let (name, value) = self.from?.get_key_value(name)?;
        self.known.insert(name);
        Some(value)
    }

    pub fn text(&mut self, name: &str) -> Option<&'a str> {
        self.take(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// Fields that are kept as they are.
    pub fn keep(&mut self, names: &[&str]) {
        for name in names {
            let value = self.take(name).and_then(compact).map(|value| flag(name, value));
            self.put(name, value);
        }
    }

    /// Lists whose order means nothing.
    pub fn keep_sets(&mut self, names: &[&str]) {
        for name in names {
            let value = self.take(name).and_then(set);
            self.put(name, value);
        }
    }

    /// Lists of that kind for which the server has a default: an empty one is not the same as none.
    pub fn keep_sets_even_empty(&mut self, names: &[&str]) {
        for name in names {
            let given = self.take(name).filter(|given| !given.is_null());
            self.put(name, given.map(|given| set(given).unwrap_or_else(|| Value::Array(Vec::new()))));
        }
    }

    /// Lists whose order the server keeps, and repeated elements.
    pub fn keep_lists(&mut self, names: &[&str]) {
        for name in names {
            let value = self.take(name).filter(|given| given.is_array()).and_then(without_null);
            self.put(name, value);
        }
    }

    /// Maps of such lists: attributes. Claims are made of the first value.
    pub fn keep_lists_by_name(&mut self, names: &[&str]) {
        for name in names {
            let value = self.take(name).and_then(lists_by_name);
            self.put(name, value);
        }
    }

    /// Maps of sets: roles by client.
    pub fn keep_sets_by_name(&mut self, names: &[&str]) {
        for name in names {
            let value = self.take(name).and_then(sets_by_name);
            self.put(name, value);
        }
    }

    /// What the server makes of itself, or what is a resource of its own.
    pub fn pass_over(&mut self, names: &[&str]) {
        names.iter().for_each(|name| {
            self.take(name);
        });
    }

    /// Fields that nobody has taken yet.
    pub fn rest(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let known = self.known.clone();
        self.from.into_iter().flatten().filter(move |(name, _)| !known.contains(name.as_str()))
    }

    pub fn put(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.into.insert(name.to_owned(), value);
        }
    }

    /// The canonical value, and the fields that nobody knew, unless they hold nothing.
    pub fn finish(self) -> (Value, Vec<String>) {
        let unknown = self.rest().filter(|(_, value)| without_blanks(value).is_some());
        let unknown = unknown.map(|(name, _)| visible(name).into_owned()).collect();
        (Value::Object(self.into), unknown)
    }
}

/// Without null, empty lists and empty maps: on a server they mean that nothing is there. An empty text can say that
/// something is blank.
pub(super) fn compact(value: &Value) -> Option<Value> {
    without_empty(value, false)
}

/// The same without empty texts too, for places in which the server keeps none.
pub(super) fn without_blanks(value: &Value) -> Option<Value> {
    without_empty(value, true)
}

fn without_empty(value: &Value, blanks_too: bool) -> Option<Value> {
    let inner = |value: &Value| without_empty(value, blanks_too);
    match value {
        Value::Null => None,
        Value::String(text) if blanks_too && text.is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => {
            Some(Value::Array(items.iter().map(|item| inner(item).unwrap_or_else(|| item.clone())).collect()))
        }
        Value::Object(fields) => {
            let fields: Map<String, Value> =
                fields.iter().filter_map(|(name, field)| Some((name.clone(), inner(field)?))).collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        other => Some(other.clone()),
    }
}

/// Fields that hold a text, whatever it says.
const TEXTS: [&str; 10] = [
    "id",
    "name",
    "description",
    "displayName",
    "displayNameHtml",
    "firstName",
    "lastName",
    "rootUrl",
    "adminUrl",
    "baseUrl",
];

/// How fields end that hold a number.
const NUMBERS: [&str; 11] = [
    "Lifespan",
    "Timeout",
    "Seconds",
    "Factor",
    "Window",
    "Period",
    "Digits",
    "Counter",
    "Interval",
    "notBefore",
    "priority",
];

/// People write `"enabled": "true"` and `"accessTokenLifespan": "300"`, which the server reads as they mean it.
fn flag(name: &str, value: Value) -> Value {
    match value.as_str() {
        Some("true") if !TEXTS.contains(&name) => Value::Bool(true),
        Some("false") if !TEXTS.contains(&name) => Value::Bool(false),
        Some(text) if NUMBERS.iter().any(|end| name.ends_with(end)) => {
            text.parse::<i64>().map_or(value.clone(), Value::from)
        }
        _ => value,
    }
}

/// A map of texts as the server reads it: a number or a flag that a person wrote there is the text of it.
pub(super) fn of_texts(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), of_texts(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(of_texts).collect()),
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other.clone(),
    }
}

/// Without null alone, for values in which an empty map says something: a validator without options.
pub(super) fn without_null(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) => Some(Value::Array(items.iter().filter_map(without_null).collect())),
        Value::Object(fields) => {
            let fields = fields.iter().filter_map(|(name, field)| Some((name.clone(), without_null(field)?)));
            Some(Value::Object(fields.collect()))
        }
        other => Some(other.clone()),
    }
}

/// Sorted, each element once. Old exports write one value without a list.
pub(super) fn set(value: &Value) -> Option<Value> {
    let mut items = match value {
        Value::Array(items) => items.clone(),
        Value::Null => return None,
        one => vec![one.clone()],
    };
    items.retain(|item| !item.is_null());
    items.sort_by_key(sort_key);
    items.dedup();
    (!items.is_empty()).then_some(Value::Array(items))
}

fn sort_key(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn sets_by_name(value: &Value) -> Option<Value> {
    let by_name: Map<String, Value> =
        value.as_object()?.iter().filter_map(|(name, items)| Some((name.clone(), set(items)?))).collect();
    (!by_name.is_empty()).then_some(Value::Object(by_name))
}

/// A map of lists, each as it is. Old exports write one value without a list.
pub(super) fn lists_by_name(value: &Value) -> Option<Value> {
    let list = |value: &Value| match value {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().filter(|item| !item.is_null()).cloned().collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        one => Some(Value::Array(vec![one.clone()])),
    };
    let by_name = value.as_object()?.iter().filter_map(|(name, items)| Some((name.clone(), list(items)?)));
    let by_name: Map<String, Value> = by_name.collect();
    (!by_name.is_empty()).then_some(Value::Object(by_name))
}

/// A list of maps, sorted by the field that tells them apart.
pub(super) fn keyed(mut items: Vec<Value>, key: &str) -> Option<Value> {
    items.sort_by_key(|item| item.get(key).map(sort_key));
    (!items.is_empty()).then_some(Value::Array(items))
}

/// Settings split in two, for a schema names secrets by place and not by what they are called.
pub(super) fn split_secrets(value: &Value) -> (Option<Value>, Option<Value>) {
    let texts = of_texts(value);
    let Some(fields) = texts.as_object() else { return (None, None) };
    let of = |secret: bool| {
        let fields = fields.iter().filter(|(name, value)| is_secret(name, value) == secret);
        let kept = |value: &Value| if secret { without_blanks(value) } else { compact(value) };
        let fields: Map<String, Value> =
            fields.filter_map(|(name, value)| Some((name.clone(), kept(value)?))).collect();
        (!fields.is_empty()).then_some(Value::Object(fields))
    };
    (of(false), of(true))
}

const SECRET_WORDS: [&str; 6] =
    ["secret", "password", "privatekey", "private.key", "bindcredential", "encryption.private"];
/// Names with such a word that hold a choice or a time.
const NOT_SECRET: [&str; 8] = [
    "client.secret.creation.time",
    "client.secret.expiration.time",
    "client.secret.rotation.enabled",
    "vendorpassword",
    "usepasswordmodifyextendedop",
    "validatepasswordpolicy",
    "passwordpolicy",
    "secretsize",
];

fn is_secret(name: &str, value: &Value) -> bool {
    let name = name.to_lowercase();
    let flag = |text: &str| matches!(text, "true" | "false");
    let is_flag = value.as_str().is_some_and(flag)
        || value.as_array().is_some_and(|items| items.iter().all(|item| item.as_str().is_some_and(flag)));
    !is_flag && !NOT_SECRET.contains(&name.as_str()) && SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Without what a server masks: a mask is no value.
pub(super) fn unmasked(value: Option<Value>) -> Option<Value> {
    let is_mask = |value: &Value| value.as_str().is_some_and(|text| text == super::MASK);
    let holds = |value: &Value| is_mask(value) || value.as_array().is_some_and(|items| items.iter().any(is_mask));
    match value? {
        Value::Object(fields) => {
            let fields: Map<String, Value> = fields.into_iter().filter(|(_, value)| !holds(value)).collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        other => (!holds(&other)).then_some(other),
    }
}
