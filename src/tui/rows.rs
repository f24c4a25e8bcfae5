use std::collections::BTreeSet;

use crate::model::{Run, TaskId};

use super::filter::Filter;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    #[default]
    ByStep,
    ByOwner,
}

/// One line of the list. Small, because a run may have a million tasks: only what is on the
/// screen is ever made into text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// Of the tasks that follow: the first one stands for the step or the owner.
    Heading(TaskId),
    Task(TaskId),
}

/// The index of the list: which rows there are, in order, and which of them are seen.
#[derive(Debug, Default)]
pub struct Rows {
    pub rows: Vec<Row>,
    pub grouping: Grouping,
    pub filter: Filter,
    /// The first row on the screen.
    pub top: usize,
    pub hidden: usize,
    shown: usize,
    /// Of each task its place in `rows` and one more; 0 for those that are hidden.
    place: Vec<u32>,
    /// How many marks were counted last, and how many of them are shown.
    marked: Option<(usize, usize)>,
    /// The run changed since the index was made.
    pub stale: bool,
}

impl Rows {
    /// Makes the index anew. The task under the cursor stays in it whatever the filter says, and on
    /// the same line of the screen: events never move the cursor to another task.
    pub fn rebuild(&mut self, run: &Run, cursor: Option<TaskId>, height: usize) {
        let line = cursor.and_then(|id| self.position(id)).map(|position| position.saturating_sub(self.top));
        self.rows.clear();
        self.place.clear();
        self.place.resize(run.tasks.len(), 0);
        self.marked = None;
        (self.hidden, self.shown) = (0, 0);
        let mut heading = None;
        let filters: Vec<_> = (0..run.header.steps.len()).map(|step| self.filter.of_step(run, step)).collect();
        let shows = |step: usize, id| filters.get(step).and_then(Option::as_ref).is_some_and(|filter| filter.shows(id));
        for (group, step, id) in in_order(run, self.grouping) {
            if cursor != Some(id) && !shows(step, id) {
                self.hidden += 1;
                continue;
            }
            if heading != Some(group) {
                heading = Some(group);
                self.rows.push(Row::Heading(id));
            }
            self.rows.push(Row::Task(id));
            if let Some(place) = self.place.get_mut(id.index()) {
                *place = u32::try_from(self.rows.len()).unwrap_or(0);
            }
            self.shown += 1;
        }
        if let (Some(line), Some(position)) = (line, cursor.and_then(|id| self.position(id))) {
            self.top = position.saturating_sub(line);
        }
        self.stale = false;
        self.keep_in_sight(cursor, height);
    }

    pub fn position(&self, id: TaskId) -> Option<usize> {
        self.place.get(id.index())?.checked_sub(1).map(|at| at as usize)
    }

    pub fn shows(&self, id: TaskId) -> bool {
        self.position(id).is_some()
    }

    pub fn shown(&self) -> usize {
        self.shown
    }

    /// How many marks are shown. One key marks many tasks, or takes the mark of one away: as long as their number and
    /// the list are the same, so are they.
    pub fn count_marks(&mut self, marks: &BTreeSet<TaskId>) {
        if self.marked.is_none_or(|(all, _)| all != marks.len()) {
            let shown = if self.hidden == 0 { marks.len() } else { marks.iter().filter(|id| self.shows(**id)).count() };
            self.marked = Some((marks.len(), shown));
        }
    }

    /// As they were counted last.
    pub fn marks_shown(&self) -> usize {
        self.marked.map_or(0, |(_, shown)| shown)
    }

    /// The tasks after that one, then from the beginning those before it; or the other way round.
    pub fn around(&self, from: Option<TaskId>, forward: bool) -> Box<dyn Iterator<Item = TaskId> + '_> {
        let task = |row: &Row| match row {
            Row::Task(id) => Some(*id),
            Row::Heading(_) => None,
        };
        let at = from.and_then(|id| self.position(id));
        let (before, after) = match at {
            Some(at) => (&self.rows[..at], &self.rows[at + 1..]),
            None => (&[][..], &self.rows[..]),
        };
        if forward {
            Box::new(after.iter().chain(before).filter_map(task))
        } else {
            Box::new(before.iter().rev().chain(after.iter().rev()).filter_map(task))
        }
    }

    /// In the list's order.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.rows.iter().filter_map(|row| match row {
            Row::Task(id) => Some(*id),
            Row::Heading(_) => None,
        })
    }

    /// Of `marks`, those that are in the list: nobody acts on what is not shown.
    pub fn shown_of(&self, marks: &BTreeSet<TaskId>) -> Vec<TaskId> {
        self.tasks().filter(|id| marks.contains(id)).collect()
    }

    /// The task `by` tasks further down (or up), stopping at the ends.
    pub fn moved(&self, cursor: Option<TaskId>, by: isize) -> Option<TaskId> {
        let task = |row: &Row| match row {
            Row::Task(id) => Some(*id),
            Row::Heading(_) => None,
        };
        let Some(from) = cursor.and_then(|id| self.position(id)) else { return self.tasks().next() };
        let far = by.unsigned_abs();
        if by >= 0 {
            let after = self.rows.get(from..)?;
            if far >= after.len() {
                after.iter().rev().find_map(task)
            } else {
                after.iter().filter_map(task).take(far + 1).last()
            }
        } else {
            let before = self.rows.get(..=from)?;
            if far >= before.len() {
                before.iter().find_map(task)
            } else {
                before.iter().rev().filter_map(task).take(far + 1).last()
            }
        }
    }

    pub fn keep_in_sight(&mut self, cursor: Option<TaskId>, height: usize) {
        let height = height.max(1);
        if let Some(position) = cursor.and_then(|id| self.position(id)) {
            // A group's first task is shown with its heading.
            let first = position.saturating_sub(usize::from(matches!(
                position.checked_sub(1).and_then(|before| self.rows.get(before)),
                Some(Row::Heading(_))
            )));
            self.top = self.top.min(first).max((position + 1).saturating_sub(height));
        }
        self.top = self.top.min(self.rows.len().saturating_sub(height));
    }
}

