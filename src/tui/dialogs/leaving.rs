use crate::model::{TaskStatus, visible};
use crate::signals::end_first;
use crate::tui::parting::Parting;
use crate::tui::state::Model;
use crate::tui::theme::Role;
use crate::tui::update::can_close;

use super::render::Line;

/// What becomes of a run that is left now.
pub fn leaving(model: &Model) -> Vec<Line> {
    words(model, (Role::Quiet, String::new())).1
}

/// What goes with a run that is closed.
pub fn lost(model: &Model) -> Vec<Line> {
    let told = match undoable(model) {
        0 => "Nothing in it can be undone any more, and it is not taken up again.".to_owned(),
        1 => "1 task can be undone now, and never again: what its undo needs is released.".to_owned(),
        many => format!("{many} tasks can be undone now, and never again: what their undo needs is released."),
    };
    vec![(Role::Danger, told), (Role::Plain, format!("It can wait: {}", command(model, "close")))]
}

fn undoable(model: &Model) -> usize {
    model.run.tasks.iter().filter(|task| task.can_be_undone()).count()
}

/// The same, where the run is still there after this screen.
pub fn shell_command(model: &Model, verb: &str) -> Option<String> {
    model.parting.leaves_a_run().then(|| command(model, verb))
}

/// What has this run in another shell.
fn command(model: &Model, verb: &str) -> String {
    let before = match &model.parting {
        Parting::Stays { before } => before.as_str(),
        Parting::Removed { .. } => "",
    };
    format!("{}rekindle {verb} {}", visible(before), visible(&model.run.header.id))
}

/// The question before the screen is left: its title, what becomes of the run, and the answers.
pub fn words(model: &Model, back: Line) -> (String, Vec<Line>, Vec<Line>) {
    let leave = (Role::Key, "y  leave".to_owned());
    if model.read_only {
        let lines = match model.is_held {
            true => vec![(Role::Plain, "The run goes on without you: it is held by another process.".to_owned())],
            false if model.is_complete() => {
                vec![(Role::Good, "Every task is settled: nothing is left to do.".to_owned())]
            }
            false => vec![
                (Role::Plain, "Nobody holds this run: nothing happens in it.".to_owned()),
                (Role::Active, format!("to go on: {}", command(model, "resume"))),
            ],
        };
        return ("Stop watching?".to_owned(), lines, vec![leave, back]);
    }
    let mut lines = vec![match model.is_complete() {
        true => (Role::Good, "Every task is settled: nothing is left to do.".to_owned()),
        false => {
            let under_way = end_first(model.run.count(TaskStatus::Applying));
            let what = under_way.unwrap_or_else(|| "What is being written now ends first".to_owned());
            (Role::Plain, format!("The run is not finished. {what}."))
        }
    }];
    let mut answers = vec![leave, back];
    match &model.parting {
        Parting::Removed { instead } => {
            lines.push((Role::Attention, "The sandbox and this run are removed then.".to_owned()));
            lines.push((Role::Plain, instead.clone()));
        }
        Parting::Stays { .. } => {
            if can_close(model) {
                lines.push((Role::Plain, format!("what happened: {}", command(model, "report"))));
                let (kept, closed) = match undoable(model) {
                    0 => ("y  leave", "c  close and leave, asked once more: the run is not taken up again"),
                    _ => {
                        lines.push((Role::Plain, format!("back to before: {}", command(model, "undo"))));
                        let kept = "y  leave; what undo needs is kept until the run is closed";
                        (kept, "c  close and leave, asked once more: what is kept for undo is released")
                    }
                };
                answers.splice(0..1, [(Role::Key, kept.to_owned()), (Role::Key, closed.to_owned())]);
            } else {
                lines.push((Role::Plain, "The rest waits.".to_owned()));
                lines.push((Role::Active, format!("to go on: {}", command(model, "resume"))));
            }
        }
    }
    ("Leave?".to_owned(), lines, answers)
}
