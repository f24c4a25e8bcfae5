use crossterm::event::KeyCode;

use crate::tui::keymap::Key;
use crate::tui::search::MAX_INPUT;
use crate::tui::state::Model;

pub fn begin(model: &mut Model) {
    let Some(cursor) = model.review.loaded().map(|loaded| loaded.cursor) else {
        return model.complain("there is no plan here to search in");
    };
    model.search = Default::default();
    (model.search.is_typed, model.search.from) = (true, cursor);
}

/// Keys while it is typed what is searched for: the cursor goes to the first place from where the search began.
pub fn key(model: &mut Model, key: Key) {
    match key.code {
        KeyCode::Esc => {
            let from = model.search.from;
            end(model);
            if let Some(loaded) = model.review.loaded_mut() {
                loaded.cursor = from.min(loaded.rows.len().saturating_sub(1));
            }
            return;
        }
        KeyCode::Enter => return model.search.is_typed = false,
        KeyCode::Char('u') if key.control => model.search.text.clear(),
        KeyCode::Backspace => drop(model.search.text.pop()),
        KeyCode::Char(character) if !key.control && model.search.text.len() < MAX_INPUT => {
            model.search.text.push(character);
        }
        _ => return,
    }
    found(model, true);
    let from = model.search.from;
    let at = model.search.found.iter().find(|at| **at >= from).or(model.search.found.first()).copied();
    if let Some(loaded) = model.review.loaded_mut() {
        loaded.cursor = at.unwrap_or(from).min(loaded.rows.len().saturating_sub(1));
    }
}

pub fn step(model: &mut Model, forward: bool) {
    if model.search.text.is_empty() {
        return model.complain("nothing is searched for: / begins");
    }
    found(model, false);
    let Some(cursor) = model.review.loaded().map(|loaded| loaded.cursor) else { return };
    let Some(at) = model.search.next(cursor, forward) else { return };
    let is_around = if forward { at <= cursor } else { at >= cursor };
    if let Some(loaded) = model.review.loaded_mut() {
        loaded.cursor = at;
    }
    if is_around && model.search.found.len() > 1 {
        model.say(if forward { "from the beginning again" } else { "from the end again" });
    }
}

pub fn end(model: &mut Model) {
    model.search = Default::default();
}

fn found(model: &mut Model, anew: bool) {
    let (generation, theme) = (model.review.generation, model.theme);
    let mut search = std::mem::take(&mut model.search);
    if let Some(loaded) = model.review.loaded() {
        search.run(loaded, generation, theme, anew);
    }
    model.search = search;
}
