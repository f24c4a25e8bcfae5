use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Exit, Output, read_runbook};
use crate::model::Result;
use crate::runbook::{Findings, Severity};

/// Check runbooks: unknown keys and names, circles, wrong types, steps that write one place in no order
///
/// Each finding has its line and a suggestion. Exit code: 0 no errors, 1 errors; warnings are no errors.
#[derive(Debug, Args)]
pub struct Lint {
    /// Runbook files
    #[arg(required = true, value_name = "RUNBOOK")]
    runbooks: Vec<PathBuf>,
}

impl Lint {
    pub fn run(self, output: &mut Output) -> Result<Exit> {
        let (mut errors, mut warnings, mut found) = (0, 0, Vec::new());
        for path in &self.runbooks {
            let findings = match read_runbook(path)? {
                Ok((_, findings)) => findings,
                Err(findings) => *findings,
            };
            errors += findings.errors;
            warnings += findings.warnings;
            if output.json {
                found.extend(as_json(&findings));
            } else {
                output.print(&findings.draw(output.drawing(), 100))?;
            }
        }
        if output.json {
            output.print_json(&json!({ "errors": errors, "warnings": warnings, "findings": found }))?;
        } else {
            let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
            let runbooks = count(self.runbooks.len(), "runbook");
            output.print(&format!("{runbooks}: {}, {}\n", count(errors, "error"), count(warnings, "warning")))?;
        }
        Ok(if errors == 0 { Exit::Fine } else { Exit::Failed })
    }
}

fn as_json(findings: &Findings) -> Vec<Value> {
    let each = findings.list.iter().map(|finding| {
        let file = findings.files.get(usize::from(finding.span.file));
        let (line, column) = file.map_or((1, 1), |file| file.place(finding.span.start));
        json!({
            "severity": if finding.severity == Severity::Error { "error" } else { "warning" },
            "file": file.map(|file| &file.path),
            "line": line,
            "column": column,
            "message": finding.message,
            "help": finding.help,
        })
    });
    each.collect()
}
