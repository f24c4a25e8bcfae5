use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Error, ErrorKind, Result};

/// A relative path of raw bytes, `/` between its parts; the empty path is the tree's root.
/// No part is empty, `.`, `..` or holds a NUL: a value of this type never leads out of a tree.
///
/// The order is that of a depth-first walk with sorted names: part by part, bytewise.
/// It is written to JSON as text where it is UTF-8, else as `\xNN` escapes, losslessly.
/// Copies share one allocation: a plan names each path several times, and a path may be long.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct TreePath(Arc<[u8]>);

/// Longer paths are refused: Linux takes no path over 4,096 bytes in one call, and no tree
/// that people keep is deeper than this.
const MAX_BYTES: usize = 64 * 1024;

/// What a message shows of a path that is too long.
const SHOWN_BYTES: usize = 200;

impl TreePath {
    pub fn root() -> Self {
        Self::default()
    }

    /// Leading and trailing `/` are dropped; `a//b`, `.`, `..` and NUL are refused.
    pub fn new(raw: impl AsRef<[u8]>) -> Result<Self> {
        let raw = raw.as_ref();
        let trimmed = raw.strip_prefix(b"/").unwrap_or(raw);
        let trimmed = trimmed.strip_suffix(b"/").unwrap_or(trimmed);
        if trimmed.is_empty() {
            return Ok(Self::root());
        }
        let refuse =
            |why: &str| Err(Error::new(ErrorKind::Refused, format!("use the path {:?}", visible(raw)), why.to_owned()));
        if trimmed.len() > MAX_BYTES {
            return Err(too_long(trimmed));
        }
        for part in trimmed.split(|byte| *byte == b'/') {
            match part {
                b"" => return refuse("it has an empty part"),
                b"." | b".." => return refuse("a part of it is '.' or '..', which could lead out of the tree"),
                _ if part.contains(&0) => return refuse("it holds a NUL byte"),
                _ => {}
            }
        }
        Ok(Self(trimmed.into()))
    }

    /// Joins one name as it came from a directory or an archive.
    pub fn join(&self, name: impl AsRef<[u8]>) -> Result<Self> {
        Self::child(&self.0, name.as_ref())
    }

    /// The same, where `parent` is [`TreePath::as_bytes`] of the path above.
    pub(crate) fn child(parent: &[u8], name: &[u8]) -> Result<Self> {
        if name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') || name.contains(&0) {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("use the name {:?}", visible(name)),
                "it is not the name of one file",
            ));
        }
        if parent.len() + name.len() >= MAX_BYTES {
            return Err(too_long(parent));
        }
        let mut joined = Vec::with_capacity(parent.len() + 1 + name.len());
        joined.extend_from_slice(parent);
        if !joined.is_empty() {
            joined.push(b'/');
        }
        joined.extend_from_slice(name);
        Ok(Self(joined.into()))
    }

    /// `self` followed by `below`.
    pub fn append(&self, below: &TreePath) -> Self {
        if self.is_root() {
            return below.clone();
        }
        if below.is_root() {
            return self.clone();
        }
        Self([&self.0, &b"/"[..], &below.0].concat().into())
    }

    /// What is left of this path below `base`, if it lies there.
    pub fn relative_to(&self, base: &TreePath) -> Option<Self> {
        if base.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(&*base.0)?;
        match rest {
            [] => Some(Self::root()),
            [b'/', rest @ ..] => Some(Self(rest.into())),
            _ => None,
        }
    }

    /// Whether this path is `base` or lies below it.
    pub fn lies_in(&self, base: &TreePath) -> bool {
        base.is_root() || self.0.strip_prefix(&*base.0).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/').filter(|part| !part.is_empty())
    }

    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let cut = self.0.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        Some(Self(self.0[..cut].into()))
    }

    /// The path that lies so many levels above.
    pub fn above(&self, levels: usize) -> Option<Self> {
        (0..levels).try_fold(self.clone(), |path, _| path.parent())
    }

    /// The last part; the root has none.
    pub fn name(&self) -> Option<&[u8]> {
        self.parts().next_back()
    }
}

fn too_long(path: &[u8]) -> Error {
    let shown = visible(path.get(..SHOWN_BYTES).unwrap_or(path)).into_owned();
    Error::new(ErrorKind::Refused, format!("use the path {shown:?}…"), "it is longer than 64 KiB")
        .next("remove the directories that lie so deep, or leave them out by 'ignore', then plan again")
}

impl Ord for TreePath {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two) = (&*self.0, &*other.0);
        // Long beginnings are mostly the same: neighbours of one deep directory.
        let chunks = one.chunks_exact(CHUNK).zip(two.chunks_exact(CHUNK));
        let same = chunks.take_while(|(one, two)| one == two).count() * CHUNK;
        // A part ends before any other byte comes.
        let rank = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
        let (one, two) = (one.get(same..).unwrap_or_default(), two.get(same..).unwrap_or_default());
        one.iter().map(rank).cmp(two.iter().map(rank))
    }
}

/// Bytes of two paths that are compared at once.
const CHUNK: usize = 64;

