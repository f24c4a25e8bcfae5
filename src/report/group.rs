use std::collections::HashMap;

use super::TaskReport;

/// Tasks of one step to which the same happened: the first stands for all.
pub(super) struct Group<'a> {
    pub first: &'a TaskReport,
    pub tasks: Vec<&'a TaskReport>,
}

impl Group<'_> {
    /// Whose tasks they are.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tasks.iter().map(|task| task.owner.as_deref().unwrap_or(&task.task))
    }
}

/// What is told of a task without what differs from owner to owner: names, times, digests and values.
#[derive(Hash, PartialEq, Eq)]
struct Likeness<'a> {
    step: &'a str,
    status: &'static str,
    undo: Option<&'static str>,
    lines: Vec<String>,
}

/// The largest group of a step first; steps as they come.
pub(super) fn groups<'a>(tasks: impl Iterator<Item = &'a TaskReport>) -> Vec<Group<'a>> {
    let mut found: Vec<Group<'a>> = Vec::new();
    let mut at: HashMap<Likeness<'a>, usize> = HashMap::new();
    let mut steps: HashMap<&str, usize> = HashMap::new();
    for task in tasks {
        let step = steps.len();
        steps.entry(&task.step).or_insert(step);
        let place = *at.entry(likeness(task)).or_insert_with(|| {
            found.push(Group { first: task, tasks: Vec::new() });
            found.len() - 1
        });
        found[place].tasks.push(task);
    }
    found.sort_by_key(|group| (steps[group.first.step.as_str()], std::cmp::Reverse(group.tasks.len())));
    found
}

/// Times, sizes and counts differ where the same was found.
fn without_numbers(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    for one in text.chars() {
        match one.is_ascii_digit() {
            true if said.ends_with('#') => {}
            true => said.push('#'),
            false => said.push(one),
        }
    }
    said
}

fn likeness(task: &TaskReport) -> Likeness<'_> {
    let mut lines = Vec::new();
    let mut add = |text: &str| lines.push(task.without_owner(text));
    task.problem.iter().for_each(|problem| add(&problem.what));
    task.skipped.iter().chain(&task.stays).chain(&task.warnings).for_each(|text| add(text));
    for told in &task.history {
        add(&without_numbers(told.split_once(": ").map_or(told, |(_, text)| text)));
    }
    for round in &task.rounds {
        add(&format!("{:?} {:?}", round.pass, round.outcome.as_ref().map(|outcome| (outcome.known, outcome.partial))));
        round.approved.iter().for_each(|approved| add(&approved.by));
        round.voided.iter().chain(&round.plan_missing).chain(&round.warnings).for_each(|text| add(text));
        round.command.iter().flatten().chain(&round.settings).for_each(|word| add(word));
        for change in &round.changes {
            add(&format!("{:?} {} {}", change.op, change.kind, change.key));
            change.hunks.iter().for_each(|hunk| add(&format!("{:?} {} {}", hunk.op, hunk.place, hunk.taken)));
            change.warnings.iter().for_each(|text| add(text));
        }
        add(&format!("{} {}", round.more_changes, round.changes.iter().map(|change| change.more_hunks).sum::<usize>()));
    }
    Likeness { step: &task.step, status: task.status.word(), undo: task.undo, lines }
}
