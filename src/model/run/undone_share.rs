use super::Run;
use crate::model::{Pass, StepKind, TaskStatus};

/// How much of what a run changed was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoneShare {
    Nothing,
    Part,
    All,
}

impl Run {
    /// What was equal already, and a question that was answered, changed nothing that could be undone.
    pub fn undone_share(&self) -> UndoneShare {
        use TaskStatus as S;
        if self.count(S::Undone) == 0 {
            return UndoneShare::Nothing;
        }
        let changes = |kind| matches!(kind, StepKind::Restore | StepKind::Apply | StepKind::Run);
        let steps = self.header.steps.iter().enumerate().filter(|(_, step)| changes(step.kind));
        let done: u32 = steps.map(|(at, _)| self.step_count(at, S::Done)).sum();
        let open = [S::Review, S::Approved, S::Applying, S::Failed, S::Unknown];
        // Looking at every task is for runs that have such: screens ask this for every frame.
        let under_way = open.iter().any(|status| self.count(*status) > 0)
            && self.tasks.iter().any(|task| task.pass == Pass::Undo && open.contains(&task.status));
        if done > 0 || under_way { UndoneShare::Part } else { UndoneShare::All }
    }
}
