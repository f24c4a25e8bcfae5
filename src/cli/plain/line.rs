use std::fmt::Write;
use std::ops::Range;

/// A line for a person, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub tone: Tone,
    pub text: String,
    /// Bytes of `text` to be emphasised.
    pub changed: Vec<Range<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    /// What the lines below are about.
    Heading,
    Removed,
    Added,
    /// Where in a file.
    Place,
    Warning,
}

impl Tone {
    /// One of the sixteen colours that every terminal has, so that it can be read on light and on dark.
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Heading => "1",
            Self::Removed => "31",
            Self::Added => "32",
            Self::Place => "36",
            Self::Warning => "35",
        }
    }

    /// Its name in a page's style.
    pub fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Heading => "heading",
            Self::Removed => "removed",
            Self::Added => "added",
            Self::Place => "place",
            Self::Warning => "warning",
        }
    }
}

impl Line {
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into(), changed: Vec::new() }
    }

    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(Tone::Plain, text)
    }

    /// As a terminal gets it.
    pub fn painted(&self, color: bool) -> String {
        let code = self.tone.code();
        if !color || code.is_empty() {
            return self.text.clone();
        }
        let mut painted = format!("\x1b[{code}m");
        for (part, is_changed) in self.parts() {
            let _ = if is_changed { write!(painted, "\x1b[7m{part}\x1b[27m") } else { write!(painted, "{part}") };
        }
        painted.push_str("\x1b[0m");
        painted
    }

    /// Its text, piece by piece, and whether each is emphasised.
    pub fn parts(&self) -> Vec<(&str, bool)> {
        let mut parts = Vec::new();
        let mut at = 0;
        for changed in &self.changed {
            parts.push((self.text.get(at..changed.start).unwrap_or_default(), false));
            parts.push((self.text.get(changed.clone()).unwrap_or_default(), true));
            at = changed.end;
        }
        parts.push((self.text.get(at..).unwrap_or_default(), false));
        parts.retain(|(part, _)| !part.is_empty());
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_painted_as_a_whole_and_what_changed_in_it_reversed() {
        let line = Line { changed: std::iter::once(2..4).collect(), ..Line::new(Tone::Removed, "- 1G") };
        assert_eq!(line.painted(true), "\x1b[31m- \x1b[7m1G\x1b[27m\x1b[0m");
        assert_eq!(line.painted(false), "- 1G");
        assert_eq!(Line::plain("x").painted(true), "x");
    }
}
