use std::collections::HashMap;

use super::actor::Actor;
use super::asking;
use super::script::{When, outputs};
use super::worker::Done;
use crate::model::{Answer, BY_RUNBOOK, Error, ErrorKind, Event, Pass, Result, Run, TaskId, TaskStatus};

impl Actor {
    /// Whether the task's condition is known to hold. Where it does not, the task is skipped; where probes must be
    /// asked first, it comes back when they were. A task that was begun is not asked for again: what it changed
    /// itself must not stop it halfway.
    pub fn is_wanted(&mut self, task: TaskId) -> bool {
        let state = self.run.tasks.get(task.index()).cloned().unwrap_or_default();
        if state.pass == Pass::Undo || state.attempt > 0 || self.wanted.contains(&task) {
            return true;
        }
        match self.when(task) {
            Ok(None) => return true,
            Ok(Some(when)) => match self.holds(task, &when, &[]) {
                Some(holds) => self.on_condition_known(task, holds, &when.words),
                None => self.ask_condition(task, when),
            },
            Err(error) => self.fail(task, &error),
        }
        self.wanted.contains(&task)
    }

    fn when(&self, task: TaskId) -> Result<Option<When>> {
        let outputs = outputs(&self.run, task);
        self.setting.script.when(self.run.step_of(task), self.run.owner(task).as_ref(), &outputs)
    }

    fn holds(&self, task: TaskId, when: &When, answers: &[bool]) -> Option<bool> {
        when.condition.holds(&|step, is| ended_as(&self.run, task, step, is), answers)
    }

    fn on_condition_known(&mut self, task: TaskId, holds: bool, why: &str) {
        if holds {
            self.wanted.insert(task);
        } else {
            let why = format!("it is not so that {why}");
            self.record(Event::Skipped { task, why, by: BY_RUNBOOK.to_owned() });
        }
    }

    fn ask_condition(&mut self, task: TaskId, when: When) {
        self.probing.insert(task);
        let mailbox = self.setting.mailbox.clone();
        let worker = tokio::spawn(async move { answers(&when).await });
        tokio::spawn(async move {
            let ended = |_| Err(Error::new(ErrorKind::Bug, "ask a condition", "its worker ended unexpectedly"));
            let answers = worker.await.unwrap_or_else(ended);
            let _ = mailbox.send(Done::ConditionAsked { task, answers });
        });
    }

    pub fn on_condition_asked(&mut self, task: TaskId, answers: Result<Vec<Answer>>) {
        self.probing.remove(&task);
        if self.status(task) != TaskStatus::Ready {
            return;
        }
        let (answers, when) = match answers.and_then(|answers| Ok((answers, self.when(task)?))) {
            Ok((answers, Some(when))) => (answers, when),
            Ok((_, None)) => return,
            Err(error) => return self.fail(task, &error),
        };
        let held: Vec<bool> = answers.iter().map(|answer| answer.holds).collect();
        let seen: Vec<&str> = answers.iter().map(|answer| answer.seen.as_str()).collect();
        let holds = self.holds(task, &when, &held).unwrap_or(false);
        let seen = if seen.is_empty() { String::new() } else { format!(" ({})", seen.join("; ")) };
        self.on_condition_known(task, holds, &format!("{}{seen}", when.words));
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
fn ended_as(run: &Run, task: TaskId, step: u16, is: &[TaskStatus]) -> Option<bool> {
    ended_so(run, task, step, is, &|_| None)
}

/// Ends of tasks that a dry run foresees.
pub(super) type Ends = HashMap<TaskId, TaskStatus>;

fn ended_so(
    run: &Run,
    task: TaskId,
    step: u16,
    is: &[TaskStatus],
    foreseen: &dyn Fn(TaskId) -> Option<TaskStatus>,
) -> Option<bool> {
    let mut ended = true;
    for one in run.tasks_beside(task, usize::from(step)) {
        let status = run.tasks.get(TaskId(one).index()).map(|state| state.status).unwrap_or_default();
        let status = if status.has_ended() { status } else { foreseen(TaskId(one)).unwrap_or(status) };
        if is.contains(&status) {
            return Some(true);
        }
        ended &= status.has_ended();
    }
    ended.then_some(false)
}

/// What a dry run can tell of a task's condition: nothing where it has none. `None` within: it depends on what is
/// still to happen.
/// `ends`: how tasks end that nothing has happened to, as far as the dry run can tell.
pub(super) async fn foresee(run: &Run, when: &When, task: TaskId, ends: &Ends) -> Result<Option<bool>> {
    let status = |one: TaskId| ends.get(&one).copied();
    let step = |step: u16, is: &[TaskStatus]| ended_so(run, task, step, is, &status);
    if let Some(holds) = when.condition.holds(&step, &[]) {
        return Ok(Some(holds));
    }
    let held: Vec<bool> = answers(when).await?.iter().map(|answer| answer.holds).collect();
    Ok(when.condition.holds(&step, &held))
}
