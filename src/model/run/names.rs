use super::Run;
use crate::model::{Owner, TaskId};

/// What a run's tasks are called, and how they are found by that.
impl Run {
    pub fn owner(&self, id: TaskId) -> Option<Owner> {
        let step = self.step_of(id);
        let owners = &self.header.owners[(*self.layout.set.get(step)?)?];
        let name = owners.names.get((id.0 - self.layout.first[step]) as usize)?;
        Some(Owner { set: owners.set.as_str().into(), name: name.as_str().into() })
    }

    /// `step/owner`, or `step`: the task's name in plans, decisions, log and screen.
    pub fn name(&self, id: TaskId) -> String {
        let step = self.step(id).map_or("?", |step| step.id.as_str());
        match self.owner(id) {
            Some(owner) => format!("{step}/{}", owner.name),
            None => step.to_owned(),
        }
    }

    /// What a task is about, its owner's name filled in.
    pub fn about(&self, id: TaskId) -> String {
        self.of_owner(id, self.step(id).map_or("", |step| step.about.as_str()))
    }

    /// What a person is asked to confirm.
    pub fn question(&self, id: TaskId) -> String {
        let step = self.step(id);
        self.of_owner(id, step.map_or("", |step| step.question.as_ref().unwrap_or(&step.about)))
    }

    fn of_owner(&self, id: TaskId, text: &str) -> String {
        match self.owner(id) {
            Some(owner) => text.replace(&format!("${{{}}}", owner.set), &owner.name),
            None => text.to_owned(),
        }
    }

    pub fn find(&self, name: &str) -> Option<TaskId> {
        let (step, owner) = name.split_once('/').map_or((name, None), |(step, owner)| (step, Some(owner)));
        let at = self.header.steps.iter().position(|header| header.id == step)?;
        let first = *self.layout.first.get(at)?;
        match (self.layout.set[at], owner) {
            (None, None) => Some(TaskId(first)),
            (Some(set), Some(owner)) => {
                Some(TaskId(first + self.layout.owner_at.find(&self.header.owners, set, owner)?))
            }
            _ => None,
        }
    }
}
