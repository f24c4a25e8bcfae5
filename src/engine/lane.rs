use std::collections::VecDeque;

use crate::component::Limits;
use crate::model::TaskId;

/// The work of one component, or of all commands, or of all questions: what waits, and how much is under way.
pub(super) struct Lane {
    pub name: Option<String>,
    pub limits: Limits,
    pub to_plan: VecDeque<TaskId>,
    pub to_write: VecDeque<TaskId>,
    pub planning: usize,
    pub writing: usize,
}

/// A component that takes one task a call has this many prepared for each call that it answers.
const SMALL_BATCHES: usize = 8;
/// Plans that are made or wait to be written, where a batch is not larger: each holds its bodies, and a run of any
/// length needs no more of them at once.
const MOST_AHEAD: usize = 500;

impl Lane {
    pub fn new(name: Option<String>, limits: Limits) -> Self {
        let limits = Limits { batch: limits.batch.max(1), parallel: limits.parallel.max(1), ..limits };
        Self { name, limits, to_plan: VecDeque::new(), to_write: VecDeque::new(), planning: 0, writing: 0 }
    }

    /// Batches under way at once. Where batches are small, some are planned or made durable while others have their
    /// turn with the component; where they are large, that is little beside their calls, and memory counts.
    fn under_way(&self) -> usize {
        let ahead = if self.name.is_some() { self.limits.parallel * SMALL_BATCHES / self.limits.batch } else { 0 };
        self.limits.parallel + ahead
    }

    pub fn is_idle(&self) -> bool {
        self.to_plan.is_empty() && self.to_write.is_empty() && self.planning == 0 && self.writing == 0
    }

    /// Tasks to write in one call, all that may go together. `together` says whether two tasks share a step: those
    /// of different steps may have different sources. `room`: how many of a task's step may be written now.
    pub fn next_to_write(
        &mut self,
        together: impl Fn(TaskId, TaskId) -> bool,
        room: impl Fn(TaskId) -> usize,
    ) -> Vec<TaskId> {
        let Some(first) = self.to_write.front() else { return Vec::new() };
        if self.writing >= self.under_way() {
            return Vec::new();
        }
        let most = self.limits.batch.min(room(*first));
        take(&mut self.to_write, most, together)
    }

    /// Tasks to plan in one call. Writing goes first: plans that wait grow old and need memory.
    pub fn next_to_plan(&mut self, together: impl Fn(TaskId, TaskId) -> bool) -> Vec<TaskId> {
        let Limits { batch, parallel, .. } = self.limits;
        let ahead = self.to_write.len() + self.planning * batch;
        let enough = self.to_write.len() > 2 * batch * parallel || ahead >= MOST_AHEAD.max(batch);
        if self.planning >= self.under_way() || enough {
            return Vec::new();
        }
        take(&mut self.to_plan, self.limits.batch, together)
    }
}

fn take(queue: &mut VecDeque<TaskId>, most: usize, together: impl Fn(TaskId, TaskId) -> bool) -> Vec<TaskId> {
    let mut taken: Vec<TaskId> = Vec::new();
    while taken.len() < most
        && let Some(next) = queue.front().copied()
        && taken.first().is_none_or(|first| together(*first, next))
    {
        queue.pop_front();
        taken.push(next);
    }
    taken
}
