use std::collections::HashMap;
use std::fmt;

use reqwest::Method;
use serde_json::Value;

/// One call that writes, below the realm's address.
#[derive(Clone, PartialEq)]
pub(super) struct Call {
    pub method: Method,
    /// As in `/groups/4f/children`; the ids of what earlier calls made stand in it as [`made`].
    pub path: String,
    pub body: Option<Value>,
    /// What later calls of the same change know the id of the made thing by.
    pub makes: Option<String>,
}

impl Call {
    pub fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self { method, path: path.into(), body, makes: None }
    }

    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::POST, path, Some(body))
    }

    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::PUT, path, Some(body))
    }

    /// A membership, which is in the path alone.
    pub fn put_nothing(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path, None)
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    /// Roles are taken away by a body.
    pub fn delete_these(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::DELETE, path, Some(body))
    }

    pub fn makes(mut self, name: impl Into<String>) -> Self {
        self.makes = Some(name.into());
        self
    }

    /// With the ids of what was made put in.
    pub fn with_ids(mut self, ids: &HashMap<String, String>) -> Self {
        for (name, id) in ids {
            let place = made(name);
            self.path = self.path.replace(&place, id);
            if let Some(body) = &mut self.body {
                put_in(body, &place, id);
            }
        }
        self
    }
}

/// Bodies hold secrets.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Stands for the id of what an earlier call made. No name of the server can hold it in a path, where all names are
/// percent-encoded.
pub(super) fn made(name: &str) -> String {
    format!("\0{name}\0")
}

fn put_in(value: &mut Value, place: &str, id: &str) {
    match value {
        Value::String(text) if text == place => id.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| put_in(item, place, id)),
        Value::Object(fields) => fields.values_mut().for_each(|field| put_in(field, place, id)),
        _ => {}
    }
}

/// What a path of the answer's `Location` ends in: the id of what was made.
pub(super) fn last_of(location: &str) -> Option<&str> {
    location.rsplit('/').next().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_later_call_knows_what_an_earlier_one_made() {
        let call = Call::post(format!("/x/{}/y", made("flow")), json!({"parent": made("flow"), "name": "{flow}"}));
        let ids = HashMap::from([("flow".to_owned(), "f1".to_owned())]);
        assert_eq!(call.with_ids(&ids), Call::post("/x/f1/y", json!({"parent": "f1", "name": "{flow}"})));
        assert_eq!(last_of("http://host/admin/realms/r/groups/4f"), Some("4f"));
    }

    #[test]
    fn a_call_in_an_error_shows_no_body() {
        let call = Call::put("/users/1", json!({"credentials": [{"value": "hunter2"}]}));
        assert_eq!(format!("{call:?}"), "PUT /users/1");
    }
}
