use super::component::ComponentSettings;
use super::finding::{Finding, Findings, Span};
use super::inputs::Inputs;
use super::places::{Place, written};
use super::runbook::Runbook;
use super::step::{Action, Step};
use crate::model::{Error, ErrorKind, Result};

/// Two steps that can write one place at one time: what each reads back, or brings back, would be the other's.
struct Clash {
    earlier: usize,
    later: usize,
}

/// A runbook that needs more says so; a hostile one must not keep lint busy.
const MOST_COMPARED: usize = 20_000_000;

/// Demands an order between steps that write one place. `needs`: of each step the positions of those it needs,
/// which come before it.
pub(super) fn check(steps: &[Step], components: &[ComponentSettings], needs: &[Vec<u16>], findings: &mut Findings) {
    let (clashes, is_whole) = clashes(steps, components, needs, &|_| None);
    for clash in clashes {
        let (Some(earlier), Some(later)) = (steps.get(clash.earlier), steps.get(clash.later)) else { continue };
        let (span, component) = target(later);
        let message = format!("'{}' and '{}' write the same place of '{component}' in no order", earlier.id, later.id);
        let help = format!("add needs: [{}] to '{}', or write to another place", earlier.id, later.id);
        findings.push(Finding::error(span, message).label(format!("'{}' writes there too", earlier.id)).help(help));
    }
    if !is_whole && let Some(last) = steps.last() {
        let message = "these steps write more places than can be compared with one another";
        findings.push(Finding::warning(last.span, message).help("make two runbooks of it"));
    }
}

impl Runbook {
    /// The same once inputs are known: two inputs may name one place.
    pub(super) fn require_order(&self, inputs: &Inputs) -> Result<()> {
        let value = |name: &str| inputs.plain().get(name).cloned();
        let (clashes, _) = clashes(&self.steps, &self.components, &self.needs, &value);
        let first =
            clashes.first().and_then(|clash| Some((self.steps.get(clash.earlier)?, self.steps.get(clash.later)?)));
        let Some((earlier, later)) = first else { return Ok(()) };
        let why = format!("with these inputs '{}' and '{}' write the same place in no order", earlier.id, later.id);
        Err(Error::new(ErrorKind::Invalid, format!("expand '{}'", self.title), why).next(format!(
            "add needs: [{}] to '{}' in the runbook, or give inputs that keep them apart",
            earlier.id, later.id
        )))
    }
}

fn target(step: &Step) -> (Span, &str) {
    match &step.action {
        Action::Restore(restore) => {
            let span = restore.to.as_ref().map_or(restore.component.span, |to| to.span);
            (span, &restore.component.value)
        }
        Action::Apply(apply) => (apply.component.span, &apply.component.value),
        _ => (step.span, ""),
    }
}

/// One clash for each step that has any; whether all places were compared.
fn clashes(
    steps: &[Step],
    components: &[ComponentSettings],
    needs: &[Vec<u16>],
    value: &dyn Fn(&str) -> Option<String>,
) -> (Vec<Clash>, bool) {
    let before = Before::of(needs);
    let mut others: Vec<(usize, Vec<Place>)> = Vec::new();
    let mut found = Vec::new();
    let mut left = MOST_COMPARED;
    for (later, step) in steps.iter().enumerate() {
        let Some(places) = written(step, components, value) else { continue };
        for (earlier, theirs) in others.iter().filter(|(earlier, _)| !before.holds(later, *earlier)) {
            let Some(rest) = left.checked_sub(theirs.len().saturating_mul(places.len()).max(1)) else {
                return (found, false);
            };
            left = rest;
            if theirs.iter().any(|their| places.iter().any(|place| place.overlaps(their))) {
                found.push(Clash { earlier: *earlier, later });
                break;
            }
        }
        others.push((later, places));
    }
    (found, true)
}

/// Of each step, all that are done before it, as bits.
pub(super) struct Before {
    words: usize,
    bits: Vec<u64>,
}

