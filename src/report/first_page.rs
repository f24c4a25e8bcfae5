use super::overview::Reason;
use super::{Overview, Report};
use crate::model::{RunState, plural, some_of};

/// So many lines each, that the page stays a page.
const MAX_STEPS: usize = 10;
const MAX_REASONS: usize = 5;
const MAX_NAMES: usize = 5;

/// The first page in words, for each of the forms that people read.
pub(super) struct FirstPage {
    /// How it went, in one sentence.
    pub sentence: String,
    /// Name and value.
    pub facts: Vec<(&'static str, String)>,
    /// Heading first.
    pub steps: Vec<[String; 8]>,
    pub failures: Vec<String>,
    pub skipped: Vec<String>,
}

impl FirstPage {
    pub fn of(report: &Report) -> Self {
        let told = &report.overview;
        let mut facts = vec![
            ("run", report.id.clone()),
            ("started", format!("{} by {}", report.started, report.by)),
            ("last restored", report.took.as_ref().map_or_else(|| "nothing yet".to_owned(), |took| took.until.clone())),
        ];
        if let Some(took) = &report.took {
            facts.push(("took", took.words.clone()));
        }
        if let Some(goal) = &report.goal {
            facts.push(("goal", format!("{}: {}", goal.words, goal.verdict)));
        }
        let approved = told.approved_by.iter().map(|(by, count)| format!("{by}: {}", plural(*count as u64, "plan")));
        facts.push(("approved by", some(approved.collect(), "none: no plan was approved")));
        facts.push(("undone", undone(told)));
        let asked: Vec<String> =
            report.tasks.iter().filter(|task| task.undo.is_some()).map(|task| task.task.clone()).collect();
        if !asked.is_empty() {
            facts.push(("undo asked", format!("{}, not done: {}", plural(asked.len() as u64, "task"), names(&asked))));
        }
        facts.extend(report.unusable_owners.iter().take(MAX_REASONS).map(|line| ("not restored", line.clone())));
        if let Some(more) = report.unusable_owners.len().checked_sub(MAX_REASONS).filter(|more| *more > 0) {
            facts.push(("not restored", format!("{}, below", plural(more as u64, "more owner"))));
        }
        if told.left_out_hunks > 0 {
            let count = plural(told.left_out_hunks as u64, "hunk");
            facts.push(("left out", format!("{count} by choice: {}", names(&told.left_out))));
        }
        let sound = if report.chain.sound { "sound" } else { "NOT SOUND: see below" };
        facts.push(("record", format!("{sound}, {} events", report.chain.events)));
        facts.push(("times", format!("in {}", report.zone)));
        Self {
            sentence: sentence(report),
            facts,
            steps: steps(told),
            failures: reasons(&told.failures),
            skipped: reasons(&told.skipped),
        }
    }
}

fn sentence(report: &Report) -> String {
    let owners = &report.overview.owners;
    let state = match (report.state, report.run_state) {
        ("undone", _) => "Everything was undone",
        ("undone in part", _) => "Undone in part",
        (_, RunState::Closed) if report.complete => "Complete, and closed",
        (_, RunState::Closed) => "Closed before it was complete",
        (_, RunState::Aborted) => "Aborted",
        (_, RunState::Paused) => "Paused",
        _ if report.complete => "Complete",
        _ if report.holder.is_some() => "Still going",
        _ => "Not complete",
    };
    if owners.all == 0 {
        let settled = report.tasks.iter().filter(|task| task.status.satisfies()).count();
        return format!("{state}: {settled} of {} done.", plural(report.tasks.len() as u64, "task"));
    }
    let rest = [
        (owners.failed, "failed"),
        (owners.unknown, "unknown"),
        (owners.open, "open"),
        (owners.undone, "undone"),
        (owners.skipped, "with something skipped"),
    ];
    let rest = rest.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    let (all, restored) = (owners.all, owners.restored);
    let without = match owners.without_hunks {
        0 => String::new(),
        some => format!(" ({some} without what was left out by choice)"),
    };
    format!("{state}: {restored} of {all} {} restored{without}{}.", report.owners_word(), rest.collect::<String>())
}

fn undone(told: &Overview) -> String {
    if told.undone.is_empty() {
        return "nothing".to_owned();
    }
    let by: Vec<String> = told.undone_by.keys().cloned().collect();
    let by = if by.is_empty() { String::new() } else { format!(", asked by {}", names(&by)) };
    format!("{}: {}{by}", plural(told.undone.len() as u64, "task"), names(&told.undone))
}

fn steps(told: &Overview) -> Vec<[String; 8]> {
    let mut lines =
        vec![["step", "done", "equal already", "failed", "unknown", "skipped", "undone", "open"].map(str::to_owned)];
    for step in told.steps.iter().take(MAX_STEPS) {
        let counts = [step.done, step.unchanged, step.failed, step.unknown, step.skipped, step.undone, step.open];
        let [done, unchanged, failed, unknown, skipped, undone, open] = counts.map(|count| count.to_string());
        lines.push([step.step.clone(), done, unchanged, failed, unknown, skipped, undone, open]);
    }
    if let Some(rest) = told.steps.get(MAX_STEPS..).filter(|rest| !rest.is_empty()) {
        let sum = |of: fn(&super::StepLine) -> usize| rest.iter().map(of).sum::<usize>().to_string();
        lines.push([
            format!("and {}", plural(rest.len() as u64, "more step")),
            sum(|step| step.done),
            sum(|step| step.unchanged),
            sum(|step| step.failed),
            sum(|step| step.unknown),
            sum(|step| step.skipped),
            sum(|step| step.undone),
            sum(|step| step.open),
        ]);
    }
    lines
}

fn reasons(all: &[Reason]) -> Vec<String> {
    let mut lines: Vec<String> = all.iter().take(MAX_REASONS).map(reason).collect();
    if let Some(rest) = all.get(MAX_REASONS..).filter(|rest| !rest.is_empty()) {
        let tasks: usize = rest.iter().map(|reason| reason.of.len()).sum();
        lines.push(format!(
            "and {} of {}, below",
            plural(rest.len() as u64, "more reason"),
            plural(tasks as u64, "task")
        ));
    }
    lines
}

fn reason(reason: &Reason) -> String {
    let next = reason.next.as_ref().map(|next| format!(" Next: {next}.")).unwrap_or_default();
    let why = super::shown::shortened_to(&reason.why, 300);
    let unknown = if reason.unknown { "UNKNOWN " } else { "" };
    format!("{unknown}{} ({}): {why}.{next}", reason.step, names(&reason.of))
}

fn names(all: &[String]) -> String {
    names_up_to(MAX_NAMES, all)
}

/// The first ones by name, the others as a count.
pub(super) fn names_up_to(most: usize, all: &[String]) -> String {
    some_of(all.iter().map(|name| super::shown::shortened_to(name, 60)), most, ", ")
}

fn some(all: Vec<String>, none: &str) -> String {
    if all.is_empty() { none.to_owned() } else { names(&all) }
}
