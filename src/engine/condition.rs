use super::actor::Actor;
use super::asking;
use super::script::When;
use super::worker::Done;
use crate::model::{Answer, Error, ErrorKind, Event, Pass, Result, Run, TaskId, TaskStatus};

impl Actor {
    /// Whether the task's condition is known to hold. Where it does not, the task is skipped; where probes must be
    /// asked first, it comes back when they were. A task that was begun is not asked for again: what it changed
    /// itself must not stop it halfway.
    pub fn is_wanted(&mut self, task: TaskId) -> bool {
        let state = self.run.tasks.get(task.index()).cloned().unwrap_or_default();
        if state.pass == Pass::Undo || state.attempt > 0 || self.wanted.contains(&task) {
            return true;
        }
        let (step, owner) = (self.run.step_of(task), self.run.owner(task));
        let when = match self.setting.script.when(step, owner.as_ref()) {
            Ok(None) => return true,
            Ok(Some(when)) => when,
            Err(error) => {
                self.fail(task, &error);
                return false;
            }
        };
        match self.holds(task, &when, &[]) {
            Some(holds) => self.on_condition_known(task, holds, &when.words),
            None => self.ask_condition(task, when),
        }
        self.wanted.contains(&task)
    }

    fn holds(&self, task: TaskId, when: &When, answers: &[bool]) -> Option<bool> {
        when.condition.holds(&|step, is| ended_as(&self.run, task, step, is), answers)
    }

    fn on_condition_known(&mut self, task: TaskId, holds: bool, why: &str) {
        if holds {
            self.wanted.insert(task);
        } else {
            let why = format!("its condition does not hold: {why}");
            self.record(Event::Skipped { task, why, by: "the runbook".to_owned() });
        }
    }

    fn ask_condition(&mut self, task: TaskId, when: When) {
        self.probing.insert(task);
        let mailbox = self.setting.mailbox.clone();
        let worker = tokio::spawn(async move { (answers(&when).await, when) });
        tokio::spawn(async move {
            let (answers, when) = match worker.await {
                Ok((answers, when)) => (answers, Some(when)),
                Err(_) => (Err(Error::new(ErrorKind::Bug, "ask a condition", "its worker ended unexpectedly")), None),
            };
            let _ = mailbox.send(Done::ConditionAsked { task, when, answers });
        });
    }

    pub fn on_condition_asked(&mut self, task: TaskId, when: Option<When>, answers: Result<Vec<Answer>>) {
        self.probing.remove(&task);
        if self.status(task) != TaskStatus::Ready {
            return;
        }
        let (answers, when) = match (answers, when) {
            (Ok(answers), Some(when)) => (answers, when),
            (Ok(_), None) => return,
            (Err(error), _) => return self.fail(task, &error),
        };
        let held: Vec<bool> = answers.iter().map(|answer| answer.holds).collect();
        let seen: Vec<&str> = answers.iter().map(|answer| answer.seen.as_str()).collect();
        let holds = self.holds(task, &when, &held).unwrap_or(false);
        self.on_condition_known(task, holds, &format!("{} ({})", when.words, seen.join("; ")));
        if holds {
            self.on_ready(task);
        }
    }
}

async fn answers(when: &When) -> Result<Vec<Answer>> {
    let mut answers = Vec::with_capacity(when.asks.len());
    for ask in &when.asks {
        answers.push(asking::once(ask).await?);
    }
    Ok(answers)
}

/// Of the same owner, else of any: whether that step's task is in one of these; nothing before it has ended.
pub(super) fn ended_as(run: &Run, task: TaskId, step: u16, is: &[TaskStatus]) -> Option<bool> {
    let set = |step: usize| run.header.steps.get(step).and_then(|header| header.each.as_ref());
    let (step, own) = (usize::from(step), run.step_of(task));
    let tasks = run.step_tasks(step);
    let tasks = if set(step).is_some() && set(step) == set(own) {
        let of_owner = tasks.start + (task.0 - run.step_tasks(own).start);
        of_owner..of_owner + 1
    } else {
        tasks
    };
    let mut ended = true;
    for one in tasks {
        let status = run.tasks.get(TaskId(one).index()).map(|state| state.status).unwrap_or_default();
        if is.contains(&status) {
            return Some(true);
        }
        ended &= status.is_settled();
    }
    ended.then_some(false)
}

/// What a dry run can tell of a task's condition: nothing where it has none. `None` within: it depends on what is
/// still to happen.
pub(super) async fn foresee(run: &Run, when: &When, task: TaskId) -> Result<Option<bool>> {
    let step = |step: u16, is: &[TaskStatus]| ended_as(run, task, step, is);
    if let Some(holds) = when.condition.holds(&step, &[]) {
        return Ok(Some(holds));
    }
    let held: Vec<bool> = answers(when).await?.iter().map(|answer| answer.holds).collect();
    Ok(when.condition.holds(&step, &held))
}
