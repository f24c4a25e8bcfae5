use std::borrow::Cow;

/// The raw bytes of a name as restic writes it: Go's `strconv.Quote` without the quotes.
/// `None` where an escape makes no sense.
pub(super) fn unquoted(written: &str) -> Option<Cow<'_, [u8]>> {
    if !written.contains('\\') {
        return Some(Cow::Borrowed(written.as_bytes()));
    }
    let mut raw = Vec::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            push(&mut raw, character);
            continue;
        }
        match characters.next()? {
            'a' => raw.push(0x07),
            'b' => raw.push(0x08),
            'f' => raw.push(0x0c),
            'n' => raw.push(b'\n'),
            'r' => raw.push(b'\r'),
            't' => raw.push(b'\t'),
            'v' => raw.push(0x0b),
            plain @ ('\\' | '\'' | '"' | '`') => push(&mut raw, plain),
            'x' => raw.push(u8::try_from(hexadecimal(&mut characters, 2)?).ok()?),
            'u' => push(&mut raw, char::from_u32(hexadecimal(&mut characters, 4)?)?),
            'U' => push(&mut raw, char::from_u32(hexadecimal(&mut characters, 8)?)?),
            _ => return None,
        }
    }
    Some(Cow::Owned(raw))
}

fn hexadecimal(characters: &mut std::str::Chars<'_>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0_u32, |number, _| Some((number << 4) | characters.next()?.to_digit(16)?))
}

fn push(raw: &mut Vec<u8>, character: char) {
    raw.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_the_bytes_they_were() {
        for (written, raw) in [
            ("plain é", "plain é".as_bytes()),
            (r"bad\xff\x80", b"bad\xff\x80"),
            (r#"quo\"te\\slash"#, br#"quo"te\slash"#),
            (r"line\nbreak\x1b[2J\a", b"line\nbreak\x1b[2J\x07"),
            (r"no\u00a0break\u202e\U000e0041", "no\u{a0}break\u{202e}\u{e0041}".as_bytes()),
        ] {
            assert_eq!(unquoted(written).as_deref(), Some(raw), "{written}");
        }
    }

    #[test]
    fn a_broken_escape_is_not_guessed_at() {
        for broken in [r"\", r"\q", r"\x1", r"\xg0", r"\ud800", r"\U00110000"] {
            assert_eq!(unquoted(broken), None, "{broken}");
        }
    }
}
