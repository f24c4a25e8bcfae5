use crossterm::event::KeyCode;

use crate::tui::effect::Effect;
use crate::tui::filter::Filter;
use crate::tui::keymap::Key;
use crate::tui::state::{Dirty, Model};

use super::{loading, searching};

const MAX_FILTER: usize = 120;

/// Keys while the filter is typed: the list follows each of them.
pub fn filter_key(model: &mut Model, key: Key) -> Vec<Effect> {
    let Some((input, former)) = &mut model.filter_input else { return Vec::new() };
    match key.code {
        KeyCode::Esc => {
            let former = std::mem::take(former);
            model.filter_input = None;
            apply(model, &former);
        }
        KeyCode::Enter => model.filter_input = None,
        KeyCode::Char('u') if key.control => {
            input.text.clear();
            apply(model, "");
        }
        KeyCode::Backspace => {
            input.text.pop();
            let text = input.text.clone();
            apply(model, &text);
        }
        KeyCode::Char(character) if !key.control && input.text.len() < MAX_FILTER => {
            input.text.push(character);
            let text = input.text.clone();
            apply(model, &text);
        }
        _ => {}
    }
    model.settle();
    loading::follow_cursor(model)
}

/// The operator narrows the list: a cursor on a task that is no longer shown goes to one that is.
pub fn apply(model: &mut Model, text: &str) {
    model.rows.filter = Filter::parse(text);
    let keeps = model.cursor.is_some_and(|id| model.rows.filter.shows(&model.run, id));
    let cursor = model.cursor.filter(|_| keeps);
    model.rows.rebuild(&model.run, cursor, model.list_height());
    super::grouped::regroup(model);
    if !keeps {
        // Where nothing is shown there is no cursor, and keys have nothing to act on.
        model.cursor = model.rows.moved(None, 0);
    }
}

/// A pasted text never acts: it goes where text is typed, or nowhere.
pub fn paste(model: &mut Model, text: &str, at: u64) {
    let plain = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    if let Some(dialog) = &mut model.dialog {
        if dialog.takes_paste() && dialog.hears(at) {
            plain.for_each(|character| dialog.push(character));
            model.dirtied(Dirty::Now);
        }
        return;
    }
    if let Some(palette) = &mut model.palette {
        palette.input.extend(plain.take(MAX_FILTER.saturating_sub(palette.input.len())));
        (palette.at, palette.drawn) = (0, None);
        return model.dirtied(Dirty::Now);
    }
    if model.filter_input.is_none() && model.search.is_typed {
        searching::paste(model, plain);
        return model.dirtied(Dirty::Now);
    }
    let Some((input, _)) = &mut model.filter_input else { return };
    input.text.extend(plain.take(MAX_FILTER.saturating_sub(input.text.len())));
    let text = input.text.clone();
    apply(model, &text);
    model.dirtied(Dirty::Now);
}
