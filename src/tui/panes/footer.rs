use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{StepKind, TaskStatus, visible};
use crate::tui::cells::{Pen, fit};
use crate::tui::dialogs::Question;
use crate::tui::keymap::{Action, Context};
use crate::tui::notes::Weight;
use crate::tui::review::Loaded;
use crate::tui::state::{Model, Tab};
use crate::tui::theme::Role;

/// A message or what is being typed, and below it the keys that matter here.
pub fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::at(buffer, area, 0);
    let left = pen.left();
    if let Some((input, _)) = &model.filter_input {
        pen.write(" filter / ", theme.style(Role::Key)).write(&visible(&input.text), theme.style(Role::Title));
        pen.write("_", theme.style(Role::Cursor));
        pen.write("   Enter keeps it, Esc drops it", theme.style(Role::Quiet));
    } else if let Some(note) = model.notes.shown() {
        let (mark, role) = match note.weight {
            Weight::Said => (" ", Role::Plain),
            Weight::Problem => (" ", Role::Bad),
            Weight::Alarm | Weight::Logged => (" ! ", Role::Attention),
        };
        pen.write(&fit(&format!("{mark}{}", note.text), left, theme.cut()), theme.style(role));
    } else if model.is_complete() && model.activities.is_empty() {
        let text = if model.read_only {
            " every task is settled"
        } else {
            " every task is settled: q leaves, u plans a way back"
        };
        pen.write(&fit(text, left, theme.cut()), theme.style(Role::Good));
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
    if let Some(dialog) = &model.dialog {
        let told = match dialog.question {
            Question::Help => "this help lies over the screen; Esc closes it",
            _ => "a question is open: answer it, or Esc",
        };
        pen.write(told, theme.style(Role::Quiet));
        return;
    }
    let context = model.tab.context();
    let everywhere = model.keymap.bindings.iter().filter(|binding| binding.context == Context::Everywhere);
    // Help and leaving keep their place at the right end, whatever else there is room for.
    let fixed: Vec<_> =
        everywhere.filter(|binding| !binding.hint.is_empty() && matters(model, binding.action)).collect();
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
    for binding in own.filter(|binding| matters(model, binding.action)) {
        let (key, hint) = text(binding);
        if key.len() + hint.len() + 3 + reserved > pen.left() {
            continue;
        }
        pen.write(&key, theme.style(Role::Key)).write(&format!(" {hint}  "), theme.style(Role::Plain));
    }
    for binding in fixed {
        let (key, hint) = text(binding);
        pen.write(&key, theme.style(Role::Key)).write(&format!(" {hint}  "), theme.style(Role::Plain));
    }
}

/// Whether a key would do something for the task under the cursor, so that the footer names no others.
fn matters(model: &Model, action: Action) -> bool {
    use TaskStatus as S;
    let commands = !model.read_only && model.stopped.is_none();
    let Some(task) = model.cursor.and_then(|id| model.run.tasks.get(id.index())) else {
        return matches!(action, Action::Filter | Action::Back);
    };
    match action {
        Action::Take | Action::Leave | Action::Approve => commands && task.status == S::Review,
        Action::ApproveAll => commands && many_in_review(model, task.status),
        Action::NextWanted => {
            let wanted = [S::Review, S::Failed, S::Unknown];
            let here = u32::from(wanted.contains(&task.status));
            wanted.iter().map(|status| model.run.count(*status)).sum::<u32>() > here
        }
        Action::Undo => commands && task.can_be_undone(),
        Action::Open if model.tab == Tab::Review => model.review.loaded().is_some_and(Loaded::is_at_file),
        Action::Retry => commands && matches!(task.status, S::Failed | S::Unknown | S::Skipped | S::Undone),
        Action::Skip => commands && matches!(task.status, S::Review | S::Failed | S::Unknown),
        Action::LeaveOut => commands && matches!(task.status, S::Failed | S::Unknown),
        Action::Confirm => {
            let step = model.cursor.and_then(|id| model.run.step(id));
            commands && task.status == S::Ready && step.is_some_and(|step| step.kind == StepKind::Confirm)
        }
        Action::PauseOrContinue => commands,
        _ => true,
    }
}

/// Whether approving many at once means anything here: in Review plans equal to the one on the screen,
/// elsewhere those of the cursor's step.
fn many_in_review(model: &Model, status: TaskStatus) -> bool {
    let in_review = |id: u32| model.run.tasks.get(id as usize).is_some_and(|task| task.status == TaskStatus::Review);
    let step = model.cursor.map(|id| model.run.step_tasks(model.run.step_of(id))).unwrap_or_default();
    let is_at_one = model.tab != Tab::Review || status == TaskStatus::Review;
    is_at_one
        && model.run.count(TaskStatus::Review) > 1
        && step.into_iter().filter(|id| in_review(*id)).nth(1).is_some()
}
