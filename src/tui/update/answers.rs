use crossterm::event::KeyCode;

use crate::engine::Command;
use crate::model::{Known, Problem, TaskId, visible};
use crate::tui::dialogs::{Demand, Dialog, Question, Verb, below, is_read_to_the_end};
use crate::tui::effect::Effect;
use crate::tui::keymap::{Action, Context, Key};
use crate::tui::notes::Weight;
use crate::tui::state::{Dirty, Model};

use super::{actions, grouped, loading, moves};

/// In help, as in the lists.
const SEARCH: Key = Key { code: KeyCode::Char('/'), control: false };
/// A reason must say something.
const SHORTEST_REASON: usize = 3;

/// Keys while a question is asked. Before it has been on the screen for a moment it is deaf to all.
pub fn on_key(model: &mut Model, key: Key, at: u64) -> Vec<Effect> {
    let Some(mut dialog) = model.dialog.take() else { return Vec::new() };
    if !dialog.hears(at) {
        model.dialog = Some(dialog);
        return Vec::new();
    }
    // What was wrong with the last answer is not wrong with this one.
    model.notes.forget(Weight::Problem);
    if key.code == KeyCode::Esc && !dialog.is_searching {
        return Vec::new();
    }
    if dialog.question == Question::Help {
        return help_key(model, dialog, key);
    }
    if let Question::Failure { task } = dialog.question {
        return failure_key(model, dialog, task, key);
    }
    if dialog.question == Question::Quit && key.code == KeyCode::Char('c') && !key.control && can_close(model) {
        model.dialog = Some(Dialog::new(Question::Close(Demand::to_close())));
        return Vec::new();
    }
    if scroll(model, &mut dialog, key) {
        model.dialog = Some(dialog);
        return Vec::new();
    }
    match key.code {
        KeyCode::Char(character) if dialog.takes_text() && !key.control => dialog.push(character),
        KeyCode::Char('u') if dialog.takes_text() && key.control => dialog.input.clear(),
        KeyCode::Backspace => {
            dialog.input.pop();
        }
        KeyCode::Enter | KeyCode::Char('y') if !key.control => {
            let is_read_first =
                matches!(dialog.question, Question::Approve(_) | Question::ApproveAll(_) | Question::Close(_));
            if is_read_first && !is_read_to_the_end(model, &dialog) {
                model.complain("read the question to its end first: press down");
            } else if let Some((plans, canary)) = canary(&dialog, key.code == KeyCode::Enter) {
                model.groups = None;
                return grouped::begin(model, plans, canary);
            } else if let Some(effects) = answer(&dialog, key.code == KeyCode::Enter) {
                model.closing |= matches!(dialog.question, Question::Close(_));
                return effects;
            } else if let Some(why) = unanswered(&dialog).filter(|_| key.code == KeyCode::Enter) {
                model.complain(why);
                // What comes next would be added to it.
                if !matches!(dialog.question, Question::Reason { .. }) {
                    dialog.input.clear();
                }
            }
        }
        KeyCode::Char('n' | 'q') if !key.control => return Vec::new(),
        _ => {}
    }
    model.dialog = Some(dialog);
    Vec::new()
}

/// A wheel over a question moves in it, and answers nothing.
pub fn scroll_by_wheel(model: &mut Model, key: Key, at: u64) -> Vec<Effect> {
    let Some(mut dialog) = model.dialog.take() else { return Vec::new() };
    if dialog.hears(at) {
        scroll(model, &mut dialog, key);
    }
    model.dialog = Some(dialog);
    Vec::new()
}

/// A key while the summary lies over the screen: it is put away and acts as ever. Answers whether that was all.
pub fn summary_key(model: &mut Model, key: Key) -> bool {
    let Some(mut dialog) = model.dialog.take() else { return false };
    let is_longer = dialog.top > 0 || below(model, &dialog) > 0;
    if is_longer && scroll(model, &mut dialog, key) {
        model.dialog = Some(dialog);
        return true;
    }
    let again = model.keymap.action(Context::Everywhere, key) == Some(Action::Summary);
    again || matches!(key.code, KeyCode::Esc | KeyCode::Enter)
}

