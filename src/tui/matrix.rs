use crate::model::{Run, TaskId, TaskStatus};

use super::state::Model;

/// How many users a row of the matrix stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoom {
    #[default]
    One,
    Hundred,
    Thousand,
}

impl Zoom {
    pub fn size(self) -> usize {
        match self {
            Self::One => 1,
            Self::Hundred => 100,
            Self::Thousand => 1_000,
        }
    }

    pub fn further(self) -> Self {
        match self {
            Self::One => Self::Hundred,
            Self::Hundred => Self::Thousand,
            Self::Thousand => Self::One,
        }
    }
}

/// How the matrix is looked at.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    pub zoom: Zoom,
    /// One column for all steps of a component.
    pub is_folded: bool,
    /// Rows as they were when the operator asked for trouble first, worst first: events never move a row.
    pub order: Option<Order>,
}

/// Owners' numbers by line, and back: both are asked for with each key and frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    owners: Vec<u32>,
    lines: Vec<u32>,
}

impl Order {
    fn of(owners: Vec<u32>) -> Self {
        let mut lines = vec![0; owners.len()];
        for (line, owner) in (0..).zip(&owners) {
            if let Some(place) = lines.get_mut(*owner as usize) {
                *place = line;
            }
        }
        Self { owners, lines }
    }
}

/// A step, or all steps of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub steps: Vec<usize>,
}

impl Column {
    pub fn has(&self, run: &Run, id: TaskId) -> bool {
        self.steps.contains(&run.step_of(id))
    }
}

impl Sight {
    /// Whether a cell may stand for more than one task.
    pub fn has_many(&self) -> bool {
        self.zoom != Zoom::One || self.is_folded
    }

    /// The owner's number in line `at`, and back.
    pub fn owner(&self, at: usize) -> usize {
        self.order.as_ref().and_then(|order| order.owners.get(at)).map_or(at, |owner| *owner as usize)
    }

    pub fn line(&self, owner: usize) -> usize {
        self.order.as_ref().and_then(|order| order.lines.get(owner)).map_or(owner, |line| *line as usize)
    }
}

/// Of some tasks: how many, settled well, in trouble, waiting for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub all: usize,
    pub well: usize,
    pub trouble: usize,
    pub review: usize,
}

impl Tally {
    pub fn add(&mut self, status: TaskStatus) {
        self.add_many(status, 1);
    }

    pub fn add_many(&mut self, status: TaskStatus, many: usize) {
        let those = |holds: bool| if holds { many } else { 0 };
        self.all += many;
        self.well += those(status.satisfies());
        self.trouble += those(matches!(status, TaskStatus::Failed | TaskStatus::Unknown));
        self.review += those(status == TaskStatus::Review);
    }

    /// Hundredths that are settled well, never all before all are.
    pub fn hundredths(self) -> usize {
        (self.well * 100).checked_div(self.all).unwrap_or(0)
    }
}

/// Owners by what is wrong with their tasks: most trouble first, then most to review; equals as they were.
pub fn by_trouble(run: &Run) -> Order {
    let steps = steps(run);
    let mut rows: Vec<(Tally, u32)> = (0..row_count(run))
        .filter_map(|at| {
            let mut tally = Tally::default();
            let place = row(run, at)?;
            let tasks = steps.iter().filter_map(|step| run.tasks.get(cell(run, place, *step)?.index()));
            tasks.for_each(|task| tally.add(task.status));
            Some((tally, u32::try_from(at).ok()?))
        })
        .collect();
    rows.sort_by_key(|(tally, _)| std::cmp::Reverse((tally.trouble, tally.review)));
    Order::of(rows.into_iter().map(|(_, at)| at).collect())
}

/// Lines of the matrix as it is looked at.
pub fn line_count(model: &Model) -> usize {
    row_count(&model.run).div_ceil(model.sight.zoom.size())
}

/// The line of the cursor's task.
pub fn line_of(model: &Model, id: TaskId) -> Option<usize> {
    row_of(&model.run, id).map(|owner| model.sight.line(owner) / model.sight.zoom.size())
}

/// The tasks of one column in one line.
pub fn tasks_in<'a>(model: &'a Model, line: usize, column: &'a Column) -> impl Iterator<Item = TaskId> + 'a {
    let size = model.sight.zoom.size();
    let owners = line * size..((line + 1) * size).min(row_count(&model.run));
    let places = owners.filter_map(|at| row(&model.run, model.sight.owner(at)));
    places.flat_map(move |place| column.steps.iter().filter_map(move |step| cell(&model.run, place, *step)))
}

