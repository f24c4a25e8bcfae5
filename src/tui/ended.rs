use crate::model::{RunState, Summary, TaskStatus};

use super::dialogs::{Dialog, Question, shell_command};
use super::keymap::{Action, Context};
use super::state::Model;

/// What the screen knows of its run's end: the summary comes up by itself, and not again and again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ended {
    /// Something was done since the last summary.
    pub has_worked: bool,
    /// The summary of a run with failures was shown: each further try has its own question.
    told_of_failures: bool,
}

/// Nothing goes on any more: the summary comes up, unless the operator is in the middle of something.
pub fn tell(model: &mut Model) {
    let is_busy = model.dialog.is_some()
        || model.palette.is_some()
        || model.groups.is_some()
        || model.filter_input.is_some()
        || model.search.is_typed
        // An undo was asked for in the last moment, and its plan is on its way.
        || model.notes.is_under_way();
    if is_busy || model.read_only || !model.ended.has_worked || !is_at_end(model) {
        return;
    }
    let has_failed = model.run.count(TaskStatus::Failed) + model.run.count(TaskStatus::Unknown) > 0;
    if has_failed && std::mem::replace(&mut model.ended.told_of_failures, true) {
        return;
    }
    model.ended.has_worked = false;
    model.dialog = Some(Dialog::new(Question::Summary));
}

/// Every task is settled, or waits for one that failed.
fn is_at_end(model: &Model) -> bool {
    use TaskStatus as S;
    let open = [S::Ready, S::Review, S::Approved, S::Applying];
    let failed = model.run.count(S::Failed) + model.run.count(S::Unknown) > 0;
    model.run.state == RunState::Going
        && !model.run.tasks.is_empty()
        && open.iter().all(|status| model.run.count(*status) == 0)
        && (failed || model.run.count(S::Waiting) == 0)
}

/// The same words as at a shell, and which keys do it here.
pub fn summary(model: &Model) -> Vec<(bool, String)> {
    let mut lines: Vec<_> = Summary::of(&model.run, |verb| shell_command(model, verb)).lines().collect();
    if model.run.count(TaskStatus::Failed) > 0 && !model.read_only {
        let causes = model.keymap.key(Context::Everywhere, Action::Causes);
        let retry = model.keymap.key(Context::Groups, Action::Retry);
        lines.push((true, format!("here     {causes} lists the failures by cause, {retry} there tries them again")));
    }
    lines
}
