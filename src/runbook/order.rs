use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use super::finding::{Finding, Span};
use super::runbook_file::Collected;
use super::step_form::unknown_name;

/// Puts steps in an order where needs point backwards, otherwise as they were written, and returns each
/// one's needs as positions; nothing where needs are unknown or go round in a circle.
pub(super) fn in_order(collected: &mut Collected) -> Option<Vec<Vec<u16>>> {
    let needs = looked_up(collected);
    let order = sorted(&needs);
    if order.len() < needs.len() {
        // Two steps of one name look like a circle where one follows the other.
        let names: BTreeSet<&str> = collected.runbook.steps.iter().map(|step| step.id.as_str()).collect();
        if names.len() == needs.len() {
            report_cycle(collected, &needs, &order);
        }
        return None;
    }
    let mut position = vec![0; order.len()];
    for (place, step) in order.iter().enumerate() {
        position[*step] = place;
    }
    let mut steps: Vec<_> = collected.runbook.steps.drain(..).map(Some).collect();
    collected.runbook.steps = order.iter().filter_map(|step| steps[*step].take()).collect();
    let moved = order.iter().map(|step| {
        let mut moved: Vec<u16> = needs[*step].iter().filter_map(|need| u16::try_from(position[*need]).ok()).collect();
        moved.sort_unstable();
        moved
    });
    Some(moved.collect())
}

/// Of each step, the positions of those it needs.
fn looked_up(collected: &mut Collected) -> Vec<BTreeSet<usize>> {
    let mut at: HashMap<&str, usize> = HashMap::new();
    let mut wrong = Vec::new();
    for (position, step) in collected.runbook.steps.iter().enumerate() {
        if at.insert(&step.id, position).is_some() {
            wrong
                .push(Finding::error(step.span, format!("two steps are called '{}'", step.id)).label("the second one"));
        }
    }
    let known = || at.keys().copied().chain(collected.groups.keys().map(String::as_str));
    let mut found = Vec::with_capacity(collected.runbook.steps.len());
    for step in &collected.runbook.steps {
        let mut of_step = BTreeSet::new();
        // The end of a step that a condition asks for must be known.
        for need in step.needs.iter().chain(step.when.iter().flat_map(super::When::steps)) {
            match (at.get(need.value.as_str()), collected.groups.get(&need.value)) {
                (Some(position), _) => {
                    of_step.insert(*position);
                }
                (None, Some(group)) => of_step.extend(group.clone()),
                (None, None) => {
                    let mut names: Vec<&str> = known().collect();
                    names.sort_unstable();
                    wrong.push(unknown_name("step", need, names));
                }
            }
        }
        found.push(of_step);
    }
    for finding in wrong {
        collected.findings.push(finding);
    }
    found
}

/// As many steps as can be put in order.
fn sorted(needs: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (step, needs) in needs.iter().enumerate() {
        for need in needs {
            needed_by[*need].push(step);
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        waiting.iter().enumerate().filter(|(_, count)| **count == 0).map(|(step, _)| Reverse(step)).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse(step)) = ready.pop() {
        order.push(step);
        for dependent in &needed_by[step] {
            waiting[*dependent] -= 1;
            if waiting[*dependent] == 0 {
                ready.push(Reverse(*dependent));
            }
        }
    }
    order
}

fn report_cycle(collected: &mut Collected, needs: &[BTreeSet<usize>], order: &[usize]) {
    let settled: BTreeSet<usize> = order.iter().copied().collect();
    let Some(mut step) = (0..needs.len()).find(|step| !settled.contains(step)) else { return };
    let mut way: Vec<usize> = Vec::new();
    let mut seen_at: HashMap<usize, usize> = HashMap::new();
    // Every step that is left needs another one that is left, so this comes back to one it has met.
    let start = loop {
        if let Some(at) = seen_at.insert(step, way.len()) {
            break at;
        }
        way.push(step);
        match needs[step].iter().find(|need| !settled.contains(need)) {
            Some(need) => step = *need,
            None => return,
        }
    };
    let circle = &way[start..];
    let name = |step: &usize| collected.runbook.steps[*step].id.as_str();
    let mut names: Vec<&str> = circle.iter().take(20).map(name).collect();
    if circle.len() > 20 {
        names.push("…");
    }
    names.extend(circle.first().map(name));
    let first = &collected.runbook.steps[circle[0]];
    let next = collected.runbook.steps[circle[1 % circle.len()]].id.as_str();
    let span: Span = first.needs.iter().find(|need| need.value == next).map_or(first.span, |need| need.span);
    let finding = Finding::error(span, format!("these steps need one another: {}", names.join(" → ")));
    collected.findings.push(finding.label("closes the circle").help("take one of these needs away"));
}
