use serde_json::Value;

use crate::model::Document;

use super::Syntax;

/// Larger documents are refused.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Some editors begin a file with it.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads the document of a file. Errors: why it is none, in words that name places and never values.
pub fn document(syntax: &dyn Syntax, name: &[u8], bytes: &[u8]) -> Result<Document, String> {
    if bytes.len() > MAX_BYTES {
        return Err("it is larger than 16 MiB".to_owned());
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8 from byte {} on", error.valid_up_to()))?;
    let value = syntax.parse(name, bare(text))?;
    Ok(Document { source: Some(text.into()), ..Document::new(value) })
}

pub(super) fn bare(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// What the text means, if it can be read.
pub(super) fn read(syntax: &dyn Syntax, name: &[u8], text: &str) -> Option<Value> {
    syntax.parse(name, bare(text)).ok()
}

pub(super) fn means(syntax: &dyn Syntax, name: &[u8], text: &str, value: &Value) -> bool {
    read(syntax, name, text).is_some_and(|read| read == *value)
}