/// Of some tasks the one that a person should look at first.
pub fn worst(run: &Run, tasks: impl Iterator<Item = TaskId>) -> Option<TaskId> {
    tasks.min_by_key(|id| match run.tasks.get(id.index()).map(|task| task.status) {
        Some(TaskStatus::Failed | TaskStatus::Unknown) => 0,
        Some(TaskStatus::Review) => 1,
        Some(TaskStatus::Approved | TaskStatus::Applying) => 2,
        Some(status) if !status.satisfies() => 3,
        _ => 4,
    })
}

/// Rows of the matrix: every owner of every set that some step walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixRow {
    pub set: usize,
    pub position: u32,
}

/// Positions of the steps that are repeated for an owner.
fn steps(run: &Run) -> Vec<usize> {
    let steps = run.header.steps.iter().enumerate();
    steps.filter(|(_, step)| step.each.is_some()).map(|(position, _)| position).collect()
}

/// A step without a component stands for itself.
pub fn columns(run: &Run, is_folded: bool) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for position in steps(run) {
        let Some(step) = run.header.steps.get(position) else { continue };
        let name = step.component.as_ref().filter(|_| is_folded).unwrap_or(&step.id);
        match columns.iter_mut().find(|column| is_folded && column.name == *name) {
            Some(column) => column.steps.push(position),
            None => columns.push(Column { name: name.clone(), steps: vec![position] }),
        }
    }
    columns
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

/// The cell `down` lines and `right` columns away, stopping at the edges.
pub fn moved(run: &Run, sight: &Sight, from: Option<TaskId>, down: isize, right: isize) -> Option<TaskId> {
    let columns = columns(run, sight.is_folded);
    let in_cell =
        |place: MatrixRow, column: &Column| worst(run, column.steps.iter().filter_map(|step| cell(run, place, *step)));
    let first = || in_cell(row(run, sight.owner(0))?, columns.first()?);
    let Some((id, owner)) = from.and_then(|id| Some((id, row_of(run, id)?))) else { return first() };
    let size = sight.zoom.size();
    let (line, last) = (sight.line(owner), row_count(run).saturating_sub(1));
    let to = (line / size).saturating_add_signed(down).min(last / size);
    let target = if to == line / size { owner } else { sight.owner(to * size) };
    let column = columns.iter().position(|column| column.has(run, id))?;
    let column = column.saturating_add_signed(right).min(columns.len().saturating_sub(1));
    let landed = row(run, target)?;
    // Where the row has no such task, the nearest column that it has.
    let mut near: Vec<_> = (0..columns.len()).collect();
    near.sort_by_key(|other| other.abs_diff(column));
    near.into_iter().find_map(|column| in_cell(landed, columns.get(column)?))
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
        assert_eq!(name(moved(&run, &Sight::default(), start, 1, 0)), "account/bob");
        assert_eq!(name(moved(&run, &Sight::default(), start, 0, 1)), "home/ana");
        assert_eq!(name(moved(&run, &Sight::default(), start, -5, -5)), "account/ana");
        assert_eq!(name(moved(&run, &Sight::default(), start, 100, 0)), "account/dee");
    }

    #[test]
    fn a_run_without_owners_has_an_empty_matrix() {
        let run = Run::default();
        assert_eq!(row_count(&run), 0);
        assert_eq!(moved(&run, &Sight::default(), None, 1, 1), None);
    }

    #[test]
    fn trouble_comes_first_and_moving_follows_the_lines() {
        let run = fixtures::run();
        let sight = Sight { order: Some(by_trouble(&run)), ..Sight::default() };
        // cyd failed, ana and bob are in review.
        assert_eq!((0..4).map(|line| sight.owner(line)).collect::<Vec<_>>(), [2, 0, 1, 3]);
        assert!((0..4).all(|owner| sight.owner(sight.line(owner)) == owner));
        let name = |id: Option<TaskId>| run.name(id.unwrap());
        assert_eq!(name(moved(&run, &sight, run.find("home/cyd"), 1, 0)), "home/ana");
        assert_eq!(name(moved(&run, &sight, run.find("home/ana"), -1, 0)), "home/cyd");
        assert_eq!((sight.line(2), sight.owner(0)), (0, 2));
    }

    #[test]
    fn a_block_is_settled_when_all_of_it_is() {
        let mut tally = Tally::default();
        (0..999).for_each(|_| tally.add(TaskStatus::Done));
        tally.add(TaskStatus::Failed);
        assert_eq!((tally.hundredths(), tally.trouble), (99, 1));
    }
}
