use std::collections::HashSet;

use crate::engine::{Activity, Notice};
use crate::model::{Run, StepKind, TaskId, TaskStatus};

/// Tasks that wait for a condition. They may take long, so the questions of other tasks do not wait for them.
#[derive(Default)]
pub struct Waits {
    tasks: HashSet<TaskId>,
}

impl Waits {
    pub fn hear(&mut self, notice: &Notice) {
        match notice {
            Notice::Activity { task, activity: Activity::Waiting(_) } => drop(self.tasks.insert(*task)),
            Notice::Activity { task, .. } => drop(self.tasks.remove(task)),
            Notice::Event(recorded) => {
                if let Some(task) = recorded.event.task() {
                    self.tasks.remove(&task);
                }
            }
            _ => {}
        }
    }

    /// Whether nothing else is under way.
    pub fn are_all(&self, run: &Run) -> bool {
        if self.tasks.is_empty() || run.count(TaskStatus::Approved) + run.count(TaskStatus::Applying) > 0 {
            return false;
        }
        (0_u32..).map(TaskId).zip(&run.tasks).filter(|(_, state)| state.status == TaskStatus::Ready).all(|(task, _)| {
            self.tasks.contains(&task) || run.step(task).is_some_and(|step| step.kind == StepKind::Confirm)
        })
    }
}
