use super::fields::Fields;
use super::finding::{Finding, Findings};
use super::step::{Action, Step};
use crate::model::{OnFailure, Retry, StepPolicy};

const MOST_RETRIES: u16 = 100;
const MOST_PARALLEL: u16 = 1000;
/// Milliseconds.
const RETRY_WAIT: u64 = 10_000;

/// `retry:`, `on_failure:` and `parallel:` of a step.
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
    StepPolicy { retry, on_failure, parallel: fields.count("parallel", MOST_PARALLEL, findings) }
}

/// What makes no sense for this kind of step.
pub(super) fn check(step: &Step, findings: &mut Findings) {
    if step.policy.retry.is_some() && matches!(step.action, Action::Confirm(_)) {
        let finding = Finding::error(step.span, "a confirmation is not tried again without a person");
        findings.push(finding.help("take 'retry' away, or make a wait of it"));
    }
    if step.policy.parallel.is_some() && step.each.is_none() {
        let finding = Finding::warning(step.span, "'parallel' has no meaning for a step without 'each'");
        findings.push(finding.help("take it away"));
    }
}
