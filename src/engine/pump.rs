use std::sync::Arc;

use super::actor::Actor;
use super::planner::{ToPlan, plan_batch};
use super::script::{Ask, Asking, Restore, Work};
use super::session::Purpose;
use super::undo::plan_undo;
use super::worker::Done;
use super::writer::{ToWrite, write_batch};
use super::{asking, child};
use crate::model::{Error, ErrorKind, Pass, Result, Run, RunState, TaskId, TaskStatus};

impl Actor {
    /// Begins what can begin: writes first, then plans.
    pub fn pump(&mut self) {
        if self.run.state != RunState::Going || self.stopping.is_some() || self.leaving || self.looking {
            return;
        }
        for lane in 0..self.lanes.len() {
            while let Some(tasks) = self.next_batch(lane, true) {
                self.begin_writing(lane, tasks);
            }
            while let Some(tasks) = self.next_batch(lane, false) {
                self.begin_planning(lane, tasks);
            }
        }
    }

    fn next_batch(&mut self, lane: usize, writing: bool) -> Option<Vec<TaskId>> {
        let run = &self.run;
        // Whoever came to undo has not asked for the rest of the restore, however it came to be queued.
        let only_undo = self.purpose == Purpose::Undo;
        let together = |one: TaskId, other: TaskId| run.step_of(one) == run.step_of(other);
        let room = |task: TaskId| room_in_step(run, self.in_flight.keys(), task);
        let lane = self.lanes.get_mut(lane)?;
        loop {
            let tasks = if writing { lane.next_to_write(together, room) } else { lane.next_to_plan(together) };
            if tasks.is_empty() {
                return None;
            }
            let wanted = |task: &TaskId| {
                let state = run.tasks.get(task.index());
                state.is_some_and(|state| match state.status {
                    _ if only_undo && state.pass == Pass::Restore => false,
                    TaskStatus::Approved => writing,
                    TaskStatus::Ready => !writing,
                    TaskStatus::Review => !writing && state.pass == Pass::Undo,
                    _ => false,
                })
            };
            // Skipped, left out or voided since it was queued, or queued twice.
            let mut seen = std::collections::HashSet::new();
            let tasks: Vec<TaskId> = tasks
                .into_iter()
                .filter(|task| wanted(task) && !self.in_flight.contains_key(task) && seen.insert(*task))
                .collect();
            if !tasks.is_empty() {
                return Some(tasks);
            }
        }
    }

