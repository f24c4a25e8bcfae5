use jiff::civil::Time;

use super::fields::{Fields, text};
use super::finding::{Finding, Findings, Placed};
use super::node::Value;
use super::step::{Action, Step};
use crate::model::{Days, Moment, Notify, OnFailure, Retry, StepPolicy, Window};

const MOST_RETRIES: u16 = 100;
const MOST_PARALLEL: u16 = 1000;
/// Milliseconds.
const RETRY_WAIT: u64 = 10_000;

/// `retry:`, `on_failure:`, `parallel:`, `window:` and `notify:` of a step.
pub(super) fn decode(fields: &mut Fields, findings: &mut Findings) -> StepPolicy {
    let retry = fields.entry("retry").and_then(|(key, node)| {
        let mut retry = Fields::of("a retry", key.span, node, findings)?;
        retry.require("times", findings);
        let times = retry.count("times", MOST_RETRIES, findings);
        let wait = retry.duration("wait", findings);
        retry.finish(findings);
        let wait = wait.map_or(RETRY_WAIT, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        Some(Retry { times: times?, wait })
    });
    let words = [("ask", OnFailure::Ask), ("stop", OnFailure::Stop), ("continue", OnFailure::Continue)];
    let on_failure = fields.choice("on_failure", &words, findings).unwrap_or_default();
    let parallel = fields.count("parallel", MOST_PARALLEL, findings);
    StepPolicy { retry, on_failure, parallel, window: window(fields, findings), notify: notify(fields, findings) }
}

fn window(fields: &mut Fields, findings: &mut Findings) -> Option<Window> {
    let (key, node) = fields.entry("window")?;
    let mut fields = Fields::of("a window", key.span, node, findings)?;
    fields.require("from", findings);
    fields.require("until", findings);
    let from = time(&mut fields, "from", findings);
    let until = time(&mut fields, "until", findings);
    let days = words(&mut fields, "days", findings).map(|words| {
        let found = words.iter().filter_map(|word| one_of(word, &Days::WORDS, "a day", findings));
        let found: Vec<usize> = found.collect();
        if words.is_empty() {
            findings.push(Finding::error(key.span, "a window of no day never opens").help("leave 'days' out for all"));
        }
        Days::of(found.into_iter())
    });
    fields.finish(findings);
    let (from, until) = (from?, until?);
    if from == until {
        let finding = Finding::error(key.span, "this window ends when it begins");
        findings.push(finding.help("leave 'window' out for the whole day"));
    }
    Some(Window { from, until, days: days.unwrap_or_default() })
}

fn time(fields: &mut Fields, name: &'static str, findings: &mut Findings) -> Option<Time> {
    let written = fields.text(name, findings)?;
    let time = written.value.parse::<Time>().ok().filter(|time| time.subsec_nanosecond() == 0);
    if time.is_none() {
        let finding = Finding::error(written.span, format!("'{}' is no time of day", written.value));
        findings.push(finding.help("write it as \"22:00\" or \"05:30\""));
    }
    time
}

fn notify(fields: &mut Fields, findings: &mut Findings) -> Notify {
    let mut notify = Notify::default();
    let known = Moment::ALL.map(Moment::word);
    for word in words(fields, "notify", findings).into_iter().flatten() {
        if let Some(at) = one_of(&word, &known, "a moment", findings) {
            notify.add(Moment::ALL[at]);
        }
    }
    notify
}

/// One word or several.
fn words(fields: &mut Fields, name: &'static str, findings: &mut Findings) -> Option<Vec<Placed<String>>> {
    let node = fields.get(name)?;
    Some(match &node.value {
        Value::List(nodes) => nodes.iter().filter_map(|node| text(node, name, findings)).collect(),
        _ => vec![text(node, name, findings)?],
    })
}

fn one_of(word: &Placed<String>, known: &[&'static str], what: &str, findings: &mut Findings) -> Option<usize> {
    let found = known.iter().position(|known| *known == word.value);
    if found.is_none() {
        let finding = Finding::error(word.span, format!("'{}' is not {what}", word.value));
        findings.push(finding.help(format!("give one of {}", known.join(", "))));
    }
    found
}

/// What makes no sense for this kind of step.
pub(super) fn check(step: &Step, findings: &mut Findings) {
    if step.policy.retry.is_some() && matches!(step.action, Action::Confirm(_)) {
        let finding = Finding::error(step.span, "a confirmation is not tried again without a person");
        findings.push(finding.help("take 'retry' away, or make a wait of it"));
    }
    if step.policy.window.is_some() && matches!(step.action, Action::Confirm(_)) {
        let finding = Finding::error(step.span, "a person answers whenever they are there");
        findings.push(finding.help("give 'window' to the step that follows"));
    }
    if step.policy.parallel.is_some() && step.each.is_none() {
        let finding = Finding::warning(step.span, "'parallel' has no meaning for a step without 'each'");
        findings.push(finding.help("take it away"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Runbook, Step};

    fn read(more: &str) -> Result<Step, String> {
        let text = format!("rekindle: 2\nsteps: [ {{ id: a, run: [id], {more} }} ]\n");
        match Runbook::parse("test.yaml", &text, &|_| panic!("it includes nothing")) {
            Ok((runbook, _)) => Ok(runbook.steps[0].clone()),
            Err(findings) => Err(findings.to_string()),
        }
    }

    #[test]
    fn a_window_is_hours_and_days() {
        let window = read("window: { from: \"22:00\", until: \"05:30\", days: [sat, sun] }").unwrap().policy.window;
        let words = window.unwrap().words(&crate::model::Zone::utc());
        assert_eq!(words, "22:00 to 05:30 on sat, sun (UTC)");
        let plain = read("window: { from: 22:00, until: 05:00:30, days: mon }").unwrap().policy.window.unwrap();
        assert_eq!(plain.words(&crate::model::Zone::utc()), "22:00 to 05:00:30 on mon (UTC)");
        for (wrong, message) in [
            ("window: { from: \"22:00\" }", "needs 'until'"),
            ("window: { from: \"25:00\", until: \"05:00\" }", "'25:00' is no time of day"),
            ("window: { from: 9, until: \"05:00\" }", "is no time of day"),
            ("window: { from: \"09:00\", until: \"09:00\" }", "ends when it begins"),
            ("window: { from: \"09:00\", until: \"10:00\", days: [] }", "never opens"),
            ("window: { from: \"09:00\", until: \"10:00\", days: [monday] }", "'monday' is not a day"),
            ("window: night", "must be a map"),
        ] {
            let found = read(wrong).unwrap_err();
            assert!(found.contains(message), "{wrong}: {found}");
        }
    }

    #[test]
    fn a_step_says_for_what_a_person_is_called() {
        let notify = read("notify: [done, failure]").unwrap().policy.notify;
        assert!(notify.done && notify.failure && !notify.person);
        assert!(read("notify: person").unwrap().policy.notify.person);
        assert!(read("notify: end").unwrap_err().contains("'end' is not a moment"));
    }
}
