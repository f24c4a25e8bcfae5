use crate::model::{TaskId, TaskStatus};
use crate::tui::effect::Effect;
use crate::tui::review::ReviewState;
use crate::tui::state::{Model, Tab};

/// Whether a task has a plan that the engine can hand over; the journal that a watcher reads keeps it once it is
/// written.
fn has_plan(model: &Model, id: TaskId) -> bool {
    let status = model.run.tasks.get(id.index()).map(|task| task.status);
    let is_there = match status {
        Some(TaskStatus::Review | TaskStatus::Approved) => !model.read_only,
        Some(TaskStatus::Applying) => true,
        _ => false,
    };
    is_there && model.run.tasks.get(id.index()).is_some_and(|task| task.digest().is_some())
}

/// Whether what was written of it is on record: a plan, as it was approved.
fn has_record(model: &Model, id: TaskId) -> bool {
    let task = model.run.tasks.get(id.index());
    task.is_some_and(|task| matches!(task.status, TaskStatus::Done | TaskStatus::Undone) && task.digest().is_some())
}

/// What is over is shown without its bodies: the live side is another by now.
pub fn is_over(model: &Model, id: TaskId) -> bool {
    !has_plan(model, id)
}

/// Sees to it that what the screen is about to show of the cursor's task is loaded: at once where it
/// fills the tab, after a pause where it is a preview beside the list.
pub fn follow_cursor(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.cursor else { return Vec::new() };
    let mut effects = Vec::new();
    if model.tab == Tab::Evidence && model.evidence.task != Some(id) {
        effects.push(load_history(model, id));
    }
    if model.review.task == Some(id) && !matches!(model.review.state, ReviewState::Empty) {
        return effects;
    }
    match model.tab {
        Tab::Review => effects.extend(load_proposal(model, id)),
        Tab::Steps if model.is_wide() && model.review.task != Some(id) => {
            forget(model, id);
            effects.push(Effect::Wake { generation: model.review.generation });
        }
        _ => {}
    }
    effects
}

fn forget(model: &mut Model, id: TaskId) {
    model.review.generation = model.next_generation();
    model.review.task = Some(id);
    model.review.state = ReviewState::Empty;
    model.review.drawn = None;
    model.review.sent.clear();
    model.search = Default::default();
}

/// The cursor has rested.
pub fn wake(model: &mut Model, generation: u64) -> Vec<Effect> {
    if model.review.generation != generation || !matches!(model.review.state, ReviewState::Empty) {
        return Vec::new();
    }
    let task = model.review.task;
    task.map(|id| load_proposal(model, id)).unwrap_or_default()
}

fn load_proposal(model: &mut Model, id: TaskId) -> Vec<Effect> {
    forget(model, id);
    if model.stopped.is_some() || !(has_plan(model, id) || has_record(model, id)) {
        return Vec::new();
    }
    model.review.state = ReviewState::Loading;
    vec![Effect::LoadProposal { generation: model.review.generation, task: id }]
}

pub fn load_history(model: &mut Model, id: TaskId) -> Effect {
    let generation = model.next_generation();
    let evidence = &mut model.evidence;
    evidence.generation = generation;
    evidence.task = Some(id);
    evidence.events.clear();
    evidence.problem = None;
    evidence.loading = true;
    evidence.back = 0;
    Effect::LoadHistory { generation, task: id }
}

/// The run's plan of the task on the screen is another by now: what was loaded is void.
pub fn reload_if_moved(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.review.task else { return Vec::new() };
    let digest = model.run.tasks.get(id.index()).and_then(|task| task.digest());
    let is_same = match &model.review.state {
        // A decision of this screen is on its way to the journal: same plan, newer selection.
        ReviewState::Loaded(loaded) => {
            digest.is_some_and(|digest| {
                digest == loaded.digest || digest == loaded.proposal.plan.digest(&model.run.selection(id))
            }) && (has_plan(model, id) || (has_record(model, id) && loaded.is_bodiless()))
        }
        ReviewState::Loading => false,
        ReviewState::Failed(_) | ReviewState::Empty => false,
    };
    if is_same { Vec::new() } else { load_proposal(model, id) }
}
