use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::{Run, TaskId, TaskStatus, visible};
use crate::tui::cells::{Pen, column, fit, fit_middle};
use crate::tui::keymap::{Action, Context};
use crate::tui::names::{owner_of, shown_step};
use crate::tui::rows::{Grouping, Row};
use crate::tui::state::Model;
use crate::tui::theme::Role;
use crate::tui::words;

/// The list of tasks: only the rows that are on the screen are made into text.
pub fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    head(model, area, buffer);
    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if model.rows.rows.is_empty() {
        let text = match (model.run.tasks.is_empty(), model.rows.filter.is_empty()) {
            (true, _) => " no tasks yet: the run is being opened".to_owned(),
            (_, false) => {
                let back = model.keymap.key(Context::Steps, Action::Back);
                format!(" nothing matches this filter: {back} clears it")
            }
            _ => " this runbook has no tasks: rekindle lint says what it lacks".to_owned(),
        };
        Pen::at(buffer, list, 1).write(&text, model.theme.style(Role::Attention));
        return;
    }
    for (row, at) in (0..list.height).zip(model.rows.top..) {
        match model.rows.rows.get(at) {
            Some(Row::Heading(first)) => heading(model, *first, list, row, buffer),
            Some(Row::Task(id)) => task(model, *id, list, row, buffer),
            None => break,
        }
    }
}

fn head(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::at(buffer, area, 0);
    let grouping = match model.rows.grouping {
        Grouping::ByStep => "by step",
        Grouping::ByOwner => "by user",
    };
    let mut text = format!(" {grouping}  {} shown, {} hidden", model.rows.shown(), model.rows.hidden);
    if let Some(Row::Task(id)) = model.rows.rows.get(model.rows.top) {
        text.push_str(&format!("  {}, continued", group(model, *id)));
    }
    if !model.marks.is_empty() {
        let shown = model.rows.marks_shown();
        text.push_str(&format!("  {shown} selected, {} hidden", model.marks.len() - shown));
    }
    pen.write(&text, theme.style(Role::Quiet));
    let mut unusable = model.run.header.unusable_lines();
    if !unusable.is_empty() {
        let left = pen.left();
        let told = format!("  ! {}", unusable.swap_remove(0));
        pen.write(&fit(&told, left, theme.cut()), theme.style(Role::Attention));
    }
    if !model.rows.filter.is_empty() {
        let left = pen.left();
        let filter = format!("  filter: {}", visible(&model.rows.filter.text));
        pen.write(&fit(&filter, left, theme.cut()), theme.style(Role::Attention));
    }
    let (rows, height) = (model.rows.rows.len(), model.list_height());
    let part = format!("  lines {}-{} of {rows}", model.rows.top + 1, (model.rows.top + height).min(rows));
    if rows > height && part.len() <= pen.left() {
        pen.write(&part, theme.style(Role::Quiet));
    }
}

fn heading(model: &Model, first: TaskId, area: Rect, row: u16, buffer: &mut Buffer) {
    let theme = model.theme;
    let run = &model.run;
    let mut pen = Pen::at(buffer, area, row);
    let left = pen.left();
    let about = match model.rows.grouping {
        Grouping::ByStep => {
            let about = run.step(first).map_or_else(String::new, |step| visible(&step.about).into_owned());
            format!("{}  {about}", tally(run, run.step_of(first)))
        }
        Grouping::ByOwner => String::new(),
    };
    let name = group(model, first);
    pen.write(&fit(&format!(" {name}  "), left, theme.cut()), theme.style(Role::Title));
    let left = pen.left();
    pen.write(&fit(&about, left, theme.cut()), theme.style(Role::Quiet));
}

/// The name of the group that a task stands in: its step or its owner.
fn group(model: &Model, id: TaskId) -> String {
    match (model.rows.grouping, owner_of(&model.run, id)) {
        (Grouping::ByStep, _) => shown_step(&model.run, id),
        (Grouping::ByOwner, Some(owner)) => visible(owner).into_owned(),
        (Grouping::ByOwner, None) => "(the run itself)".to_owned(),
    }
}

/// Of a step's tasks: how many are settled, and how many need somebody.
fn tally(run: &Run, step: usize) -> String {
    let count = |status| run.step_count(step, status);
    let failed = count(TaskStatus::Failed) + count(TaskStatus::Unknown);
    let review = count(TaskStatus::Review);
    let settled: u32 = TaskStatus::ALL.into_iter().filter(|status| status.is_settled()).map(count).sum();
    let mut text = format!("{settled}/{} settled", run.step_tasks(step).len());
    if review > 0 {
        text.push_str(&format!(", {review} to review"));
    }
    if failed > 0 {
        text.push_str(&format!(", {failed} in trouble"));
    }
    text
}

fn task(model: &Model, id: TaskId, area: Rect, row: u16, buffer: &mut Buffer) {
    let theme = model.theme;
    let run = &model.run;
    let Some(state) = run.tasks.get(id.index()) else { return };
    let is_cursor = model.cursor == Some(id);
    let over = |style: Style| if is_cursor { theme.style(Role::Cursor) } else { style };
    let mut pen = Pen::at(buffer, area, row);
    let status = theme.style(theme.status_role(state.status));
    pen.write(if is_cursor { ">" } else { " " }, over(theme.style(Role::Title)));
    pen.write(if model.marks.contains(&id) { "#" } else { " " }, over(theme.style(Role::Attention)));
    pen.write(theme.glyph(state.status), over(status)).write(" ", over(Style::default()));
    let word = if state.status == TaskStatus::Failed { "FAILED" } else { state.status.word() };
    pen.write(&column(word, 10, theme.cut()), over(status));
    let name = match (model.rows.grouping, owner_of(run, id)) {
        (Grouping::ByStep, Some(owner)) => visible(owner).into_owned(),
        _ => shown_step(run, id),
    };
    let wide = if area.width >= 100 { 28 } else { 18 };
    let name = fit_middle(&name, wide, theme.cut());
    pen.write(&column(&name, wide, ""), over(theme.style(Role::Plain)));
    let mut note = words::note(model, id);
    if !model.rows.filter.shows(run, id) {
        note = format!("(does not match any more) {note}");
    }
    let left = pen.left();
    let role = match state.status {
        TaskStatus::Failed => Role::Bad,
        TaskStatus::Review | TaskStatus::Unknown => Role::Plain,
        _ if model.activities.contains_key(&id) => Role::Active,
        _ => Role::Quiet,
    };
    pen.write(&fit(&format!(" {note}"), left, theme.cut()), over(theme.style(role)));
    if is_cursor {
        pen.fill(" ", theme.style(Role::Cursor));
    }
}
