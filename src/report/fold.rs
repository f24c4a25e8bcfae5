use std::collections::{HashMap, HashSet};

use super::overview::Overview;
use super::recovery::{Goal, Took, first_restored};
use super::run_row::word;
use super::shown::{shortened, shortened_to, sides};
use super::task_report::{Approved, ChangeReport, HunkReport, Outcome, Round, Settled, TaskReport};
use super::{Chain, Note, Report, Totals};
use crate::model::{
    BY_RUNBOOK, Change, Counts, Digest, Event, Pass, Plan, Recorded, Result, Run, Selection, TaskId, TaskStatus,
    UndoneShare, Zone, plural, visible,
};

/// Finds a kept plan by the digest of its `Planned` event.
pub type PlanOf<'a> = &'a dyn Fn(&Digest) -> Result<Option<Plan>>;

const MAX_CHANGES: usize = 1_000;
const MAX_HUNKS: usize = 1_000;

impl Report {
    /// `run` is the fold of `events`; times are said in `zone`.
    pub fn of(run: &Run, events: &[Recorded], plan_of: PlanOf<'_>, chain: Chain, zone: &Zone) -> Self {
        let now = run;
        let run = &*run.without_asked_undos();
        let mut tasks: HashMap<TaskId, Drafts> = HashMap::new();
        let mut notes = Vec::new();
        let mut being_written = HashSet::new();
        for (recorded, before) in events.iter().zip(std::iter::once(None).chain(events.iter().map(Some))) {
            match recorded.event.task() {
                Some(task) => {
                    match &recorded.event {
                        Event::Intent { .. } => drop(being_written.insert(task)),
                        Event::Outcome { .. } | Event::Settled { .. } => drop(being_written.remove(&task)),
                        _ => {}
                    }
                    tasks.entry(task).or_default().fold(recorded, zone);
                }
                None => {
                    // Closing a run resumes it first: that says nothing of its own.
                    let is_for_that =
                        before.is_some_and(|before: &Recorded| matches!(before.event, Event::Resumed { .. }));
                    if is_for_that && matches!(recorded.event, Event::Closed { .. }) {
                        notes.pop();
                    }
                    notes.extend(note(recorded, being_written.len(), zone));
                }
            }
        }
        let mut totals = Totals { tasks: u32::try_from(run.tasks.len()).unwrap_or(u32::MAX), ..Totals::default() };
        totals.failed_attempts_that_stand = run.failed_attempts_that_stand();
        for status in TaskStatus::ALL {
            if run.count(status) > 0 {
                totals.by_status.insert(status.word(), run.count(status));
            }
        }
        let mut reports = Vec::with_capacity(run.tasks.len());
        for (task, at) in run.tasks.iter().zip(0..) {
            let id = TaskId(at);
            let drafts = tasks.remove(&id).unwrap_or_default();
            // A plan that is shown shows its own.
            let warned = run.warnings.get(&id).filter(|_| drafts.rounds.is_empty());
            if run.stands(id) {
                totals.applied = sum(totals.applied, drafts.applied());
            }
            reports.push(TaskReport {
                task: visible(&run.name(id)).into_owned(),
                step: run.step(id).map(|step| visible(&step.id).into_owned()).unwrap_or_default(),
                owner: run.owner(id).map(|owner| visible(&*owner.name).into_owned()),
                undo_asked_by: drafts.undo_asked_by,
                status: task.status,
                undo: undo(now, id),
                outdated: run.is_answer_outdated(id),
                warnings: warned.into_iter().flatten().map(|warning| shortened(warning)).collect(),
                stays: run.stays(id).iter().map(|what| shortened(what)).collect(),
                history: drafts.history,
                rounds: drafts.rounds.into_iter().map(|draft| draft.finish(plan_of)).collect(),
                problem: run.problems.get(&id).cloned(),
                skipped: run.skips.get(&id).map(|why| shortened(why)),
                skipped_by_condition: task.status == TaskStatus::Skipped && drafts.skipped_by_condition,
            });
        }
        let at = |recorded: Option<&Recorded>| recorded.map(|recorded| zone.told(recorded.at)).unwrap_or_default();
        let undone = run.undone_share();
        let complete = run.is_complete() && undone == UndoneShare::Nothing;
        let is_over = run.is_complete() || run.waits_for_what_was_undone();
        let took = Took::of(events, zone);
        let lasted = events.last().zip(events.first()).map_or(0, |(last, first)| last.at.saturating_sub(first.at));
        let lasted = u64::try_from(lasted).unwrap_or(0);
        let goal =
            run.header.goal.map(|goal| Goal::of(goal, first_restored(events), undone != UndoneShare::Nothing, lasted));
        Self {
            id: run.header.id.clone(),
            title: run.header.title.clone(),
            by: run.header.by.clone(),
            version: run.header.version.clone(),
            state: word(run.state, is_over, undone, false),
            run_state: run.state,
            is_over,
            undone,
            holder: None,
            complete,
            started: at(events.first()),
            last: at(events.last()),
            zone: zone.name().to_owned(),
            took,
            goal,
            overview: Overview::of(&reports),
            sets: run.header.owners.iter().map(|owners| visible(&owners.set).into_owned()).collect(),
            only: Vec::new(),
            runbook: run.header.runbook_path.clone(),
            runbook_digest: run.header.digest.map(Digest::to_hex),
            policy: run.header.policy.clone(),
            inputs: run.header.inputs.clone(),
            identities: run
                .header
                .identities
                .keys()
                .filter_map(|name| Some((name.clone(), run.identity(name)?.clone())))
                .collect(),
            unusable_owners: run.header.unusable_lines(),
            chain,
            totals,
            can_be_undone: now.can_be_undone(),
            tasks: reports,
            notes,
        }
    }
}

