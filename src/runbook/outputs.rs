//! What a step makes of the outputs of others: that these are captured, and known by then.

use super::finding::{Finding, Findings, Span};
use super::overlap::Before;
use super::step::{Action, Step};
use super::step_form::unknown_name;
use super::{Placed, When};

/// `needs`: of each step the positions of those it needs, which come before it.
pub(super) fn check(steps: &[Step], needs: &[Vec<u16>], findings: &mut Findings) {
    let before = Before::of(needs);
    for (at, step) in steps.iter().enumerate() {
        for used in used(step) {
            match steps.iter().position(|other| other.id == used.value) {
                Some(of) => {
                    let wrong = wrong(step, &steps[of], before.holds(at, of), used.span);
                    wrong.into_iter().for_each(|finding| findings.push(finding));
                }
                None => findings.push(unknown_name("step", &used, steps.iter().map(|step| step.id.as_str()))),
            }
        }
    }
}

/// The steps whose outputs it needs to know, by their whole ids.
fn used(step: &Step) -> Vec<Placed<String>> {
    let mut used = Vec::new();
    for template in step.templates() {
        used.extend(template.outputs().map(|of| Placed { value: step.named(of), span: template.span }));
    }
    for part in step.when.iter().flat_map(When::parts) {
        if let When::Output { of, .. } = part {
            used.push(of.clone());
        }
    }
    used
}

fn wrong(step: &Step, of: &Step, is_before: bool, at: Span) -> Option<Finding> {
    let captures = matches!(&of.action, Action::Run(run) if run.captures);
    let each = |step: &Step| step.each.as_ref().map(|each| each.value.clone());
    if !captures {
        let help = match &of.action {
            Action::Run(_) => format!("add capture: true to '{}'", of.id),
            _ => "only a step with 'run' and capture: true has an output".to_owned(),
        };
        let finding = Finding::error(at, format!("the output of '{}' is not captured", of.id));
        return Some(finding.label("no output").help(help));
    }
    if !is_before {
        let message = format!("'{}' uses the output of '{}' and does not wait for it", step.id, of.id);
        let help = format!("write '{}' before it, or add it to the needs of '{}'", of.id, step.id);
        return Some(Finding::error(at, message).label("not known by then").help(help));
    }
    match each(of) {
        Some(set) if each(step).as_ref() != Some(&set) => {
            let message =
                format!("'{}' has an output for each {set}, and '{}' is not for each of them", of.id, step.id);
            Some(Finding::error(at, message).label("which one?").help(format!("add each: {set} to '{}'", step.id)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Runbook;
    use crate::model::{Error, ErrorKind, Result};

    fn found(text: &str, part: &str) -> String {
        let load = |path: &str| -> Result<String> {
            match path {
                "part.yaml" => Ok(part.to_owned()),
                _ => Err(Error::new(ErrorKind::NotFound, format!("read {path}"), "no such file")),
            }
        };
        match Runbook::parse("test.yaml", text, &load) {
            Ok((_, findings)) => findings.to_string(),
            Err(findings) => findings.to_string(),
        }
    }

    fn steps(steps: &str) -> String {
        let head = "rekindle: 2\ncomponents: { homes: { files: /home } }\nowners: { user: { from: homes } }\nsteps:\n";
        found(&format!("{head}{steps}"), "")
    }

    const ASK: &str = "  - { id: ask, run: [uname], capture: true }\n";

    #[test]
    fn an_output_is_known_in_the_steps_after_it() {
        let all = "  - { id: use, run: [echo, \"${steps.ask.output}\"], env: { A: \"x-${steps.ask.output}\" } }\n  \
                   - { id: again, check: { file: \"${steps.ask.output}\" }, when: { output: ask, is: [Linux] } }\n  \
                   - { id: seen, each: user, confirm: \"${user} has ${steps.ask.output}\" }\n";
        assert_eq!(steps(&format!("{ASK}{all}")), "");
        let each = "  - { id: ask, each: user, run: [id, \"${user}\"], capture: true }\n  \
                    - { id: use, each: user, run: [echo, \"${steps.ask.output}\"] }\n";
        assert_eq!(steps(each), "");
    }

    #[test]
    fn what_is_not_known_by_then_or_not_at_all_is_pointed_at() {
        let used = "  - { id: use, run: [echo, \"${steps.ask.output}\"] }\n";
        for (wrong, message) in [
            (format!("{used}{ASK}"), "'use' uses the output of 'ask' and does not wait for it"),
            (format!("{ASK}{}", used.replace("id: use,", "id: use, needs: [],")), "does not wait for it"),
            ("  - { id: ask, run: [uname] }\n".to_owned() + used, "the output of 'ask' is not captured"),
            ("  - { id: ask, check: { file: x } }\n".to_owned() + used, "the output of 'ask' is not captured"),
            (used.to_owned(), "there is no step 'ask'"),
            (format!("{ASK}  - {{ id: b, run: [x], when: {{ output: asc, is: x }} }}\n"), "there is no step 'asc'"),
            (format!("{ASK}  - {{ id: b, run: [sh, -c, \"${{steps.ask.output}}\"] }}\n"), "would be run as code"),
            (
                format!("{ASK}  - {{ id: b, shell: true, run: 'echo ${{steps.ask.output}}' }}\n"),
                "never reaches a shell",
            ),
            ("  - { id: ask, check: { file: x }, capture: true }\n".to_owned(), "knows no key 'capture'"),
            (
                "  - { id: ask, each: user, run: [id], capture: true }\n".to_owned() + used,
                "has an output for each user",
            ),
            (format!("{ASK}  - {{ id: b, run: [echo, \"${{steps.ask}}\"] }}\n"), "does not hold a name"),
        ] {
            let found = steps(&wrong);
            assert!(found.contains(message), "{wrong}: {found}");
        }
        let source = "rekindle: 2\nsources: { a: { directory: \"${steps.ask.output}\" } }\nsteps:\n";
        assert!(found(&format!("{source}{ASK}"), "").contains("is not known here"));
    }

    #[test]
    fn an_included_file_names_the_outputs_of_its_own_steps() {
        let part = format!("rekindle: 2\nsteps:\n{ASK}  - {{ id: use, run: [echo, \"${{steps.ask.output}}\"] }}\n");
        assert_eq!(found(&part, ""), "");
        let outer = "rekindle: 2\nsteps:\n  - { include: part.yaml }\n  \
                     - { id: last, run: [echo, \"${steps.part.ask.output}\"] }\n";
        assert_eq!(found(outer, &part), "");
    }
}
