use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::model::{Digest, Pass, Run, TaskId, TaskStatus, visible};

use super::filter::Filter;
use super::names::owner_of;
use super::state::Model;

/// What tasks have in common, over the pane. Kept up to date task by task: a run may have a million.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    pub kind: Kind,
    /// As in the steps: what is hidden is in no group, and no key acts on it.
    filter: Filter,
    /// The group under the cursor; groups come and go with events, the cursor stays with its own.
    pub at: Option<GroupKey>,
    /// What the last frame had under its cursor: keys act on this and nothing else.
    pub drawn: Option<GroupKey>,
    /// In the order they are shown.
    groups: BTreeMap<Place, BTreeSet<TaskId>>,
    of: HashMap<TaskId, GroupKey>,
    sizes: HashMap<GroupKey, usize>,
    /// Groups of one: tasks that are like no other.
    pub odd_ones: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plans in review that change the same, once the owner's name is taken out.
    Cohorts,
    /// Failed tasks whose component says the same.
    Causes,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupKey {
    Cohort {
        step: usize,
        is_undo: bool,
        cohort: Digest,
    },
    /// Its hunks were decided on, or what it equals is not known: it stands for itself.
    Alone(TaskId),
    Cause {
        component: Arc<str>,
        why: Arc<str>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank: usize,
    key: GroupKey,
}

/// One of them, as it is shown.
#[derive(Clone, Copy)]
pub struct Group<'g> {
    pub key: &'g GroupKey,
    pub tasks: &'g BTreeSet<TaskId>,
}

impl Groups {
    /// With the cursor at its group, or where there is none at the first.
    pub fn of(kind: Kind, run: &Run, filter: Filter, at: Option<GroupKey>) -> Self {
        let (drawn, sizes) = (None, HashMap::new());
        let mut groups =
            Self { kind, filter, at, drawn, groups: BTreeMap::new(), of: HashMap::new(), sizes, odd_ones: 0 };
        let mut found: HashMap<GroupKey, Vec<TaskId>> = HashMap::new();
        for id in (0..u32::try_from(run.tasks.len()).unwrap_or(u32::MAX)).map(TaskId) {
            let Some(key) = groups.key(run, id) else { continue };
            // The texts of a key stand once, however many tasks have it.
            let key = found.get_key_value(&key).map_or(key, |(known, _)| known.clone());
            groups.of.insert(id, key.clone());
            found.entry(key).or_default().push(id);
        }
        for (key, tasks) in found {
            groups.sizes.insert(key.clone(), tasks.len());
            groups.odd_ones += usize::from(tasks.len() == 1);
            groups.groups.insert(groups.place(&key, tasks.len()), tasks.into_iter().collect());
        }
        if groups.at.is_none() {
            groups.at = groups.under_cursor().map(|group| group.key.clone());
        }
        groups
    }

    /// Something happened to that task.
    pub fn follow(&mut self, run: &Run, id: TaskId) {
        let now = self.key(run, id);
        if self.of.get(&id) == now.as_ref() {
            return;
        }
        if let Some(former) = self.of.remove(&id) {
            self.resize(&former, |tasks| tasks.remove(&id));
        }
        if let Some(now) = now {
            let now = self.sizes.get_key_value(&now).map_or(now, |(known, _)| known.clone());
            self.resize(&now, |tasks| tasks.insert(id));
            self.of.insert(id, now);
        }
    }

    fn key(&self, run: &Run, id: TaskId) -> Option<GroupKey> {
        key(run, self.kind, id).filter(|_| self.filter.shows(run, id))
    }

    fn resize(&mut self, key: &GroupKey, change: impl FnOnce(&mut BTreeSet<TaskId>) -> bool) {
        let former = self.sizes.remove(key).and_then(|size| self.groups.remove(&self.place(key, size)));
        let mut tasks = former.unwrap_or_default();
        self.odd_ones -= usize::from(tasks.len() == 1);
        change(&mut tasks);
        self.odd_ones += usize::from(tasks.len() == 1);
        if !tasks.is_empty() {
            self.sizes.insert(key.clone(), tasks.len());
            self.groups.insert(self.place(key, tasks.len()), tasks);
        }
    }

