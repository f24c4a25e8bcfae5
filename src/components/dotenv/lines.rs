use std::ops::Range;

use serde_json::Value;

/// A line with its line break; more than one where a value goes on.
#[derive(Debug)]
pub(super) struct Line<'t> {
    pub start: usize,
    pub end: usize,
    pub what: What<'t>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What<'t> {
    /// Empty, or a comment.
    Nothing,
    Unclear,
    /// `written`: its value, quotes included. `None`: no `=`, and what runs the program gives the value.
    Variable {
        name: &'t str,
        name_ends: usize,
        written: Option<Range<usize>>,
    },
}

impl<'t> Line<'t> {
    /// The value is what all readers make of it. Where they may differ, for it holds `$`, a backslash or a quote at its
    /// beginning, it is what is written, with its quotes.
    pub fn variable(&self, text: &'t str) -> Option<(String, Value)> {
        let What::Variable { name, written, .. } = &self.what else { return None };
        let value = written.as_ref().map(|written| {
            let written = text.get(written.clone()).unwrap_or_default().replace("\r\n", "\n");
            let inner = written.strip_prefix(['"', '\'']).and_then(|inner| inner.strip_suffix(['"', '\'']));
            let is_plain = |inner: &&str| {
                quoted(&written) == Some(written.len())
                    && !inner.contains(['\\', '$', '`'])
                    && !inner.starts_with(['"', '\''])
            };
            inner.filter(is_plain).map(str::to_owned).unwrap_or(written)
        });
        Some(((*name).to_owned(), value.map_or(Value::Null, Value::String)))
    }
}

pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let (mut found, mut start) = (Vec::new(), 0);
    while start < text.len() {
        let what = line(text, start);
        let from = match &what {
            What::Variable { written: Some(written), .. } => written.end,
            _ => start,
        };
        let rest = text.get(from..).unwrap_or_default();
        let end = from + rest.find('\n').map_or(rest.len(), |at| at + 1);
        found.push(Line { start, end, what });
        start = end;
    }
    found
}

fn line(text: &str, start: usize) -> What<'_> {
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    let bare = line.trim_start();
    if bare.is_empty() || bare.starts_with(['#', ';']) {
        return What::Nothing;
    }
    let exported = bare.strip_prefix("export").filter(|after| after.starts_with([' ', '\t']));
    let from_name = exported.map_or(bare, str::trim_start);
    let length = name_length(from_name);
    let (name, behind) = from_name.split_at(length);
    let name_ends = start + line.len() - behind.len();
    let Some(value) = behind.trim_start_matches([' ', '\t']).strip_prefix('=') else {
        let is_alone = behind.trim().is_empty() || (behind.starts_with([' ', '\t']) && behind.trim().starts_with('#'));
        let is_bare = length > 0 && is_alone;
        return if is_bare { What::Variable { name, name_ends, written: None } } else { What::Unclear };
    };
    let begins = start + line.len() - value.trim_start_matches([' ', '\t']).len();
    let gap = value.starts_with([' ', '\t']);
    match written(text.get(begins..).unwrap_or_default(), gap).filter(|_| length > 0) {
        Some(length) => What::Variable { name, name_ends, written: Some(begins..begins + length) },
        None => What::Unclear,
    }
}

/// Of a variable's name at the beginning of the text.
pub(super) fn name_length(text: &str) -> usize {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let length = text.bytes().take_while(is_of_name).count();
    if text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') { length } else { 0 }
}

/// How long the value is that begins here. `gap`: behind a space, where a `#` begins a comment. `None`: a quote is not closed
/// in its line, and how far the value goes cannot be told.
fn written(text: &str, gap: bool) -> Option<usize> {
    let first_line = |text: &'_ str| text.split('\n').next().unwrap_or_default().len();
    if let Some(end) = quoted(text) {
        let behind = text.get(end..end + first_line(text.get(end..)?))?.trim();
        if behind.is_empty() || behind.starts_with('#') {
            return Some(end);
        }
    }
    if text.starts_with(['"', '\'']) && quoted(text.get(..first_line(text))?).is_none() {
        return None;
    }
    if gap && text.starts_with('#') {
        return Some(0);
    }
    let mut begins = 0;
    for line in text.split('\n') {
        let comment = line.find(" #").into_iter().chain(line.find("\t#")).min();
        let value = line.get(..comment.unwrap_or(line.len()))?.trim_end();
        let backslashes = value.len() - value.trim_end_matches('\\').len();
        // As in a shell: it goes on in the next line.
        if comment.is_some() || backslashes % 2 == 0 || begins + line.len() == text.len() {
            return Some(begins + value.len());
        }
        begins += line.len() + 1;
    }
    Some(text.len())
}

/// The length of the quoted text at the beginning.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.bytes().next().filter(|first| matches!(first, b'"' | b'\''))?;
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map(|end| end + 2)
}
