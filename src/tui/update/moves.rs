use crate::model::{Run, StepKind, TaskId, TaskStatus};
use crate::tui::keymap::Action;
use crate::tui::matrix;
use crate::tui::state::{Model, Tab};

/// How far down a key of movement leads, `page` being a screenful; the ends are farther than any list is long.
pub fn downwards(action: Action, page: usize) -> Option<isize> {
    let page = isize::try_from(page).unwrap_or(1).max(1);
    Some(match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::HalfPageUp => -(page / 2).max(1),
        Action::HalfPageDown => (page / 2).max(1),
        Action::First => isize::MIN / 2,
        Action::Last => isize::MAX / 2,
        _ => return None,
    })
}

/// Moves the cursor of the tab. The list's cursor is a task, so nothing that happens moves it.
pub fn travel(model: &mut Model, action: Action) {
    let down = downwards(action, model.body_height().saturating_sub(2)).unwrap_or(0);
    let right = match action {
        Action::Left => -1,
        Action::Right => 1,
        _ => 0,
    };
    match model.tab {
        Tab::Steps => to(model, model.rows.moved(model.cursor, down)),
        Tab::Matrix => to(model, matrix::moved(&model.run, &model.sight, model.cursor, down, right)),
        Tab::Review => {
            if let Some(loaded) = model.review.loaded_mut() {
                loaded.travel(down);
            }
        }
        Tab::Evidence => {
            let most = model.evidence.events.len() + model.output.len();
            model.evidence.back = model.evidence.back.saturating_add_signed(-down).min(most);
        }
    }
}

pub fn to(model: &mut Model, task: Option<TaskId>) {
    if task.is_some() && task != model.cursor {
        model.cursor = task;
        // A task that only the cursor kept in the list leaves it now.
        model.rows.stale |= !model.rows.filter.is_empty();
    }
}

/// The next task that needs a person, in the list's order, beginning after the cursor and around the end.
pub fn next_wanted(model: &mut Model, forward: bool) {
    let found = model.rows.around(model.cursor, forward).find(|id| needs_person(&model.run, *id));
    match found {
        Some(id) => to(model, Some(id)),
        None => model.say("no other task that is shown needs you"),
    }
}

/// Nothing more happens to it before somebody says what.
fn needs_person(run: &Run, id: TaskId) -> bool {
    match run.tasks.get(id.index()).map(|task| task.status) {
        Some(TaskStatus::Review | TaskStatus::Failed | TaskStatus::Unknown) => true,
        Some(TaskStatus::Ready) => run.step(id).is_some_and(|step| step.kind == StepKind::Confirm),
        _ => false,
    }
}
