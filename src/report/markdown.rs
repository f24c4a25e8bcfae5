use std::fmt::{self, Write};

use super::first_page::{FirstPage, names_up_to};
use super::group::{Group, groups};
use super::{ChangeReport, HunkReport, Report, Round, TaskReport};
use crate::model::{Counts, Known, Op, Pass, TaskStatus, plural, visible};

const MAX_HUNKS_OF_A_CHANGE: usize = 50;
const MAX_CHANGES_OF_A_ROUND: usize = 50;
const MAX_GROUPS: usize = 30;
/// Owners of a group that are named.
const MOST_NAMES: usize = 100;

impl Report {
    /// For people, and for the ticket that it is pasted into.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let written = write_first_page(&mut text, self);
        text.push_str(&details(self));
        debug_assert!(written.is_ok(), "writing to a String does not fail");
        text
    }
}

/// At most 40 lines, however many tasks there are.
fn write_first_page(out: &mut String, report: &Report) -> fmt::Result {
    let page = FirstPage::of(report);
    writeln!(out, "# {}\n\n**{}**\n\n| | |\n|---|---|", plain(&report.title), plain(&page.sentence))?;
    for (name, value) in &page.facts {
        writeln!(out, "| {name} | {} |", plain(value))?;
    }
    writeln!(out)?;
    for (at, row) in page.steps.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
        if at == 0 {
            writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
        }
    }
    for (heading, lines) in [("Failed or unknown", &page.failures), ("Skipped", &page.skipped)] {
        if !lines.is_empty() {
            writeln!(out, "\n**{heading}**")?;
            lines.iter().try_for_each(|line| writeln!(out, "- {}", plain(line)))?;
        }
    }
    writeln!(out)
}

/// What follows the first page, folded by groups of tasks to which the same happened.
pub(super) fn details(report: &Report) -> String {
    let mut text = String::new();
    let written = write_details(&mut text, report);
    debug_assert!(written.is_ok(), "writing to a String does not fail");
    text
}

fn write_details(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "## The run\n\n| | |\n|---|---|")?;
    let mut row = |name: &str, value: &str| writeln!(out, "| {} | {} |", plain(name), value.replace('|', "\\|"));
    row("run", &code(&report.id))?;
    row("state", &state(report))?;
    row("started", &format!("{} by {}", report.started, plain(&report.by)))?;
    row("last event", &report.last)?;
    row("rekindle", &code(&report.version))?;
    let digest = report.runbook_digest.as_deref().unwrap_or("unknown");
    row("runbook", &format!("{}, digest {}", code(&report.runbook), code(digest)))?;
    if !report.policy.is_empty() {
        row("approval", &plain(&report.policy))?;
    }
    for (name, value) in &report.inputs {
        row(&format!("input {name}"), &code(value))?;
    }
    for (name, identity) in &report.identities {
        row(name, &code(&identity.to_string()))?;
    }
    let chain = if report.chain.sound { "sound" } else { "**not sound**" };
    row("journal", &format!("{chain}, {} events, head {}", report.chain.events, code(&report.chain.head)))?;
    writeln!(out)?;
    for finding in &report.chain.findings {
        writeln!(out, "> **Journal**: {}\n", plain(finding))?;
    }
    for line in &report.unusable_owners {
        writeln!(out, "> **Not restored**: {}\n", plain(line))?;
    }
    writeln!(out, "## Totals\n")?;
    for (status, count) in &report.totals.by_status {
        writeln!(out, "- {status}: {count} of {}", report.totals.tasks)?;
    }
    writeln!(out, "- applied and standing: {}\n", counted(report.totals.applied))?;
    if !report.notes.is_empty() {
        writeln!(out, "## Course\n")?;
        for note in &report.notes {
            writeln!(out, "- {}: {}", note.at, plain(&note.text))?;
        }
        writeln!(out)?;
    }
    let needs_eyes = [TaskStatus::Unknown, TaskStatus::Failed, TaskStatus::Applying];
    let of = |wanted: bool| report.tasks.iter().filter(move |task| needs_eyes.contains(&task.status) == wanted);
    if of(true).next().is_some() {
        writeln!(out, "## Unknown or failed\n")?;
        write_groups(out, report, &groups(of(true)))?;
    }
    let quiet = |task: &&TaskReport| {
        task.rounds.is_empty() && task.history.is_empty() && task.problem.is_none() && task.skipped.is_none()
    };
    writeln!(out, "## Tasks\n")?;
    write_groups(out, report, &groups(of(false).filter(|task| !quiet(task))))?;
    let untouched = of(false).filter(quiet).count();
    if untouched > 0 {
        writeln!(out, "{untouched} more tasks were not reached.")?;
    }
    Ok(())
}

