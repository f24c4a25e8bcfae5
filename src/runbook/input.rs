use super::fields::{Fields, text};
use super::finding::{Finding, Findings, Span};
use super::node::{Key, Node, Value};

/// A value that a runbook asks its operator for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub name: String,
    pub about: String,
    pub default: Option<String>,
    /// Never shown, journalled or put on a command line.
    pub secret: bool,
    /// An environment variable to take it from, besides `REKINDLE_INPUT_<NAME>`.
    pub env: Option<String>,
    pub span: Span,
}

impl Input {
    pub(super) fn decode(key: &Key, node: &Node, findings: &mut Findings) -> Option<Self> {
        let mut input = Self {
            name: key.name.clone(),
            about: String::new(),
            default: None,
            secret: false,
            env: None,
            span: key.span,
        };
        if !matches!(node.value, Value::Map(_) | Value::Null) {
            let given = text(node, "input", findings)?;
            findings.push(
                Finding::error(given.span, format!("the input '{}' must be a map", key.name))
                    .help(format!("write {}: {{ default: {} }}", key.name, given.value)),
            );
            return None;
        }
        let mut fields = Fields::of("an input", key.span, node, findings)?;
        input.about = fields.text("about", findings).map(|about| about.value).unwrap_or_default();
        input.secret = fields.flag("secret", findings).unwrap_or(false);
        input.env = fields.text("env", findings).map(|env| env.value);
        if let Some(default) = fields.text("default", findings) {
            if default.value.contains("${") {
                findings.push(
                    Finding::error(default.span, "a default cannot refer to other inputs")
                        .label("taken as it is written"),
                );
            }
            if input.secret {
                findings.push(
                    Finding::error(default.span, "a secret cannot have its value in the runbook")
                        .help("leave 'default' out; give it by environment, file or prompt"),
                );
            }
            input.default = Some(default.value);
        }
        fields.finish(findings);
        Some(input)
    }

    /// As in `REKINDLE_INPUT_BACKUP_HOST` for `backup-host`.
    pub fn variable(&self) -> String {
        format!("REKINDLE_INPUT_{}", self.name.to_uppercase().replace('-', "_"))
    }
}
