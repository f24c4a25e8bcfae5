//! What each message does to the model. Pure: no clock, no terminal, no engine.

mod actions;
mod answers;
mod choosing;
mod grouped;
mod loading;
mod moves;
mod notices;
mod pointing;
mod searching;
mod taking_away;
mod typing;

#[cfg(test)]
mod acting_stories;
#[cfg(test)]
mod apply_stories;
#[cfg(test)]
mod approving_stories;
#[cfg(test)]
mod deciding_stories;
#[cfg(test)]
mod ending_stories;
#[cfg(test)]
mod group_stories;
#[cfg(test)]
mod habit_stories;
#[cfg(test)]
mod help_stories;
#[cfg(test)]
mod leaving_stories;
#[cfg(test)]
mod opening_stories;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod sight_stories;
#[cfg(test)]
mod telling_stories;

use super::dialogs::Question;
use super::effect::Effect;
use super::keymap::{Action, Context, Key};
use super::msg::Msg;
use super::notes::Weight;
use super::review::{Loaded, ReviewState};
use super::state::{Dirty, Model, Tab};

pub use answers::can_close;

pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key { key, at } => {
            model.dirtied(Dirty::Now);
            on_key(model, key, at)
        }
        Msg::Paste { text, at } => {
            typing::paste(model, &text, at);
            Vec::new()
        }
        Msg::Pointed { column, row, what, at } => {
            model.dirtied(Dirty::Now);
            pointing::point(model, column, row, what, at)
        }
        Msg::Resize { width, height } => {
            (model.width, model.height) = (width, height);
            // Nothing of the former size counts as seen.
            model.review.drawn = None;
            if let Some(dialog) = &mut model.dialog {
                dialog.drawn_at = None;
            }
            model.dirtied(Dirty::Now);
            model.settle();
            loading::follow_cursor(model)
        }
        Msg::Drawn { at } => {
            drawn(model, at);
            Vec::new()
        }
        Msg::Passed { at } => {
            if model.notes.pass(at) {
                model.dirtied(Dirty::Soon);
            }
            Vec::new()
        }
        Msg::Notice(notice) => notices::fold(model, notice),
        Msg::Answered { command, problem } => answers::answered(model, &command, problem),
        Msg::Heard { voices } => {
            model.heard = voices;
            Vec::new()
        }
        Msg::Warned { text, is_news: true } => {
            model.notes.tell(Weight::Alarm, text);
            model.dirtied(Dirty::Soon);
            Vec::new()
        }
        Msg::Warned { text, is_news: false } => {
            let key = model.keymap.key(Context::Everywhere, Action::ShowEvidence);
            model.notes.tell(Weight::Logged, format!("{text}  ({key} has the log)"));
            model.dirtied(Dirty::Soon);
            Vec::new()
        }
        Msg::Proposal { generation, task, answer } => {
            if model.review.generation == generation && model.review.task == Some(task) {
                let selection = model.run.selection(task);
                let is_over = loading::is_over(model, task);
                match &answer {
                    Ok(_) => model.unopened.remove(&task),
                    Err(_) => !is_over && model.unopened.insert(task),
                };
                model.review.state = match answer {
                    Ok(mut proposal) => {
                        if is_over {
                            let whole = std::sync::Arc::make_mut(&mut proposal);
                            (whole.live, whole.desired) = (Vec::new(), Vec::new());
                        }
                        let selection = selection.fitted_to(&proposal.plan);
                        let width = usize::from(model.review_width());
                        ReviewState::Loaded(Box::new(Loaded::new(proposal, selection, width, model.theme)))
                    }
                    Err(problem) => ReviewState::Failed(problem),
                };
                model.dirtied(Dirty::Now);
            }
            Vec::new()
        }
        Msg::History { generation, task, answer } => {
            let evidence = &mut model.evidence;
            if evidence.generation == generation && evidence.task == Some(task) {
                evidence.loading = false;
                match answer {
                    Ok(events) => {
                        // What happened while it was read comes after it, and may be in it already.
                        let since = std::mem::replace(&mut evidence.events, events);
                        let last = evidence.last();
                        evidence.events.extend(since.into_iter().filter(|recorded| recorded.seq > last));
                        evidence.problem = None;
                    }
                    Err(problem) => evidence.problem = Some(problem),
                }
                model.dirtied(Dirty::Now);
            }
            Vec::new()
        }
        Msg::FileDiff { generation, change, hunk, diff } => {
            let theme = model.theme;
            if model.review.generation == generation
                && let Some(loaded) = model.review.loaded_mut()
                && let Some(place) = loaded.diffs.get_mut(&(change, hunk))
            {
                *place = Some(diff);
                loaded.build(theme);
                model.dirtied(Dirty::Now);
            }
            Vec::new()
        }
        Msg::WholeDiff { generation, diffs } => taking_away::view_whole(model, generation, diffs),
        Msg::SearchedFiles { generation, text, looked } => searching::looked(model, generation, &text, looked),
        Msg::Wake { generation } => loading::wake(model, generation),
    }
}

