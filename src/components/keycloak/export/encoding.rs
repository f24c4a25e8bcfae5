use std::io::{BufReader, Cursor, Error, ErrorKind, Read, Result};

/// Bytes that are decoded at once.
const CHUNK: usize = 64 * 1024;

/// The same text in UTF-8 and without a mark at its begin, in whichever encoding of JSON it is: editors write the mark,
/// and some shells write UTF-16. The server's import takes them all.
pub(super) fn in_utf8(mut from: Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>> {
    let mut head = Vec::new();
    (&mut from).take(4).read_to_end(&mut head)?;
    // JSON begins with two characters of ASCII.
    let (mark, is_little) = match head.as_slice() {
        [0xEF, 0xBB, 0xBF, ..] => (3, None),
        [0xFF, 0xFE, ..] => (2, Some(true)),
        [0xFE, 0xFF, ..] => (2, Some(false)),
        [first, 0, ..] if *first != 0 => (0, Some(true)),
        [0, second, ..] if *second != 0 => (0, Some(false)),
        _ => (0, None),
    };
    head.drain(..mark);
    let text = Cursor::new(head).chain(from);
    Ok(match is_little {
        None => Box::new(text),
        Some(is_little) => {
            Box::new(Utf16 { from: BufReader::new(text), is_little, high: None, made: Cursor::default() })
        }
    })
}

struct Utf16<R> {
    from: BufReader<R>,
    is_little: bool,
    /// The first half of a character whose second half comes with the next chunk.
    high: Option<u16>,
    made: Cursor<Vec<u8>>,
}

impl<R: Read> Utf16<R> {
    fn decode(&mut self) -> Result<()> {
        let mut bytes = Vec::with_capacity(CHUNK);
        (&mut self.from).take(CHUNK as u64).read_to_end(&mut bytes)?;
        let bad = || Error::new(ErrorKind::InvalidData, "it is not UTF-16 from its begin to its end");
        let (pairs, rest) = bytes.as_chunks::<2>();
        let is_end = bytes.len() < CHUNK;
        if !rest.is_empty() {
            return Err(bad());
        }
        let unit = |pair: &[u8; 2]| if self.is_little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
        let mut units: Vec<u16> = self.high.take().into_iter().chain(pairs.iter().map(unit)).collect();
        let is_high = |unit: &u16| (0xD800..0xDC00).contains(unit);
        if !is_end && units.last().is_some_and(is_high) {
            self.high = units.pop();
        }
        let text: String = char::decode_utf16(units).collect::<std::result::Result<_, _>>().map_err(|_| bad())?;
        self.made = Cursor::new(text.into_bytes());
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if self.made.position() == self.made.get_ref().len() as u64 {
            self.decode()?;
        }
        self.made.read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String> {
        let mut text = String::new();
        in_utf8(Box::new(Cursor::new(bytes.to_vec())))?.read_to_string(&mut text).map(|_| text)
    }

    fn utf16(text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let mark = mark.then_some(0xFEFF);
        mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn a_text_is_the_same_in_every_encoding() {
        // So long that a character of two halves lies across two chunks.
        let text = format!("{{{}{}\"☃\": \"ü\"}}", " ".repeat(CHUNK / 2 - 2), "😀".repeat(CHUNK / 2));
        let marked = ["\u{FEFF}".as_bytes(), text.as_bytes()].concat();
        assert_eq!(read(text.as_bytes()).unwrap(), text);
        assert_eq!(read(&marked).unwrap(), text);
        for mark in [true, false] {
            assert_eq!(read(&utf16(&text, mark, u16::to_le_bytes)).unwrap(), text);
            assert_eq!(read(&utf16(&text, mark, u16::to_be_bytes)).unwrap(), text);
        }
        assert_eq!(read(b"").unwrap(), "");
        assert_eq!(read(b"{").unwrap(), "{");
    }

    #[test]
    fn half_a_character_is_an_error() {
        let mut cut = utf16("{\"a\": 1}", true, u16::to_le_bytes);
        cut.pop();
        assert!(read(&cut).is_err());
        let lone: Vec<u8> = [0xFEFF_u16, 0x7B, 0xD83D].into_iter().flat_map(u16::to_le_bytes).collect();
        assert!(read(&lone).is_err());
    }
}
