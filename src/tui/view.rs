use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{Pen, wrap};
use super::dialogs::{Dialog, Question};
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
                Pen::at(buffer, edge, row).write(model.theme.upright(), model.theme.style(Role::Line));
            }
            panes::review(model, right, buffer);
        }
        Tab::Steps => panes::steps(model, body, buffer),
        Tab::Matrix => panes::matrix(model, body, buffer),
        Tab::Review => panes::review(model, body, buffer),
        Tab::Evidence => panes::evidence(model, body, buffer),
    }
    if let Some(groups) = &model.groups {
        panes::groups(model, groups, body, buffer);
    }
    if let Some(palette) = &model.palette {
        panes::palette(model, palette, body, buffer);
    }
    panes::footer(model, Rect { y: area.bottom() - FOOTER, height: FOOTER, ..area }, buffer);
    if let Some(dialog) = &model.dialog {
        dialogs::render(model, dialog, dialogs::place(area), buffer);
    }
}

fn too_small(model: &Model, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let lines = match &model.dialog {
        Some(Dialog { question: Question::Quit, .. }) => {
            let question = if width < LONG_QUESTION.len() { SHORT_QUESTION } else { LONG_QUESTION };
            let told = dialogs::leaving(model);
            std::iter::once((Role::Title, question.to_owned())).chain(told).collect()
        }
        _ => vec![
            (Role::Title, format!("{} x {} is too small to decide on anything.", area.width, area.height)),
            (Role::Title, format!("Make the window {MIN_WIDTH} x {MIN_HEIGHT} or larger.")),
            (Role::Title, "The run goes on. q asks whether to leave.".to_owned()),
        ],
    };
    let lines = lines.iter().flat_map(|(role, text)| wrap(text, width).into_iter().map(move |line| (*role, line)));
    for (row, (role, line)) in (0..area.height).zip(lines) {
        Pen::at(buffer, area, row).write(&line, model.theme.style(role));
    }
}

const LONG_QUESTION: &str = "Leave? y leaves, any other key stays.";
const SHORT_QUESTION: &str = "Leave? y/n";

/// Whether somebody could read the question there.
pub fn holds_question(width: u16, height: u16) -> bool {
    usize::from(width) >= SHORT_QUESTION.len() && height > 0
}
