use std::collections::BTreeSet;

use crate::model::{Run, TaskId, TaskStatus};

/// What of the list is shown: every word must hold, `!` turns one around.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub text: String,
    terms: Vec<Term>,
    /// These alone, whatever they are called.
    only: Option<BTreeSet<TaskId>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    wants: Wants,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wants {
    Status(String),
    Owner(String),
    Component(String),
    Step(String),
    /// In the name, or a status's whole word.
    Anywhere(String),
}

impl Filter {
    pub fn parse(text: &str) -> Self {
        let terms = text.split_whitespace().filter_map(|word| {
            let (negated, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
            let wants = match word.split_once(':') {
                Some(("status", value)) => Wants::Status(value.to_lowercase()),
                Some(("user" | "owner", value)) => Wants::Owner(value.to_lowercase()),
                Some(("comp" | "component", value)) => Wants::Component(value.to_lowercase()),
                Some(("step", value)) => Wants::Step(value.to_lowercase()),
                _ if word.is_empty() => return None,
                _ => Wants::Anywhere(word.to_lowercase()),
            };
            Some(Term { negated, wants })
        });
        Self { text: text.to_owned(), terms: terms.collect(), only: None }
    }

    /// These tasks and no others.
    /// `what`: what they have in common.
    pub fn of(tasks: BTreeSet<TaskId>, what: &str) -> Self {
        let text = format!("{} {what}", crate::model::plural(tasks.len() as u64, "task"));
        Self { text, terms: Vec::new(), only: Some(tasks) }
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.only.is_none()
    }

    pub fn shows(&self, run: &Run, id: TaskId) -> bool {
        self.of_step(run, run.step_of(id)).is_some_and(|filter| filter.shows(id))
    }

    /// What is left to ask of each task of a step, for a step may have a million; `None` where it shows none of them.
    pub fn of_step<'f>(&'f self, run: &'f Run, step: usize) -> Option<StepFilter<'f>> {
        let header = run.header.steps.get(step)?;
        let owners = header.each.as_ref().and_then(|each| run.header.owners.iter().find(|owners| owners.set == *each));
        let component = header.component.as_deref().unwrap_or("");
        let mut terms = Vec::new();
        for term in &self.terms {
            let of_all = match &term.wants {
                Wants::Component(value) => Some(matches_name(component, value)),
                Wants::Step(value) => Some(matches_name(&header.id, value)),
                Wants::Anywhere(value) if contains(&header.id, value) || contains(component, value) => Some(true),
                Wants::Owner(_) if owners.is_none() => Some(false),
                _ => None,
            };
            match of_all {
                Some(holds) if holds == term.negated => return None,
                Some(_) => {}
                None => terms.push(term),
            }
        }
        let (owners, first) = (owners.map_or(&[][..], |owners| &owners.names), run.step_tasks(step).start);
        Some(StepFilter { run, only: self.only.as_ref(), terms, owners, first })
    }
}

/// A [`Filter`] among the tasks of one step.
pub struct StepFilter<'f> {
    run: &'f Run,
    only: Option<&'f BTreeSet<TaskId>>,
    terms: Vec<&'f Term>,
    owners: &'f [String],
    first: u32,
}

impl StepFilter<'_> {
    pub fn shows(&self, id: TaskId) -> bool {
        if self.only.is_some_and(|only| !only.contains(&id)) {
            return false;
        }
        let status = || self.run.tasks.get(id.index()).map_or(TaskStatus::Waiting, |task| task.status).word();
        let owner =
            || id.0.checked_sub(self.first).and_then(|at| self.owners.get(at as usize)).map_or("", String::as_str);
        let holds = |term: &Term| match &term.wants {
            Wants::Status(value) => status().starts_with(value.as_str()),
            Wants::Owner(value) => matches_name(owner(), value),
            Wants::Anywhere(value) => status() == value || contains(owner(), value),
            // The same for all tasks of the step: asked already.
            Wants::Component(_) | Wants::Step(_) => true,
        };
        self.terms.iter().all(|term| holds(term) != term.negated)
    }
}

/// `wanted` is lower case; a `*` at its end asks for a beginning, else any part will do.
fn matches_name(name: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) if name.is_ascii() => {
            name.as_bytes().get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
        }
        Some(start) => name.to_lowercase().starts_with(start),
        None => contains(name, wanted),
    }
}

fn contains(name: &str, wanted: &str) -> bool {
    if name.is_ascii() && wanted.is_ascii() {
        let (name, wanted) = (name.as_bytes(), wanted.as_bytes());
        return wanted.is_empty() || name.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted));
    }
    name.to_lowercase().contains(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn shown(text: &str) -> Vec<String> {
        let run = fixtures::run();
        let filter = Filter::parse(text);
        let all = (0..run.tasks.len()).map(|at| TaskId(u32::try_from(at).unwrap()));
        all.filter(|id| filter.shows(&run, *id)).map(|id| run.name(id)).collect()
    }

    #[test]
    fn words_narrow_and_an_exclamation_mark_turns_around() {
        assert_eq!(shown("status:failed"), ["home/cyd"]);
        assert_eq!(shown("user:ana step:home"), ["home/ana"]);
        assert_eq!(shown("comp:homes !cyd !status:review"), ["home/dee"]);
        assert_eq!(shown("user:b*"), ["account/bob", "home/bob"]);
        assert_eq!(shown("user:B* !step:account"), ["home/bob"]);
        assert_eq!(shown("home !user:*"), Vec::<String>::new());
        assert_eq!(shown("nothing-is-called-so"), Vec::<String>::new());
    }

    #[test]
    fn an_empty_filter_shows_all() {
        assert_eq!(shown("").len(), fixtures::run().tasks.len());
        assert_eq!(shown("  ! ").len(), fixtures::run().tasks.len());
    }
}
