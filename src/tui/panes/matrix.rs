use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{TaskStatus, visible};
use crate::tui::cells::{Pen, column, fit_middle};
use crate::tui::matrix::{cell, columns as steps, row, row_count};
use crate::tui::names::shown_name;
use crate::tui::state::Model;
use crate::tui::theme::Role;
use crate::tui::words;

const NAME: usize = 18;
const CELL: usize = 10;

/// How many steps fit beside the names.
pub fn columns(width: u16) -> usize {
    (usize::from(width).saturating_sub(NAME + 1) / CELL).max(1)
}

/// Users down, steps across; one glyph a cell, the cursor's task in words below.
pub fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let run = &model.run;
    let all = steps(run);
    if all.is_empty() || row_count(run) == 0 {
        let text = " no step of this run is repeated for users: the steps are in tab 1";
        Pen::at(buffer, area, 1).write(text, theme.style(Role::Attention));
        return;
    }
    let fit = columns(area.width);
    let shown: Vec<usize> = all.iter().copied().skip(model.matrix_left).take(fit).collect();
    let mut pen = Pen::at(buffer, area, 0);
    let more = (model.matrix_left > 0, model.matrix_left + fit < all.len());
    let label = match more {
        (false, false) => " user",
        (true, false) => " user  < more",
        (false, true) => " user  more >",
        (true, true) => " user  < more >",
    };
    pen.write(&column(label, NAME + 1, theme.cut()), theme.style(Role::Quiet));
    for step in &shown {
        let name = run.header.steps.get(*step).map_or_else(String::new, |step| visible(&step.id).into_owned());
        pen.write(&column(&name, CELL - 1, theme.cut()), theme.style(Role::Title)).write(" ", theme.style(Role::Plain));
    }
    let body = area.height.saturating_sub(3);
    for (line, at) in (1..=body).zip(model.matrix_top..) {
        let Some(place) = row(run, at) else { break };
        let owners = run.header.owners.get(place.set);
        let name = owners.and_then(|owners| owners.names.get(place.position as usize));
        let is_row = model.cursor.and_then(|id| crate::tui::matrix::row_of(run, id)) == Some(at);
        let mut pen = Pen::at(buffer, area, line);
        pen.write(if is_row { ">" } else { " " }, theme.style(Role::Title));
        let name = name.map_or_else(String::new, |name| fit_middle(&visible(name), NAME - 1, theme.cut()));
        pen.write(&column(&name, NAME, theme.cut()), theme.style(if is_row { Role::Title } else { Role::Plain }));
        for step in &shown {
            let Some(id) = cell(run, place, *step) else {
                pen.write(&column("", CELL, ""), theme.style(Role::Plain));
                continue;
            };
            let status = run.tasks.get(id.index()).map_or(TaskStatus::Waiting, |task| task.status);
            let mut style = theme.style(theme.status_role(status));
            if model.cursor == Some(id) {
                style = theme.style(Role::Cursor);
            }
            let mark = if model.marks.contains(&id) { "#" } else { " " };
            pen.write(&column(&format!(" {}{mark}", theme.glyph(status)), 4, ""), style);
            pen.write(&column("", CELL - 4, ""), theme.style(Role::Plain));
        }
    }
    total(model, &shown, area, area.height.saturating_sub(2), buffer);
    if let Some(id) = model.cursor {
        let status = run.tasks.get(id.index()).map_or("", |task| task.status.word());
        let text = format!(" {}: {status}  {}", shown_name(run, id), words::note(model, id));
        let mut pen = Pen::at(buffer, area, area.height.saturating_sub(1));
        let left = pen.left();
        pen.write(&crate::tui::cells::fit(&text, left, theme.cut()), theme.style(Role::Plain));
    }
}

/// Per step: settled well of all, and how many are in trouble.
fn total(model: &Model, shown: &[usize], area: Rect, line: u16, buffer: &mut Buffer) {
    let theme = model.theme;
    let run = &model.run;
    let mut pen = Pen::at(buffer, area, line);
    pen.write(&column(" TOTAL", NAME + 1, ""), theme.style(Role::Title));
    for step in shown {
        let ids = run.step_tasks(*step);
        let tasks = || ids.clone().filter_map(|id| run.tasks.get(id as usize));
        let well = tasks().filter(|task| task.status.satisfies()).count();
        let trouble = tasks().filter(|task| matches!(task.status, TaskStatus::Failed | TaskStatus::Unknown)).count();
        let good = format!("{well}/{}", ids.len());
        let bad = if trouble > 0 { format!(" {}{trouble}", theme.glyph(TaskStatus::Failed)) } else { String::new() };
        pen.write(&good, theme.style(Role::Good)).write(&bad, theme.style(Role::Bad));
        let used = good.chars().count() + bad.chars().count();
        pen.write(&column("", CELL.saturating_sub(used), ""), theme.style(Role::Plain));
    }
}
