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
                    f.write_str(&field_part(name))?;
                }
                PathStep::Keyed { key, is } => write!(f, "[{}={}]", field_part(key), value_part(is))?,
                PathStep::Element { element } => write!(f, "[{}]", value_part(element))?,
                PathStep::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A field's name as a part of a path: in quotes where it would read as several parts, or could not be seen.
pub fn field_part(name: &str) -> String {
    let is_of_path = |one: char| one.is_whitespace() || matches!(one, '.' | '[' | ']' | '"' | '=');
    if name.is_empty() || name.contains(is_of_path) {
        return super::visible(&Value::from(name).to_string()).into_owned();
    }
    super::visible(name).into_owned()
}

/// A value between the brackets of a path: a text is in quotes where it would read as another value, or not be seen.
pub fn value_part(value: &Value) -> String {
    let is_plain = |text: &str| {
        text.trim() == text
            && !text.is_empty()
            && !text.contains([']', '"'])
            && serde_json::from_str::<Value>(text).is_err()
    };
    match value {
        Value::String(text) if is_plain(text) => super::visible(text).into_owned(),
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

    #[test]
    fn two_places_never_have_one_path() {
        let field = |name: &str| PathStep::Field(name.to_owned());
        let keyed = |is: Value| PathStep::Keyed { key: "id".to_owned(), is };
        let element = |element: Value| PathStep::Element { element };
        for (steps, shown) in [
            (vec![field("a"), field("b")], "a.b"),
            (vec![field("a.b")], r#""a.b""#),
            (vec![field(""), field("")], r#"""."""#),
            (vec![field(" x"), field("ä-1/y")], r#"" x".ä-1/y"#),
            (vec![field("a[b]"), field("say \"hi\"")], r#""a[b]"."say \"hi\"""#),
            (vec![field("keys"), keyed(1.into())], "keys[id=1]"),
            (vec![field("keys"), keyed("1".into())], r#"keys[id="1"]"#),
            (vec![field("keys"), keyed("web.example.org".into())], "keys[id=web.example.org]"),
            (vec![field("roles"), element("view users".into())], "roles[view users]"),
            (vec![field("roles"), element("null".into())], r#"roles["null"]"#),
            (vec![field("roles"), element(Value::Null)], "roles[null]"),
            (vec![field("roles"), element("".into())], r#"roles[""]"#),
            (vec![field("roles"), element("a][b".into())], r#"roles["a][b"]"#),
        ] {
            assert_eq!(DocumentPath(steps).to_string(), shown);
        }
    }
}
