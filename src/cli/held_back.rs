use std::collections::HashSet;

use crate::model::{Run, TaskId};

/// Whose undo goes no further. As with a restore, a task waits for what needs it, of the same owner or of none, and
/// everybody else goes on.
pub struct HeldBack {
    /// Per step, the steps that need it, through others too.
    needed_by: Vec<Vec<usize>>,
    /// Per step, the positions of owners whose task there is not undone.
    kept: Vec<HashSet<u32>>,
}

impl HeldBack {
    pub fn of(run: &Run) -> Self {
        let steps = &run.header.steps;
        let mut needed_by: Vec<HashSet<usize>> = vec![HashSet::new(); steps.len()];
        // A step's needs stand before it, so those of later steps are complete by then.
        for (at, step) in steps.iter().enumerate().rev() {
            let through: Vec<usize> = needed_by.get(at).into_iter().flatten().copied().chain([at]).collect();
            for need in &step.needs {
                if let Some(needed) = needed_by.get_mut(usize::from(*need)) {
                    needed.extend(through.iter().copied());
                }
            }
        }
        let needed_by = needed_by.into_iter().map(|by| by.into_iter().collect()).collect();
        Self { needed_by, kept: vec![HashSet::new(); steps.len()] }
    }

    pub fn add(&mut self, run: &Run, tasks: impl Iterator<Item = TaskId>) {
        for task in tasks {
            let step = run.step_of(task);
            if let Some(kept) = self.kept.get_mut(step) {
                kept.insert(task.0 - run.step_tasks(step).start);
            }
        }
    }

    pub fn keeps(&self, run: &Run, task: TaskId) -> bool {
        let step = run.step_of(task);
        let position = task.0 - run.step_tasks(step).start;
        let set = |step: usize| run.header.steps.get(step).and_then(|header| header.each.as_ref());
        self.needed_by.get(step).into_iter().flatten().any(|later| {
            let Some(kept) = self.kept.get(*later) else { return false };
            // One set's owners keep back their own; a task for all is kept back by each, and keeps back all.
            if set(*later).is_some() && set(*later) == set(step) { kept.contains(&position) } else { !kept.is_empty() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, OwnerSet, Recorded, RunHeader, StepHeader, StepKind};

    fn step(id: &str, each: Option<&str>, needs: &[u16]) -> StepHeader {
        StepHeader { each: each.map(str::to_owned), needs: needs.to_vec(), ..StepHeader::new(id, StepKind::Restore) }
    }

    fn run(steps: Vec<StepHeader>) -> Run {
        let set = |set: &str, names: [&str; 2]| OwnerSet::new(set, names.map(str::to_owned).to_vec());
        let owners = vec![set("user", ["ana", "bob"]), set("group", ["dev", "ops"])];
        let event = Event::Opened { run: std::sync::Arc::new(RunHeader { steps, owners, ..RunHeader::default() }) };
        let mut run = Run::default();
        run.apply(&Recorded { seq: 1, at: 0, event }).unwrap();
        run
    }

    /// Of all tasks, those that wait once `left` are not undone.
    fn behind(run: &Run, left: &[&str]) -> Vec<String> {
        let mut held = HeldBack::of(run);
        held.add(run, left.iter().map(|name| run.find(name).unwrap()));
        let all = (0..run.tasks.len()).map(|at| TaskId(u32::try_from(at).unwrap()));
        all.filter(|task| held.keeps(run, *task)).map(|task| run.name(task)).collect()
    }

    #[test]
    fn an_owner_keeps_back_what_their_own_task_needed_through_other_steps_too() {
        let user = Some("user");
        let steps = vec![
            step("account", user, &[]),
            step("told", user, &[0]),
            step("home", user, &[1]),
            step("mail", user, &[]),
        ];
        assert_eq!(behind(&run(steps), &["home/bob"]), ["account/bob", "told/bob"]);
    }

    #[test]
    fn a_task_for_all_keeps_everybody_back_and_is_kept_back_by_each() {
        let user = Some("user");
        let steps = vec![step("prepare", None, &[]), step("home", user, &[0]), step("share", Some("group"), &[1])];
        let run = run(steps);
        assert_eq!(behind(&run, &["home/bob"]), ["prepare"]);
        assert_eq!(behind(&run, &["share/ops"]), ["prepare", "home/ana", "home/bob"]);
        assert!(behind(&run, &["prepare"]).is_empty());
    }
}