/// A status alone does not say that it is an undo's, nor whether anything is taken back already.
fn undo(run: &Run, id: TaskId) -> Option<&'static str> {
    let task = run.tasks.get(id.index()).filter(|task| task.pass == Pass::Undo)?;
    Some(match task.status {
        _ if run.waits_to_be_undone(id) => "its undo waits for an approval: nothing is taken back yet",
        TaskStatus::Review | TaskStatus::Approved => "half undone: a part is taken back, and the rest waits",
        TaskStatus::Applying => "it is being undone, or its undo was interrupted: a part may be taken back",
        TaskStatus::Failed if run.is_half_undone(id) => "its undo failed: a part may be taken back",
        TaskStatus::Failed => "its undo failed: nothing is taken back",
        TaskStatus::Unknown => "whether it is undone is not known",
        _ => return None,
    })
}

fn sum(one: Counts, other: Counts) -> Counts {
    Counts {
        create: one.create.saturating_add(other.create),
        update: one.update.saturating_add(other.update),
        delete: one.delete.saturating_add(other.delete),
        hunks: one.hunks.saturating_add(other.hunks),
        delete_hunks: one.delete_hunks.saturating_add(other.delete_hunks),
        irreversible: one.irreversible.saturating_add(other.irreversible),
        unreadable: one.unreadable.saturating_add(other.unreadable),
    }
}

/// `being_written`: the tasks whose writing had begun and not ended then.
fn note(recorded: &Recorded, being_written: usize, zone: &Zone) -> Option<Note> {
    let text = match &recorded.event {
        Event::Resumed { by } if being_written > 0 => {
            let tasks = plural(being_written as u64, "task");
            let were = if being_written == 1 { "was" } else { "were" };
            format!("resumed by {by}, after it had been cut off while {tasks} {were} being written")
        }
        Event::Resumed { by } => format!("resumed by {by}"),
        Event::Paused { by, why: None } => format!("paused by {by}"),
        Event::Paused { by, why: Some(why) } => format!("paused by {by}: {why}"),
        Event::Continued { by } => format!("continued by {by}"),
        Event::Aborted { by, why } => format!("aborted by {by}: {why}"),
        Event::Closed { by } => format!("closed by {by}; undo is no longer offered"),
        Event::Became { component, now } => format!("{component} is {now} since this run made it"),
        Event::Noted { text } => text.clone(),
        Event::LeftOut { set, owner, why, by } => format!("{set} {owner} left out by {by}: {why}"),
        _ => return None,
    };
    // Why a run stopped is needed whole; whoever wrote the journal, it is bounded.
    Some(Note { at: zone.told(recorded.at), text: shortened_to(&text, 2_000) })
}

#[derive(Default)]
struct Drafts {
    rounds: Vec<Draft>,
    history: Vec<String>,
    undo_asked_by: Option<String>,
    skipped_by_condition: bool,
}

struct Draft {
    planned: Digest,
    selection: Selection,
    round: Round,
}

