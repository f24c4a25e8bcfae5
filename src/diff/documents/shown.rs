use serde_json::Value;

use crate::model::{Digest, DigestKey, DocumentPath, PathStep, Shown};

use super::rules::{Cursor, Rules};
use super::walk::{Difference, Step, is_mask};

/// Turns real values into what may be seen.
pub(super) struct Veil<'a, 'k> {
    pub rules: &'k Rules<'a>,
    pub key: &'k DigestKey,
}

impl Veil<'_, '_> {
    pub fn shown(&self, value: &Value, at: &Cursor) -> Shown {
        if is_mask(value) {
            Shown::Masked
        } else if at.secret {
            Shown::Secret(self.digest(value))
        } else {
            Shown::Plain(self.redacted(value, at))
        }
    }

    /// A value that takes a server's mask's place is a secret, whatever the schema says.
    pub fn shown_secret(&self, value: &Value) -> Shown {
        Shown::Secret(self.digest(value))
    }

    pub fn said(&self, path: &DocumentPath) -> Option<String> {
        self.rules.said(path)
    }

    pub fn path(&self, difference: &Difference<'_>) -> DocumentPath {
        let mut at = self.rules.root();
        let mut path = Vec::with_capacity(difference.steps.len());
        for step in &difference.steps {
            path.push(match step {
                Step::Field(name) => {
                    at = self.rules.field(&at, name);
                    PathStep::Field((*name).to_owned())
                }
                Step::Keyed { key, is } => {
                    at = self.rules.element(&at);
                    PathStep::Keyed { key: (*key).to_owned(), is: (*is).clone() }
                }
                Step::Element(element) => {
                    at = self.rules.element(&at);
                    let element = match self.shown(element, &at) {
                        Shown::Plain(value) => value,
                        Shown::Secret(digest) => Value::String(digest.to_hex()),
                        Shown::Masked => (*element).clone(),
                    };
                    PathStep::Element { element }
                }
            });
        }
        DocumentPath(path)
    }

    fn digest(&self, value: &Value) -> Digest {
        self.key.digest(value.to_string())
    }

    fn redacted(&self, value: &Value, at: &Cursor) -> Value {
        if at.secret && !is_mask(value) {
            return Value::String(format!("•••• {}", self.digest(value).short()));
        }
        if !self.rules.secret_below(at) {
            return value.clone();
        }
        match value {
            Value::Object(fields) => {
                let hidden = |(name, field): (&String, &Value)| {
                    (name.clone(), self.redacted(field, &self.rules.field(at, name)))
                };
                Value::Object(fields.iter().map(hidden).collect())
            }
            Value::Array(items) => {
                let below = self.rules.element(at);
                Value::Array(items.iter().map(|item| self.redacted(item, &below)).collect())
            }
            other => other.clone(),
        }
    }
}
