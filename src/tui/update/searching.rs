use crossterm::event::KeyCode;

use crate::tui::effect::Effect;
use crate::tui::file_search::{self, Looked, MOST_FILES};
use crate::tui::keymap::Key;
use crate::tui::search::MAX_INPUT;
use crate::tui::state::{Dirty, Model};

pub fn begin(model: &mut Model) {
    let Some(cursor) = model.review.loaded().map(|loaded| loaded.cursor) else {
        return model.complain("there is no plan here to search in");
    };
    model.search = Default::default();
    (model.search.is_typed, model.search.from) = (true, cursor);
}

/// Keys while it is typed what is searched for: the cursor goes to the first place from where the search began.
/// Enter keeps the search, and looks into the files that are not open.
pub fn key(model: &mut Model, key: Key) -> Vec<Effect> {
    match key.code {
        KeyCode::Esc => {
            let from = model.search.from;
            end(model);
            if let Some(loaded) = model.review.loaded_mut() {
                loaded.cursor = from.min(loaded.rows.len().saturating_sub(1));
            }
            return Vec::new();
        }
        KeyCode::Enter => {
            model.search.is_typed = false;
            return look_into_files(model);
        }
        KeyCode::Char('u') if key.control => model.search.text.clear(),
        KeyCode::Backspace => drop(model.search.text.pop()),
        KeyCode::Char(character) if !key.control && model.search.text.len() < MAX_INPUT => {
            model.search.text.push(character);
        }
        _ => return Vec::new(),
    }
    follow(model);
    Vec::new()
}

/// What is pasted is searched for like what is typed.
pub fn paste(model: &mut Model, text: impl Iterator<Item = char>) {
    let room = MAX_INPUT.saturating_sub(model.search.text.len());
    model.search.text.extend(text.take(room));
    follow(model);
}

/// The cursor goes to the first place, where there is one.
fn follow(model: &mut Model) {
    found(model, true);
    let from = model.search.from;
    let at = model.search.found.iter().find(|at| **at >= from).or(model.search.found.first()).copied();
    if let Some(loaded) = model.review.loaded_mut() {
        loaded.cursor = at.unwrap_or(from).min(loaded.rows.len().saturating_sub(1));
    }
}

fn look_into_files(model: &mut Model) -> Vec<Effect> {
    let Some(loaded) = model.review.loaded().filter(|_| !model.search.text.is_empty()) else { return Vec::new() };
    let mut files = file_search::unopened(loaded);
    // Without the bodies nobody can look into any.
    let most = if loaded.is_bodiless() { 0 } else { MOST_FILES };
    model.search.unread = files.len().saturating_sub(most);
    files.truncate(most);
    more(model, files)
}

fn more(model: &mut Model, files: Vec<(u32, u32)>) -> Vec<Effect> {
    model.search.left = files.len();
    let (generation, text) = (model.review.generation, model.search.text.clone());
    match model.review.loaded() {
        Some(loaded) if !files.is_empty() => {
            vec![Effect::SearchFiles { generation, proposal: loaded.proposal.clone(), text, files }]
        }
        _ => Vec::new(),
    }
}

/// Some files were looked into: what is found there is one more place, and the cursor stays where it is.
pub fn looked(model: &mut Model, generation: u64, text: &str, looked: Looked) -> Vec<Effect> {
    if model.review.generation != generation || model.search.text != text || model.search.is_typed {
        return Vec::new();
    }
    model.search.in_files.extend(looked.found);
    model.search.unread += looked.unread;
    found(model, true);
    model.dirtied(Dirty::Soon);
    more(model, looked.rest)
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