fn write_groups(out: &mut String, report: &Report, groups: &[Group<'_>]) -> fmt::Result {
    for group in groups.iter().take(MAX_GROUPS) {
        write_group(out, report, group)?;
    }
    let Some(rest) = groups.get(MAX_GROUPS..).filter(|rest| !rest.is_empty()) else { return Ok(()) };
    let tasks: usize = rest.iter().map(|group| group.tasks.len()).sum();
    writeln!(
        out,
        "And {} of {}: `rekindle report --user NAME` tells of one, `--format csv` of all.\n",
        plural(rest.len() as u64, "more group"),
        plural(tasks as u64, "task")
    )
}

fn write_group(out: &mut String, report: &Report, group: &Group<'_>) -> fmt::Result {
    let task = group.first;
    if let [_] = group.tasks.as_slice() {
        writeln!(out, "### {} — {}\n", code(&task.task), task.status.word())?;
        return write_task(out, task);
    }
    let all: Vec<String> = group.names().map(str::to_owned).collect();
    let (count, word) = (all.len(), report.owners_word());
    writeln!(out, "### {} — {} for {count} {word}\n", code(&task.step), task.status.word())?;
    writeln!(out, "{}. The first of them in full:\n", plain(&names_up_to(MOST_NAMES, &all)))?;
    write_task(out, task)
}

fn write_task(out: &mut String, task: &TaskReport) -> fmt::Result {
    if let Some(undo) = task.undo {
        writeln!(out, "- **undo**: {undo}")?;
    }
    if let Some(problem) = &task.problem {
        writeln!(out, "- why: {}", plain(&problem.what))?;
        let partial = task.rounds.iter().filter_map(|round| round.outcome.as_ref()).next_back();
        writeln!(out, "- effect: {}", known(problem.known, partial.is_some_and(|outcome| outcome.partial)))?;
        if let Some(next) = &problem.next {
            writeln!(out, "- next: {}", plain(next))?;
        }
    }
    if let Some(why) = &task.skipped {
        writeln!(out, "- skipped: {}", plain(why))?;
    }
    for what in &task.stays {
        writeln!(out, "- **not brought back**: {}", plain(what))?;
    }
    for warning in &task.warnings {
        writeln!(out, "- warning: {}", plain(warning))?;
    }
    for line in &task.history {
        writeln!(out, "- {}", plain(line))?;
    }
    task.rounds.iter().try_for_each(|round| write_round(out, round))?;
    writeln!(out)
}

fn write_round(out: &mut String, round: &Round) -> fmt::Result {
    let pass = if round.pass == Pass::Undo { "undo" } else { "restore" };
    let what = match &round.command {
        Some(_) => "a command, its effect not known beforehand".to_owned(),
        None => format!("{pass}: {}", counted(round.counts)),
    };
    writeln!(out, "- {what}, plan {}", code(short(&round.digest)))?;
    if let Some(target) = &round.target {
        writeln!(out, "  - target: {}", code(&target.to_string()))?;
    }
    if let Some(command) = &round.command {
        writeln!(out, "  - command: {}", code(&command.join(" ")))?;
        round.settings.iter().try_for_each(|line| writeln!(out, "    - {}", code(line)))?;
    }
    if let Some(approved) = &round.approved {
        writeln!(out, "  - approved {} by {}: digest {}", approved.at, plain(&approved.by), code(&approved.digest))?;
    }
    if let Some(why) = &round.voided {
        writeln!(out, "  - approval void: {}", plain(why))?;
    }
    if let Some(outcome) = &round.outcome {
        let evidence = if outcome.evidence.is_empty() { "no evidence" } else { &outcome.evidence };
        writeln!(out, "  - {} {}: {}", known(outcome.known, outcome.partial), outcome.at, plain(evidence))?;
        if let Some(post) = &outcome.post {
            writeln!(out, "  - read back: {}", code(post))?;
        }
        if let Some(problem) = &outcome.problem {
            writeln!(out, "  - why: {}", plain(&problem.what))?;
        }
    }
    if let Some(settled) = &round.settled {
        let how = plain(&settled.how);
        writeln!(
            out,
            "  - settled as {} {} by {}: {how}",
            known(settled.known, false),
            settled.at,
            plain(&settled.by)
        )?;
    }
    for warning in &round.warnings {
        writeln!(out, "  - warning: {}", plain(warning))?;
    }
    if let Some(why) = &round.plan_missing {
        writeln!(out, "  - the plan cannot be shown: {}", plain(why))?;
    }
    let shown = round.changes.len().min(MAX_CHANGES_OF_A_ROUND);
    round.changes.iter().take(shown).try_for_each(|change| write_change(out, change))?;
    write_rest(out, "  ", round.changes.len() - shown + round.more_changes, "changes")
}

fn write_change(out: &mut String, change: &ChangeReport) -> fmt::Result {
    writeln!(out, "  - {} {} {}", verb(change.op), plain(&change.kind), code(&change.key))?;
    for warning in &change.warnings {
        writeln!(out, "    - warning: {}", plain(warning))?;
    }
    let shown = change.hunks.len().min(MAX_HUNKS_OF_A_CHANGE);
    change.hunks.iter().take(shown).try_for_each(|hunk| write_hunk(out, hunk))?;
    write_rest(out, "    ", change.hunks.len() - shown + change.more_hunks, "hunks")
}

fn write_hunk(out: &mut String, hunk: &HunkReport) -> fmt::Result {
    let side = |side: &Option<String>| side.as_deref().map_or_else(|| "nothing".to_owned(), code);
    let left = if hunk.taken { "" } else { "**left out**: " };
    let (before, after) = (side(&hunk.before), side(&hunk.after));
    writeln!(out, "    - {left}{} {}: {before} → {after}", verb(hunk.op), code(&hunk.place))
}

fn write_rest(out: &mut String, indent: &str, rest: usize, what: &str) -> fmt::Result {
    if rest > 0 {
        writeln!(out, "{indent}- and {rest} more {what}")?;
    }
    Ok(())
}

fn counted(counts: Counts) -> String {
    let Counts { create, update, delete, hunks, .. } = counts;
    let hunks = crate::model::plural(u64::from(hunks), "hunk");
    // A changed tree deletes files of its own: what goes is in the hunks then.
    let gone = match counts.delete_hunks {
        0 => String::new(),
        some => format!(", {some} of them delete"),
    };
    format!("create {create}, update {update}, delete {delete}, {hunks}{gone}")
}

fn short(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}

fn state(report: &Report) -> String {
    let held = report.holder.as_ref().map(|holder| format!(", held by {}", plain(holder))).unwrap_or_default();
    let rest = match report.state {
        "complete" | "incomplete" | "undone in part" if report.tasks.iter().any(|task| task.undo.is_some()) => {
            "; 'rekindle undo' goes on with what was asked to be undone"
        }
        "complete" if report.can_be_undone => "; not closed, so it can be undone",
        "incomplete" => "; 'rekindle resume' goes on",
        "paused" | "aborted" | "closed" if !report.complete => ", incomplete",
        _ => "",
    };
    format!("{}{rest}{held}", report.state)
}

fn known(known: Known, partial: bool) -> &'static str {
    match known {
        Known::NotApplied if partial => "applied in part",
        Known::NotApplied => "not applied",
        Known::Applied => "applied",
        Known::Unknown => "**unknown**",
    }
}

fn verb(op: Op) -> &'static str {
    match op {
        Op::Create => "create",
        Op::Update => "update",
        Op::Delete => "delete",
    }
}

/// Text that stays text: what means something in Markdown or HTML is escaped.
fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | '~' | '!') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A code span that its content cannot end.
fn code(text: &str) -> String {
    let text = visible(text);
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("{fence}{text}{fence}") } else { format!("{fence} {text} {fence}") }
}
