use std::io::{BufRead, BufReader, Read};

use crate::model::{Error, ErrorKind, Result};

/// Deeper values are not read.
const MAX_DEPTH: u32 = 100;
/// Longer names of fields are not read.
const MAX_NAME: usize = 64 * 1024;

/// A JSON text as a walk over it, value by value: only what is asked for is held. What a value holds inside is
/// checked by who parses it; here it only has to end.
pub(super) struct Pieces<R> {
    from: BufReader<R>,
    at: u64,
    /// As in "read staff-realm.json".
    doing: String,
}

/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;

impl<R: Read> Pieces<R> {
    pub fn new(from: R, doing: impl Into<String>) -> Self {
        Self { from: BufReader::with_capacity(BUFFER, from), at: 0, doing: doing.into() }
    }

    /// Bytes before the one that comes next.
    pub fn position(&self) -> u64 {
        self.at
    }

    pub fn bad(&self, why: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, &self.doing, why).next("make the export again, or take one that is whole")
    }

    fn look(&mut self) -> Result<&[u8]> {
        self.from.fill_buf().map_err(|error| Error::io(&self.doing, error))
    }

    fn take(&mut self, count: usize) {
        self.from.consume(count);
        self.at += count as u64;
    }

    /// The next byte that is no white space, which stays where it is; `None` at the end of the text.
    pub fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            let buffer = self.look()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let found = buffer.get(blank).copied();
            self.take(blank);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    pub fn expect(&mut self, wanted: u8) -> Result<()> {
        match self.peek()? {
            Some(byte) if byte == wanted => {
                self.take(1);
                Ok(())
            }
            None => Err(self.cut_off()),
            Some(_) => Err(self.bad(format!("there is no '{}' at byte {}", char::from(wanted), self.at))),
        }
    }

    fn cut_off(&self) -> Error {
        self.bad(format!("it ends at byte {}, in the middle of a value: it was cut off", self.at))
    }

    /// Goes to the next field of a map, or to the next element of a list, whose opening was passed; `false` at its
    /// end, which is passed too.
    pub fn next(&mut self, end: u8, first: &mut bool) -> Result<bool> {
        if self.peek()? == Some(end) {
            self.take(1);
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// The name of the next field of a map; `None` at its end.
    pub fn field(&mut self, first: &mut bool) -> Result<Option<String>> {
        if !self.next(b'}', first)? {
            return Ok(None);
        }
        let name = self.value(MAX_NAME)?;
        let name = serde_json::from_slice(&name)
            .map_err(|error| self.bad(format!("a field before byte {} has no name: {error}", self.at)))?;
        self.expect(b':')?;
        Ok(Some(name))
    }

    /// The bytes of the next value, at most `limit`.
    pub fn value(&mut self, limit: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let start = self.at;
        self.walk(&mut |part| {
            bytes.extend_from_slice(part);
            bytes.len() <= limit
        })
        .and_then(|whole| match whole {
            true => Ok(bytes),
            false => {
                Err(self.bad(format!("a value at byte {start} is larger than {}", crate::model::size(limit as u64))))
            }
        })
    }

    /// Goes past the next value, however large it is.
    pub fn skip(&mut self) -> Result<()> {
        self.walk(&mut |_| true).map(|_| ())
    }

    /// Nothing may follow.
    pub fn end(&mut self) -> Result<()> {
        match self.peek()? {
            None => Ok(()),
            Some(_) => Err(self.bad(format!("something follows at byte {}, after its end", self.at))),
        }
    }

    /// Hands the bytes of one value over, part by part; answers whether all were wanted.
    fn walk(&mut self, part: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool> {
        self.peek()?;
        let mut state = Within::default();
        loop {
            let buffer = self.look()?;
            if buffer.is_empty() {
                // A number is ended by the end of the text alone.
                return if state.may_end() { Ok(true) } else { Err(self.cut_off()) };
            }
            let (count, ended) = state.go_on(buffer);
            let goes_on = buffer.get(..count).is_none_or(&mut *part);
            self.take(count);
            if state.depth > MAX_DEPTH {
                return Err(self.bad(format!("it is deeper than {MAX_DEPTH} levels at byte {}", self.at)));
            }
            match (ended, goes_on) {
                (true, _) if state.is_empty => {
                    return Err(self.bad(format!("there is no value at byte {}", self.at)));
                }
                (_, false) => return Ok(false),
                (true, true) => return Ok(true),
                (false, true) => {}
            }
        }
    }
}

/// How far into one value a walk is.
struct Within {
    depth: u32,
    in_text: bool,
    escaped: bool,
    /// A number or a word, which ends where something else begins.
    is_plain: bool,
    is_empty: bool,
}

impl Default for Within {
    fn default() -> Self {
        Self { depth: 0, in_text: false, escaped: false, is_plain: false, is_empty: true }
    }
}

impl Within {
    fn may_end(&self) -> bool {
        self.is_plain && self.depth == 0
    }

    /// How many of these bytes belong to the value, and whether it ends with them.
    fn go_on(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_text = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            let ends_plain =
                self.depth == 0 && matches!(byte, b',' | b'}' | b']' | b':' | b' ' | b'\n' | b'\r' | b'\t');
            if ends_plain {
                return (at, true);
            }
            self.is_empty = false;
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return (at, false);
                    }
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                _ if self.depth == 0 => self.is_plain = true,
                _ => {}
            }
        }
        (bytes.len(), false)
    }
}
