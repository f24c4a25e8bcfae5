use super::Run;
use crate::model::{Owner, TaskId, output_of};

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
        self.filled(id, self.step(id).map_or("", |step| step.about.as_str()))
    }

    /// What a person is asked to confirm.
    pub fn question(&self, id: TaskId) -> String {
        let step = self.step(id);
        self.filled(id, step.map_or("", |step| step.question.as_ref().unwrap_or(&step.about)))
    }

    /// `text` with the owner's name and with what earlier commands printed, as far as that is known. What is filled in
    /// is not looked into again.
    fn filled(&self, id: TaskId, text: &str) -> String {
        if !text.contains("${") {
            return text.to_owned();
        }
        let owner = self.owner(id);
        let value = |name: &str| match (&owner, output_of(name)) {
            (Some(owner), _) if *owner.set == *name => Some(owner.name.to_string()),
            (_, Some(step)) => self.output(id, step).map(str::to_owned),
            _ => None,
        };
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                filled.push_str("${");
                rest = after;
                continue;
            };
            match value(name) {
                Some(value) => filled.push_str(&value),
                None => filled.push_str(&format!("${{{name}}}")),
            }
            rest = behind;
        }
        filled.push_str(rest);
        filled
    }

    /// What the command of that step printed for a task after it: of the same owner, or of nobody's.
    pub fn output(&self, id: TaskId, step: &str) -> Option<&str> {
        let at = self.header.steps.iter().position(|header| header.id == step)?;
        let mut beside = self.tasks_beside(id, at);
        let task = TaskId(beside.next()?);
        // Of many owners none is the one that is meant.
        if beside.next().is_some() { None } else { self.outputs.get(&task).map(String::as_str) }
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
