use std::sync::Arc;

use super::actor::Actor;
use super::made::Made;
use super::notice::Notice;
use super::recovery::Recovered;
use super::script::CommandLine;
use super::session::Purpose;
use super::worker::Done;
use super::writer::{Intended, Written};
use crate::model::{
    ApprovalPolicy, Error, ErrorKind, Event, Known, Pass, Proposal, Result, Selection, TaskId, TaskStatus,
};

/// A policy that finds its approval void this often asks a person: something keeps changing the target.
const MOST_VOIDS: u8 = 3;

impl Actor {
    pub fn on_done(&mut self, message: Done) {
        match message {
            Done::Durable { seq } => self.on_durable(seq),
            Done::JournalLost { problem } => self.on_journal_lost(problem),
            Done::Planned { made } => made.into_iter().for_each(|(task, made)| self.on_planned(task, made)),
            Done::PlanningFree { lane, batch, tasks } => {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.planning = lane.planning.saturating_sub(1);
                }
                self.on_lost(tasks, batch);
            }
            Done::WritingFree { lane, batch, tasks } => {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.writing = lane.writing.saturating_sub(1);
                }
                self.on_lost(tasks, batch);
            }
            // Aborted while it was prepared: nothing is begun, and the approvals stand for a resume.
            Done::Intended { intents, durable } if self.stopping.is_some() => {
                drop(durable);
                for intent in intents {
                    self.in_flight.remove(&intent.task);
                }
            }
            Done::Intended { intents, durable } => {
                for intent in intents {
                    self.on_intended(intent);
                }
                self.gate(durable);
            }
            Done::Voided { task, why } => self.on_voided(task, why),
            Done::Failed { task, problem } => {
                self.in_flight.remove(&task);
                self.pause_unless_retried(task, &problem);
                self.record(Event::Failed { task, problem });
            }
            Done::Looked { problems } => self.on_looked(problems),
            Done::Held { tasks, problem } => self.on_held(tasks, &problem),
            Done::Noted { text } => self.record(Event::Noted { text }),
            Done::Became { component, now } if self.run.identity(&component) == Some(&now) => {}
            Done::Became { component, now } => self.record(Event::Became { component, now }),
            Done::UnderWay { task, resource, reference, durable } => {
                self.record(Event::UnderWay { task, resource, reference });
                self.gate(durable);
            }
            Done::GoesOn { following } => self.follow(*following),
            Done::FollowingEnded { batch, task } => self.on_lost(vec![task], batch),
            Done::LeftUnderWay { task } => {
                self.in_flight.remove(&task);
                self.progress.tell(&task.0.to_string(), None);
            }
            Done::Wrote { written } => written.into_iter().for_each(|written| self.on_written(written)),
            Done::Activity { task, activity } => {
                self.progress.tell(&task.0.to_string(), activity.words().as_deref());
                self.publish(Notice::Activity { task, activity });
            }
            Done::BackOff { component, words } => {
                self.waits.tell(&component, words.as_deref());
                self.publish(Notice::BackOff { component, words });
            }
            Done::Output { task, line } => self.publish(Notice::Output { task, line }),
            Done::Answered { task, answer, by } => self.on_answered(task, answer, by),
            Done::ConditionAsked { task, answers } => self.on_condition_asked(task, answers),
            Done::WindowDue { step } => self.on_window_due(step),
            Done::RetryDue { task } => self.on_retry_due(task),
            Done::Recovered { recovered } => self.on_recovered(recovered),
            Done::ProposalRead { task, made, answer } => self.on_proposal_read(task, made, answer),
        }
    }

    pub fn fail(&mut self, task: TaskId, error: &Error) {
        let problem = error.problem();
        self.pause_unless_retried(task, &problem);
        self.record(Event::Failed { task, problem });
    }

    fn on_planned(&mut self, task: TaskId, made: Result<Arc<Made>>) {
        self.in_flight.remove(&task);
        let state = self.run.tasks.get(task.index()).cloned().unwrap_or_default();
        let awaited =
            state.status == TaskStatus::Ready || (state.status == TaskStatus::Review && state.pass == Pass::Undo);
        if !awaited {
            // Skipped, or left out, while it was planned.
            return;
        }
        let made = match made {
            Ok(made) => made,
            Err(error) => return self.fail(task, &error),
        };
        let plan = &made.proposal.plan;
        if plan.is_empty() {
            self.record(Event::Unchanged { task });
            return self.warn(task, &made.proposal);
        }
        self.record(Event::Planned {
            task,
            pass: plan.pass,
            digest: made.digest,
            preview: plan.preview,
            counts: made.counts,
            cohort: made.cohort,
        });
        self.proposals.put(task, made.clone());
        self.warn(task, &made.proposal);
        self.approve_by_policy(task, &made);
    }

    /// Once: a plan that is made again mostly says the same again.
    fn warn(&mut self, task: TaskId, proposal: &Proposal) {
        let (warnings, stays) = (proposal.plan.warned(), proposal.stays.clone());
        let is_told = self.run.warnings.get(&task) == Some(&warnings) && stays.is_empty();
        if !warnings.is_empty() && !is_told {
            self.record(Event::Warned { task, warnings, stays });
        }
    }

    /// A command is its own plan: opaque, shown in full.
    pub fn on_command_planned(&mut self, task: TaskId, line: &CommandLine) {
        let made = self.made_of_command(task, line);
        self.on_planned(task, Ok(Arc::new(made)));
    }

    pub fn made_of_command(&self, task: TaskId, line: &CommandLine) -> Made {
        line.made(self.run.name(task), &self.setting.context.pinned)
    }

    fn approve_by_policy(&mut self, task: TaskId, made: &Arc<Made>) {
        if self.voided.get(&task).is_some_and(|times| *times >= MOST_VOIDS) {
            return;
        }
        if self.is_approved_again(task, made) {
            let by = "the approval before, tried again by the runbook".to_owned();
            self.record(Event::Approved { task, digest: made.digest, by });
            return self.queue_write(task);
        }
        let name = self.run.name(task);
        let approved = self.setting.policy.approves(&name, made.counts, |selection| made.digest_with(selection));
        let Ok(selection) = approved else { return };
        let by = match &self.setting.policy {
            ApprovalPolicy::Ask => return,
            ApprovalPolicy::Yes { .. } => "--yes",
            ApprovalPolicy::Decisions(_) => "--decisions",
        };
        let digest = made.digest_with(&selection);
        if selection != Selection::all() {
            let counts = made.proposal.plan.counts(&selection);
            self.record(Event::Decided { task, selection, digest, counts });
        }
        let by = format!("{by} by {}", self.run.header.by);
        self.record(Event::Approved { task, digest, by });
        self.queue_write(task);
    }

    pub fn queue_write(&mut self, task: TaskId) {
        let lane = self.lane_index(task);
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.to_write.push_back(task);
        }
    }

    pub fn queue_plan(&mut self, task: TaskId) {
        let lane = self.lane_index(task);
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.to_plan.push_back(task);
        }
    }

    fn on_intended(&mut self, intent: Intended) {
        let Intended { task, digest, attempt, pre, made } = intent;
        self.setting.context.journal.keep_plan(made.digest, made.proposal.plan.clone());
        let undoable = made.proposal.plan.has_something(&self.run.selection(task));
        self.record(Event::Intent { task, attempt, digest, pre, undoable });
    }

    fn on_voided(&mut self, task: TaskId, why: String) {
        self.in_flight.remove(&task);
        *self.voided.entry(task).or_default() += 1;
        self.proposals.remove(task);
        self.record(Event::Voided { task, why });
        // A restore became ready again and was queued by that; an undo is still in review.
        if self.status(task) == TaskStatus::Review {
            self.queue_plan(task);
        }
    }

    fn on_written(&mut self, written: Written) {
        let Written { task, known, post, evidence, problem, partial, kept, bytes, dependents_go_on, output } = written;
        self.in_flight.remove(&task);
        self.progress.tell(&task.0.to_string(), None);
        if known == Known::Applied && problem.is_none() {
            self.voided.remove(&task);
        }
        if let Some(problem) = &problem {
            self.pause_unless_retried(task, problem);
        }
        let bytes = (bytes > 0).then_some(bytes);
        self.record(Event::Outcome {
            task,
            known,
            post,
            evidence,
            problem,
            partial,
            kept,
            bytes,
            dependents_go_on,
            output,
        });
    }

    /// Tasks whose worker ended without a word for them.
    fn on_lost(&mut self, tasks: Vec<TaskId>, batch: u64) {
        if matches!(self.stopping, Some(Some(_))) {
            return;
        }
        for task in tasks {
            // It may have come back and be on its next way already.
            if self.in_flight.get(&task) != Some(&batch) {
                continue;
            }
            self.in_flight.remove(&task);
            let error = Error::new(
                ErrorKind::Bug,
                format!("carry out {}", self.run.name(task)),
                "its worker ended unexpectedly",
            )
            .next("see the log, then retry this task");
            match self.status(task) {
                TaskStatus::Applying => {
                    let problem = error.known(Known::Unknown).problem();
                    self.record(Event::Outcome {
                        task,
                        known: Known::Unknown,
                        post: None,
                        evidence: String::new(),
                        problem: Some(problem),
                        partial: false,
                        kept: self.kept(task),
                        dependents_go_on: false,
                        bytes: None,
                        output: None,
                    });
                }
                TaskStatus::Ready | TaskStatus::Review | TaskStatus::Approved => self.fail(task, &error),
                _ => {}
            }
        }
    }

    fn on_answered(&mut self, task: TaskId, answer: Result<crate::model::Answer>, by: Option<String>) {
        self.probing.remove(&task);
        self.progress.tell(&task.0.to_string(), None);
        if self.status(task) != TaskStatus::Ready {
            return;
        }
        match answer {
            Ok(answer) if !answer.holds => {
                let error = Error::new(ErrorKind::NotMet, format!("pass {}", self.run.name(task)), answer.seen)
                    .next("mend what the check looks at, then retry this task");
                self.fail(task, &error);
            }
            Ok(answer) => self.record(Event::Answered { task, answer, by }),
            Err(error) => self.fail(task, &error),
        }
    }

    /// How many undo records the restore that ended just now has left.
    pub fn kept(&self, task: TaskId) -> Option<u32> {
        let state = self.run.tasks.get(task.index())?;
        let restored = state.pass == Pass::Restore && state.undoable;
        restored.then(|| self.setting.context.undo.count(task, state.attempt))
    }

    /// What nobody could tell when it was written.
    fn on_looked_again(&mut self, task: TaskId, known: Known, how: String, by: String) {
        let kept = self.kept(task);
        self.record(Event::Settled { task, known, how, by: by.clone(), kept });
        if known == Known::NotApplied && self.setting.policy != ApprovalPolicy::Ask {
            self.record(Event::Retried { task, by });
        }
    }

    fn on_recovered(&mut self, recovered: Recovered) {
        let Recovered { task, known, how, made } = recovered;
        self.in_flight.remove(&task);
        let by = self.run.header.by.clone();
        match self.status(task) {
            TaskStatus::Unknown => return self.on_looked_again(task, known, how, by),
            TaskStatus::Applying => {}
            // Somebody decided meanwhile.
            _ => return,
        }
        let kept = self.kept(task);
        self.record(Event::Settled { task, known, how, by, kept });
        let pass = self.run.tasks.get(task.index()).map(|state| state.pass);
        if self.status(task) == TaskStatus::Approved && self.purpose == Purpose::Undo && pass == Some(Pass::Restore) {
            let name = self.run.name(task);
            let error = Error::new(
                ErrorKind::Cancelled,
                format!("carry out {name}"),
                "it was interrupted, and its rest was not written",
            )
            .next("undo it, or `rekindle resume` and retry it");
            return self.fail(task, &error);
        }
        if self.status(task) == TaskStatus::Approved {
            if let Some(made) = made {
                self.proposals.put(task, made);
            }
            self.queue_write(task);
        }
    }
}
