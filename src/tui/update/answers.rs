use crossterm::event::KeyCode;

use crate::engine::Command;
use crate::model::{Known, Problem, TaskId, visible};
use crate::tui::dialogs::{Demand, Dialog, Question, Verb, is_read_to_the_end};
use crate::tui::effect::Effect;
use crate::tui::keymap::{Action, Context, Key};
use crate::tui::state::{Dirty, Model};

use super::{actions, loading};

/// A reason must say something.
const SHORTEST_REASON: usize = 3;

/// Keys while a question is asked. Before it has been on the screen for a moment it is deaf to all.
pub fn on_key(model: &mut Model, key: Key, at: u64) -> Vec<Effect> {
    let Some(mut dialog) = model.dialog.take() else { return Vec::new() };
    if !dialog.hears(at) {
        model.dialog = Some(dialog);
        return Vec::new();
    }
    if key.code == KeyCode::Esc {
        return Vec::new();
    }
    if dialog.question == Question::Help {
        return help_key(model, dialog, key);
    }
    if let Question::Failure { task } = dialog.question {
        return failure_key(model, dialog, task, key);
    }
    if dialog.question == Question::Quit && key.code == KeyCode::Char('c') && !key.control && can_close(model) {
        model.closing = true;
        return vec![Effect::Command(Command::Close)];
    }
    match key.code {
        KeyCode::Char(character) if dialog.takes_text() && !key.control => dialog.push(character),
        KeyCode::Char('u') if dialog.takes_text() && key.control => dialog.input.clear(),
        KeyCode::Backspace => {
            dialog.input.pop();
        }
        KeyCode::Up => dialog.top = dialog.top.saturating_sub(1),
        KeyCode::Down => dialog.top += 1,
        KeyCode::Enter | KeyCode::Char('y') if !key.control => {
            let is_approval = matches!(dialog.question, Question::Approve(_) | Question::ApproveAll(_));
            if is_approval && !is_read_to_the_end(model, &dialog) {
                model.complain("read the question to its end first: press down");
            } else if let Some(effects) = answer(&dialog, key.code == KeyCode::Enter) {
                return effects;
            }
        }
        KeyCode::Char('n' | 'q') if !key.control => return Vec::new(),
        _ => {}
    }
    model.dialog = Some(dialog);
    Vec::new()
}

/// Keys where the window is too small for anything else: leaving is asked about, nothing else is acted on.
pub fn small_key(model: &mut Model, key: Key, at: u64) -> Vec<Effect> {
    let quit = model.dialog.take_if(|dialog| dialog.question == Question::Quit);
    match quit {
        Some(dialog) if !dialog.hears(at) => model.dialog = Some(dialog),
        Some(_) if key.code == KeyCode::Char('y') && !key.control => return vec![Effect::Leave],
        Some(_) => {}
        None if model.keymap.action(Context::Everywhere, key) == Some(Action::Quit) => {
            model.dialog = Some(Dialog::new(Question::Quit));
        }
        None => {}
    }
    Vec::new()
}

/// Whether the run can be ended for good: nothing is left to do, and it is held here.
pub fn can_close(model: &Model) -> bool {
    let is_held = !model.read_only && model.stopped.is_none() && model.broken.is_none();
    model.is_complete() && is_held && model.parting.leaves_a_run()
}

/// What a yes does; nothing where what was pressed is no answer yet.
fn answer(dialog: &Dialog, is_enter: bool) -> Option<Vec<Effect>> {
    let input = dialog.input.trim();
    let met = |demand: &Demand| if is_enter { demand.is_met_by(input) } else { *demand == Demand::Key };
    let command = |command| Some(vec![Effect::Command(command)]);
    match &dialog.question {
        Question::Approve(approve) if met(&approve.demand) => {
            command(Command::Approve { task: approve.task, digest: approve.digest })
        }
        Question::ApproveAll(all) if met(&all.demand) => {
            let approve = |(task, digest): &(TaskId, _)| Command::Approve { task: *task, digest: *digest };
            Some(all.plans.iter().map(approve).map(Effect::Command).collect())
        }
        Question::Confirm { task } if !is_enter => command(Command::Confirm { task: *task }),
        Question::Quit if !is_enter => Some(vec![Effect::Leave]),
        Question::Settle { task } if is_enter => {
            let known = match input {
                "applied" => Known::Applied,
                "not applied" => Known::NotApplied,
                _ => return None,
            };
            command(Command::Settle { task: *task, known })
        }
        Question::Reason { verb } if is_enter && input.chars().count() >= SHORTEST_REASON => {
            let why = input.to_owned();
            Some(match verb {
                Verb::Abort => vec![Effect::Command(Command::Abort { why })],
                Verb::Skip(tasks) => {
                    let skip = |task: &TaskId| Effect::Command(Command::Skip { task: *task, why: why.clone() });
                    tasks.iter().map(skip).collect()
                }
                Verb::LeaveOut(owners) => {
                    let leave = owners.iter().map(|(set, owner)| Command::LeaveOut {
                        set: set.clone(),
                        owner: owner.clone(),
                        why: why.clone(),
                    });
                    leave.map(Effect::Command).collect()
                }
            })
        }
        _ => None,
    }
}

fn help_key(model: &mut Model, mut dialog: Dialog, key: Key) -> Vec<Effect> {
    match model.keymap.action(Context::Everywhere, key) {
        Some(Action::Help | Action::Quit) => return Vec::new(),
        Some(Action::Up) => dialog.top = dialog.top.saturating_sub(1),
        Some(Action::Down) => dialog.top += 1,
        Some(Action::PageUp | Action::First) => dialog.top = dialog.top.saturating_sub(model.body_height()),
        Some(Action::PageDown | Action::Last) => dialog.top += model.body_height(),
        _ => {}
    }
    model.dialog = Some(dialog);
    Vec::new()
}

/// Its keys act on the failed task alone, whatever is marked.
fn failure_key(model: &mut Model, dialog: Dialog, task: TaskId, key: Key) -> Vec<Effect> {
    let action = model.keymap.action(Context::Failure, key);
    if action.is_none() || model.cursor != Some(task) {
        model.dialog = Some(dialog);
        return Vec::new();
    }
    let marks = std::mem::take(&mut model.marks);
    let mut effects = action.map(|action| actions::act(model, action)).unwrap_or_default();
    model.marks = marks;
    effects.extend(loading::follow_cursor(model));
    effects
}

/// The engine said no, or done.
pub fn answered(model: &mut Model, command: &Command, problem: Option<Problem>) -> Vec<Effect> {
    let is_close = *command == Command::Close && std::mem::take(&mut model.closing);
    let Some(problem) = problem else { return if is_close { vec![Effect::Leave] } else { Vec::new() } };
    let next = problem.next.as_ref().map(|next| format!(" Next: {}.", visible(next))).unwrap_or_default();
    // Of many refusals the screen shows the last; the log shows all.
    tracing::warn!(target: crate::tui::log::NOTES, "refused: {}", visible(&problem.what));
    model.complain(format!("refused: {}.{next}", visible(&problem.what)));
    if let Command::Decide { task, .. } = command
        && model.review.task == Some(*task)
    {
        let selection = model.run.selection(*task);
        model.review.sent.clear();
        if let Some(loaded) = model.review.loaded_mut() {
            loaded.select(selection);
        }
    }
    model.dirtied(Dirty::Now);
    Vec::new()
}
