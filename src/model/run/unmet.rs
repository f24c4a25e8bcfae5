use super::{Run, TaskId};

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
