use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::model::{TaskId, visible};

use super::keymap::{Action, Context};
use super::rows::Row;
use super::state::Model;

/// Of many tasks whose names match, the best.
const MOST_TASKS: usize = 50;
/// Shorter texts match nearly every name.
const SHORTEST_NAME: usize = 2;
pub const MAX_INPUT: usize = 80;

/// What is being looked for by its name, and which of what was found is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    pub input: String,
    pub at: usize,
    /// What the last frame had under its cursor: Enter performs this and nothing else.
    pub drawn: Option<Offer>,
    /// The tasks that were found, and by which text: a run may have a million names, and each frame asks.
    found: Option<(String, Vec<(u32, TaskId)>)>,
}

impl Palette {
    pub fn forget_tasks(&mut self) {
        self.found = None;
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    Act {
        action: Action,
        keys: String,
        about: &'static str,
    },
    /// Leads to the task, nothing more.
    Task {
        id: TaskId,
        name: String,
    },
}

/// What can be done or gone to, the best match first; without a text all that the present keys do, in their order.
pub fn offers(model: &Model, palette: &Palette) -> Vec<Offer> {
    let actions = actions(model);
    let input = palette.input.trim();
    if input.is_empty() {
        return actions;
    }
    if let Ok(number) = input.parse::<usize>() {
        return numbered(model, number).into_iter().collect();
    }
    let pattern = Pattern::parse(input, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher);
    let mut found: Vec<(u32, Offer)> = Vec::new();
    for offer in actions {
        let Offer::Act { action, about, .. } = &offer else { continue };
        // Its name weighs more than the sentence about it, in which nearly every letter is somewhere.
        let named = score(action.name()).map(|score| score + 1);
        let told = score(about).filter(|_| about.to_lowercase().contains(&input.to_lowercase()));
        if let Some(score) = named.max(told) {
            found.push((score, offer));
        }
    }
    let known = palette.found.as_ref().filter(|(text, _)| text == input).map(|(_, tasks)| tasks.clone());
    let tasks = known.unwrap_or_else(|| named(model, input));
    found.extend(tasks.into_iter().map(|(score, id)| (score, to_task(model, id))));
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, offer)| offer).collect()
}

/// Looks for tasks once for each text, before frames and keys ask for them.
pub fn look(model: &mut Model) {
    let Some(mut palette) = model.palette.take() else { return };
    let input = palette.input.trim();
    if palette.found.as_ref().is_none_or(|(text, _)| text != input) {
        palette.found = Some((input.to_owned(), named(model, input)));
    }
    model.palette = Some(palette);
}

/// The tasks whose names match best.
fn named(model: &Model, input: &str) -> Vec<(u32, TaskId)> {
    if input.chars().count() < SHORTEST_NAME || input.parse::<usize>().is_ok() {
        return Vec::new();
    }
    let pattern = Pattern::parse(input, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let ids = (0..u32::try_from(model.run.tasks.len()).unwrap_or(u32::MAX)).map(TaskId);
    let score = |id: TaskId| {
        let name = model.run.name(id);
        Some((pattern.score(Utf32Str::new(&name, &mut buffer), &mut matcher)?, id))
    };
    let mut tasks: Vec<(u32, TaskId)> = ids.filter_map(score).collect();
    tasks.sort_by_key(|(score, id)| (std::cmp::Reverse(*score), *id));
    tasks.truncate(MOST_TASKS);
    tasks
}

/// The same table that keys are looked up in.
fn actions(model: &Model) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    for context in [model.context(), Context::Everywhere] {
        for binding in model.keymap.bindings.iter().filter(|binding| binding.context == context) {
            let is_there = |offer: &Offer| matches!(offer, Offer::Act { action, .. } if *action == binding.action);
            if binding.action == Action::Palette || offers.iter().any(is_there) {
                continue;
            }
            let keys: Vec<_> = binding.keys.iter().map(|(name, _)| name.as_str()).collect();
            offers.push(Offer::Act { action: binding.action, keys: keys.join(" "), about: binding.about });
        }
    }
    offers
}

/// The task with this number in the list, counted from 1.
fn numbered(model: &Model, number: usize) -> Option<Offer> {
    let tasks = model.rows.rows.iter().filter_map(|row| match row {
        Row::Task(id) => Some(*id),
        Row::Heading(_) => None,
    });
    tasks.skip(number.checked_sub(1)?).map(|id| to_task(model, id)).next()
}

fn to_task(model: &Model, id: TaskId) -> Offer {
    Offer::Task { id, name: visible(&model.run.name(id)).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures::{Desk, story};

    fn found(desk: &Desk, input: &str) -> Vec<Offer> {
        offers(&desk.model, &Palette { input: input.to_owned(), ..Palette::default() })
    }

    fn first(input: &str) -> Offer {
        found(&Desk::new(&story(), 80, 24), input).into_iter().next().unwrap()
    }

    #[test]
    fn every_action_of_the_tab_is_offered_with_its_key() {
        let desk = Desk::new(&story(), 80, 24);
        let all = found(&desk, "");
        let bindings = desk.model.keymap.bindings.iter();
        for binding in bindings.filter(|one| matches!(one.context, Context::Steps | Context::Everywhere)) {
            let is_it = |offer: &Offer| {
                matches!(offer, Offer::Act { action, keys, .. }
                if *action == binding.action && !keys.is_empty())
            };
            assert!(all.iter().any(is_it) || binding.action == Action::Palette, "{:?}", binding.action);
        }
    }

    #[test]
    fn a_few_letters_find_an_action_a_task_or_a_number_in_the_list() {
        assert!(matches!(first("appall"), Offer::Act { action: Action::ApproveAll, .. }));
        assert!(matches!(first("leaveout"), Offer::Act { action: Action::LeaveOut, .. }));
        assert!(matches!(first("home/cy"), Offer::Task { name, .. } if name == "home/cyd"));
        assert!(matches!(first("2"), Offer::Task { name, .. } if name == "account/bob"));
        let desk = Desk::new(&story(), 80, 24);
        assert_eq!(found(&desk, "zzqq"), []);
        assert_eq!(found(&desk, "0"), []);
    }
}
