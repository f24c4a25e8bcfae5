use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::model::{RunState, TaskStatus};
use crate::tui::cells::{Pen, column, fit};
use crate::tui::dialogs::Question;
use crate::tui::groups::Kind;
use crate::tui::keymap::{Action, Binding, Context};
use crate::tui::review::Loaded;
use crate::tui::state::{Model, Tab};
use crate::tui::theme::Role;

/// Places in the line of keys, the most wanted first. What shares a place is seldom wanted at once; the first
/// that does something is shown. A key keeps its place whatever task is under the cursor: it is found without
/// reading, and a move of the cursor repaints little.
fn places(context: Context) -> &'static [&'static [Action]] {
    use Action as A;
    match context {
        Context::Steps => &[
            &[A::Open],
            &[A::Filter],
            &[A::Retry, A::Undo, A::Confirm, A::ApproveAll],
            &[A::Skip],
            &[A::NextWanted],
            &[A::LeaveOut],
            &[A::ApproveAll],
            &[A::Mark],
            &[A::TurnGrouping],
        ],
        Context::Matrix => &[&[A::Open], &[A::Zoom], &[A::Fold], &[A::TroubleFirst], &[A::NextWanted], &[A::Back]],
        Context::Review => &[
            &[A::Take, A::Retry, A::Undo, A::Confirm],
            &[A::Leave, A::Skip],
            &[A::Approve],
            &[A::Open, A::ApproveAll],
            &[A::NextWanted],
            &[A::ApproveAll],
            &[A::Skip],
            &[A::Back],
        ],
        Context::Evidence => {
            &[&[A::LogLevel], &[A::LogTarget], &[A::Retry, A::Undo], &[A::NextWanted], &[A::Back], &[A::Copy]]
        }
        Context::Groups => &[&[A::Open], &[A::ApproveAll, A::Retry], &[A::Skip], &[A::Back]],
        Context::Everywhere | Context::Failure => &[],
    }
}

/// The keys that matter here, each in its place; help and leaving are at the end whatever else there is room for.
pub fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::at(buffer, area, 0);
    pen.write(" ", theme.style(Role::Plain));
    if let Some(dialog) = &model.dialog {
        // The line above may lie under the question.
        let wrong = model.notes.shown().filter(|note| note.is_refusal());
        let (told, role) = match (wrong, &dialog.question) {
            (Some(note), _) => (note.text.as_str(), Role::Bad),
            (None, Question::Summary) => ("this is how the run stands; Esc closes it", Role::Quiet),
            (None, Question::Help) => ("this help lies over the screen; Esc closes it", Role::Quiet),
            (None, _) => ("a question is open: answer it, or Esc", Role::Quiet),
        };
        let left = pen.left();
        pen.write(&fit(told, left, theme.cut()), theme.style(role));
        return;
    }
    let context = model.context();
    let bindings = || model.keymap.bindings.iter().filter(|binding| !binding.hint.is_empty());
    let everywhere: Vec<_> =
        bindings().filter(|binding| binding.context == Context::Everywhere && matters(model, binding.action)).collect();
    let reserved: usize = everywhere.iter().map(|binding| width(binding)).sum();
    let mut shown = Vec::new();
    for place in places(context) {
        let of_place: Vec<_> = place
            .iter()
            .filter_map(|action| bindings().find(|one| one.context == context && one.action == *action))
            .collect();
        let wide = of_place.iter().map(|binding| width(binding)).max().unwrap_or(0);
        if wide + reserved > pen.left() {
            continue;
        }
        let wanted = |one: &&&Binding| !shown.contains(&one.action) && matters(model, one.action);
        match of_place.iter().find(wanted) {
            Some(binding) => {
                shown.push(binding.action);
                hint(model, binding, wide, &mut pen);
            }
            None => drop(pen.write(&column("", wide, ""), theme.style(Role::Plain))),
        }
    }
    for binding in everywhere {
        hint(model, binding, width(binding), &mut pen);
    }
}

fn width(binding: &Binding) -> usize {
    binding.key().width() + binding.hint.len() + 3
}

