use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::cells::{Pen, fit};
use crate::tui::keymap::Context;
use crate::tui::state::Model;
use crate::tui::theme::Role;

/// A message or what is being typed, and below it the keys that matter here.
pub fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::at(buffer, area, 0);
    let left = pen.left();
    if let Some((input, _)) = &model.filter_input {
        pen.write(" filter / ", theme.style(Role::Key)).write(&input.text, theme.style(Role::Title));
        pen.write("_", theme.style(Role::Cursor));
        pen.write("   Enter keeps it, Esc drops it", theme.style(Role::Quiet));
    } else if let Some(note) = &model.note {
        let role = if note.is_problem { Role::Bad } else { Role::Plain };
        pen.write(&fit(&format!(" {}", note.text), left, theme.cut()), theme.style(role));
    } else if let Some((task, line)) = model.output.back().filter(|_| !model.activities.is_empty()) {
        let text = format!(" {}: {line}", crate::tui::names::shown_name(&model.run, *task));
        pen.write(&fit(&text, left, theme.cut()), theme.style(Role::Quiet));
    }
    hints(model, Rect { y: area.y + 1, height: 1, ..area }, buffer);
}

fn hints(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::at(buffer, area, 0);
    pen.write(" ", theme.style(Role::Plain));
    if model.dialog.is_some() {
        pen.write("a question is open: answer it, or Esc", theme.style(Role::Quiet));
        return;
    }
    let context = model.tab.context();
    let everywhere = model.keymap.bindings.iter().filter(|binding| binding.context == Context::Everywhere);
    // Help and leaving keep their place at the right end, whatever else there is room for.
    let fixed: Vec<_> = everywhere.filter(|binding| !binding.hint.is_empty()).collect();
    let text = |binding: &crate::tui::keymap::Binding| {
        (binding.keys.first().map_or_else(String::new, |(name, _)| name.clone()), binding.hint)
    };
    let reserved: usize = fixed
        .iter()
        .map(|binding| {
            let (key, hint) = text(binding);
            key.len() + hint.len() + 3
        })
        .sum();
    let own = model.keymap.bindings.iter().filter(|binding| binding.context == context && !binding.hint.is_empty());
    for binding in own {
        let (key, hint) = text(binding);
        if key.len() + hint.len() + 3 + reserved > pen.left() {
            break;
        }
        pen.write(&key, theme.style(Role::Key)).write(&format!(" {hint}  "), theme.style(Role::Plain));
    }
    for binding in fixed {
        let (key, hint) = text(binding);
        pen.write(&key, theme.style(Role::Key)).write(&format!(" {hint}  "), theme.style(Role::Plain));
    }
}
