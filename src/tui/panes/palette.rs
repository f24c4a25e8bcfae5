use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::visible;
use crate::tui::cells::{Pen, column, fit, wrap};
use crate::tui::palette::{Offer, Palette, offers};
use crate::tui::state::Model;
use crate::tui::theme::Role;

const KEYS: usize = 10;
const NAME: usize = 17;
/// Lines for the whole sentence about what is chosen.
const ABOUT: u16 = 3;

/// What can be done, over the pane; what is typed stands in the line above the keys.
pub fn render(model: &Model, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let all = offers(model, palette);
    let list = Rect { height: area.height.saturating_sub(ABOUT), ..area };
    let height = usize::from(list.height).saturating_sub(1).max(1);
    let at = palette.at.min(all.len().saturating_sub(1));
    let top = (at + 1).saturating_sub(height);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    let told = match all.len() {
        0 => " nothing here is called so".to_owned(),
        many => format!(" {} of {many}   up, down: choose   Enter: do it   Esc: back", at + 1),
    };
    Pen::at(buffer, area, 0).line(&[(&told, theme.style(Role::Quiet))], theme.cut());
    for (row, (number, offer)) in (1..list.height).zip(all.iter().enumerate().skip(top)) {
        let is_chosen = number == at;
        let over = |role| theme.style(if is_chosen { Role::Cursor } else { role });
        let mut pen = Pen::at(buffer, list, row);
        pen.write(if is_chosen { "> " } else { "  " }, over(Role::Title));
        let (key, name, about) = match offer {
            Offer::Act { action, keys, about } => (keys.as_str(), action.name().to_owned(), (*about).to_owned()),
            Offer::Task { id, name } => {
                let status = model.run.tasks.get(id.index()).map_or("", |task| task.status.word());
                ("go to", name.clone(), status.to_owned())
            }
        };
        pen.write(&column(key, KEYS, theme.cut()), over(Role::Key));
        let wide = if matches!(offer, Offer::Task { .. }) { NAME * 2 } else { NAME };
        pen.write(&column(&visible(&name), wide, theme.cut()), over(Role::Plain));
        let left = pen.left();
        pen.write(&fit(&format!(" {about}"), left, theme.cut()), over(Role::Quiet));
        if is_chosen {
            pen.fill(" ", theme.style(Role::Cursor));
        }
    }
    if let Some(Offer::Act { about, .. }) = all.get(at) {
        Pen::at(buffer, area, list.height).fill(theme.line(), theme.style(Role::Line));
        let lines = wrap(about, usize::from(area.width).saturating_sub(2));
        for (row, line) in (list.height + 1..area.height).zip(lines) {
            Pen::at(buffer, area, row).write(" ", theme.style(Role::Plain)).write(&line, theme.style(Role::Plain));
        }
    }
}
