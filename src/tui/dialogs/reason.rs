use crate::model::{Pass, Run, StepKind, TaskId, TaskStatus, visible};
use crate::signals::end_first;
use crate::tui::names::shown_name;
use crate::tui::state::Model;

use super::Verb;

/// The title of a question for a reason, and what follows from an answer.
pub fn words(model: &Model, verb: &Verb) -> (String, String) {
    match verb {
        Verb::Skip(tasks) => of_skipping(&model.run, tasks),
        Verb::LeaveOut(owners) => {
            let what = match owners.as_slice() {
                [(set, owner)] => format!("{} {}", visible(set), visible(owner)),
                many => crate::model::plural(many.len() as u64, "owner"),
            };
            let about = "All their tasks that are not settled are skipped. What was done stays done.";
            (format!("Leave out {what}?"), about.to_owned())
        }
        Verb::Abort => of_aborting(&model.run),
    }
}

/// What an abort means, as a question and its consequence.
pub fn of_aborting(run: &Run) -> (String, String) {
    let confirms = run.header.steps.iter().any(|step| step.kind == StepKind::Confirm);
    let under_way = end_first(run.count(TaskStatus::Applying));
    let what = under_way.unwrap_or_else(|| "what is being written ends first".to_owned());
    let about = format!("Nothing new is begun; {what}. Nothing is undone by this.");
    let more = if confirms { " Steps that wait for a person stay open." } else { "" };
    ("ABORT the whole run?".to_owned(), format!("{about}{more}"))
}

/// Of several, which they are: a mark is easily forgotten.
pub fn names(model: &Model, verb: &Verb) -> Option<String> {
    match verb {
        Verb::Skip(tasks) if tasks.len() > 1 => {
            Some(super::render::listed(tasks.iter().map(|id| shown_name(&model.run, *id))))
        }
        Verb::LeaveOut(owners) if owners.len() > 1 => Some(super::render::listed(
            owners.iter().map(|(set, owner)| format!("{}/{}", visible(set), visible(owner))),
        )),
        _ => None,
    }
}

/// What skipping means, as a question and its consequence: an undo that is skipped leaves what was restored; a restore
/// that is skipped leaves what was there before.
pub fn of_skipping(run: &Run, tasks: &[TaskId]) -> (String, String) {
    let what = match tasks {
        [one] => shown_name(run, *one),
        many => crate::model::plural(many.len() as u64, "task"),
    };
    let state = |id: &TaskId| run.tasks.get(id.index());
    let undos = tasks.iter().filter(|id| state(id).is_some_and(|task| task.pass == Pass::Undo));
    let begun = |id: &&TaskId| state(id).is_some_and(|task| task.status != TaskStatus::Review);
    let begun = undos.clone().filter(begun).count();
    let restore = "Nothing is written for it. What needs it goes on as if it were done.";
    let dropped = "Nothing is undone: what was restored stays, and the task is as it was before.";
    let stuck = "The undo is not tried again: what it has taken back already stays so, and so does the rest.";
    match (undos.count(), tasks.len()) {
        (0, _) => (format!("Skip {what}?"), restore.to_owned()),
        (undos, all) if undos == all && begun == 0 => (format!("Drop the undo of {what}?"), dropped.to_owned()),
        (undos, all) if undos == all => (format!("Skip the undo of {what}?"), stuck.to_owned()),
        (undos, all) => {
            let restores = crate::model::plural((all - undos) as u64, "restore");
            let undos = crate::model::plural(undos as u64, "undo");
            (format!("Skip {what}?"), format!("{restores}: nothing is written. {undos}: what was restored stays."))
        }
    }
}
