use super::{Run, TaskId};

impl Run {
    /// What `id` still waits for, as in "realm is undone, account is done for 2 of 3"; empty where it waits for nothing.
    pub fn unmet_in_words(&self, id: TaskId) -> String {
        let set = |step: usize| self.header.steps.get(step).and_then(|step| step.each.as_ref());
        let own = self.step_of(id);
        let words = self.unmet_needs(id).map(|need| {
            let tasks = self.step_tasks(need);
            let of_own = set(need).is_some() && set(need) == set(own);
            let position = if of_own { id.0 - self.step_tasks(own).start } else { 0 };
            let needed = TaskId(tasks.start + position);
            if of_own || tasks.len() == 1 {
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