impl Drafts {
    fn fold(&mut self, recorded: &Recorded, zone: &Zone) {
        let at = zone.told(recorded.at);
        if let Event::Skipped { by, .. } = &recorded.event {
            self.skipped_by_condition = by == BY_RUNBOOK;
        }
        if let Event::UndoAsked { by, .. } = &recorded.event {
            self.undo_asked_by = Some(visible(by).into_owned());
        }
        if let Event::Planned { pass, digest, preview, counts, .. } = &recorded.event {
            // A plan that was only looked at gives way to the next.
            self.rounds.retain(|draft| draft.round.approved.is_some());
            self.rounds.push(Draft::new(*digest, Round::planned(*pass, *preview, *digest, *counts)));
            return;
        }
        if let Some(text) = told(&recorded.event) {
            self.history.push(format!("{at}: {}", shortened(&text)));
        }
        let Some(Draft { selection: chosen, round, .. }) = self.rounds.last_mut() else { return };
        match &recorded.event {
            Event::Decided { selection, digest, counts, .. } => {
                *chosen = selection.clone();
                round.digest = digest.to_hex();
                round.counts = *counts;
            }
            Event::Approved { digest, by, .. } => {
                round.approved = Some(Approved { at, by: visible(by).into_owned(), digest: digest.to_hex() });
            }
            Event::Voided { why, .. } => round.voided = Some(shortened(why)),
            Event::Intent { attempt, .. } => round.attempt = Some(*attempt),
            Event::Outcome { known, post, evidence, problem, partial, .. } => {
                let post = post.map(Digest::to_hex);
                let evidence = shortened(evidence);
                round.outcome =
                    Some(Outcome { at, known: *known, partial: *partial, evidence, post, problem: problem.clone() });
            }
            Event::Settled { known, how, by, .. } => {
                let by = visible(by).into_owned();
                round.settled = Some(Settled { at, known: *known, how: shortened(how), by });
            }
            _ => {}
        }
    }

    /// Of the last restore that was written.
    fn applied(&self) -> Counts {
        let written = |draft: &&Draft| draft.round.pass == Pass::Restore && draft.round.attempt.is_some();
        self.rounds.iter().rev().find(written).map(|draft| draft.round.counts).unwrap_or_default()
    }
}

fn told(event: &Event) -> Option<String> {
    Some(match event {
        Event::Answered { answer, by, .. } => {
            let held = if answer.holds { "held" } else { "did not hold" };
            let by = by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
            format!("{held}: {}{by}", answer.seen)
        }
        Event::Failed { problem, .. } => format!("failed before any effect: {}", problem.what),
        Event::Unchanged { .. } => "found equal already".to_owned(),
        Event::Retried { by, .. } => format!("retried by {by}"),
        Event::Skipped { why, by, .. } => format!("skipped by {by}: {why}"),
        Event::UndoAsked { by, .. } => format!("undo asked by {by}"),
        _ => return None,
    })
}

impl Draft {
    fn new(planned: Digest, round: Round) -> Self {
        Self { planned, selection: Selection::all(), round }
    }

    fn finish(self, plan_of: PlanOf<'_>) -> Round {
        let Self { planned, selection, mut round } = self;
        match plan_of(&planned) {
            Ok(Some(plan)) => {
                round.more_changes = plan.changes.len().saturating_sub(MAX_CHANGES);
                let changes = plan.changes.iter().take(MAX_CHANGES).enumerate();
                round.changes = changes.map(|(at, change)| change_report(at, change, &selection)).collect();
                round.warnings = plan.warnings.iter().map(|warning| shortened(warning)).collect();
                if let Some(command) = plan.command {
                    round.settings =
                        command.lines(crate::model::COVERED).into_iter().filter(|line| is_setting(line)).collect();
                    round.command = Some(command.argv);
                }
                round.target = Some(plan.target);
            }
            // A plan is kept once it is decided on.
            Ok(None) if round.approved.is_none() => {
                round.plan_missing = Some("it waits for a decision, and 'rekindle resume' shows it".to_owned());
            }
            Ok(None) => round.plan_missing = Some("it was not kept".to_owned()),
            Err(error) => round.plan_missing = Some(error.chain()),
        }
        round
    }
}

impl Round {
    fn planned(pass: Pass, preview: crate::model::Preview, digest: Digest, counts: Counts) -> Self {
        Self {
            pass,
            preview,
            digest: digest.to_hex(),
            counts,
            target: None,
            approved: None,
            voided: None,
            attempt: None,
            outcome: None,
            settled: None,
            command: None,
            settings: Vec::new(),
            changes: Vec::new(),
            more_changes: 0,
            warnings: Vec::new(),
            plan_missing: None,
        }
    }
}

/// Where a command ran and what its environment held, and not the command itself.
fn is_setting(line: &str) -> bool {
    !line.starts_with(['$', '|'])
}

fn change_report(at: usize, change: &Change, selection: &Selection) -> ChangeReport {
    let hunks = change.hunks.iter().take(MAX_HUNKS).enumerate().map(|(position, hunk)| {
        let (before, after) = sides(&hunk.at);
        HunkReport { op: hunk.op, place: hunk.words(), before, after, taken: selection.takes(at, position) }
    });
    ChangeReport {
        kind: visible(&*change.id.kind).into_owned(),
        key: change.id.key.to_string(),
        op: change.op,
        hunks: hunks.collect(),
        more_hunks: change.hunks.len().saturating_sub(MAX_HUNKS),
        warnings: change.warnings.iter().map(|warning| shortened(warning)).collect(),
    }
}