impl PartialOrd for TreePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() { f.write_str(".") } else { f.write_str(&visible(&self.0)) }
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for TreePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) if !text.contains('\\') => serializer.serialize_str(text),
            _ => {
                let mut text = String::new();
                for byte in self.0.iter() {
                    match byte {
                        b'\\' => text.push_str("\\\\"),
                        0x20..=0x7e => text.push(char::from(*byte)),
                        _ => text.push_str(&format!("\\x{byte:02x}")),
                    }
                }
                serializer.serialize_str(&text)
            }
        }
    }
}

impl<'de> Deserialize<'de> for TreePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let raw = if text.contains('\\') {
            unescape(&text).ok_or_else(|| D::Error::custom("bad escape in a path"))?
        } else {
            text.into_bytes()
        };
        Self::new(raw).map_err(D::Error::custom)
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut raw = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            raw.push(byte);
            continue;
        }
        match bytes.next()? {
            b'\\' => raw.push(b'\\'),
            b'x' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                raw.push(u8::try_from(high * 16 + low).ok()?);
            }
            _ => return None,
        }
    }
    Some(raw)
}

/// Text from outside in a form that a terminal shows as it is: control characters, ESC, bidirectional
/// and zero-width marks and bytes that are not UTF-8 become visible escapes. Lossy: for eyes only.
pub fn visible(raw: &(impl AsRef<[u8]> + ?Sized)) -> Cow<'_, str> {
    let raw = raw.as_ref();
    if let Ok(text) = std::str::from_utf8(raw)
        && !text.chars().any(is_hidden)
    {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(raw.len() + 16);
    for chunk in raw.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => shown.push_str("\\n"),
                '\t' => shown.push_str("\\t"),
                '\u{0}'..='\u{1f}' => {
                    shown.push('^');
                    shown.push(char::from(character as u8 + 0x40));
                }
                '\u{7f}' => shown.push_str("^?"),
                hidden if is_hidden(hidden) => shown.push_str(&format!("\\u{{{:x}}}", hidden as u32)),
                plain => shown.push(plain),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    Cow::Owned(shown)
}

/// Characters that a terminal swallows, obeys or reorders by.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        for hostile in ["..", "a/../b", "a/./b", "a//b", "a\0b"] {
            assert!(TreePath::new(hostile).is_err(), "{hostile:?} was taken");
        }
        assert_eq!(TreePath::new("/a/b/").unwrap().as_bytes(), b"a/b");
    }

    #[test]
    fn a_path_lies_in_what_it_begins_with_part_by_part() {
        let path = |raw: &str| TreePath::new(raw).unwrap();
        for (inner, outer) in [("a/b", "a"), ("a", "a"), ("a", ""), ("", "")] {
            assert!(path(inner).lies_in(&path(outer)), "{inner} in {outer}");
        }
        for (inner, outer) in [("ab", "a"), ("a", "a/b"), ("", "a"), ("a-b/c", "a")] {
            assert!(!path(inner).lies_in(&path(outer)), "{inner} in {outer}");
        }
    }

    #[test]
    fn no_step_makes_a_path_longer_than_the_bound_and_the_message_stays_short() {
        let mut path = TreePath::root();
        let error = loop {
            match path.join([b'n'; 250]) {
                Ok(longer) => path = longer,
                Err(error) => break error,
            }
        };
        assert!(path.as_bytes().len() <= MAX_BYTES);
        assert!(error.to_string().len() < 400 && error.to_string().contains("longer than 64 KiB"), "{error}");
    }

    #[test]
    fn order_is_that_of_a_sorted_walk() {
        let mut paths: Vec<TreePath> =
            ["a-b", "a/z", "a", "b", "a/b/c"].iter().map(|path| TreePath::new(path).unwrap()).collect();
        paths.sort();
        let shown: Vec<String> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a", "a/b/c", "a/z", "a-b", "b"]);
    }

    #[test]
    fn paths_with_long_common_beginnings_are_in_the_order_of_their_parts() {
        let mut paths = Vec::new();
        for length in [0, 60, 63, 64, 65, 127, 128, 200] {
            let long = "d/".repeat(length);
            for end in ["a", "a/b", "a-b", "a\u{1}", "b", "a/\u{ff}"] {
                paths.push(TreePath::new(format!("{long}{end}")).unwrap());
            }
        }
        for one in &paths {
            for two in &paths {
                assert_eq!(one.cmp(two), one.parts().cmp(two.parts()), "{one} and {two}");
            }
        }
    }

    #[test]
    fn any_bytes_survive_json() {
        for raw in [&b"plain/\xc3\xa9"[..], b"bad\xff\\x41", b"back\\slash", b"esc\x1b[2J"] {
            let path = TreePath::new(raw).unwrap();
            let json = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<TreePath>(&json).unwrap(), path, "{json}");
        }
    }

    #[test]
    fn hostile_text_is_shown_not_obeyed() {
        assert_eq!(visible("a\x1b]52;c;x\x07\r\u{202e}b"), "a^[]52;c;x^G^M\\u{202e}b");
        assert_eq!(visible(b"\xffok"), "\\xffok");
        assert!(matches!(visible("plain é"), Cow::Borrowed(_)));
    }
}
