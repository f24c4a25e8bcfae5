use std::collections::BTreeMap;

use super::{
    Counts, Run, StepHeader, TaskId, TaskState, TaskStatus, Zone, plural, size, some_of, span, visible, without_owner,
};

/// What a run has done so far, in words: its last screen, its last lines, and what a resume shows first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub facts: Vec<Fact>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about, in one word; nothing where it goes on from the fact above.
    pub about: &'static str,
    pub text: String,
    pub is_trouble: bool,
}

/// So many steps, reasons and names each, that a summary stays one.
const MOST_STEPS: usize = 8;
const MOST_REASONS: usize = 4;
const MOST_NAMES: usize = 3;

impl Summary {
    /// `command`: what a shell takes to do something with this run, as in `undo`; None where the run will be gone.
    pub fn of(run: &Run, command: impl Fn(&str) -> Option<String>) -> Self {
        let run = &*run.without_asked_undos();
        let mut summary = Self::default();
        let steps = run.header.steps.iter().enumerate().filter(|(_, step)| step.each.is_some() || is_telling(run));
        let steps: Vec<_> = steps.map(|(at, step)| step_words(run, at, step)).collect();
        summary.list("done", &steps, MOST_STEPS, "step", false);
        let took = u64::try_from(run.until.saturating_sub(run.began)).unwrap_or(0);
        let zone = Zone::chosen();
        summary.tell("took", format!("{}, until {}", span(took), zone.moment(run.until)));
        summary.tell("wrote", written(run));
        summary.list("left out", &left_out(run), MOST_REASONS, "task", false);
        let (failed, unknown) = (troubled(run, TaskStatus::Failed), troubled(run, TaskStatus::Unknown));
        let again = command("resume").map(|command| match (failed.is_empty(), run.asks_what_a_command_did()) {
            (false, false) => format!("{command} asks about each, and with --yes tries each again"),
            (false, true) => {
                format!("{command} asks about each; --yes tries again what failed, and says of no command what it did")
            }
            (true, true) => format!("{command} asks about each: only a person can say what a command did"),
            (true, false) => format!("{command} asks about each, and with --yes looks at each again"),
        });
        summary.list("FAILED", &failed, MOST_REASONS, "reason", true);
        summary.list("UNKNOWN", &unknown, MOST_REASONS, "reason", true);
        summary.facts.extend(again.filter(|_| !failed.is_empty() || !unknown.is_empty()).map(|text| Fact {
            about: "again",
            text,
            is_trouble: true,
        }));
        summary.list("skipped", &skipped(run), MOST_REASONS, "reason", false);
        let undoable = run.tasks.iter().filter(|task| task.can_be_undone()).count() as u64;
        if let (1.., Some(undo)) = (undoable, command("undo")) {
            summary.tell("undo", format!("{} can be undone until the run is closed: {undo}", plural(undoable, "task")));
        }
        summary
    }

    /// One fact a line, in columns.
    pub fn lines(&self) -> impl Iterator<Item = (bool, String)> + '_ {
        self.facts.iter().map(|fact| (fact.is_trouble, format!("{:<9}{}", fact.about, fact.text)))
    }

    fn tell(&mut self, about: &'static str, text: String) {
        self.facts.push(Fact { about, text, is_trouble: false });
    }

    fn list(&mut self, about: &'static str, all: &[String], most: usize, what: &str, is_trouble: bool) {
        let abouts = std::iter::once(about).chain(std::iter::repeat(""));
        let shown = all.iter().take(most).cloned();
        let more = all.len().saturating_sub(most) as u64;
        let more = (more > 0).then(|| format!("and {}: the report has them", plural(more, &format!("more {what}"))));
        self.facts.extend(shown.chain(more).zip(abouts).map(|(text, about)| Fact { about, text, is_trouble }));
    }
}

/// A run without owners has nothing but single steps to tell of.
fn is_telling(run: &Run) -> bool {
    run.header.steps.len() <= MOST_STEPS || run.header.steps.iter().all(|step| step.each.is_none())
}