    fn begin_planning(&mut self, lane: usize, tasks: Vec<TaskId>) {
        let mut to_plan = Vec::new();
        let mut undoing = Vec::new();
        for task in tasks {
            if !self.is_wanted(task) {
                continue;
            }
            match self.work(task) {
                // A person's own command asks it.
                Ok(Work::Ask(ask)) if self.waits_for_a_person(&ask) || !self.is_in_window(task) => {}
                Ok(Work::Restore(restore)) => {
                    let item = self.to_plan(task, restore);
                    let undo = self.run.tasks.get(task.index()).is_some_and(|state| state.pass == Pass::Undo);
                    if undo { undoing.push(item) } else { to_plan.push(item) }
                }
                Ok(Work::Run(line)) => self.on_command_planned(task, &line),
                Ok(Work::Ask(ask)) => {
                    let is_confirm = matches!(ask.how, Asking::Confirm { .. });
                    // Nobody is asked: the probe's answer alone goes on record.
                    let how = if is_confirm { Asking::Check } else { ask.how.clone() };
                    self.ask(task, Ask { how, ..ask }, is_confirm.then(|| "--yes".to_owned()));
                }
                Err(error) => self.fail(task, &error),
            }
        }
        let asked: Vec<TaskId> = to_plan.iter().chain(&undoing).map(|item| item.task).collect();
        if asked.is_empty() {
            return;
        }
        let batch = self.hold(&asked);
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.planning += 1;
        }
        let (context, mailbox) = (self.setting.context.clone(), self.setting.mailbox.clone());
        let worker = tokio::spawn(async move {
            if !to_plan.is_empty() {
                let made = plan_batch(&context.pinned, to_plan).await;
                let _ = mailbox.send(Done::Planned { made });
            }
            for item in undoing {
                let task = item.task;
                let made = plan_undo(&context, item).await;
                let _ = mailbox.send(Done::Planned { made: vec![(task, made)] });
            }
        });
        let mailbox = self.setting.mailbox.clone();
        tokio::spawn(async move {
            let _ = worker.await;
            let _ = mailbox.send(Done::PlanningFree { lane, batch, tasks: asked });
        });
    }

    fn begin_writing(&mut self, lane: usize, tasks: Vec<TaskId>) {
        let mut to_write = Vec::new();
        for task in &tasks {
            if !self.is_in_window(*task) {
                continue;
            }
            match self.writing_of(*task) {
                Ok(Some(item)) => to_write.push(item),
                Ok(None) => self.begin_command(lane, *task),
                Err(error) => self.fail(*task, &error),
            }
        }
        let begun: Vec<TaskId> = to_write.iter().map(|item| item.to_plan.task).collect();
        if begun.is_empty() {
            return;
        }
        let batch = self.hold(&begun);
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.writing += 1;
        }
        let worker = tokio::spawn(write_batch(self.setting.context.clone(), to_write, self.setting.mailbox.clone()));
        let mailbox = self.setting.mailbox.clone();
        tokio::spawn(async move {
            let _ = worker.await;
            let _ = mailbox.send(Done::WritingFree { lane, batch, tasks: begun });
        });
    }

    pub fn to_plan(&self, task: TaskId, restore: Restore) -> ToPlan {
        ToPlan { task, name: self.run.name(task), restore, standing: self.run.standing(task).to_vec() }
    }

    /// None for a command.
    fn writing_of(&mut self, task: TaskId) -> Result<Option<ToWrite>> {
        let Work::Restore(restore) = self.work(task)? else { return Ok(None) };
        let state = self.run.tasks.get(task.index()).cloned().unwrap_or_default();
        let digest = state.digest().ok_or_else(|| {
            Error::new(ErrorKind::Bug, format!("write {}", self.run.name(task)), "it was approved without a plan")
        })?;
        Ok(Some(ToWrite {
            to_plan: self.to_plan(task, restore),
            pass: state.pass,
            digest,
            selection: self.run.selection(task),
            attempt: state.attempt.saturating_add(1),
            made: self.proposals.remove(task),
        }))
    }

    fn begin_command(&mut self, lane: usize, task: TaskId) {
        let line = match self.work(task) {
            Ok(Work::Run(line)) => line,
            Ok(_) => return,
            Err(error) => return self.fail(task, &error),
        };
        let state = self.run.tasks.get(task.index()).cloned().unwrap_or_default();
        let Some(digest) = state.digest() else { return };
        let batch = self.hold(&[task]);
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.writing += 1;
        }
        // The report shows the command that was approved, word for word.
        let made = Arc::new(self.made_of_command(task, &line));
        self.proposals.remove(task);
        if made.digest != digest {
            let why = "the command, its directory or its environment is not the one that was approved".to_owned();
            return self.record(crate::model::Event::Voided { task, why });
        }
        self.setting.context.journal.keep_plan(made.digest, made.proposal.plan.clone());
        self.record(crate::model::Event::Intent {
            task,
            attempt: state.attempt.saturating_add(1),
            digest,
            pre: crate::model::Digest::of_absence(),
            undoable: false,
        });
        let (durable, is_durable) = tokio::sync::oneshot::channel();
        self.gate(durable);
        let mailbox = self.setting.mailbox.clone();
        let cancelled = self.setting.context.cancelled.subscribe();
        let clock = self.setting.clock.clone();
        let worker = tokio::spawn(async move {
            if is_durable.await.is_ok() {
                let written = child::run(task, line, cancelled, mailbox.clone(), clock).await;
                let _ = mailbox.send(Done::Wrote { written: vec![written] });
            }
        });
        let mailbox = self.setting.mailbox.clone();
        tokio::spawn(async move {
            let _ = worker.await;
            let _ = mailbox.send(Done::WritingFree { lane, batch, tasks: vec![task] });
        });
    }

    /// `by`: who answers for a confirmation.
    pub fn ask(&mut self, task: TaskId, ask: Ask, by: Option<String>) {
        self.probing.insert(task);
        let mailbox = self.setting.mailbox.clone();
        let worker = tokio::spawn(asking::ask(task, ask, by.clone(), mailbox.clone(), self.setting.clock.clone()));
        tokio::spawn(async move {
            let answer = worker.await.unwrap_or_else(|_| {
                let error = Error::new(ErrorKind::Bug, "ask the step's question", "its worker ended unexpectedly");
                Err(error.next("see the log, then retry this task"))
            });
            let _ = mailbox.send(Done::Answered { task, answer, by });
        });
    }
}

/// How many more tasks of its step may be written now.
fn room_in_step<'a>(run: &Run, in_flight: impl Iterator<Item = &'a TaskId>, task: TaskId) -> usize {
    let Some(most) = run.step(task).and_then(|step| step.policy.parallel) else { return usize::MAX };
    let step = run.step_of(task);
    let is_written = |task: &&TaskId| {
        let status = run.tasks.get(task.index()).map(|state| state.status);
        run.step_of(**task) == step && matches!(status, Some(TaskStatus::Approved | TaskStatus::Applying))
    };
    usize::from(most).saturating_sub(in_flight.filter(is_written).count())
}
