use super::{Run, StepHeader, TaskId, TaskStatus};
use crate::model::{Meets, OnFailure, StepKind};

/// How many tasks of a step do not meet the needs of others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unmet {
    by_any: u32,
    /// For restores into the same component.
    by_same_component: u32,
}

impl Unmet {
    pub fn all(tasks: u32) -> Self {
        Self { by_any: tasks, by_same_component: tasks }
    }

    fn of(self, asked: Meets) -> u32 {
        if asked == Meets::SameComponent { self.by_same_component } else { self.by_any }
    }
}

impl Run {
    /// Counts for the tasks that need `id` what it is now.
    pub(super) fn settle_dependents(&mut self, id: TaskId) {
        let step = self.step_of(id);
        let goes_on = self.header.steps.get(step).filter(|step| step.policy.on_failure == OnFailure::Continue);
        let goes_on = goes_on.map(|step| step.kind);
        let Some(task) = self.tasks.get_mut(id.index()) else { return };
        let by_policy = goes_on.is_some_and(|kind| kind.failed(task.status));
        let (former, now) = (task.meets, if by_policy { Meets::All } else { task.meets() });
        task.meets = now;
        if former == now {
            return;
        }
        let count = |unmet: &mut u32, bar: Meets| match (former >= bar, now >= bar) {
            (false, true) => *unmet = unmet.saturating_sub(1),
            (true, false) => *unmet += 1,
            _ => {}
        };
        let unmet = &mut self.layout.unmet[step];
        count(&mut unmet.by_any, Meets::All);
        count(&mut unmet.by_same_component, Meets::SameComponent);
        for at in 0..self.layout.dependents[step].len() {
            let dependent = usize::from(self.layout.dependents[step][at]);
            match (self.layout.set[step], self.layout.set[dependent]) {
                (Some(set), Some(other)) if set == other => {
                    let position = id.0 - self.layout.first[step];
                    self.settle_readiness(TaskId(self.layout.first[dependent] + position));
                }
                _ if self.layout.unmet[step].of(self.asked(step, dependent)) <= 1 => {
                    for task in self.step_tasks(dependent) {
                        self.settle_readiness(TaskId(task));
                    }
                }
                _ => {}
            }
        }
    }

    /// What the tasks of `step` ask of those that they need: a restore into the same component goes on beside a part
    /// that failed there, for the component itself refuses what refers to something missing.
    fn asked(&self, needed: usize, step: usize) -> Meets {
        let target = |step: usize| {
            let restores = |header: &&StepHeader| matches!(header.kind, StepKind::Restore | StepKind::Apply);
            self.header.steps.get(step).filter(restores).and_then(|header| header.component.as_ref())
        };
        match (target(needed), target(step)) {
            (Some(one), Some(other)) if one == other => Meets::SameComponent,
            _ => Meets::All,
        }
    }

    /// Waiting becomes ready when all needs are satisfied, and back.
    pub(super) fn settle_readiness(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(id.index()) else { return };
        if !matches!(task.status, TaskStatus::Waiting | TaskStatus::Ready) {
            return;
        }
        let ready = self.unmet_needs(id).next().is_none();
        let status = if ready { TaskStatus::Ready } else { TaskStatus::Waiting };
        self.set_status(id, status);
    }

    /// The steps that `id` still waits for.
    pub fn unmet_needs(&self, id: TaskId) -> impl Iterator<Item = usize> + '_ {
        let step = self.step_of(id);
        let position = id.0 - self.layout.first.get(step).copied().unwrap_or(0);
        let needs = self.header.steps.get(step).map_or(&[][..], |step| &step.needs);
        needs.iter().map(|need| usize::from(*need)).filter(move |need| {
            match (self.layout.set[*need], self.layout.set[step]) {
                (Some(set), Some(own)) if set == own => {
                    let needed = TaskId(self.layout.first[*need] + position);
                    self.tasks[needed.index()].meets < self.asked(*need, step)
                }
                _ => self.layout.unmet[*need].of(self.asked(*need, step)) > 0,
            }
        })
    }
}