/// Moves within a question that is longer than its room, as everywhere; where text is typed, letters are text.
/// Answers whether the key was one of those.
fn scroll(model: &Model, dialog: &mut Dialog, key: Key) -> bool {
    let is_text = dialog.takes_text() && (matches!(key.code, KeyCode::Char(_)) || key.control);
    let action = model.keymap.action(Context::Everywhere, key).filter(|_| !is_text);
    let page = model.body_height().saturating_sub(4);
    let Some(down) = action.and_then(|action| moves::downwards(action, page)) else { return false };
    let most = dialog.top + below(model, dialog);
    dialog.top = match down {
        ..0 => dialog.top.saturating_add_signed(down),
        _ => dialog.top.saturating_add_signed(down).min(most),
    };
    true
}

/// Why Enter was no answer.
fn unanswered(dialog: &Dialog) -> Option<String> {
    let typed = match dialog.input.trim() {
        "" => "nothing was typed".to_owned(),
        input => format!("`{}` was typed", visible(input)),
    };
    let demand = match &dialog.question {
        Question::Approve(approve) => &approve.demand,
        Question::ApproveAll(all) => &all.demand,
        Question::Close(demand) => demand,
        Question::Reason { .. } => return Some(format!("{typed}: a reason has {SHORTEST_REASON} letters or more")),
        Question::Settle { .. } => {
            return Some(format!("{typed}: it is `applied` or `not applied`, or `look` has it looked at again"));
        }
        _ => return None,
    };
    match demand {
        Demand::Typed { text, because } if dialog.input.trim().is_empty() => {
            Some(format!("nothing was typed: type {text} ({because})"))
        }
        Demand::Typed { text, .. } => {
            let verb = if matches!(dialog.question, Question::Close(_)) { "closed" } else { "approved" };
            Some(format!("`{}` is not `{text}`: nothing was {verb}", visible(dialog.input.trim())))
        }
        Demand::Key => Some("Enter is no answer: y approves, Esc goes back".to_owned()),
    }
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

/// Of an approved cohort: its plans, and how many go first. `312` means one, `312 after 5` five.
fn canary(dialog: &Dialog, is_enter: bool) -> Option<(&[(TaskId, crate::model::Digest)], usize)> {
    let Question::ApproveAll(all) = &dialog.question else { return None };
    let input = dialog.input.trim();
    let (typed, first) = match input.split_once(" after ") {
        Some((typed, first)) => (typed, first.trim().parse().ok().filter(|first| *first > 0)?),
        None => (input, 1),
    };
    (is_enter && all.is_cohort && all.demand.is_met_by(typed)).then_some((all.plans.as_slice(), first))
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
        Question::ApproveAll(all) if !all.is_cohort && met(&all.demand) => {
            let approve = |(task, digest): &(TaskId, _)| Command::Approve { task: *task, digest: *digest };
            Some(all.plans.iter().map(approve).map(Effect::Command).collect())
        }
        Question::Close(demand) if met(demand) => command(Command::Close),
        Question::Confirm { task, question } if !is_enter => {
            command(Command::Confirm { task: *task, question: question.clone() })
        }
        Question::Quit if !is_enter => Some(vec![Effect::Leave]),
        Question::Settle { task } if is_enter => {
            let known = match input {
                "look" | "look again" => return command(Command::LookAgain { task: *task }),
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
    if dialog.is_searching {
        match key.code {
            KeyCode::Esc => (dialog.is_searching, dialog.input) = (false, String::new()),
            KeyCode::Enter => dialog.is_searching = false,
            KeyCode::Backspace => drop(dialog.input.pop()),
            KeyCode::Char('u') if key.control => dialog.input.clear(),
            KeyCode::Char(character) if !key.control => dialog.push(character),
            _ => drop(scroll(model, &mut dialog, key)),
        }
        if !matches!(key.code, KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown) {
            dialog.top = 0;
        }
    } else if key == SEARCH {
        (dialog.is_searching, dialog.input, dialog.top) = (true, String::new(), 0);
    } else if !scroll(model, &mut dialog, key)
        && matches!(model.keymap.action(Context::Everywhere, key), Some(Action::Help | Action::Quit))
    {
        return Vec::new();
    }
    model.dialog = Some(dialog);
    Vec::new()
}

/// Its keys act on the failed task alone, whatever is marked.
fn failure_key(model: &mut Model, dialog: Dialog, task: TaskId, key: Key) -> Vec<Effect> {
    let mut dialog = dialog;
    let action = model.keymap.action(Context::Failure, key);
    if action.is_none() && scroll(model, &mut dialog, key) {
        model.dialog = Some(dialog);
        return Vec::new();
    }
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
    match command {
        Command::Approve { task, .. } => grouped::refused(model, *task),
        Command::Retry { task } | Command::Undo { task } => model.notes.came(*task),
        _ => {}
    }
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
