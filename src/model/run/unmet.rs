use super::{Run, TaskId, TaskStatus};
use crate::model::StepKind;

impl Run {
    /// The tasks of `step` that `id` has to do with: the one of its own owner where both are of one set, else all.
    pub fn tasks_beside(&self, id: TaskId, step: usize) -> std::ops::Range<u32> {
        let set = |step: usize| self.layout.set.get(step).copied().flatten();
        let (tasks, own) = (self.step_tasks(step), self.step_of(id));
        if set(step).is_none() || set(step) != set(own) {
            return tasks;
        }
        let of_owner = tasks.start + (id.0 - self.step_tasks(own).start);
        of_owner..of_owner + 1
    }

    /// What is left waits for tasks that were undone: nothing goes on unless somebody tries those again.
    pub fn waits_for_what_was_undone(&self) -> bool {
        use TaskStatus as S;
        let open = [S::Ready, S::Review, S::Approved, S::Applying, S::Failed, S::Unknown];
        open.into_iter().all(|status| self.count(status) == 0)
            && self.count(S::Waiting) > 0
            && self.count(S::Undone) > 0
    }

    /// Whether a command was cut off: no flag says what it did.
    pub fn asks_what_a_command_did(&self) -> bool {
        let steps = self.header.steps.iter().enumerate().filter(|(_, step)| step.kind == StepKind::Run);
        steps.map(|(at, _)| self.step_count(at, TaskStatus::Unknown)).sum::<u32>() > 0
    }

    /// Whether a question was answered before something that it needs was undone: the answer may hold no longer.
    pub fn is_answer_outdated(&self, id: TaskId) -> bool {
        use StepKind as K;
        let is = |id: TaskId, status| self.tasks.get(id.index()).is_some_and(|task| task.status == status);
        let Some(step) = self.step(id).filter(|step| matches!(step.kind, K::Check | K::Confirm | K::Wait)) else {
            return false;
        };
        let is_undone =
            |need: &u16| self.tasks_beside(id, usize::from(*need)).any(|needed| is(TaskId(needed), TaskStatus::Undone));
        self.count(TaskStatus::Undone) > 0 && is(id, TaskStatus::Done) && step.needs.iter().any(is_undone)
    }

    /// What `id` still waits for, as in "realm is undone, account is done for 2 of 3"; empty where it waits for nothing.
    pub fn unmet_in_words(&self, id: TaskId) -> String {
        let words = self.unmet_needs(id).map(|need| {
            let tasks = self.tasks_beside(id, need);
            if tasks.len() == 1 {
                let needed = TaskId(tasks.start);
                let status = self.tasks.get(needed.index()).map(|task| task.status).unwrap_or_default();
                return format!("{} is {}", self.name(needed), status.word());
            }
            let step = self.header.steps.get(need).map_or("?", |step| step.id.as_str());
            let all = tasks.len();
            let states = tasks.filter_map(|task| self.tasks.get(TaskId(task).index()));
            format!("{step} is done for {} of {all}", states.filter(|state| state.status.satisfies()).count())
        });
        words.collect::<Vec<_>>().join(", ")
    }
}