/// All tasks with the number of the group they stand in and that of their step.
fn in_order(run: &Run, grouping: Grouping) -> Box<dyn Iterator<Item = (usize, usize, TaskId)> + '_> {
    let steps = 0..run.header.steps.len();
    match grouping {
        Grouping::ByStep => {
            Box::new(steps.flat_map(|step| run.step_tasks(step).map(move |id| (step, step, TaskId(id)))))
        }
        Grouping::ByOwner => {
            let single = steps.clone().filter(|step| run.header.steps[*step].each.is_none());
            let single = single.flat_map(|step| run.step_tasks(step).map(move |id| (0, step, TaskId(id))));
            let mut first_group = 1;
            let mut sets = Vec::new();
            for owners in &run.header.owners {
                let of_set: Vec<usize> = steps
                    .clone()
                    .filter(|step| run.header.steps[*step].each.as_deref() == Some(owners.set.as_str()))
                    .collect();
                sets.push((first_group, owners.names.len(), of_set));
                first_group += owners.names.len();
            }
            let owned = sets.into_iter().flat_map(move |(first, owners, of_set)| {
                (0..owners).flat_map(move |position| {
                    let of_owner: Vec<_> = of_set
                        .iter()
                        .filter_map(|step| {
                            let id = run.step_tasks(*step).nth(position)?;
                            Some((first + position, *step, TaskId(id)))
                        })
                        .collect();
                    of_owner
                })
            });
            Box::new(single.chain(owned))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn rows(grouping: Grouping, filter: &str, cursor: Option<TaskId>) -> (Rows, Run) {
        let run = fixtures::run();
        let mut rows = Rows { grouping, filter: Filter::parse(filter), ..Rows::default() };
        rows.rebuild(&run, cursor, 20);
        (rows, run)
    }

    #[test]
    fn turning_the_grouping_keeps_every_task() {
        let (by_step, run) = rows(Grouping::ByStep, "", None);
        let (by_owner, _) = rows(Grouping::ByOwner, "", None);
        assert_eq!(by_step.shown(), run.tasks.len());
        assert_eq!(by_owner.shown(), run.tasks.len());
    }

    #[test]
    fn the_cursors_task_stays_where_it_was_when_others_go() {
        let run = fixtures::run();
        let cursor = run.find("home/bob");
        let mut rows = Rows::default();
        rows.rebuild(&run, cursor, 6);
        let line = rows.position(cursor.unwrap()).unwrap() - rows.top;
        rows.filter = Filter::parse("step:home");
        rows.rebuild(&run, cursor, 6);
        assert!(rows.hidden > 0);
        assert_eq!(
            rows.position(cursor.unwrap()).unwrap() - rows.top,
            line.min(rows.position(cursor.unwrap()).unwrap())
        );
    }

    #[test]
    fn a_hidden_mark_is_not_acted_on() {
        let run = fixtures::run();
        let marks: BTreeSet<_> = ["home/ana", "account/bob"].iter().filter_map(|name| run.find(name)).collect();
        let (rows, _) = rows(Grouping::ByStep, "step:home", None);
        assert_eq!(rows.shown_of(&marks), [run.find("home/ana").unwrap()]);
    }

    #[test]
    fn moving_stops_at_the_ends_and_skips_headings() {
        let (rows, run) = rows(Grouping::ByStep, "", None);
        let last = rows.moved(rows.moved(None, 0), 1000).unwrap();
        assert_eq!(last.index(), run.tasks.len() - 1);
        assert_eq!(rows.moved(Some(last), -1000), Some(TaskId(0)));
        assert_eq!(rows.moved(Some(TaskId(0)), 1), Some(TaskId(1)));
    }

    #[test]
    fn marks_are_counted_anew_when_they_or_the_list_change() {
        let run = fixtures::run();
        let mut marks: BTreeSet<_> = ["home/ana", "account/bob"].iter().filter_map(|name| run.find(name)).collect();
        let (mut rows, _) = rows(Grouping::ByStep, "", None);
        rows.count_marks(&marks);
        assert_eq!(rows.marks_shown(), 2);
        rows.filter = Filter::parse("step:home");
        rows.rebuild(&run, None, 20);
        rows.count_marks(&marks);
        assert_eq!(rows.marks_shown(), 1);
        marks.clear();
        rows.count_marks(&marks);
        assert_eq!(rows.marks_shown(), 0);
    }

    #[test]
    fn going_around_meets_every_other_task_once() {
        let (rows, run) = rows(Grouping::ByStep, "", None);
        let from = run.find("home/bob");
        let ahead: Vec<_> = rows.around(from, true).collect();
        let mut back: Vec<_> = rows.around(from, false).collect();
        assert_eq!((ahead.len(), ahead.first().copied()), (run.tasks.len() - 1, run.find("home/cyd")));
        back.reverse();
        assert_eq!(ahead, back);
        assert_eq!(rows.around(None, true).count(), run.tasks.len());
    }
}
