use std::fmt;

/// A place in one of a runbook's files, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Position in [`Findings::files`]: the runbook itself, then what it includes.
    pub file: u16,
    pub start: usize,
    pub length: usize,
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    pub value: T,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong or doubtful in a runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub message: String,
    pub span: Span,
    /// Stands at the caret.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Finding {
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), span, label: "here".to_owned(), help: None }
    }

    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }
}

/// One file that a runbook was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

impl SourceFile {
    /// Line and column of a byte, both from 1; columns count characters.
    pub fn place(&self, byte: usize) -> (usize, usize) {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = self.text.get(..byte).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before.get(line_start..).unwrap_or_default().chars().count() + 1)
    }
}

/// A runbook with more findings than this is no runbook; what comes after is counted only.
const MAX_KEPT: usize = 200;

/// All that was found in a runbook and the files it was found in.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub files: Vec<SourceFile>,
    pub list: Vec<Finding>,
    pub errors: usize,
    pub warnings: usize,
}

impl Findings {
    pub fn push(&mut self, finding: Finding) {
        match finding.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.list.len() < MAX_KEPT {
            self.list.push(finding);
        }
    }

    pub fn error(&mut self, span: Span, message: impl Into<String>) {
        self.push(Finding::error(span, message));
    }

    pub fn is_empty(&self) -> bool {
        self.errors + self.warnings == 0
    }

    pub(super) fn in_order_of_place(&mut self) {
        self.list.sort_by_key(|finding| (finding.span, finding.severity));
    }
}

/// `runbook.yaml:3:7: error: …` for each, one line each.
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.list {
            if let Some(file) = self.files.get(usize::from(finding.span.file)) {
                let (line, column) = file.place(finding.span.start);
                write!(f, "{}:{line}:{column}: ", crate::model::visible(&file.path))?;
            }
            let word = if finding.severity == Severity::Error { "error" } else { "warning" };
            writeln!(f, "{word}: {}", crate::model::visible(&finding.message))?;
        }
        Ok(())
    }
}
