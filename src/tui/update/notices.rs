use std::sync::Arc;

use crate::engine::{Activity, Command, Notice};
use crate::model::{Event, Recorded, TaskId, TaskState, TaskStatus, visible};
use crate::tui::dialogs::Question;
use crate::tui::effect::Effect;
use crate::tui::filter::Filter;
use crate::tui::keymap::{Action, Context};
use crate::tui::names::shown_name;
use crate::tui::notes::Weight;
use crate::tui::state::{Dirty, MAX_OUTPUT, Model};

use super::loading;

pub fn fold(model: &mut Model, notice: Notice) -> Vec<Effect> {
    match notice {
        Notice::Snapshot(run) => {
            model.run = Arc::unwrap_or_clone(run);
            model.idle = false;
            model.rows.stale = true;
            super::grouped::regroup(model);
            if let Some(palette) = &mut model.palette {
                palette.forget_tasks();
            }
            model.dirtied(Dirty::Now);
        }
        Notice::Event(recorded) => {
            let mut effects = event(model, &recorded);
            effects.extend(super::grouped::proved(model));
            return effects;
        }
        Notice::Activity { task, activity } => {
            let former = match activity {
                Activity::Idle => model.activities.remove(&task),
                other => model.activities.insert(task, other),
            };
            model.dirtied(if former.is_some() { Dirty::Slow } else { Dirty::Soon });
        }
        Notice::BackOff { component, words } => {
            match words {
                Some(words) => model.back_offs.insert(component, visible(&words).into_owned()),
                None => model.back_offs.remove(&component),
            };
            model.dirtied(Dirty::Slow);
        }
        Notice::Output { task, line } => {
            if model.output.len() >= MAX_OUTPUT {
                model.output.pop_front();
            }
            let line: String = line.chars().take(4_096).collect();
            model.output.push_back((task, visible(&line).into_owned()));
            model.dirtied(Dirty::Slow);
        }
        Notice::Held(is_held) => {
            model.is_held = is_held;
            model.dirtied(Dirty::Soon);
        }
        Notice::Idle => {
            model.idle = true;
            model.dirtied(Dirty::Soon);
            if !model.to_undo.is_empty() {
                return begin_undo(model);
            }
            crate::tui::ended::tell(model);
        }
        Notice::Stopped { problem } => {
            if let Some(problem) = &problem {
                let next = problem.next.as_ref().map(|next| format!(" Next: {}.", visible(next))).unwrap_or_default();
                model.complain(format!("the engine stopped: {}.{next}", visible(&problem.what)));
            }
            model.stopped = Some(problem);
            model.activities.clear();
            model.back_offs.clear();
            model.dirtied(Dirty::Now);
        }
    }
    Vec::new()
}

/// What this screen was opened for: the ways back are planned, and the list shows those tasks.
fn begin_undo(model: &mut Model) -> Vec<Effect> {
    let wanted = std::mem::take(&mut model.to_undo);
    let can = |id: &TaskId| model.run.tasks.get(id.index()).is_some_and(TaskState::can_be_undone);
    let asked: Vec<TaskId> = wanted.iter().copied().filter(can).collect();
    let many = crate::model::plural(asked.len() as u64, "task");
    model.notes.promise(
        asked.iter().copied(),
        format!("planning the way back of {many}; nothing changes before you approve it"),
    );
    model.rows.filter = Filter::of(wanted.iter().copied().collect(), "to be undone");
    model.rows.stale = true;
    model.cursor = wanted.first().copied().or(model.cursor);
    asked.into_iter().map(|task| Effect::Command(Command::Undo { task })).collect()
}

