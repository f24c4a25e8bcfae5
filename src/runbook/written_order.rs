use super::finding::{Finding, Findings, Placed};
use super::step_form::Needs;

/// What a step or an include needs where it does not say so. In format 2 steps run in written order, each user's for
/// themselves; in format 1 they waited for nothing, and runbooks that rely on it keep that meaning.
pub(super) struct WrittenOrder {
    format: Format,
    /// The entry before, by its name in this file.
    before: Option<Placed<String>>,
    is_told: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    SideBySide,
    Written,
}

impl WrittenOrder {
    pub fn of(format: Format) -> Self {
        Self { format, before: None, is_told: false }
    }

    /// The needs of the entry `name`, which comes next in the file.
    pub fn needs(&mut self, name: Placed<String>, own: Needs, findings: &mut Findings) -> Vec<Placed<String>> {
        let before = self.before.replace(name.clone());
        match (own, before) {
            (Some(own), _) => own,
            (None, None) => Vec::new(),
            // A cycle is drawn at the step that follows, not at the one it follows.
            (None, Some(before)) if self.format == Format::Written => {
                vec![Placed { value: before.value, span: name.span }]
            }
            (None, Some(before)) => {
                if !std::mem::replace(&mut self.is_told, true) {
                    findings.push(does_not_wait(&name, &before.value));
                }
                Vec::new()
            }
        }
    }
}

fn does_not_wait(name: &Placed<String>, before: &str) -> Finding {
    let message = format!("'{}' does not wait for '{before}', which is written before it", name.value);
    Finding::warning(name.span, message).label("begins at once").help(format!(
        "write needs: [{before}], or needs: [] if that is meant; with rekindle: 2 steps run in written order"
    ))
}
