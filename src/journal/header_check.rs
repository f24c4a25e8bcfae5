use crate::model::{Error, ErrorKind, Result, RunHeader};

/// More tasks than any run has; a header that asks for more memory than this is hostile.
const MAX_TASKS: usize = 4_000_000;
const MAX_STEPS: usize = 10_000;

/// Refuses a header that no run of ours wrote and that would cost memory without bound to fold.
pub(super) fn check_header(header: &RunHeader) -> Result<()> {
    let refuse = |why: String| Err(Error::new(ErrorKind::Invalid, "read the journal's header", why));
    if header.steps.len() > MAX_STEPS {
        return refuse(format!("it has {} steps, over the bound of {MAX_STEPS}", header.steps.len()));
    }
    let mut tasks = 0_usize;
    for (at, step) in header.steps.iter().enumerate() {
        if step.needs.iter().any(|need| usize::from(*need) >= at) {
            return refuse(format!("step {at} needs a step that is not before it"));
        }
        let set = step.each.as_ref().and_then(|each| header.owners.iter().find(|owners| owners.set == *each));
        tasks = tasks.saturating_add(set.map_or(1, |set| set.names.len()));
    }
    if tasks > MAX_TASKS {
        return refuse(format!("it has {tasks} tasks, over the bound of {MAX_TASKS}"));
    }
    Ok(())
}
