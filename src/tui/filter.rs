use std::collections::BTreeSet;

use crate::model::{Run, TaskId, TaskStatus};

use super::names::owner_of;

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
    pub fn of(tasks: BTreeSet<TaskId>) -> Self {
        let text = format!("{} behind a cell of the matrix", crate::model::plural(tasks.len() as u64, "task"));
        Self { text, terms: Vec::new(), only: Some(tasks) }
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.only.is_none()
    }

    pub fn shows(&self, run: &Run, id: TaskId) -> bool {
        if self.only.as_ref().is_some_and(|only| !only.contains(&id)) {
            return false;
        }
        self.terms.iter().all(|term| term.holds(run, id) != term.negated)
    }
}

impl Term {
    fn holds(&self, run: &Run, id: TaskId) -> bool {
        let status = run.tasks.get(id.index()).map_or(TaskStatus::Waiting, |task| task.status).word();
        let step = run.step(id);
        let component = step.and_then(|step| step.component.as_deref()).unwrap_or("");
        let step = step.map_or("", |step| step.id.as_str());
        let owner = owner_of(run, id).unwrap_or("");
        match &self.wants {
            Wants::Status(value) => status.starts_with(value.as_str()),
            Wants::Owner(value) => matches_name(owner, value),
            Wants::Component(value) => matches_name(component, value),
            Wants::Step(value) => matches_name(step, value),
            Wants::Anywhere(value) => {
                status == value || contains(owner, value) || contains(step, value) || contains(component, value)
            }
        }
    }
}

/// `wanted` is lower case; a `*` at its end asks for a beginning, else any part will do.
fn matches_name(name: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
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
        assert_eq!(shown("nothing-is-called-so"), Vec::<String>::new());
    }

    #[test]
    fn an_empty_filter_shows_all() {
        assert_eq!(shown("").len(), fixtures::run().tasks.len());
        assert_eq!(shown("  ! ").len(), fixtures::run().tasks.len());
    }
}
