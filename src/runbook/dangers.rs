use super::finding::{Finding, Findings};
use super::in_clear::goes_in_clear;
use super::interpreted::code_with_a_variable;
use super::runbook::Runbook;
use super::source::SourceFrom;
use super::step::{Action, Program};
use super::template::Template;
use crate::declared::Password;

/// What a new run does not begin with. A run that began before it was refused can still be read and undone.
pub(super) fn check(runbook: &Runbook, findings: &mut Findings) {
    let steps = runbook.steps.iter().filter_map(|step| match &step.action {
        Action::Run(run) => match &run.program {
            Program::Argv(argv) => Some(argv.as_slice()),
            Program::Shell(_) => None,
        },
        _ => None,
    });
    let given = runbook.components.iter().map(|component| &component.given);
    let given = given.chain(runbook.sources.iter().map(|source| &source.given));
    let passwords = given.flat_map(|given| given.passwords());
    let passwords = passwords.filter_map(|password| match password {
        Password::Command(argv) => Some(argv.as_slice()),
        _ => None,
    });
    for argv in steps.chain(passwords) {
        if let Some(code) = code_with_a_variable(argv) {
            findings.push(
                Finding::error(code.span, "what '${…}' stands for would be run as code")
                    .label("an interpreter reads this")
                    .help(
                        "give the value as an argument of its own, as in run: [sh, -c, 'echo \"$1\"', sh, \"${name}\"]",
                    ),
            );
        }
    }
    for component in &runbook.components {
        let address = component.given.text(component.adapter.name);
        if let Some(address) = address.filter(|_| component.adapter.sends_a_login) {
            in_clear(address, address.leading_text(), "the login", findings);
        }
    }
    for source in &runbook.sources {
        let SourceFrom::Store(store, _) = &source.from else { continue };
        let Some(place) = source.given.text(store.name) else { continue };
        if let Some((what, address)) = (store.sends)(place.leading_text()) {
            in_clear(place, address, what, findings);
        }
    }
}

/// A run is refused there, unless it is told otherwise.
fn in_clear(url: &Template, address: &str, what: &str, findings: &mut Findings) {
    let is_known = url.literal_text().is_some();
    if goes_in_clear(address) && (is_known || address.len() > "http://".len()) {
        findings.push(
            Finding::warning(
                url.span,
                format!("{what} goes over the network as plain text: the address begins with http:"),
            )
            .help("use https://, or run with --insecure where you trust the network"),
        );
    }
}
