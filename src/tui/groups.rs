use std::collections::BTreeMap;

use crate::model::{Digest, Pass, TaskId, TaskStatus, visible};

use super::names::owner_of;
use super::state::Model;

/// What tasks have in common, over the pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    pub kind: Kind,
    /// The group under the cursor; groups come and go with events, the cursor stays with its own.
    pub at: Option<GroupKey>,
    /// What the last frame had under its cursor: keys act on this and nothing else.
    pub drawn: Option<GroupKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plans in review that change the same, once the owner's name is taken out.
    Cohorts,
    /// Failed tasks whose component says the same.
    Causes,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    Cohort {
        step: usize,
        is_undo: bool,
        cohort: Digest,
    },
    /// Its hunks were decided on, or what it equals is not known: it stands for itself.
    Alone(TaskId),
    Cause {
        component: String,
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub key: GroupKey,
    pub tasks: Vec<TaskId>,
}

impl Groups {
    pub fn new(kind: Kind) -> Self {
        Self { kind, at: None, drawn: None }
    }

    /// Outliers first among plans; what costs most first among failures.
    pub fn list(&self, model: &Model) -> Vec<Group> {
        let mut groups: BTreeMap<GroupKey, Vec<TaskId>> = BTreeMap::new();
        for id in (0..u32::try_from(model.run.tasks.len()).unwrap_or(u32::MAX)).map(TaskId) {
            if let Some(key) = key(model, self.kind, id) {
                groups.entry(key).or_default().push(id);
            }
        }
        let mut groups: Vec<Group> = groups.into_iter().map(|(key, tasks)| Group { key, tasks }).collect();
        match self.kind {
            Kind::Cohorts => groups.sort_by_key(|group| group.tasks.len()),
            Kind::Causes => groups.sort_by_key(|group| std::cmp::Reverse(group.tasks.len())),
        }
        groups
    }

    /// Where the cursor is in `list`; at its beginning where its group is gone.
    pub fn position(&self, list: &[Group]) -> usize {
        let at = self.at.as_ref().and_then(|at| list.iter().position(|group| group.key == *at));
        at.unwrap_or(0)
    }
}

fn key(model: &Model, kind: Kind, id: TaskId) -> Option<GroupKey> {
    let run = &model.run;
    let task = run.tasks.get(id.index())?;
    match kind {
        Kind::Cohorts if task.status == TaskStatus::Review => {
            let facts = model.run.plans.get(&id).filter(|_| run.selection(id).takes_all());
            Some(match facts {
                Some(facts) => {
                    GroupKey::Cohort { step: run.step_of(id), is_undo: task.pass == Pass::Undo, cohort: facts.cohort }
                }
                None => GroupKey::Alone(id),
            })
        }
        Kind::Causes if task.status == TaskStatus::Failed => {
            let problem = run.problems.get(&id)?;
            let step = run.step(id)?;
            let component = step.component.as_ref().unwrap_or(&step.id).clone();
            Some(GroupKey::Cause { component, why: why(&problem.what, owner_of(run, id)) })
        }
        _ => None,
    }
}

/// What remains of a message once it is taken out on what and for whom it was.
fn why(what: &str, owner: Option<&str>) -> String {
    let last = what.rsplit(": ").next().unwrap_or(what);
    match owner.filter(|owner| !owner.is_empty()) {
        Some(owner) => last.replace(owner, "(user)"),
        None => last.to_owned(),
    }
}

impl Group {
    pub fn label(&self, model: &Model) -> String {
        let count = self.tasks.len();
        let name = self.tasks.first().map(|id| super::names::shown_name(&model.run, *id)).unwrap_or_default();
        match &self.key {
            GroupKey::Cause { component, why } => format!("{count} × {}: {}", visible(component), visible(why)),
            GroupKey::Alone(_) => format!("{name}  looked at by itself"),
            GroupKey::Cohort { .. } if count == 1 => format!("1 alone has this change: {name}"),
            GroupKey::Cohort { step, .. } => {
                let step = model.run.header.steps.get(*step).map(|step| visible(&step.id).into_owned());
                format!("{count} have this same change in {}: {name} …", step.unwrap_or_default())
            }
        }
    }

    /// Whether one of its plans was on the screen.
    pub fn is_looked_at(&self, model: &Model) -> bool {
        let digest = |id: &TaskId| model.run.tasks.get(id.index()).and_then(|task| task.digest);
        self.tasks.iter().any(|id| digest(id).is_some_and(|digest| model.seen.contains(&digest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_the_same_for_all_whom_it_hits() {
        let of = |owner: &str| why(&format!("write /home/{owner}/x: {owner} is over quota"), Some(owner));
        assert_eq!(of("ana"), "(user) is over quota");
        assert_eq!(of("ana"), of("bob"));
        assert_eq!(why("no space left on device", None), "no space left on device");
    }
}