impl Before {
    pub fn of(needs: &[Vec<u16>]) -> Self {
        let words = needs.len().div_ceil(64);
        let mut bits = vec![0_u64; words * needs.len()];
        for (step, needs) in needs.iter().enumerate() {
            let (done, rest) = bits.split_at_mut(step * words);
            for need in needs.iter().map(|need| usize::from(*need)).filter(|need| *need < step) {
                for (own, theirs) in rest.iter_mut().zip(&done[need * words..][..words]) {
                    *own |= theirs;
                }
                rest[need / 64] |= 1 << (need % 64);
            }
        }
        Self { words, bits }
    }

    pub fn holds(&self, step: usize, earlier: usize) -> bool {
        self.bits.get(step * self.words + earlier / 64).is_some_and(|word| word >> (earlier % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Given, Inputs, Runbook};
    use crate::model::{Error, ErrorKind, OwnerSet};

    /// What is found wrong with these steps, on a runbook with files, documents, two sets of owners and two inputs.
    fn found(steps: &[&str]) -> String {
        let text = format!(
            "rekindle: 1\ninputs: {{ a: {{ default: x }}, b: {{ default: y }} }}\nsources: {{ s: {{ tar: /s.tar }} }}\n\
             components: {{ f: {{ files: /f }}, d: {{ documents: /d }}, other: {{ files: /o }}, same: {{ files: x/../../f/. }},\n\
             again: {{ files: /o/..//./f/. }}, top: {{ files: / }}, inner: {{ files: /o/in }}, deep: {{ documents: /o/in }} }}\n\
             owners: {{ user: {{ from: s }}, group: {{ from: s }} }}\nsteps:\n{}",
            steps.iter().map(|step| format!("  - {{ {step} }}\n")).collect::<String>()
        );
        match parse(&text) {
            Ok((_, findings)) => findings.to_string(),
            Err(findings) => findings.to_string(),
        }
    }

    fn parse(text: &str) -> Result<(Runbook, super::Findings), Box<super::Findings>> {
        Runbook::parse("r.yaml", text, &|path| Err(Error::new(ErrorKind::NotFound, path, "there is none")))
    }

    fn clash(one: &str, other: &str) -> bool {
        let (one, other) = (format!("id: one, {one}"), format!("id: other, {other}"));
        let there = found(&[&one, &other]).contains("'one' and 'other' write the same place");
        let back = found(&[&other, &one]).contains("'other' and 'one' write the same place");
        assert_eq!(there, back, "{one} and {other}");
        let ordered = format!("{other}, needs: [one]");
        assert!(!found(&[&one, &ordered]).contains("same place"), "an order does not help {one} and {other}");
        there
    }

    #[test]
    fn steps_that_write_one_place_need_an_order() {
        let mine = "each: user, restore: f, from: s, below: \"${user}\"";
        assert!(clash(mine, mine));
        assert!(clash(mine, "restore: f, from: s"), "all of it holds each one's");
        assert!(clash(mine, "each: user, restore: f, from: s, below: \"${user}\", to: \"${user}/mail\""));
        assert!(clash(mine, "restore: f, from: s, to: ana/mail"), "ana may be a user");
        assert!(clash("restore: f, from: s, to: a/b", "restore: f, from: s, to: ./a//b/c"));
        assert!(clash("restore: f, from: s, to: \"${a}/x\"", "restore: f, from: s, to: \"${a}\""));
        assert!(clash("restore: d, from: s", "each: user, restore: d, from: s"));
        assert!(clash("apply: d, documents: { ana: { x: 1 } }", "each: user, restore: d, from: s"));
        assert!(clash("apply: d, documents: { in/ana: { x: 1 } }", "restore: d, from: s, to: in"));
        assert!(clash(
            "apply: d, documents: { ana: { x: 1 } }",
            "apply: d, documents: { bob: { x: 1 }, ana: { y: 1 } }"
        ));
    }

    #[test]
    fn two_components_may_be_one_place_or_one_inside_the_other() {
        assert!(clash("restore: f, from: s", "restore: again, from: s"));
        assert!(clash("restore: f, from: s, to: a", "restore: again, from: s, to: a/b"));
        assert!(clash("restore: top, from: s", "each: user, restore: f, from: s"));
        assert!(clash("restore: top, from: s, to: o", "restore: inner, from: s, to: a"));
        assert!(clash("restore: other, from: s", "each: user, restore: deep, from: s"));
        assert!(clash("restore: other, from: s, to: in/ana", "each: user, restore: inner, from: s"));
    }

    #[test]
    fn two_sets_of_owners_may_hold_one_name() {
        let user = "each: user, restore: f, from: s, below: \"${user}\"";
        assert!(clash(user, "each: group, restore: f, from: s, below: \"${group}\""));
        assert!(clash(user, "each: group, restore: again, from: s, below: \"${group}\""));
        assert!(clash("each: user, restore: d, from: s", "each: group, restore: d, from: s"));
        assert!(clash(user, "each: group, restore: f, from: s, to: \"${group}-old\""), "a user may be called so");
    }

    #[test]
    fn steps_that_write_two_places_need_none() {
        let mine = "each: user, restore: f, from: s, below: \"${user}\"";
        assert!(!clash(mine, "each: user, restore: other, from: s, below: \"${user}\""));
        assert!(!clash(mine, "each: user, restore: f, from: s, below: \"${user}\", to: \"${user}-old\""));
        let prefixed = |set: &str| format!("each: {set}, restore: f, from: s, to: \"{set}-${{{set}}}\"");
        assert!(!clash(&prefixed("user"), &prefixed("group")));
        assert!(!clash("restore: other, from: s, to: out", "restore: inner, from: s"));
        assert!(!clash("restore: f, from: s", "restore: same, from: s"), "one is relative");
        assert!(!clash(
            "each: user, restore: f, from: s, below: \"${user}\", to: \"u/${user}\"",
            "restore: f, from: s, to: v"
        ));
        assert!(!clash("restore: f, from: s, to: a/bc", "restore: f, from: s, to: a/b"));
        assert!(!clash("restore: f, from: s, to: \"${a}\"", "restore: f, from: s, to: \"${b}\""));
        assert!(!clash("restore: d, from: s, to: in", "restore: d, from: s"), "documents of one directory only");
        assert!(!clash("apply: d, documents: { ana: { x: 1 } }", "apply: d, documents: { bob: { x: 1 } }"));
        assert!(!clash(mine, "run: [id]"));
    }

    #[test]
    fn an_order_over_other_steps_is_one() {
        let steps =
            ["id: a, restore: f, from: s", "id: b, needs: [a], run: [id]", "id: c, needs: [b], restore: f, from: s"];
        assert!(!found(&steps).contains("same place"));
        let steps = ["id: a, restore: f, from: s", "id: b, run: [id]", "id: c, needs: [b], restore: f, from: s"];
        assert!(found(&steps).contains("'a' and 'c' write the same place of 'f' in no order"));
    }

    #[test]
    fn two_inputs_that_name_one_place_are_refused_before_a_run() {
        let text = "rekindle: 1\ninputs: { a: { default: x }, b: { default: y } }\nsources: { s: { tar: /s.tar } }\n\
             components: { f: { files: /f } }\nsteps:\n\
             - { id: one, restore: f, from: s, to: \"${a}\" }\n- { id: two, restore: f, from: s, to: \"${b}\" }\n";
        let (runbook, _) = parse(text).unwrap();
        let header = |b: &str| {
            let given = [("b".to_owned(), b.to_owned())];
            let file = BTreeMap::new();
            let inputs = Inputs::gather(&runbook.inputs, &Given { flags: &given, file: &file, environment: &|_| None });
            runbook.header(&inputs.unwrap(), &[] as &[OwnerSet])
        };
        assert!(header("y").is_ok());
        let refused = header("x/below").unwrap_err();
        assert!(refused.chain().contains("'one' and 'two' write the same place"), "{}", refused.chain());
    }

    /// Ten thousand steps that all write, each another place.
    #[test]
    fn many_steps_are_compared_within_bounds() {
        let steps: String =
            (0..10_000).map(|at| format!("- {{ id: s{at}, needs: [], restore: f, from: s, to: p{at} }}\n")).collect();
        let text = format!(
            "rekindle: 1\nsources: {{ s: {{ tar: /s.tar }} }}\ncomponents: {{ f: {{ files: /f }} }}\nsteps:\n{steps}"
        );
        let (_, findings) = parse(&text).unwrap();
        assert_eq!((findings.errors, findings.warnings), (0, 1), "{findings}");
    }
}