fn hint(model: &Model, binding: &Binding, width: usize, pen: &mut Pen<'_>) {
    let key = binding.key();
    // As long as the word whose place it takes.
    let is_paused = binding.action == Action::PauseOrContinue && model.run.state == RunState::Paused;
    let hint = if is_paused { "go on" } else { binding.hint };
    let word = column(&format!(" {hint}"), width.saturating_sub(key.width()), "");
    pen.write(key, model.theme.style(Role::Key)).write(&word, model.theme.style(Role::Plain));
}

/// Whether a key would do something for the task under the cursor, so that the footer names no others.
fn matters(model: &Model, action: Action) -> bool {
    use TaskStatus as S;
    let commands = !model.read_only && model.stopped.is_none();
    // There is nothing left to pause; one that is paused can go on.
    let is_over = model.is_complete() && model.run.state != RunState::Paused;
    if let Some(groups) = &model.groups {
        return match action {
            Action::Open => has_groups(model, groups.kind),
            Action::ApproveAll => commands && groups.kind == Kind::Cohorts && has_groups(model, groups.kind),
            Action::Retry => commands && groups.kind == Kind::Causes && has_groups(model, groups.kind),
            Action::Skip => commands && has_groups(model, groups.kind),
            Action::PauseOrContinue => commands && !is_over,
            _ => true,
        };
    }
    let Some(task) = model.cursor.and_then(|id| model.run.tasks.get(id.index())) else {
        return matches!(action, Action::Filter | Action::Back | Action::Help | Action::Quit);
    };
    match action {
        Action::Take | Action::Leave | Action::Approve => commands && task.status == S::Review,
        Action::ApproveAll => commands && many_in_review(model, task.status),
        Action::NextWanted => {
            let wanted = [S::Review, S::Failed, S::Unknown];
            let here = u32::from(wanted.contains(&task.status) || is_to_confirm(model));
            wanted.iter().map(|status| model.run.count(*status)).sum::<u32>() + model.to_confirm() > here
        }
        Action::Undo => commands && task.can_be_undone(),
        Action::Open if model.tab == Tab::Review => model.review.loaded().is_some_and(Loaded::is_at_hunk),
        Action::Retry => commands && matches!(task.status, S::Failed | S::Unknown | S::Skipped | S::Undone),
        Action::Skip => commands && matches!(task.status, S::Review | S::Failed | S::Unknown),
        Action::LeaveOut => commands && matches!(task.status, S::Failed | S::Unknown),
        Action::Confirm => commands && is_to_confirm(model),
        Action::PauseOrContinue => commands && !is_over,
        _ => true,
    }
}

fn is_to_confirm(model: &Model) -> bool {
    let Some(id) = model.cursor else { return false };
    let is_ready = model.run.tasks.get(id.index()).is_some_and(|task| task.status == TaskStatus::Ready);
    is_ready && model.is_confirm(id)
}

fn has_groups(model: &Model, kind: Kind) -> bool {
    let status = if kind == Kind::Causes { TaskStatus::Failed } else { TaskStatus::Review };
    model.run.count(status) > 0
}

/// Whether approving many at once means anything here: in Review plans equal to the one on the screen,
/// elsewhere those of the cursor's step.
fn many_in_review(model: &Model, status: TaskStatus) -> bool {
    let in_step = model.cursor.map_or(0, |id| model.run.step_count(model.run.step_of(id), TaskStatus::Review));
    if model.tab == Tab::Steps && !model.marks.is_empty() {
        return model.run.count(TaskStatus::Review) > 0;
    }
    if model.tab != Tab::Review {
        return in_step > 1;
    }
    status == TaskStatus::Review && in_step > 1 && has_an_equal(model)
}

fn has_an_equal(model: &Model) -> bool {
    let Some(id) = model.cursor else { return false };
    let cohort = model.run.plans.get(&id).map(|facts| facts.cohort);
    let mut plans = model.run.plans.iter();
    cohort.is_some() && plans.any(|(other, facts)| *other != id && Some(facts.cohort) == cohort)
}
