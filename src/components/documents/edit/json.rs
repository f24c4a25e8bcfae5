use super::node::{Entry, Kind, Node};

/// Where each value of a JSON document stands. The text was read before: it is well formed and its depth
/// is bounded.
pub(in crate::components::documents) fn nodes(text: &str) -> Option<Node> {
    let mut scanner = Scanner { text: text.as_bytes(), at: 0 };
    if text.starts_with('\u{feff}') {
        scanner.at = '\u{feff}'.len_utf8();
    }
    scanner.node()
}

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn node(&mut self) -> Option<Node> {
        let first = self.peek()?;
        let start = self.at;
        let kind = match first {
            b'"' => {
                self.string()?;
                Kind::Double
            }
            b'{' => {
                self.at += 1;
                let mut entries = Vec::new();
                while self.peek()? != b'}' {
                    let key_start = self.at;
                    self.string()?;
                    let key_end = self.at;
                    let key = serde_json::from_slice(self.text.get(key_start..key_end)?).ok()?;
                    self.expect(b':')?;
                    let value = self.node()?;
                    entries.push(Entry { key, key_start, key_end, value });
                    if self.peek()? == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Kind::Map { flow: true, entries }
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while self.peek()? != b']' {
                    items.push(self.node()?);
                    if self.peek()? == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Kind::List { flow: true, items }
            }
            _ => {
                let more = |byte: &u8| !byte.is_ascii_whitespace() && !matches!(byte, b',' | b']' | b'}');
                self.at += self.text.get(start..)?.iter().take_while(|byte| more(byte)).count().max(1);
                Kind::Plain
            }
        };
        Some(Node { start, end: self.at, anchor: None, kind })
    }

    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            let byte = *self.text.get(self.at)?;
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return Some(());
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }
}
