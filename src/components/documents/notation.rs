use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::document_files::MAX_BYTES;
use crate::model::visible;
use crate::yaml_problem;

use super::edit::{json_nodes, yaml_nodes};
use super::{odd, wide};

/// Deeper documents are refused: an unoptimised build takes 20 KB of its thread's stack for each level.
const MAX_DEPTH: usize = 64;
/// Of one document once its aliases are expanded.
const MAX_NODES: usize = 2_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    Yaml,
    Json,
}

impl Notation {
    /// Suffixes of documents, the one for new documents first.
    pub const SUFFIXES: [(&'static [u8], Self); 3] =
        [(b".yaml", Self::Yaml), (b".yml", Self::Yaml), (b".json", Self::Json)];

    /// A file name as stem and notation; `None` for what is not a document. Hidden files are not.
    pub fn of(name: &[u8]) -> Option<(&[u8], Self)> {
        let found =
            Self::SUFFIXES.iter().find_map(|(suffix, notation)| Some((name.strip_suffix(*suffix)?, *notation)))?;
        (!found.0.is_empty() && !name.starts_with(b".")).then_some(found)
    }
}

/// Reads one document. Integers are kept exactly from −2⁶³ to 2⁶⁴−1; a number beyond is kept by its text. Keys that are
/// not text are an error and never another value. The error says why, in words; it names places, never values: a value
/// may be a secret.
pub(super) fn parse(notation: Notation, text: &str) -> Result<Value, String> {
    match understood(notation, text)? {
        value @ (Value::Object(_) | Value::Array(_)) => Ok(value),
        Value::Null => Err("it holds nothing".to_owned()),
        _ => Err("it is a single value, not a map or a list: it may be cut off".to_owned()),
    }
}

/// The value as fresh text.
pub(super) fn render(notation: Notation, value: &Value) -> Option<String> {
    let text = match notation {
        Notation::Yaml => serde_saphyr::to_string(value).ok()?,
        Notation::Json => format!("{value:#}\n"),
    };
    let text = wide::bared(text);
    means(notation, &text, value).then_some(text)
}

/// One scalar as the serialiser writes it.
pub(super) fn render_scalar(value: &Value) -> Option<String> {
    Some(wide::bared(serde_saphyr::to_string(value).ok()?.trim_end_matches('\n').to_owned()))
}

/// Whether the text, read again, is exactly this value.
pub(super) fn means(notation: Notation, text: &str, value: &Value) -> bool {
    read(notation, text).is_some_and(|read| read == *value)
}

/// What the text means, if it can be read.
pub(super) fn read(notation: Notation, text: &str) -> Option<Value> {
    understood(notation, text).ok()
}

fn understood(notation: Notation, text: &str) -> Result<Value, String> {
    match notation {
        Notation::Yaml => yaml(text),
        Notation::Json => json(text),
    }
}

fn json(text: &str) -> Result<Value, String> {
    let tamed = wide::tamed(text);
    let exact: Exact = serde_json::from_str(&tamed).map_err(|error| visible(&error.to_string()).into_owned())?;
    let mut value = exact.0;
    if matches!(tamed, Cow::Owned(_))
        && let Some(node) = json_nodes(text)
    {
        odd::restore(Notation::Json, text, &node, &mut value);
    }
    Ok(value)
}

fn yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(MAX_BYTES),
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 3 * MAX_NODES,
            max_aliases: 100_000,
            max_anchors: 10_000,
            max_total_scalar_bytes: MAX_BYTES,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 200_000 },
        with_snippet: false,
        emit_comments: false,
        // YAML 1.2: only `true` and `false`. A key `y` or a country `no` stays text.
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
    };
    let exact: Exact =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| yaml_problem::in_words(&error))?;
    let mut value = exact.0;
    if (odd::may_hold_one(text) || wide::may_hold_one(text))
        && let Some(node) = yaml_nodes(text)
    {
        odd::restore(Notation::Yaml, text, &node, &mut value);
    }
    Ok(value)
}

/// A value as it was written, or an error.
struct Exact(Value);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExactVisitor).map(Self)
    }
}

struct ExactVisitor;

