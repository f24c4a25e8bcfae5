use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{TaskStatus, visible};
use crate::tui::cells::{Pen, column, fit_middle};
use crate::tui::keymap::{Action, Context};
use crate::tui::matrix::{self, Column, Tally, Zoom, line_count, line_of, row, row_count, tasks_in, worst};
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
    let all = matrix::columns(run, model.sight.is_folded);
    if all.is_empty() || row_count(run) == 0 {
        let list = model.keymap.key(Context::Everywhere, Action::ShowSteps);
        let text = format!(" no step of this run is repeated for users: {list} has the steps");
        Pen::at(buffer, area, 1).write(&text, theme.style(Role::Attention));
        return;
    }
    let fit = columns(area.width);
    let shown: Vec<&Column> = all.iter().skip(model.matrix_left).take(fit).collect();
    let mut pen = Pen::at(buffer, area, 0);
    let more = (model.matrix_left > 0, model.matrix_left + fit < all.len());
    let label = match more {
        (false, false) if model.sight.order.is_some() => " trouble first",
        (false, false) => " user",
        (true, false) => " user  < more",
        (false, true) => " user  more >",
        (true, true) => " user  < more >",
    };
    pen.write(&column(label, NAME + 1, theme.cut()), theme.style(Role::Quiet));
    for shown in &shown {
        let name = visible(&shown.name);
        pen.write(&column(&name, CELL - 1, theme.cut()), theme.style(Role::Title)).write(" ", theme.style(Role::Plain));
    }
    let body = area.height.saturating_sub(3);
    for (line, at) in (1..=body).zip(model.matrix_top..line_count(model)) {
        let area = Rect { y: area.y + line, height: 1, ..area };
        match model.sight.zoom {
            Zoom::One => user(model, at, &shown, area, buffer),
            _ => block(model, at, &shown, area, buffer),
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

fn owner_name(model: &Model, at: usize) -> String {
    let place = row(&model.run, model.sight.owner(at));
    let owners = place.and_then(|place| model.run.header.owners.get(place.set));
    let name = owners.zip(place).and_then(|(owners, place)| owners.names.get(place.position as usize));
    name.map_or_else(String::new, |name| visible(name).into_owned())
}

fn head(model: &Model, at: usize, name: &str, pen: &mut Pen<'_>) {
    let theme = model.theme;
    let is_row = model.cursor.and_then(|id| line_of(model, id)) == Some(at);
    pen.write(if is_row { ">" } else { " " }, theme.style(Role::Title));
    let name = fit_middle(name, NAME - 1, theme.cut());
    pen.write(&column(&name, NAME, theme.cut()), theme.style(if is_row { Role::Title } else { Role::Plain }));
}

fn user(model: &Model, at: usize, shown: &[&Column], area: Rect, buffer: &mut Buffer) {
    let (theme, run) = (model.theme, &model.run);
    let mut pen = Pen::at(buffer, area, 0);
    head(model, at, &owner_name(model, at), &mut pen);
    for shown in shown {
        let Some(id) = worst(run, tasks_in(model, at, shown)) else {
            pen.write(&column("", CELL, ""), theme.style(Role::Plain));
            continue;
        };
        let status = run.tasks.get(id.index()).map_or(TaskStatus::Waiting, |task| task.status);
        let mut style = theme.style(theme.status_role(status));
        if model.cursor.is_some_and(|cursor| tasks_in(model, at, shown).any(|id| id == cursor)) {
            style = theme.style(Role::Cursor);
        }
        let mut text = format!(" {}", theme.glyph(status));
        let mut tally = Tally::default();
        let states = tasks_in(model, at, shown).filter_map(|id| run.tasks.get(id.index()));
        states.for_each(|task| tally.add(task.status));
        if tally.all > 1 {
            text.push_str(&format!(" {}/{}", tally.well, tally.all));
        }
        text.push_str(if tasks_in(model, at, shown).any(|id| model.marks.contains(&id)) { "#" } else { " " });
        let wide = (text.chars().count() + 1).min(CELL - 1);
        pen.write(&column(&text, wide, ""), style);
        pen.write(&column("", CELL - wide, ""), theme.style(Role::Plain));
    }
}

/// Many users in one line: hundredths that are settled well, and how many are in trouble.
fn block(model: &Model, at: usize, shown: &[&Column], area: Rect, buffer: &mut Buffer) {
    let (theme, size) = (model.theme, model.sight.zoom.size());
    let last = ((at + 1) * size).min(row_count(&model.run)).saturating_sub(1);
    let mut pen = Pen::at(buffer, area, 0);
    let name = match model.sight.order {
        // In the order of trouble a block has no first and last name.
        Some(_) => format!("{}-{}", at * size + 1, last + 1),
        None => format!("{}-{}", owner_name(model, at * size), owner_name(model, last)),
    };
    head(model, at, &name, &mut pen);
    let cursor = model.cursor.filter(|id| line_of(model, *id) == Some(at));
    for shown in shown {
        let mut tally = Tally::default();
        let states = tasks_in(model, at, shown).filter_map(|id| model.run.tasks.get(id.index()));
        states.for_each(|task| tally.add(task.status));
        if tally.all == 0 {
            pen.write(&column("", CELL, ""), theme.style(Role::Plain));
            continue;
        }
        let trouble = match (tally.trouble, tally.review) {
            (0, 0) => String::new(),
            (0, review) => format!(" {}{review}", theme.glyph(TaskStatus::Review)),
            (trouble, _) => format!(" {}{trouble}", theme.glyph(TaskStatus::Failed)),
        };
        let role = match (tally.trouble, tally.review, tally.well == tally.all) {
            _ if cursor.is_some_and(|id| shown.has(&model.run, id)) => Role::Cursor,
            (0, 0, true) => Role::Good,
            (0, 0, false) => Role::Plain,
            (0, ..) => Role::Attention,
            _ => Role::Bad,
        };
        let text = column(&format!("{:>3}%{trouble}", tally.hundredths()), CELL - 1, theme.cut());
        pen.write(&text, theme.style(role)).write(" ", theme.style(Role::Plain));
    }
}

/// Per column: settled well of all, and how many are in trouble.
fn total(model: &Model, shown: &[&Column], area: Rect, line: u16, buffer: &mut Buffer) {
    let theme = model.theme;
    let run = &model.run;
    let mut pen = Pen::at(buffer, area, line);
    pen.write(&column(" TOTAL", NAME + 1, ""), theme.style(Role::Title));
    for shown in shown {
        let mut tally = Tally::default();
        for (step, status) in shown.steps.iter().flat_map(|step| TaskStatus::ALL.map(|status| (*step, status))) {
            tally.add_many(status, run.step_count(step, status) as usize);
        }
        let Tally { well, trouble, .. } = tally;
        let good = format!("{well}/{}", tally.all);
        let bad = if trouble > 0 { format!(" {}{trouble}", theme.glyph(TaskStatus::Failed)) } else { String::new() };
        pen.write(&good, theme.style(Role::Good)).write(&bad, theme.style(Role::Bad));
        let used = good.chars().count() + bad.chars().count();
        pen.write(&column("", CELL.saturating_sub(used), ""), theme.style(Role::Plain));
    }
}
