use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Digest, DigestBuilder, DigestKey};

/// A canonical structured value: what a document means, without its layout. `source` is the text it
/// was read from, kept so that a writer can edit it and leave comments and key order alone. A copy shares both: a plan,
/// what it expects and what is handed to a component are mostly one value.
#[derive(Clone)]
pub struct Document {
    pub value: Arc<Value>,
    pub source: Option<Arc<str>>,
    /// Whose the file was that it was read from; only a new file takes it. No difference is one of this.
    pub file: Option<FileOwnership>,
}

/// Of a file that holds a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileOwnership {
    /// The nine permission bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

impl FileOwnership {
    pub fn new(mode: u32, uid: u32, gid: u32) -> Self {
        Self { mode: mode & 0o777, uid, gid }
    }
}

/// `mode 0640, owner 0:33`.
impl fmt::Display for FileOwnership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mode {:04o}, owner {}:{}", self.mode, self.uid, self.gid)
    }
}

impl Document {
    pub fn new(value: Value) -> Self {
        Self { value: Arc::new(value), source: None, file: None }
    }

    /// As a journal may hold it: a document may hold a secret, and a plain hash of one could be guessed at.
    pub fn keyed_fingerprint(document: Option<&Self>, key: &DigestKey) -> Digest {
        document.map_or_else(Digest::of_absence, |document| key.digest(document.fingerprint().as_bytes()))
    }

    /// The same for any order of keys, different for any different value. For comparisons in memory.
    pub fn fingerprint(&self) -> Digest {
        Self::fingerprint_of(&self.value)
    }

    /// The fingerprint that a document of this value would have.
    pub fn fingerprint_of(value: &Value) -> Digest {
        let mut builder = DigestBuilder::new("document");
        hash_value(&mut builder, value);
        builder.finish()
    }
}

/// Secrets may be inside, so a document never prints its value.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({:?})", self.fingerprint())
    }
}

fn hash_value(builder: &mut DigestBuilder, value: &Value) {
    match value {
        Value::Null => {
            builder.number(0);
        }
        Value::Bool(value) => {
            builder.number(1).number(u64::from(*value));
        }
        Value::Number(value) => {
            builder.number(2).part(value.to_string());
        }
        Value::String(value) => {
            builder.number(3).part(value);
        }
        Value::Array(items) => {
            builder.number(4).number(items.len() as u64);
            items.iter().for_each(|item| hash_value(builder, item));
        }
        Value::Object(fields) => {
            builder.number(5).number(fields.len() as u64);
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            for (name, field) in sorted {
                builder.part(name);
                hash_value(builder, field);
            }
        }
    }
}

/// Where in a document: `spec.containers[name=web].image`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DocumentPath(pub Vec<PathStep>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathStep {
    Field(String),
    /// An element of a keyed list, by the key field's value.
    Keyed {
        key: String,
        is: Value,
    },
    /// An element of a set, by value. Secret elements carry their keyed digest as text.
    Element {
        element: Value,
    },
    /// A position in a plain list.
    Index(usize),
}

impl DocumentPath {
    pub fn join(&self, step: PathStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for DocumentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Field(name) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(&super::visible(name))?;
                }
                PathStep::Keyed { key, is } => write!(f, "[{}={}]", super::visible(key), plain(is))?,
                PathStep::Element { element } => write!(f, "[{}]", plain(element))?,
                PathStep::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => super::visible(text).into_owned(),
        other => super::visible(&other.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_order_does_not_change_a_fingerprint() {
        let one = Document::new(serde_json::from_str(r#"{"a":1,"b":[1,2]}"#).unwrap());
        let two = Document::new(serde_json::from_str(r#"{"b":[1,2],"a":1}"#).unwrap());
        let other = Document::new(serde_json::from_str(r#"{"a":1,"b":[2,1]}"#).unwrap());
        assert_eq!(one.fingerprint(), two.fingerprint());
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}