impl<'de> Visitor<'de> for ExactVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, true, false, null, a list or a map")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        match i64::try_from(value) {
            Ok(small) => Ok(Value::from(small)),
            Err(_) => Ok(u64::try_from(value).map_or_else(|_| wide::stand_in(&value.to_string()), Value::from)),
        }
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or_else(|_| wide::stand_in(&value.to_string()), Value::from))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        let beyond = || match value {
            _ if value.is_nan() => ".nan",
            _ if value < 0.0 => "-.inf",
            _ => ".inf",
        };
        Ok(Number::from_f64(value).map_or_else(|| wide::stand_in(beyond()), Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        match value.contains(wide::SIGN) {
            true => Err(E::custom("a text holds '‹number› ', which stands for numbers here")),
            false => Ok(Value::String(value)),
        }
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Exact(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(Exact(key)) = fields.next_key()? {
            let Value::String(key) = key else {
                return Err(A::Error::custom("a key that is not text cannot be kept: quote it"));
            };
            let Exact(value) = fields.next_value()?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key '{}' is there twice", visible(&key))));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(notation: Notation, text: &str) -> Result<Value, String> {
        parse(notation, text)
    }

    #[test]
    fn numbers_are_kept_exactly() {
        for notation in [Notation::Yaml, Notation::Json] {
            let text = r#"{"a": 18446744073709551615, "b": -9223372036854775808, "c": 1.5, "d": 9007199254740993}"#;
            let expected = json!({"a": u64::MAX, "b": i64::MIN, "c": 1.5, "d": 9_007_199_254_740_993_u64});
            assert_eq!(read(notation, text).unwrap(), expected);
            let wide =
                r#"{"a": 18446744073709551617, "b": [1e20, -123456789012345678901234567890123456789012], "c": 1e400}"#;
            let integer = "-123456789012345678901234567890123456789012";
            let expected = json!({"a": wide::stand_in("18446744073709551617"), "b": [1e20, wide::stand_in(integer)],
                "c": wide::stand_in("1e400")});
            assert_eq!(read(notation, wide).unwrap(), expected, "{notation:?}");
            assert_ne!(read(notation, &format!("[{integer}]")), read(notation, &format!("[\"{integer}\"]")));
            assert!(read(notation, "{\"a\": \"‹number› 1\"}").is_err(), "no text is taken for a number");
        }
        let merged = read(Notation::Yaml, "a: &a {n: 99999999999999999999}\nb: {<<: *a}\nc: .nan\n").unwrap();
        assert_eq!(merged["a"], merged["b"]);
        assert_eq!(merged["a"]["n"], wide::stand_in("99999999999999999999"));
        for text in ["1: a", "true: a", "~: a", "? [a]\n: b"] {
            assert!(read(Notation::Yaml, text).is_err(), "{text}: {:?}", read(Notation::Yaml, text));
        }
    }

    #[test]
    fn hostile_documents_are_errors() {
        let bomb: String = (1..30)
            .map(|at| format!("a{at}: &a{at} [*a{0}, *a{0}, *a{0}, *a{0}]\n", at - 1))
            .fold("a0: &a0 [x, x]\n".to_owned(), |text, line| text + &line);
        let deep_flow = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
        let deep_block: String = (0..2000).map(|at| format!("{}a:\n", " ".repeat(at))).collect();
        let cases = [
            bomb,
            deep_flow,
            deep_block,
            "a: 1\na: 2\n".to_owned(),
            "a: 1\n---\nb: 2\n".to_owned(),
            String::new(),
            "# only a comment\n".to_owned(),
            "a: \"cut o".to_owned(),
            "a: [1, 2".to_owned(),
            "a: *none\n".to_owned(),
            "\0\0\0\0".to_owned(),
            "a: \u{1b}]52;c;x\u{7}\n".to_owned(),
            "bare".to_owned(),
            "a: !!python/object:os.system x".to_owned(),
        ];
        for text in cases {
            let error = read(Notation::Yaml, &text).expect_err(&text.chars().take(60).collect::<String>());
            assert!(!error.chars().any(char::is_control), "{error}");
        }
        for text in ["{\"a\":1,\"a\":2}", "{\"a\":1", "{} {}", "", "null", &"[".repeat(100_000)] {
            assert!(read(Notation::Json, text).is_err(), "{}", &text[..text.len().min(20)]);
        }
        let whole = |bytes: &[u8]| crate::document_files::document(&super::super::YamlAndJson, b"a.yaml", bytes);
        assert!(whole(&vec![b'a'; 100_000_000]).is_err());
        assert!(whole(b"a: \xff").unwrap_err().contains("byte 3"));
    }

    #[test]
    fn errors_do_not_quote_values() {
        let error = read(Notation::Yaml, "password: hunter2-[\nb: \"hunter2\\q\"\n").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn merge_keys_and_aliases_are_expanded() {
        let value = read(Notation::Yaml, "base: &b {x: 1, y: 2}\nana:\n  <<: *b\n  y: 3\ncopy: *b\n").unwrap();
        assert_eq!(value["ana"], json!({"x": 1, "y": 3}));
        assert_eq!(value["copy"], json!({"x": 1, "y": 2}));
    }

    #[test]
    fn a_number_that_readers_disagree_about_is_its_text() {
        let text = "a: 0755\nb: [01234, 1_000, 755, 1.10]\nc: &c {d: 0o17}\ne: *c\nf:\n  <<: *c\n  g: '012'\n";
        let expected = json!({"a": "0755", "b": ["01234", "1_000", 755, 1.1], "c": {"d": "0o17"}, "e": {"d": "0o17"},
            "f": {"d": "0o17", "g": "012"}});
        assert_eq!(read(Notation::Yaml, text).unwrap(), expected);
    }

    #[test]
    fn errors_are_words_for_who_wrote_the_file() {
        let twice = read(Notation::Yaml, "a: 1\na: 2\n").unwrap_err();
        let several = read(Notation::Yaml, "a: 1\n---\nb: 2\n").unwrap_err();
        assert!(!twice.contains("Policy") && several.contains("several documents"), "{twice}\n{several}");
    }

    #[test]
    fn rendered_text_means_the_value() {
        let value = json!({"a": "yes", "y": "no", "b": "1.0", "c": "", "d": " x ", "e": "multi\nline\n", "f": [], "g": {}, "h": "~",
            "i": "\u{1b}[2J", "j": [[1, [2]], {"k": null}], "k: #": "- a", "l": 1e300, "m": "\u{feff}", "n": "null", "o": "0x10",
            "p": "123456789012345678901234567890", "q": wide::stand_in("123456789012345678901234567890"), "r": "1e400", "s": ".inf"});
        for notation in [Notation::Yaml, Notation::Json] {
            assert!(render(notation, &value).is_some(), "{notation:?}: {:?}", serde_saphyr::to_string(&value));
        }
    }
}
