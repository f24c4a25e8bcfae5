use crate::model::{Run, TaskId};

/// Rows of the matrix: every owner of every set that some step walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixRow {
    pub set: usize,
    pub position: u32,
}

/// Positions of the steps that are repeated for an owner: the columns.
pub fn columns(run: &Run) -> Vec<usize> {
    let steps = run.header.steps.iter().enumerate();
    steps.filter(|(_, step)| step.each.is_some()).map(|(position, _)| position).collect()
}

pub fn row_count(run: &Run) -> usize {
    run.header.owners.iter().filter(|owners| is_walked(run, &owners.set)).map(|owners| owners.names.len()).sum()
}

fn is_walked(run: &Run, set: &str) -> bool {
    run.header.steps.iter().any(|step| step.each.as_deref() == Some(set))
}

pub fn row(run: &Run, mut at: usize) -> Option<MatrixRow> {
    for (set, owners) in run.header.owners.iter().enumerate() {
        if !is_walked(run, &owners.set) {
            continue;
        }
        if at < owners.names.len() {
            return Some(MatrixRow { set, position: u32::try_from(at).ok()? });
        }
        at -= owners.names.len();
    }
    None
}

/// The task in a cell; a step that is not repeated for the row's set has none.
pub fn cell(run: &Run, row: MatrixRow, step: usize) -> Option<TaskId> {
    let owners = run.header.owners.get(row.set)?;
    let each = run.header.steps.get(step)?.each.as_deref()?;
    if each != owners.set {
        return None;
    }
    run.step_tasks(step).nth(row.position as usize).map(TaskId)
}

/// Where a task stands: its row's number.
pub fn row_of(run: &Run, id: TaskId) -> Option<usize> {
    let step = run.step_of(id);
    let each = run.header.steps.get(step)?.each.as_deref()?;
    let mut before = 0;
    for owners in &run.header.owners {
        if owners.set == each {
            return Some(before + (id.0.checked_sub(run.step_tasks(step).start)?) as usize);
        }
        if is_walked(run, &owners.set) {
            before += owners.names.len();
        }
    }
    None
}

/// The cell `down` rows and `right` columns away, stopping at the edges.
pub fn moved(run: &Run, from: Option<TaskId>, down: isize, right: isize) -> Option<TaskId> {
    let columns = columns(run);
    let first = || cell(run, row(run, 0)?, *columns.first()?);
    let Some((id, at)) = from.and_then(|id| Some((id, row_of(run, id)?))) else { return first() };
    let target = at.saturating_add_signed(down).min(row_count(run).saturating_sub(1));
    let column = columns.iter().position(|step| *step == run.step_of(id))?;
    let column = column.saturating_add_signed(right).min(columns.len().saturating_sub(1));
    let landed = row(run, target)?;
    // Where the row has no such task, the nearest column that it has.
    let mut near: Vec<_> = (0..columns.len()).collect();
    near.sort_by_key(|other| other.abs_diff(column));
    near.into_iter().find_map(|column| cell(run, landed, *columns.get(column)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    #[test]
    fn moving_goes_by_user_and_step_and_stops_at_the_edges() {
        let run = fixtures::run();
        let name = |id: Option<TaskId>| run.name(id.unwrap());
        let start = run.find("account/ana");
        assert_eq!(name(moved(&run, start, 1, 0)), "account/bob");
        assert_eq!(name(moved(&run, start, 0, 1)), "home/ana");
        assert_eq!(name(moved(&run, start, -5, -5)), "account/ana");
        assert_eq!(name(moved(&run, start, 100, 0)), "account/dee");
    }

    #[test]
    fn a_run_without_owners_has_an_empty_matrix() {
        let run = Run::default();
        assert_eq!(row_count(&run), 0);
        assert_eq!(moved(&run, None, 1, 1), None);
    }
}
