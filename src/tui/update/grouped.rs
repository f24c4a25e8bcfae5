use crate::engine::Command;
use crate::model::{Digest, TaskId};
use crate::tui::canary::{Canary, Stand};
use crate::tui::dialogs::{Dialog, Question, Verb, ask_approval_of};
use crate::tui::effect::Effect;
use crate::tui::groups::{GroupKey, Groups, Kind};
use crate::tui::keymap::{Action, Context};
use crate::tui::names::shown_name;
use crate::tui::notes::Weight;
use crate::tui::origin::Origin;
use crate::tui::state::{Model, Tab};

use super::moves;

/// What keys do while groups are on the screen; `None` for all that has nothing to do with them.
pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let page = model.body_height().saturating_sub(2);
    let groups = model.groups.as_mut()?;
    if let Some(down) = moves::downwards(action, page) {
        (groups.at, groups.drawn) = (groups.moved(down), None);
        return Some(Vec::new());
    }
    match action {
        Action::Back => {
            model.groups = None;
            Some(Vec::new())
        }
        Action::Open | Action::ApproveAll | Action::Retry | Action::Skip => {
            let drawn = groups.under_cursor().filter(|group| Some(group.key) == groups.drawn.as_ref());
            let drawn = drawn.map(|group| (group.key.clone(), group.tasks.iter().copied().collect()));
            Some(drawn.map(|(key, tasks)| on_group(model, action, tasks, &key)).unwrap_or_default())
        }
        Action::ShowSteps
        | Action::ShowMatrix
        | Action::ShowReview
        | Action::ShowEvidence
        | Action::NextTab
        | Action::PreviousTab => {
            model.groups = None;
            None
        }
        _ => None,
    }
}

fn on_group(model: &mut Model, action: Action, tasks: Vec<TaskId>, key: &GroupKey) -> Vec<Effect> {
    let is_cause = matches!(key, GroupKey::Cause { .. });
    match action {
        Action::Open => {
            model.origin = Origin::of(model);
            model.groups = None;
            moves::to(model, tasks.first().copied());
            model.tab = if is_cause { Tab::Evidence } else { Tab::Review };
        }
        Action::ApproveAll if !is_cause => match ask_approval_of(model, tasks) {
            Ok(dialog) => model.dialog = Some(dialog),
            Err(why) => model.complain(why),
        },
        Action::Retry if is_cause => {
            let told = format!("planning anew: {}", crate::model::plural(tasks.len() as u64, "task"));
            model.notes.promise(tasks.iter().copied(), told);
            return tasks.into_iter().map(|task| Effect::Command(Command::Retry { task })).collect();
        }
        Action::Skip => model.dialog = Some(Dialog::new(Question::Reason { verb: Verb::Skip(tasks) })),
        Action::Retry => model.complain("these plans are in review: there is nothing to retry"),
        _ => {
            let key = |action| model.keymap.key(Context::Groups, action);
            let (retry, skip) = (key(Action::Retry), key(Action::Skip));
            model.complain(format!("failures have no plan to approve: {retry} retries them, {skip} skips them"));
        }
    }
    Vec::new()
}

pub fn open(model: &mut Model, kind: Kind) {
    model.groups = Some(Groups::of(kind, &model.run, model.rows.filter.clone(), None));
}

/// More than one task may have changed.
pub fn regroup(model: &mut Model) {
    let filter = model.rows.filter.clone();
    model.groups = model.groups.take().map(|former| Groups::of(former.kind, &model.run, filter, former.at));
}

/// A frame with them is on the screen. A cursor without a group goes to the first one.
pub fn drawn(model: &mut Model) {
    let Some(groups) = &mut model.groups else { return };
    groups.at = groups.under_cursor().map(|group| group.key.clone());
    groups.drawn = groups.at.clone();
}

/// Approves the first few and keeps the rest until those were read back.
pub fn begin(model: &mut Model, plans: &[(TaskId, Digest)], canary: usize) -> Vec<Effect> {
    let (first, rest) = plans.split_at(canary.min(plans.len()));
    if !rest.is_empty() {
        model.canary = Some(Canary { first: first.to_vec(), rest: rest.to_vec() });
    }
    approve(first)
}

fn approve(plans: &[(TaskId, Digest)]) -> Vec<Effect> {
    let approve = |(task, digest): &(TaskId, Digest)| Command::Approve { task: *task, digest: *digest };
    plans.iter().map(approve).map(Effect::Command).collect()
}

/// An event came: the rest is approved once every canary is done, and not at all once one of them is not.
pub fn proved(model: &mut Model) -> Vec<Effect> {
    let Some(canary) = &model.canary else { return Vec::new() };
    let rest = |count: usize| crate::model::plural(count as u64, "plan");
    match canary.stand(&model.run) {
        Stand::Open => Vec::new(),
        Stand::Bad(id) => {
            let word = model.run.tasks.get(id.index()).map_or("gone", |task| task.status.word());
            let (name, rest) = (shown_name(&model.run, id), rest(canary.rest.len()));
            model.notes.tell(Weight::Alarm, format!("canary {name} is {word}: the other {rest} are not approved"));
            model.canary = None;
            Vec::new()
        }
        Stand::Proved { same, moved } => {
            model.canary = None;
            let moved =
                if moved > 0 { format!("; {moved} are other plans by now and wait for you") } else { String::new() };
            let told = format!("the canary was read back equal: the other {} are approved{moved}", rest(same.len()));
            model.notes.tell(Weight::Said, told);
            approve(&same)
        }
    }
}

/// The engine refused one of the canaries: the rest is not approved.
pub fn refused(model: &mut Model, task: TaskId) {
    if model.canary.as_ref().is_some_and(|canary| canary.first.iter().any(|(id, _)| *id == task)) {
        model.canary = None;
    }
}
