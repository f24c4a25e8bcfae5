use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::Pen;
use super::state::{FOOTER, HEADER, MIN_HEIGHT, MIN_WIDTH, Model, Tab};
use super::theme::Role;
use super::{dialogs, panes};

/// Draws the whole screen. Reads nothing but the model.
pub fn view(model: &Model, area: Rect, buffer: &mut Buffer) {
    if model.is_too_small() || area.width < MIN_WIDTH || area.height < MIN_HEIGHT {
        return too_small(model, area, buffer);
    }
    panes::header(model, Rect { height: HEADER, ..area }, buffer);
    let body = Rect { y: area.y + HEADER, height: area.height - HEADER - FOOTER, ..area };
    match model.tab {
        Tab::Steps if model.is_wide() => {
            let left = Rect { width: model.list_width(), ..body };
            let right = Rect { x: left.right() + 1, width: model.review_width(), ..body };
            panes::steps(model, left, buffer);
            let edge = Rect { x: left.right(), width: 1, ..body };
            for row in 0..edge.height {
                Pen::at(buffer, edge, row).write(model.theme.upright(), model.theme.style(Role::Quiet));
            }
            panes::review(model, right, buffer);
        }
        Tab::Steps => panes::steps(model, body, buffer),
        Tab::Matrix => panes::matrix(model, body, buffer),
        Tab::Review => panes::review(model, body, buffer),
        Tab::Evidence => panes::evidence(model, body, buffer),
    }
    panes::footer(model, Rect { y: area.bottom() - FOOTER, height: FOOTER, ..area }, buffer);
    if let Some(dialog) = &model.dialog {
        dialogs::render(model, dialog, dialogs::place(area), buffer);
    }
}

fn too_small(model: &Model, area: Rect, buffer: &mut Buffer) {
    let lines = [
        format!("{} x {} is too small to decide on anything.", area.width, area.height),
        format!("Make the window {MIN_WIDTH} x {MIN_HEIGHT} or larger."),
        "The run goes on. q leaves.".to_owned(),
    ];
    for (row, line) in (0..area.height).zip(lines) {
        Pen::at(buffer, area, row).write(&line, model.theme.style(Role::Title));
    }
}