    /// The largest first: what one answer settles for most. The odd ones are last.
    fn place(&self, key: &GroupKey, size: usize) -> Place {
        Place { rank: usize::MAX - size, key: key.clone() }
    }

    pub fn count(&self) -> usize {
        self.groups.len()
    }

    pub fn task_count(&self) -> usize {
        self.of.len()
    }

    fn cursor(&self) -> Option<Place> {
        let at = self.at.as_ref().and_then(|at| Some(self.place(at, *self.sizes.get(at)?)));
        at.or_else(|| self.groups.first_key_value().map(|(place, _)| place.clone()))
    }

    /// The first one where the cursor's group is gone.
    pub fn under_cursor(&self) -> Option<Group<'_>> {
        let (place, tasks) = self.groups.get_key_value(&self.cursor()?)?;
        Some(Group { key: &place.key, tasks })
    }

    /// The group so many further down, stopping at the ends.
    pub fn moved(&self, down: isize) -> Option<GroupKey> {
        let from = self.cursor()?;
        let far = down.unsigned_abs();
        // An end is not walked to.
        let found = match (down >= 0, far >= self.groups.len()) {
            (true, true) => self.groups.last_key_value(),
            (false, true) => self.groups.first_key_value(),
            (true, false) => self.groups.range(from..).take(far + 1).last(),
            (false, false) => self.groups.range(..=from).rev().take(far + 1).last(),
        };
        found.map(|(place, _)| place.key.clone())
    }

    /// Those that fit on so many lines, the one under the cursor among them.
    pub fn visible(&self, height: usize) -> Vec<Group<'_>> {
        let Some(cursor) = self.cursor() else { return Vec::new() };
        let Some((first, _)) = self.groups.range(..=cursor).rev().take(height.max(1)).last() else { return Vec::new() };
        let shown = self.groups.range(first.clone()..).take(height);
        shown.map(|(place, tasks)| Group { key: &place.key, tasks }).collect()
    }
}

fn key(run: &Run, kind: Kind, id: TaskId) -> Option<GroupKey> {
    let task = run.tasks.get(id.index())?;
    match kind {
        Kind::Cohorts if task.status == TaskStatus::Review => {
            let facts = run.plans.get(&id).filter(|_| run.selection(id).takes_all());
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
            let component = step.component.as_ref().unwrap_or(&step.id).as_str().into();
            Some(GroupKey::Cause { component, why: why(&problem.what, owner_of(run, id)).into() })
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

impl Group<'_> {
    pub fn label(&self, model: &Model) -> String {
        let count = self.tasks.len();
        let name = self.tasks.first().map(|id| super::names::shown_name(&model.run, *id)).unwrap_or_default();
        match self.key {
            GroupKey::Cause { component, why } => format!("{count} × {}: {}", visible(&**component), visible(&**why)),
            GroupKey::Alone(_) => format!("{name}  looked at by itself"),
            GroupKey::Cohort { .. } if count == 1 => format!("ODD ONE: only {name} has this change"),
            GroupKey::Cohort { step, .. } => {
                let step = model.run.header.steps.get(*step).map(|step| visible(&step.id).into_owned());
                format!("{count} have this same change in {}: {name} …", step.unwrap_or_default())
            }
        }
    }

    /// Whether one of its plans was on the screen.
    pub fn is_looked_at(&self, model: &Model) -> bool {
        let digest = |id: &TaskId| model.run.tasks.get(id.index()).and_then(|task| task.digest);
        model.opened.iter().any(|(id, seen)| self.tasks.contains(id) && digest(id) == Some(*seen))
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