/// Puts the model in order before a frame, and loads what the frame is about to miss.
pub fn refresh(model: &mut Model) -> Vec<Effect> {
    model.settle();
    if model.dialog.is_some() || model.is_too_small() { Vec::new() } else { loading::follow_cursor(model) }
}

fn on_key(model: &mut Model, key: Key, at: u64) -> Vec<Effect> {
    model.settle();
    let everywhere = model.keymap.action(Context::Everywhere, key);
    match everywhere {
        Some(Action::Suspend) if key.control => return vec![Effect::Suspend],
        Some(Action::Repaint) if key.control => return vec![Effect::Repaint],
        _ => {}
    }
    if model.is_too_small() {
        return answers::small_key(model, key, at);
    }
    if model.dialog.as_ref().is_some_and(|dialog| dialog.question == Question::Summary) {
        if answers::summary_key(model, key) {
            return loading::follow_cursor(model);
        }
    } else if model.dialog.is_some() {
        return answers::on_key(model, key, at);
    }
    if model.filter_input.is_some() {
        return typing::filter_key(model, key);
    }
    if model.search.is_typed {
        let effects = searching::key(model, key);
        model.settle();
        return effects;
    }
    if model.palette.is_some() {
        return choosing::palette_key(model, key, at);
    }
    let is_problem = model.notes.shown().is_some_and(|note| note.weight == Weight::Problem);
    if key.code == crossterm::event::KeyCode::Esc && is_problem {
        // It is read by then, and Esc does what it says on top of it.
        model.notes.put_away();
    }
    model.notes.read(at);
    let Some(action) = model.keymap.action(model.context(), key) else {
        let help = model.keymap.key(Context::Everywhere, Action::Help);
        model.say(format!("{key} does nothing here; {help} has the keys"));
        return Vec::new();
    };
    let place = |model: &Model| (model.tab, model.groups.is_some());
    let (former, complaint) = (place(model), model.notes.lift_complaint());
    let mut effects = actions::act(model, action);
    model.notes.put_back(complaint, place(model) != former);
    if model.dialog.is_some() {
        // What was complained of before it was asked is not about the answer.
        model.notes.forget(Weight::Problem);
    }
    model.settle();
    effects.extend(loading::follow_cursor(model));
    effects
}

/// A frame is on the screen: what it showed may be decided on, and a dialog begins to listen.
fn drawn(model: &mut Model, at: u64) {
    model.dirty = Dirty::No;
    if model.is_too_small() {
        let is_shown = super::view::holds_question(model.width, model.height);
        let quit = model.dialog.as_mut().filter(|dialog| is_shown && dialog.question == Question::Quit);
        if let Some(dialog) = quit {
            dialog.drawn_at.get_or_insert(at);
        }
        return;
    }
    if model.filter_input.is_none() {
        model.notes.drawn(at);
    }
    if let Some(dialog) = &mut model.dialog {
        dialog.drawn_at.get_or_insert(at);
        return;
    }
    if model.palette.is_some() {
        return choosing::drawn(model);
    }
    if model.groups.is_some() {
        (model.review.drawn, model.review.painted) = (None, None);
        return grouped::drawn(model);
    }
    model.review.drawn = match model.reviewed() {
        Some((id, loaded)) if model.tab == Tab::Review => Some((id, loaded.digest)),
        _ => None,
    };
    let is_painted = model.tab == Tab::Review && model.review.loaded().is_some() && model.review.task == model.cursor;
    model.review.painted = is_painted.then_some(model.review.generation);
    if let Some((id, digest)) = model.review.drawn {
        model.seen.insert(digest);
        model.opened.insert(id, digest);
        let is_whole = model.run.selection(id).takes_all();
        model.seen_cohorts.extend(model.run.plans.get(&id).filter(|_| is_whole).map(|facts| facts.cohort));
    }
}
