use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::model::{Document, Error, ErrorKind, Result, TreePath, visible};
use crate::yaml_problem;

use super::edit::yaml_nodes;
use super::odd;

/// Larger documents are refused.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Deeper ones too: an unoptimised build takes 20 KB of its thread's stack for each level.
const MAX_DEPTH: usize = 64;
/// Of one document once its aliases are expanded.
const MAX_NODES: usize = 2_000_000;

/// Some editors begin a file with it.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Yaml,
    Json,
}

impl Syntax {
    /// Suffixes of documents, the one for new documents first.
    pub const SUFFIXES: [(&'static [u8], Self); 3] =
        [(b".yaml", Self::Yaml), (b".yml", Self::Yaml), (b".json", Self::Json)];

    /// A file name as stem and syntax; `None` for what is not a document. Hidden files are not.
    pub fn of(name: &[u8]) -> Option<(&[u8], Self)> {
        let found = Self::SUFFIXES.iter().find_map(|(suffix, syntax)| Some((name.strip_suffix(*suffix)?, *syntax)))?;
        (!found.0.is_empty() && !name.starts_with(b".")).then_some(found)
    }
}

/// Where a document lies: what is wrong with it is another thing to do on each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Live,
    Backup,
}

/// Reads one document. Integers are kept exactly from −2⁶³ to 2⁶⁴−1; what JSON's model cannot hold
/// (NaN, infinities, larger integers, keys that are not text) is an error and never another value.
/// Errors name places, never values: a value may be a secret.
pub(super) fn parse(side: Side, path: &TreePath, syntax: Syntax, bytes: &[u8]) -> Result<Document> {
    let invalid = |why: String| {
        let (doing, next) = match side {
            Side::Live => (
                format!("read the live document {path}"),
                "mend the live file, or leave this document out, then retry this task",
            ),
            Side::Backup => (
                format!("read the document {path} of the backup"),
                "the live file is not at fault, leave it: mend a copy of the backup, leave this document out, \
                 or choose another backup",
            ),
        };
        Error::new(ErrorKind::Invalid, doing, why).next(next)
    };
    if bytes.len() > MAX_BYTES {
        return Err(invalid("it is larger than 16 MiB".to_owned()));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| invalid(format!("it is not UTF-8 from byte {} on", error.valid_up_to())))?;
    let value = match syntax {
        Syntax::Json => json(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)),
        Syntax::Yaml => yaml(text),
    };
    match value.map_err(invalid)? {
        value @ (Value::Object(_) | Value::Array(_)) => {
            Ok(Document { source: Some(text.into()), ..Document::new(value) })
        }
        Value::Null => Err(invalid("it holds nothing".to_owned())),
        _ => Err(invalid("it is a single value, not a map or a list: it may be cut off".to_owned())),
    }
}

/// The value as fresh text.
pub(super) fn render(syntax: Syntax, value: &Value) -> Option<String> {
    let text = match syntax {
        Syntax::Yaml => serde_saphyr::to_string(value).ok()?,
        Syntax::Json => format!("{value:#}\n"),
    };
    means(syntax, &text, value).then_some(text)
}

/// One scalar as the serialiser writes it.
pub(super) fn render_scalar(value: &Value) -> Option<String> {
    Some(serde_saphyr::to_string(value).ok()?.trim_end_matches('\n').to_owned())
}

/// Whether the text, read again, is exactly this value.
pub(super) fn means(syntax: Syntax, text: &str, value: &Value) -> bool {
    let read = match syntax {
        Syntax::Yaml => yaml(text),
        Syntax::Json => json(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)),
    };
    read.is_ok_and(|read| read == *value)
}

fn json(text: &str) -> Result<Value, String> {
    let in_words = |error: serde_json::Error| visible(&error.to_string()).into_owned();
    if may_hold_a_long_integer(text) {
        return serde_json::from_str(text).map(|Exact::<true>(value)| value).map_err(in_words);
    }
    serde_json::from_str(text).map(|Exact::<false>(value)| value).map_err(in_words)
}

/// Whether so many digits stand together as an integer over 64 bits has. Readers hand such a one over as a
/// floating-point number, as they do with `1e20`, which is one.
fn may_hold_a_long_integer(text: &str) -> bool {
    const DIGITS: usize = 20;
    let mut together = 0;
    text.bytes().any(|byte| {
        together = match byte {
            b'0'..=b'9' => together + 1,
            b'_' => together,
            _ => 0,
        };
        together >= DIGITS
    })
}

fn yaml(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
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
    };
    let read = match may_hold_a_long_integer(text) {
        true => serde_saphyr::from_str_with_options(text, options).map(|Exact::<true>(value)| value),
        false => serde_saphyr::from_str_with_options(text, options).map(|Exact::<false>(value)| value),
    };
    let mut value = read.map_err(|error| yaml_problem::in_words(&error))?;
    if odd::may_hold_one(text)
        && let Some(node) = yaml_nodes(text)
    {
        odd::restore(text, &node, &mut value);
    }
    Ok(value)
}

/// A value as it was written, or an error. `LONG`: a whole number beyond 64 bits may be an integer.
struct Exact<const LONG: bool>(Value);

impl<'de, const LONG: bool> Deserialize<'de> for Exact<LONG> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExactVisitor::<LONG>).map(Self)
    }
}

struct ExactVisitor<const LONG: bool>;

