use std::fmt::Write;

/// A name as one part of a key: `/`, `%` and control characters become `%XX`, and so do names that a path cannot
/// hold. All else stays as it is, so that keys read like the names they stand for.
pub fn escaped(name: &str) -> String {
    match name {
        "" => return "%".to_owned(),
        "." => return "%2E".to_owned(),
        ".." => return "%2E%2E".to_owned(),
        _ => {}
    }
    let mut text = String::with_capacity(name.len());
    for one in name.chars() {
        if one == '/' || one == '%' || one.is_control() {
            let mut raw = [0; 4];
            for byte in one.encode_utf8(&mut raw).bytes() {
                let _ = write!(text, "%{byte:02X}");
            }
        } else {
            text.push(one);
        }
    }
    text
}

/// The name that a part of a key stands for. A `%` that begins no escape stands for itself, since people write keys
/// too; what is not UTF-8 is the name of nothing.
pub fn unescaped(part: &[u8]) -> Option<String> {
    if part == b"%" {
        return Some(String::new());
    }
    let digit = |at: usize| part.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut raw = Vec::with_capacity(part.len());
    let mut at = 0;
    while let Some(byte) = part.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                raw.push(u8::try_from(high * 16 + low).ok()?);
                at += 3;
            }
            _ => {
                raw.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(raw).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_name_survives(name in any::<String>()) {
            let part = escaped(&name);
            prop_assert!(crate::model::TreePath::root().join(&part).is_ok(), "{part:?}");
            prop_assert_eq!(unescaped(part.as_bytes()), Some(name));
        }
    }

    #[test]
    fn a_percent_sign_that_somebody_wrote_stands_for_itself() {
        assert_eq!(unescaped(b"100%"), Some("100%".to_owned()));
        assert_eq!(unescaped(b"50%zz"), Some("50%zz".to_owned()));
        assert_eq!(unescaped(b"\xff"), None);
    }
}
