use std::borrow::Cow;

use serde_json::Value;

/// Begins the text that stands for a number that 64 bits do not hold; the number follows as it is written. A document
/// with a text of its own that holds this is refused.
pub(super) const SIGN: &str = "‹number› ";

pub(super) fn stand_in(written: &str) -> Value {
    Value::from(format!("{SIGN}{written}"))
}

/// The number that a value stands for.
pub(super) fn number(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix(SIGN)
}

/// Integers over 64 bits, and floats beyond the largest one.
pub(super) fn is_wide(written: &str) -> bool {
    let bare = written.strip_prefix(['+', '-']).unwrap_or(written);
    if !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return written.parse::<i64>().is_err() && written.parse::<u64>().is_err();
    }
    bare.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && written.parse::<f64>().is_ok_and(f64::is_infinite)
}

/// Whether a document may hold one. Most hold none, and looking for where one stands costs a second reading.
pub(super) fn may_hold_one(text: &str) -> bool {
    let (bytes, mut digits) = (text.as_bytes(), 0);
    let is_long = |byte: &u8| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits > 18
    };
    bytes.iter().any(is_long)
        || bytes.windows(4).any(|window| match window {
            [b'e' | b'E', first, second, third] => {
                (first.is_ascii_digit() || *first == b'+') && second.is_ascii_digit() && third.is_ascii_digit()
            }
            _ => false,
        })
}

/// JSON text with a nought in the place of each such number, so that it can be read. All else stays in its column.
pub(super) fn tamed(text: &str) -> Cow<'_, str> {
    if !may_hold_one(text) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let (mut tamed, mut at, mut kept) = (String::with_capacity(text.len()), 0, 0);
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = match byte {
            b'"' => string_length(rest),
            b'-' | b'0'..=b'9' => rest.iter().take_while(|byte| is_of_number(**byte)).count(),
            _ => 1,
        };
        let token = text.get(at..at + length).unwrap_or_default();
        if *byte != b'"' && is_wide(token) && serde_json::from_str::<serde::de::IgnoredAny>(token).is_ok() {
            tamed.push_str(text.get(kept..at).unwrap_or_default());
            tamed.push_str(&format!("{:<length$}", 0));
            kept = at + length;
        }
        at += length;
    }
    tamed.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(tamed)
}

fn string_length(rest: &[u8]) -> usize {
    let mut at = 1;
    loop {
        at += match rest.get(at) {
            None => return rest.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => 2,
            Some(_) => 1,
        };
    }
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')
}

/// Fresh text in which each stand-in, quoted or not, is the number that it stands for.
pub(super) fn bared(text: String) -> String {
    if !text.contains(SIGN) {
        return text;
    }
    let (mut bared, mut rest) = (String::with_capacity(text.len()), text.as_str());
    while let Some((before, behind)) = rest.split_once(SIGN) {
        let length = behind.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || is_of_number(*byte)).count();
        let (number, behind) = behind.split_at(length);
        let quote = before.chars().next_back().filter(|last| matches!(last, '"' | '\''));
        let is_quoted = quote.is_some_and(|quote| behind.starts_with(quote));
        bared.push_str(before.get(..before.len() - usize::from(is_quoted)).unwrap_or_default());
        bared.push_str(number);
        rest = behind.get(usize::from(is_quoted)..).unwrap_or_default();
    }
    bared + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_64_bits_do_not_hold_is_wide() {
        for wide in
            ["18446744073709551616", "-9223372036854775809", "123456789012345678901234567890", "1e400", "-1E+999"]
        {
            assert!(is_wide(wide) && may_hold_one(&format!("[{wide}]")), "{wide}");
        }
        for plain in
            ["18446744073709551615", "-9223372036854775808", "1e20", "1e300", "inf", "nan", "", "-", "0x1F", "a"]
        {
            assert!(!is_wide(plain), "{plain}");
        }
    }

    #[test]
    fn a_tamed_text_keeps_its_columns_and_its_texts() {
        let text = r#"{"99999999999999999999": [99999999999999999999, "\"1e400", 1e400], "b": 1.5}"#;
        let tamed = tamed(text);
        assert_eq!(tamed, r#"{"99999999999999999999": [0                   , "\"1e400", 0    ], "b": 1.5}"#);
        assert_eq!(super::tamed("[\"99999999999999999999"), "[\"99999999999999999999", "a text that is cut off");
    }

    #[test]
    fn a_stand_in_is_written_as_its_number() {
        let number = stand_in("1e400");
        assert_eq!(bared(format!("a: {number}\nb: '{SIGN}-12'\nc: {SIGN}.inf\n")), "a: 1e400\nb: -12\nc: .inf\n");
    }
}