/// As in `home: 38 of 40 users; 30 written, 8 equal already, 2 failed`.
fn step_words(run: &Run, at: usize, step: &StepHeader) -> String {
    use TaskStatus as S;
    let count = |status| run.step_count(at, status);
    let all = u64::from(TaskStatus::ALL.into_iter().map(count).sum::<u32>());
    let open = [S::Waiting, S::Ready, S::Review, S::Approved, S::Applying].into_iter().map(count).sum();
    let outdated = match count(S::Done) {
        0 => 0,
        _ => run.step_tasks(at).filter(|task| run.is_answer_outdated(TaskId(*task))).count() as u32,
    };
    let parts = [
        (count(S::Done).saturating_sub(outdated), "done"),
        (outdated, "answered before an undo"),
        (count(S::Unchanged), "equal already"),
        (count(S::Undone), "undone"),
        (count(S::Skipped), "skipped"),
        (count(S::Failed), "failed"),
        (count(S::Unknown), "unknown"),
        (open, "open"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let step_name = visible(&step.id);
    match &step.each {
        None => format!("{step_name}: {}", parts.map(|(_, word)| *word).collect::<Vec<_>>().join(", ")),
        Some(set) => {
            let parts: Vec<String> = parts.map(|(count, word)| format!("{count} {word}")).collect();
            format!("{step_name} of {}: {}", plural(all, &visible(set)), parts.join(", "))
        }
    }
}

/// Of what stands: what was undone is no longer there.
fn written(run: &Run) -> String {
    let done = run.tasks.iter().filter(|task| task.status == TaskStatus::Done);
    let (mut resources, mut hunks) = (0_u64, 0_u64);
    for Counts { create, update, delete, hunks: of_plan, .. } in done.map(|task| task.counts()) {
        resources += u64::from(create) + u64::from(update) + u64::from(delete);
        hunks += u64::from(of_plan);
    }
    // Those of what was undone are among them.
    let bytes = if run.bytes > 0 && run.count(TaskStatus::Undone) == 0 {
        format!(", {} of files", size(run.bytes))
    } else {
        String::new()
    };
    let in_part = run.failed_attempts_that_stand() as u64;
    let in_part = (in_part > 0).then(|| format!("a part of {} that failed", plural(in_part, "attempt")));
    let whole =
        (resources > 0).then(|| format!("{} in {}{bytes}", plural(hunks, "hunk"), plural(resources, "resource")));
    match (whole, in_part) {
        (None, None) => "nothing that stands".to_owned(),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(whole), Some(in_part)) => format!("{whole}, and {in_part}"),
    }
}

/// Of tasks that are done: what a person left out of them. The report names the hunks.
fn left_out(run: &Run) -> Vec<String> {
    let is_done = |id: &TaskId| run.tasks.get(id.index()).is_some_and(|task| task.status == TaskStatus::Done);
    let mut found: Vec<_> = run.selections.iter().filter(|(id, _)| is_done(id)).collect();
    found.sort_by_key(|(id, _)| **id);
    let words = found.iter().map(|(id, (selection, _))| (id, selection.left_out_count() as u64));
    let words = words.filter(|(_, count)| *count > 0);
    words.map(|(id, count)| format!("{} of {}", plural(count, "hunk"), visible(&run.name(**id)))).collect()
}

fn troubled(run: &Run, status: TaskStatus) -> Vec<String> {
    reasons(run, |task| task.status == status, |id| run.problems.get(&id).map(|problem| problem.what.as_str()))
}

fn skipped(run: &Run) -> Vec<String> {
    reasons(run, |task| task.status == TaskStatus::Skipped, |id| run.skips.get(&id).map(String::as_str))
}

/// Tasks for each reason, the most frequent first. A reason that names the owner is the same for all of them.
fn reasons<'a>(
    run: &'a Run,
    is_meant: impl Fn(&TaskState) -> bool,
    why: impl Fn(TaskId) -> Option<&'a str>,
) -> Vec<String> {
    let meant = (0_u32..).map(TaskId).zip(&run.tasks).filter(|(_, task)| is_meant(task));
    let mut found: BTreeMap<String, (&str, Vec<TaskId>)> = BTreeMap::new();
    for (id, _) in meant {
        let own = why(id).unwrap_or("no reason is on record");
        let why = run.owner(id).map_or_else(|| own.to_owned(), |owner| without_owner(own, &owner.name, "…"));
        found.entry(why).or_insert((own, Vec::new())).1.push(id);
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|(_, (_, tasks))| std::cmp::Reverse(tasks.len()));
    let words = found.iter().map(|(why, (own, tasks))| {
        let why = if tasks.len() == 1 { own } else { why.as_str() };
        let names = tasks.iter().map(|id| visible(&run.name(*id)).into_owned());
        format!("{}: {}", some_of(names, MOST_NAMES, ", "), visible(why))
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Error, ErrorKind, Event, OwnerSet, Recorded, RunHeader, StepKind};

    fn run(events: Vec<Event>) -> Run {
        let step = StepHeader { each: Some("user".to_owned()), ..StepHeader::new("home", StepKind::Restore) };
        let names = (0..6).map(|number| format!("user{number}")).collect();
        let header = RunHeader {
            id: "261121-044300-homes".to_owned(),
            steps: vec![step],
            owners: vec![OwnerSet::new("user", names)],
            ..RunHeader::default()
        };
        let mut run = Run::default();
        let opened = Event::Opened { run: std::sync::Arc::new(header) };
        for (event, seq) in std::iter::once(opened).chain(events).zip(1..) {
            let at = 1_795_236_180_000 + i64::try_from(seq).unwrap() * 60_000;
            run.apply(&Recorded { seq, at, event }).unwrap();
        }
        run
    }

    fn told(run: &Run) -> Vec<String> {
        let command = |verb: &str| Some(format!("rekindle {verb} {}", run.header.id));
        Summary::of(run, command).lines().map(|(_, line)| line).collect()
    }

    #[test]
    fn a_summary_says_for_how_many_how_long_and_what_failed_with_the_command_that_tries_it_again() {
        let failed = |task| {
            let what = format!("read home/user{task}");
            let problem = Error::new(ErrorKind::Corrupt, what, "a pack is missing").problem();
            Event::Failed { task: TaskId(task), problem }
        };
        let mut events: Vec<Event> = (0..5).map(failed).collect();
        events.push(Event::Unchanged { task: TaskId(5) });
        events.push(Event::Skipped { task: TaskId(4), why: "left".to_owned(), by: "ana".to_owned() });
        let lines = told(&run(events));
        let wanted = [
            "done     home of 6 users: 1 equal already, 1 skipped, 4 failed",
            "took     7 min, until 2026-11-21 04:51:00 UTC",
            "wrote    nothing that stands",
            "FAILED   home/user0, home/user1, home/user2 and 1 more: cannot read home/…: a pack is missing",
            "again    rekindle resume 261121-044300-homes asks about each, and with --yes tries each again",
            "skipped  home/user4: left",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn what_is_not_known_is_told_apart_from_what_failed() {
        use crate::model::{Digest, Known, Pass, Preview};
        let (task, digest) = (TaskId(2), Digest::of("plan"));
        let lost = Error::new(ErrorKind::TimedOut, "write home/user2", "no answer in 30 s").known(Known::Unknown);
        let events = vec![
            Event::Planned {
                task,
                pass: Pass::Restore,
                digest,
                preview: Preview::Exact,
                counts: Counts::default(),
                cohort: digest,
            },
            Event::Approved { task, digest, by: "ana".to_owned() },
            Event::Intent { task, attempt: 1, digest, pre: digest, undoable: true },
            Event::Outcome {
                task,
                known: Known::Unknown,
                post: None,
                evidence: String::new(),
                problem: Some(lost.problem()),
                partial: false,
                kept: None,
                dependents_go_on: false,
                bytes: None,
                output: None,
            },
        ];
        let lines = told(&run(events));
        assert!(lines.iter().any(|line| line.starts_with("UNKNOWN  home/user2: cannot write")), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("FAILED")), "{lines:#?}");
    }
}
