use serde_json::{Map, Value};

use super::names::text;
use crate::components::keycloak::kinds::Kind;

/// How deep a document is looked through.
const MAX_DEPTH: usize = 32;

/// `shown` by the server, with blank texts where `said` has them and without those that it has not: in most places the
/// server keeps no blank text, or means the same by it as by none. Where it does not, both stay as they are.
pub fn as_said(kind: Kind, shown: &Value, said: &Value) -> Value {
    let mut made = shown.clone();
    if let (Some(fields), Some(said)) = (made.as_object_mut(), said.as_object()) {
        level(fields, said, &|name| tells_blank(kind, name), 0);
        if kind == Kind::Client && keeps_no_secret(fields) && keeps_no_secret(said) {
            let passed_over = said.get("secret").filter(|_| !fields.contains_key("secret")).cloned();
            fields.extend(passed_over.map(|secret| ("secret".to_owned(), secret)));
        }
    }
    made
}

/// The server passes the secret of such a client over, as it is one of an undo that makes the client public once more.
fn keeps_no_secret(client: &Map<String, Value>) -> bool {
    ["publicClient", "bearerOnly"].iter().any(|name| client.get(*name) == Some(&Value::Bool(true)))
}

/// Places below which a blank text says something: that a message or header is off and the default is not used instead.
fn tells_blank(kind: Kind, field: &str) -> bool {
    match kind {
        Kind::Localization | Kind::User | Kind::ServiceAccount => true,
        Kind::RealmSettings => matches!(field, "attributes" | "browserSecurityHeaders"),
        Kind::ClientScope | Kind::RealmRole | Kind::ClientRole | Kind::Group | Kind::Organization => {
            field == "attributes"
        }
        _ => false,
    }
}

fn level(shown: &mut Map<String, Value>, said: &Map<String, Value>, skips: &dyn Fn(&str) -> bool, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    shown.retain(|name, value| skips(name) || !is_blank(value) || said.contains_key(name));
    for (name, said) in said.iter().filter(|(name, _)| !skips(name)) {
        match shown.get_mut(name) {
            None if is_blank(said) => drop(shown.insert(name.clone(), said.clone())),
            None => {
                let mut below = Map::new();
                if let Some(said) = said.as_object() {
                    level(&mut below, said, &|_| false, depth + 1);
                }
                if !below.is_empty() {
                    shown.insert(name.clone(), Value::Object(below));
                }
            }
            Some(Value::Object(shown)) => {
                if let Some(said) = said.as_object() {
                    level(shown, said, &|_| false, depth + 1);
                }
            }
            Some(Value::Array(shown)) => elements(shown, said, depth + 1),
            _ => {}
        }
    }
}

/// Elements that have a name.
fn elements(shown: &mut [Value], said: &Value, depth: usize) {
    for one in shown {
        let Some(name) = text(one, "name").map(str::to_owned) else { continue };
        let mut others = said.as_array().into_iter().flatten();
        let said = others.find(|other| text(other, "name") == Some(&name)).and_then(Value::as_object);
        if let (Some(one), Some(said)) = (one.as_object_mut(), said) {
            level(one, said, &|_| false, depth);
        }
    }
}

fn is_blank(value: &Value) -> bool {
    let is_blank_text = |value: &Value| value.as_str() == Some("");
    is_blank_text(value) || matches!(value, Value::Array(items) if items.len() == 1 && items.iter().all(is_blank_text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_blank_text_is_like_none_but_where_the_server_tells_them_apart() {
        let of = |kind, shown: Value, said: Value| as_said(kind, &shown, &said);
        let client = json!({"description": "x", "attributes": {"a": "1"}, "protocolMappers": [{"name": "m", "config": {"k": "v"}}]});
        let said = json!({"description": "", "baseUrl": "", "attributes": {"a": "", "b": ""},
            "protocolMappers": [{"name": "m", "config": {"claim": ""}}]});
        assert_eq!(
            of(Kind::Client, client, said),
            json!({"description": "x", "baseUrl": "", "attributes": {"a": "1", "b": ""},
                "protocolMappers": [{"name": "m", "config": {"k": "v", "claim": ""}}]})
        );
        assert_eq!(of(Kind::Client, json!({"name": ""}), json!({})), json!({}));
        let said = json!({"attributes": {"a": "", "b": "1"}, "config": {"c": "1"}});
        assert_eq!(of(Kind::Client, json!({}), said), json!({"attributes": {"a": ""}}));
        let (public, said) = (json!({"publicClient": true}), json!({"publicClient": true, "secret": "s"}));
        assert_eq!(of(Kind::Client, public.clone(), said.clone()), said);
        assert_eq!(of(Kind::Client, public.clone(), json!({"publicClient": false, "secret": "s"})), public);
        for (kind, field) in
            [(Kind::RealmSettings, "attributes"), (Kind::ClientScope, "attributes"), (Kind::Group, "attributes")]
        {
            let (shown, said) = (json!({field: {"a": ""}}), json!({field: {"b": ""}}));
            assert_eq!(of(kind, shown.clone(), said), shown, "{kind}");
        }
        assert_eq!(of(Kind::Localization, json!({"a": ""}), json!({"b": ""})), json!({"a": ""}));
    }
}
