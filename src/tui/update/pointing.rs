use crossterm::event::KeyCode;

use crate::tui::effect::Effect;
use crate::tui::keymap::{Action, Key};
use crate::tui::msg::Pointing;
use crate::tui::panes;
use crate::tui::rows::Row;
use crate::tui::state::{HEADER, Model, Tab};

use super::{actions, answers, loading, moves};

/// Lines that one step of a wheel moves.
const WHEEL: usize = 3;

/// The mouse only moves the cursor, opens and scrolls: nothing is decided by a click.
pub fn point(model: &mut Model, column: u16, row: u16, what: Pointing, at: u64) -> Vec<Effect> {
    model.settle();
    if model.is_too_small() {
        return Vec::new();
    }
    let mut effects = match what {
        Pointing::WheelUp => wheel(model, KeyCode::Up, Action::Up, at),
        Pointing::WheelDown => wheel(model, KeyCode::Down, Action::Down, at),
        Pointing::Press if model.dialog.is_some() || model.palette.is_some() || model.groups.is_some() => Vec::new(),
        Pointing::Press => press(model, column, row),
    };
    model.settle();
    effects.extend(loading::follow_cursor(model));
    effects
}

fn wheel(model: &mut Model, code: KeyCode, action: Action, at: u64) -> Vec<Effect> {
    for _ in 0..WHEEL {
        if model.dialog.is_some() {
            let effects = answers::scroll_by_wheel(model, Key { code, control: false }, at);
            debug_assert!(effects.is_empty());
        } else if model.palette.is_none() {
            actions::act(model, action);
        }
    }
    Vec::new()
}

fn press(model: &mut Model, column: u16, row: u16) -> Vec<Effect> {
    if row + 1 == HEADER {
        return match panes::tab_at(model, column) {
            Some(tab) => actions::act(model, tab.action()),
            None => Vec::new(),
        };
    }
    let Some(line) = row.checked_sub(HEADER).map(usize::from).filter(|line| *line < model.body_height()) else {
        return Vec::new();
    };
    match model.tab {
        Tab::Steps if column < model.list_width() => {
            let Some(Row::Task(id)) = line.checked_sub(1).and_then(|line| model.rows.rows.get(model.rows.top + line))
            else {
                return Vec::new();
            };
            let id = *id;
            if model.cursor == Some(id) {
                return actions::act(model, Action::Open);
            }
            moves::to(model, Some(id));
        }
        Tab::Steps => return actions::act(model, Action::ShowReview),
        Tab::Review => {
            if let (Some(line), Some(loaded)) = (line.checked_sub(panes::REVIEW_HEAD), model.review.loaded_mut()) {
                loaded.cursor = (loaded.top + line).min(loaded.rows.len().saturating_sub(1));
            }
        }
        Tab::Matrix | Tab::Evidence => {}
    }
    Vec::new()
}