fn event(model: &mut Model, recorded: &Arc<Recorded>) -> Vec<Effect> {
    if model.broken.is_some() {
        return Vec::new();
    }
    if let Err(illegal) = model.run.apply(recorded) {
        let what = visible(&illegal.to_string()).into_owned();
        tracing::error!("{what}");
        model.complain(format!("{what}: what is shown is not reliable from here; leave and see the report"));
        model.broken = Some(what);
        model.dirtied(Dirty::Now);
        return Vec::new();
    }
    model.idle = false;
    model.ended.has_worked |=
        matches!(recorded.event, Event::Outcome { .. } | Event::Answered { .. } | Event::Settled { .. });
    // Without a filter no event but the first changes which rows there are.
    model.rows.stale |= !model.rows.filter.is_empty() || matches!(recorded.event, Event::Opened { .. });
    model.dirtied(Dirty::Soon);
    let Some(task) = recorded.event.task() else {
        super::grouped::regroup(model);
        return Vec::new();
    };
    if let Some(groups) = &mut model.groups {
        groups.follow(&model.run, task);
    }
    tell(model, task, &recorded.event);
    if model.run.tasks.get(task.index()).is_some_and(|task| task.status.has_ended()) {
        model.pace.settled(recorded.at);
        model.activities.remove(&task);
    }
    void_question(model, task);
    if model.evidence.task == Some(task) && model.evidence.last() < recorded.seq {
        model.evidence.events.push(Recorded::clone(recorded));
    }
    if model.review.task != Some(task) {
        return Vec::new();
    }
    if matches!(recorded.event, Event::Decided { .. }) {
        let selection = model.run.selection(task);
        // What this screen decided is shown already; later decisions of it may be on their way.
        let is_own = model.review.sent.front() == Some(&selection);
        if is_own {
            model.review.sent.pop_front();
        }
        if let Some(loaded) = model.review.loaded_mut()
            && !is_own
            && loaded.selection != selection
        {
            let fitted = selection.fitted_to(&loaded.proposal.plan);
            loaded.select(fitted);
        }
    }
    loading::reload_if_moved(model)
}

/// What an operator must not miss, wherever they look: a task that failed.
fn tell(model: &mut Model, task: TaskId, event: &Event) {
    let now = model.run.tasks.get(task.index()).map(|task| task.status);
    match (event, now) {
        (Event::Outcome { .. } | Event::Failed { .. }, Some(status @ (TaskStatus::Failed | TaskStatus::Unknown))) => {
            let word = if status == TaskStatus::Failed { "failed" } else { "is UNKNOWN: applied or not" };
            let name = shown_name(&model.run, task);
            let key = |context, action| model.keymap.key(context, action);
            let count = model.run.count(TaskStatus::Failed);
            let next = if count > 1 {
                format!("{count} failed by now: {} has them by their cause", key(Context::Everywhere, Action::Causes))
            } else {
                let (there, ask) = (key(Context::Steps, Action::NextWanted), key(Context::Steps, Action::Open));
                format!("In the list {there} leads to it, and {ask} asks what to do")
            };
            model.notes.failed(task, format!("{name} {word}. {next}"));
        }
        (_, Some(status)) if !matches!(status, TaskStatus::Failed | TaskStatus::Unknown) => {
            model.notes.mended(task);
        }
        _ => {}
    }
    if matches!(event, Event::Planned { .. } | Event::Unchanged { .. } | Event::Failed { .. }) {
        model.notes.came(task);
    }
    match event {
        // What was promised is there, what was complained of is mended.
        Event::Planned { .. } | Event::Retried { .. } if model.review.task == Some(task) => {
            model.notes.forget(Weight::Said);
            model.notes.forget(Weight::Problem);
        }
        _ => {}
    }
}

/// A question about a plan that is another by now is not answered any more.
fn void_question(model: &mut Model, task: TaskId) {
    let Some(Question::Approve(approve)) = model.dialog.as_ref().map(|dialog| &dialog.question) else { return };
    let now = model.run.tasks.get(task.index());
    let holds = now.is_some_and(|now| now.status == TaskStatus::Review && now.digest() == Some(approve.digest));
    if approve.task == task && !holds {
        model.complain(format!("the plan of {} moved while you were asked: nothing was approved", approve.name));
        model.dialog = None;
    }
}