impl<'de, const LONG: bool> Visitor<'de> for ExactVisitor<LONG> {
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

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        if let Ok(small) = i64::try_from(value) {
            return Ok(Value::from(small));
        }
        u64::try_from(value).map(Value::from).map_err(|_| E::custom("an integer over 64 bits cannot be kept exactly"))
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        u64::try_from(value).map(Value::from).map_err(|_| E::custom("an integer over 64 bits cannot be kept exactly"))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        /// From here on, an f64 no longer tells neighbouring integers apart.
        const EXACT: f64 = 18_446_744_073_709_551_616.0;
        let number = Number::from_f64(value).ok_or_else(|| E::custom("NaN and infinity cannot be kept"))?;
        if LONG && value.fract() == 0.0 && (EXACT..1e30).contains(&value.abs()) {
            return Err(E::custom("an integer over 64 bits cannot be kept exactly"));
        }
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
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
        while let Some(Exact::<LONG>(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(Exact::<LONG>(key)) = fields.next_key()? {
            let Value::String(key) = key else {
                return Err(A::Error::custom("a key that is not text cannot be kept: quote it"));
            };
            let Exact::<LONG>(value) = fields.next_value()?;
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

    fn read(syntax: Syntax, text: &str) -> Result<Value> {
        parse(Side::Live, &TreePath::new("ana.yaml").unwrap(), syntax, text.as_bytes())
            .map(|document| Value::clone(&document.value))
    }

    #[test]
    fn numbers_are_kept_exactly_or_refused() {
        for syntax in [Syntax::Yaml, Syntax::Json] {
            let text = r#"{"a": 18446744073709551615, "b": -9223372036854775808, "c": 1.5, "d": 9007199254740993}"#;
            let expected = json!({"a": u64::MAX, "b": i64::MIN, "c": 1.5, "d": 9_007_199_254_740_993_u64});
            assert_eq!(read(syntax, text).unwrap(), expected);
            assert!(read(syntax, r#"{"a": 18446744073709551617}"#).is_err(), "{syntax:?}");
            let floats = r#"{"a": 1e20, "b": 1.5e+22, "c": -2E25}"#;
            assert_eq!(read(syntax, floats).unwrap(), json!({"a": 1e20, "b": 1.5e22, "c": -2e25}), "{syntax:?}");
        }
        for text in ["a: .nan", "a: -.inf", "1: a", "true: a", "~: a", "? [a]\n: b"] {
            assert!(read(Syntax::Yaml, text).is_err(), "{text}: {:?}", read(Syntax::Yaml, text));
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
            let error = read(Syntax::Yaml, &text).expect_err(&text.chars().take(60).collect::<String>());
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(!error.chain().chars().any(char::is_control), "{error}");
        }
        for text in ["{\"a\":1,\"a\":2}", "{\"a\":1", "{} {}", "", "null", &"[".repeat(100_000)] {
            assert!(read(Syntax::Json, text).is_err(), "{}", &text[..text.len().min(20)]);
        }
        assert!(parse(Side::Live, &TreePath::root(), Syntax::Yaml, &vec![b'a'; 100_000_000]).is_err());
        assert!(
            parse(Side::Live, &TreePath::root(), Syntax::Yaml, b"a: \xff").unwrap_err().to_string().contains("byte 3")
        );
    }

    #[test]
    fn a_broken_document_of_the_backup_is_never_laid_at_the_live_one() {
        let of = |side| parse(side, &TreePath::new("ana.yaml").unwrap(), Syntax::Yaml, b"a: 1\na: 2\n").unwrap_err();
        assert!(of(Side::Live).to_string().contains("the live document ana.yaml"));
        let backup = of(Side::Backup);
        assert!(backup.to_string().contains("ana.yaml of the backup"), "{backup}");
        assert!(backup.hint().unwrap().contains("live file is not at fault"), "{backup:?}");
    }

    #[test]
    fn errors_do_not_quote_values() {
        let error = read(Syntax::Yaml, "password: hunter2-[\nb: \"hunter2\\q\"\n").unwrap_err();
        assert!(!error.chain().contains("hunter2"), "{error}");
    }

    #[test]
    fn merge_keys_and_aliases_are_expanded() {
        let value = read(Syntax::Yaml, "base: &b {x: 1, y: 2}\nana:\n  <<: *b\n  y: 3\ncopy: *b\n").unwrap();
        assert_eq!(value["ana"], json!({"x": 1, "y": 3}));
        assert_eq!(value["copy"], json!({"x": 1, "y": 2}));
    }

    #[test]
    fn a_number_that_readers_disagree_about_is_its_text() {
        let text = "a: 0755\nb: [01234, 1_000, 755, 1.10]\nc: &c {d: 0o17}\ne: *c\nf:\n  <<: *c\n  g: '012'\n";
        let expected = json!({"a": "0755", "b": ["01234", "1_000", 755, 1.1], "c": {"d": "0o17"}, "e": {"d": "0o17"},
            "f": {"d": "0o17", "g": "012"}});
        assert_eq!(read(Syntax::Yaml, text).unwrap(), expected);
    }

    #[test]
    fn errors_are_words_for_who_wrote_the_file() {
        let twice = read(Syntax::Yaml, "a: 1\na: 2\n").unwrap_err().chain();
        let several = read(Syntax::Yaml, "a: 1\n---\nb: 2\n").unwrap_err().chain();
        assert!(!twice.contains("Policy") && several.contains("several documents"), "{twice}\n{several}");
    }

    #[test]
    fn rendered_text_means_the_value() {
        let value = json!({"a": "yes", "y": "no", "b": "1.0", "c": "", "d": " x ", "e": "multi\nline\n", "f": [], "g": {}, "h": "~",
            "i": "\u{1b}[2J", "j": [[1, [2]], {"k": null}], "k: #": "- a", "l": 1e300, "m": "\u{feff}", "n": "null", "o": "0x10"});
        for syntax in [Syntax::Yaml, Syntax::Json] {
            assert!(render(syntax, &value).is_some(), "{syntax:?}: {:?}", serde_saphyr::to_string(&value));
        }
    }
}
