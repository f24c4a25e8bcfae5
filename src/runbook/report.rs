use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity as Level, SourceCode,
    SourceSpan,
};

use super::finding::{Finding, Findings, Severity, SourceFile};
use crate::model::visible;

/// How findings are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drawing {
    /// ASCII only.
    #[default]
    Plain,
    Unicode,
    Coloured,
}

impl Findings {
    /// Each finding with file, line, column, the line itself, a caret and a suggestion.
    pub fn draw(&self, drawing: Drawing, width: usize) -> String {
        let theme = match drawing {
            Drawing::Plain => GraphicalTheme::none(),
            Drawing::Unicode => GraphicalTheme::unicode_nocolor(),
            Drawing::Coloured => GraphicalTheme::unicode(),
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width.max(40)).with_links(false);
        let sources: Vec<NamedSource<String>> = self.files.iter().map(shown).collect();
        let mut drawn = String::new();
        for finding in &self.list {
            let at = self.files.get(usize::from(finding.span.file)).map(|file| place(file, finding));
            let source = sources.get(usize::from(finding.span.file));
            let source = source.filter(|source| !is_too_long(source.inner(), finding.span.start));
            let diagnostic = Drawn { finding, source, at: at.unwrap_or_default() };
            // Nothing is lost when drawing fails: the plain line says the same.
            if handler.render_report(&mut drawn, &diagnostic).is_err() {
                drawn.push_str(&format!("{diagnostic}\n"));
            }
            drawn.push('\n');
        }
        let left = (self.errors + self.warnings).saturating_sub(self.list.len());
        if left > 0 {
            drawn.push_str(&format!("and {left} more findings\n"));
        }
        drawn
    }
}

/// A longer line would bury what is said of it.
const LONGEST_LINE: usize = 2000;

fn is_too_long(text: &str, at: usize) -> bool {
    let at = at.min(text.len());
    let (before, after) = text.as_bytes().split_at(at);
    let head = before.iter().rev().take(LONGEST_LINE).take_while(|byte| **byte != b'\n').count();
    let tail = after.iter().take(LONGEST_LINE).take_while(|byte| **byte != b'\n').count();
    head + tail >= LONGEST_LINE
}

fn place(file: &SourceFile, finding: &Finding) -> String {
    let (line, column) = file.place(finding.span.start);
    format!("{}:{line}:{column}", visible(&file.path))
}

/// The text as a terminal may show it, every byte in its place.
fn shown(file: &SourceFile) -> NamedSource<String> {
    let mut text = String::with_capacity(file.text.len());
    for character in file.text.chars() {
        let mut buffer = [0; 4];
        let raw: &str = character.encode_utf8(&mut buffer);
        if matches!(character, '\n' | '\t') || matches!(visible(raw), std::borrow::Cow::Borrowed(_)) {
            text.push(character);
        } else {
            text.extend(std::iter::repeat_n('?', character.len_utf8()));
        }
    }
    NamedSource::new(visible(&file.path), text)
}

struct Drawn<'a> {
    finding: &'a Finding,
    source: Option<&'a NamedSource<String>>,
    at: String,
}

impl fmt::Debug for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.finding.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{}: {word}: {}", self.at, visible(&self.finding.message))
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn severity(&self) -> Option<Level> {
        Some(if self.finding.severity == Severity::Error { Level::Error } else { Level::Warning })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.help.as_deref().map(|help| Box::new(visible(help).into_owned()) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = SourceSpan::from((self.finding.span.start, self.finding.span.length));
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(
            Some(visible(&self.finding.label).into_owned()),
            span,
        ))))
    }
}
