use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::engine::Activity;
use crate::model::{RunState, TaskStatus, visible};
use crate::tui::cells::{Pen, fit, fit_end};
use crate::tui::names::shown_name;
use crate::tui::notes::Weight;
use crate::tui::state::{Model, Tab};
use crate::tui::theme::{Role, Theme};
use crate::tui::{tour, words};

use super::hints;

/// A message or what is being typed, and below it the keys that matter here.
pub fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::at(buffer, area, 0);
    let left = pen.left();
    if let Some((input, _)) = &model.filter_input {
        typed(theme, " filter / ", &input.text, &mut pen);
        let left = pen.left();
        let told = match input.text.is_empty() {
            true => "   a name, or status:failed user:ana step:home comp:homes !done",
            false => "   Enter keeps it, Esc drops it",
        };
        pen.write(&fit(told, left, theme.cut()), theme.style(Role::Quiet));
    } else if let Some(palette) = &model.palette {
        typed(theme, " : ", &palette.input, &mut pen);
        let left = pen.left();
        let told = "   an action, a task's name or its number in the list";
        pen.write(&fit(told, left, theme.cut()), theme.style(Role::Quiet));
    } else if model.search.is_typed {
        typed(theme, " search / ", &model.search.text, &mut pen);
        let left = pen.left();
        let told = format!("   {}", told_of_search(model));
        pen.write(&fit(&told, left, theme.cut()), theme.style(Role::Quiet));
    } else if let Some(note) = model.notes.shown().filter(|note| model.dialog.is_none() || !note.is_refusal()) {
        let (mark, role) = match note.weight {
            Weight::Said => (" ", Role::Plain),
            Weight::Problem => (" ", Role::Bad),
            Weight::Alarm | Weight::Logged => (" ! ", Role::Attention),
        };
        pen.write(&fit(&format!("{mark}{}", note.text), left, theme.cut()), theme.style(role));
    } else if let Some(why) = model.run.paused_for.as_ref().filter(|_| model.run.state == RunState::Paused) {
        let told = format!(" ! paused: {}", visible(why));
        pen.write(&fit(&told, left, theme.cut()), theme.style(Role::Attention));
    } else if let Some((component, words)) = model.back_offs.first_key_value() {
        let told = format!(" {}: {words}; nothing is lost meanwhile", visible(component));
        pen.write(&fit(&told, left, theme.cut()), theme.style(Role::Active));
    } else if let Some(canary) = &model.canary {
        let first = crate::model::plural(canary.first.len() as u64, "plan");
        let told = format!(" canary: {first} applied first; {} more wait for the read-back", canary.rest.len());
        pen.write(&fit(&told, left, theme.cut()), theme.style(Role::Active));
    } else if model.tab == Tab::Review && !model.search.text.is_empty() {
        let told = format!(" search: {}  {}", visible(&model.search.text), told_of_search(model));
        pen.write(&fit(&told, left, theme.cut()), theme.style(Role::Attention));
    } else if let Some(told) = goes_on(model) {
        pen.write(&fit(&told, left, theme.cut()), theme.style(Role::Active));
    } else if let Some(hint) = Some(model).filter(|model| model.tour).and_then(tour::hint) {
        pen.write(&fit(&format!(" {hint}"), left, theme.cut()), theme.style(Role::Active));
    } else if model.read_only && !model.is_held && !model.is_complete() {
        let told = format!(" nobody holds this run: `rekindle resume {}` goes on", visible(&model.run.header.id));
        pen.write(&fit(&told, left, theme.cut()), theme.style(Role::Attention));
    } else if model.is_complete() && model.activities.is_empty() {
        let status = model.cursor.and_then(|id| model.run.tasks.get(id.index())).map(|task| task.status);
        let text = format!(" {}", tour::settled(model, status.unwrap_or(TaskStatus::Unchanged)));
        pen.write(&fit(&text, left, theme.cut()), theme.style(Role::Good));
    } else if let Some((task, line)) = model.output.back().filter(|_| !model.activities.is_empty()) {
        let text = format!(" {}: {line}", shown_name(&model.run, *task));
        pen.write(&fit(&text, left, theme.cut()), theme.style(Role::Quiet));
    }
    hints::render(model, Rect { y: area.y + 1, height: 1, ..area }, buffer);
}

/// What takes long, of the task under the cursor: a list has no room for all of it.
fn goes_on(model: &Model) -> Option<String> {
    let id = model.cursor?;
    let activity = model.activities.get(&id)?;
    let takes_long = match activity {
        Activity::Writing(progress) | Activity::ReadingBack(progress) => progress.elapsed >= LONG,
        Activity::Waiting(_) | Activity::Told(_) => true,
        Activity::Planning | Activity::Idle => false,
    };
    let words = words::activity(activity).filter(|_| takes_long)?;
    Some(format!(" {}: {words}", shown_name(&model.run, id)))
}

/// Milliseconds.
const LONG: u64 = 1_000;

/// The end of it is always to be seen.
fn typed(theme: Theme, label: &str, text: &str, pen: &mut Pen<'_>) {
    pen.write(label, theme.style(Role::Key));
    let text = fit_end(&visible(text), pen.left().saturating_sub(1), theme.cut());
    pen.write(&text, theme.style(Role::Title)).write("_", theme.style(Role::Cursor));
}

fn told_of_search(model: &Model) -> String {
    let loaded = model.review.loaded();
    model.search.told(loaded.map_or(0, |loaded| loaded.cursor), loaded)
}
