use serde_json::Value;

use super::super::kinds::Kind;
use super::standing::Standing;
use crate::model::{Error, ErrorKind, ResourceId, Result};

/// One resource on its way from one canonical form to another.
pub(super) struct Target<'a> {
    pub kind: Kind,
    pub names: &'a [String],
    /// An empty map where nothing is.
    pub from: &'a Value,
    pub to: &'a Value,
    pub is_new: bool,
    /// What the server shows at [`raw_paths`], by the same order.
    pub raw: &'a [Value],
    pub standing: &'a Standing,
}

impl Target<'_> {
    pub fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    pub fn id(&self) -> Result<&str> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        self.standing.id(self.kind, &names)
    }

    pub fn resource(&self) -> ResourceId {
        self.kind.id(self.names)
    }

    pub fn raw(&self, at: usize) -> &Value {
        self.raw.get(at).unwrap_or(&Value::Null)
    }

    pub fn unsupported(&self, why: &str) -> Error {
        Error::new(ErrorKind::Unsupported, format!("write {}", self.resource()), why)
    }
}

/// A field of a document, or nothing.
pub(super) fn field<'a>(of: &'a Value, name: &str) -> &'a Value {
    of.get(name).unwrap_or(&Value::Null)
}

pub(super) fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name).and_then(Value::as_str)
}

/// Without fields that are written by calls of their own.
pub(super) fn without(of: &Value, names: &[&str]) -> Value {
    let mut made = of.clone();
    if let Some(fields) = made.as_object_mut() {
        names.iter().for_each(|name| {
            fields.remove(*name);
        });
    }
    made
}

/// `secret` back among `plain`, as the server has them.
pub(super) fn joined(mut of: Value, plain: &str, secret: &str) -> Value {
    if let Some(fields) = of.as_object_mut()
        && let Some(Value::Object(secrets)) = fields.remove(secret)
    {
        let into = fields.entry(plain).or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(into) = into.as_object_mut() {
            into.extend(secrets);
        }
    }
    of
}
