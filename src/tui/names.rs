use crate::model::{Run, TaskId, visible};

/// The raw name of a task's owner, borrowed: filters and row builders ask this for every task.
pub fn owner_of(run: &Run, id: TaskId) -> Option<&str> {
    let step = run.step_of(id);
    let each = run.header.steps.get(step)?.each.as_deref()?;
    let owners = run.header.owners.iter().find(|owners| owners.set == each)?;
    let position = id.0.checked_sub(run.step_tasks(step).start)?;
    owners.names.get(position as usize).map(String::as_str)
}

/// The set and name of a task's owner, as commands name them.
pub fn set_and_owner(run: &Run, id: TaskId) -> Option<(String, String)> {
    let set = run.step(id)?.each.clone()?;
    Some((set, owner_of(run, id)?.to_owned()))
}

/// `step/owner` fit to be shown.
pub fn shown_name(run: &Run, id: TaskId) -> String {
    visible(&run.name(id)).into_owned()
}

/// The id of a task's step, fit to be shown.
pub fn shown_step(run: &Run, id: TaskId) -> String {
    run.step(id).map_or_else(|| "?".to_owned(), |step| visible(&step.id).into_owned())
}

/// What the target of a task calls itself, in one line.
pub fn shown_target(run: &Run, id: TaskId) -> Option<String> {
    let component = run.step(id)?.component.as_ref()?;
    let name = visible(component);
    Some(match run.identity(component) {
        Some(identity) => format!("{name} = {}", visible(&identity.to_string())),
        None => format!("{name} (has not said what it is)"),
    })
}
