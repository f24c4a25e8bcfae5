use crossterm::event::KeyCode;

use crate::tui::effect::Effect;
use crate::tui::keymap::Key;
use crate::tui::palette::{MAX_INPUT, Offer, offers};
use crate::tui::state::Model;

use super::{actions, loading, moves};

/// Keys while something is looked for by its name. Enter performs what a frame has shown, and nothing else.
pub fn palette_key(model: &mut Model, key: Key, at: u64) -> Vec<Effect> {
    let Some(mut palette) = model.palette.take() else { return Vec::new() };
    match key.code {
        KeyCode::Esc => return Vec::new(),
        KeyCode::Enter => {
            if let Some(offer) = palette.drawn.take() {
                model.notes.read(at);
                return perform(model, offer);
            }
        }
        KeyCode::Backspace if palette.input.pop().is_none() => return Vec::new(),
        KeyCode::Backspace => palette.at = 0,
        KeyCode::Up => palette.at = palette.at.saturating_sub(1),
        KeyCode::Down => palette.at = (palette.at + 1).min(offers(model, &palette).len().saturating_sub(1)),
        KeyCode::Char('u') if key.control => (palette.input, palette.at) = (String::new(), 0),
        KeyCode::Char(character) if !key.control && palette.input.len() < MAX_INPUT => {
            palette.input.push(character);
            palette.at = 0;
        }
        _ => {}
    }
    palette.drawn = None;
    model.palette = Some(palette);
    Vec::new()
}

fn perform(model: &mut Model, offer: Offer) -> Vec<Effect> {
    let mut effects = match offer {
        Offer::Act { action, .. } => actions::act(model, action),
        Offer::Task { id, .. } => {
            moves::to(model, Some(id));
            Vec::new()
        }
    };
    model.settle();
    effects.extend(loading::follow_cursor(model));
    effects
}

/// The frame on the screen had this to choose.
pub fn drawn(model: &mut Model) {
    let Some(mut palette) = model.palette.take() else { return };
    palette.drawn = offers(model, &palette).into_iter().nth(palette.at);
    model.palette = Some(palette);
}
