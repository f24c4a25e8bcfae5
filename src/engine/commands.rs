use std::sync::Arc;

use tokio::sync::oneshot;

use super::actor::Actor;
use super::command::Command;
use super::handle::Request;
use super::made::Made;
use super::planner::plan_batch;
use super::script::{Ask, Asking, Work};
use super::session::Purpose;
use super::undo::plan_undo;
use super::worker::Done;
use crate::model::{
    Error, ErrorKind, Event, Known, Pass, Proposal, Result, RunState, Selection, TaskId, TaskState, TaskStatus,
};

impl Actor {
    pub fn on_request(&mut self, request: Request) {
        match request {
            Request::Subscribe { notices } => self.subscribe(notices),
            Request::Command { command, by, answer } => match self.obey(command, by) {
                Ok(()) => self.answer_when_durable(answer),
                Err(error) => {
                    let _ = answer.send(Err(error));
                }
            },
            Request::Proposal { task, answer } => self.give_proposal(task, answer),
            Request::History { task, answer } => {
                let context = self.setting.context.clone();
                tokio::task::spawn_blocking(move || {
                    let _ = answer.send(context.read().and_then(|journal| journal.history(task)));
                });
            }
        }
    }

    fn obey(&mut self, command: Command, by: String) -> Result<()> {
        if matches!(self.run.state, RunState::Closed | RunState::Aborted) && !matches!(command, Command::Close) {
            return Err(refused("obey", "the run has ended").next("`rekindle resume` goes on with an aborted run"));
        }
        match command {
            Command::Decide { task, selection } => self.decide(task, &selection),
            Command::Approve { task, digest } => {
                let state = self.in_status(task, "approve", &[TaskStatus::Review])?;
                if state.digest() != Some(digest) || self.in_flight.contains_key(&task) {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        format!("approve {}", self.run.name(task)),
                        format!("another plan is in review now, not {}", digest.short()),
                    )
                    .next("look at the plan again"));
                }
                if state.pass == Pass::Restore && self.run.unmet_needs(task).next().is_some() {
                    let doing = format!("approve {}", self.run.name(task));
                    let unmet = self.run.unmet_in_words(task);
                    return Err(refused(&doing, &format!("what it needs is no longer done: {unmet}"))
                        .next("bring that in order first, then approve this task again"));
                }
                if state.pass == Pass::Restore && self.purpose == Purpose::Undo {
                    let name = self.run.name(task);
                    return Err(refused(&format!("approve {name}"), "the run was taken up only to undo")
                        .next("`rekindle resume` goes on with it"));
                }
                self.voided.remove(&task);
                self.record(Event::Approved { task, digest, by });
                self.queue_write(task);
                Ok(())
            }
            Command::Confirm { task, question } => self.confirm(task, question, by),
            Command::Skip { task, why } => {
                use TaskStatus as S;
                self.in_status(task, "skip", &[S::Waiting, S::Ready, S::Review, S::Approved, S::Failed, S::Unknown])?;
                self.not_held(task, "skip")?;
                if self.run.tasks.get(task.index()).is_some_and(|state| state.pass == Pass::Undo)
                    && matches!(self.status(task), S::Review | S::Approved)
                {
                    self.proposals.remove(task);
                    // First the approval, then the undo itself is let go.
                    if self.status(task) == S::Approved {
                        self.record(Event::Voided { task, why: why.clone() });
                    }
                    self.record(Event::Voided { task, why });
                    if self.status(task) == S::Approved {
                        self.queue_write(task);
                    }
                } else {
                    self.record(Event::Skipped { task, why, by });
                }
                Ok(())
            }
            Command::Retry { task } => {
                use TaskStatus as S;
                self.in_status(task, "retry", &[S::Failed, S::Unknown, S::Skipped, S::Undone])?;
                self.voided.remove(&task);
                self.record(Event::Retried { task, by });
                if self.status(task) == S::Review {
                    self.queue_plan(task);
                }
                Ok(())
            }
            Command::LeaveOut { set, owner, why } => {
                let tasks = self.run.tasks_of_owner(&set, &owner);
                if tasks.is_empty() {
                    return Err(Error::new(
                        ErrorKind::NotFound,
                        format!("leave out {set} '{owner}'"),
                        "this run has no such owner",
                    ));
                }
                // What a worker holds, it ends; it is not in this run's list of what is left then.
                if let Some(held) = tasks.iter().find(|task| self.in_flight.contains_key(task)) {
                    return Err(refused(
                        &format!("leave out {owner}"),
                        &format!("{} is being worked on", self.run.name(*held)),
                    )
                    .next("wait for it to end"));
                }
                self.record(Event::LeftOut { set, owner, why, by });
                Ok(())
            }
            Command::Undo { task } => {
                let doing = format!("undo {}", self.run.name(task));
                let state = self.run.tasks.get(task.index());
                if self.in_flight.contains_key(&task) {
                    return Err(refused(&doing, "it is being worked on").next("ask again in a moment"));
                }
                if !state.is_some_and(TaskState::can_be_undone) {
                    let words = state.map_or("not there", |state| state.status.word());
                    let why = match state {
                        Some(TaskState { undoable: true, .. }) => format!("it is {words}"),
                        _ => "it changed nothing that can be brought back".to_owned(),
                    };
                    return Err(refused(&doing, &why));
                }
                self.proposals.remove(task);
                self.record(Event::UndoAsked { task, by });
                self.queue_plan(task);
                Ok(())
            }
            Command::LookAgain { task } => {
                let state = self.in_status(task, "look at", &[TaskStatus::Unknown])?;
                if self.in_flight.contains_key(&task) {
                    return Err(refused(&format!("look at {}", self.run.name(task)), "it is being looked at"));
                }
                self.settle_interrupted(task, state.pass);
                Ok(())
            }
            Command::Settle { task, known } => {
                self.in_status(task, "settle", &[TaskStatus::Unknown])?;
                if known == Known::Unknown {
                    return Err(refused("settle", "a person settles it as applied or as not applied"));
                }
                let (how, kept) = ("an operator looked and said so".to_owned(), self.kept(task));
                self.record(Event::Settled { task, known, how, by, kept });
                Ok(())
            }
            Command::Pause => self.change_state(RunState::Going, Event::Paused { by, why: None }),
            Command::Continue => self.change_state(RunState::Paused, Event::Continued { by }),
            Command::Abort { why } => {
                self.setting.context.cancelled.send_replace(true);
                self.record(Event::Aborted { by, why });
                self.stopping.get_or_insert(None);
                Ok(())
            }
            Command::Close => {
                if !self.in_flight.is_empty() {
                    return Err(refused("close the run", "something is still being written"));
                }
                if self.run.state != RunState::Closed {
                    self.record(Event::Closed { by });
                }
                self.stopping.get_or_insert(None);
                Ok(())
            }
        }
    }

    fn change_state(&mut self, from: RunState, event: Event) -> Result<()> {
        if self.run.state != from {
            return Err(refused(event.word(), "the run is not in that state"));
        }
        self.record(event);
        Ok(())
    }

    fn in_status(&self, task: TaskId, verb: &str, allowed: &[TaskStatus]) -> Result<TaskState> {
        let state = self.run.tasks.get(task.index()).cloned().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("{verb} task {}", task.0), "this run has no such task")
        })?;
        if allowed.contains(&state.status) {
            return Ok(state);
        }
        Err(refused(&format!("{verb} {}", self.run.name(task)), &format!("it is {}", state.status.word())))
    }

    fn not_held(&self, task: TaskId, verb: &str) -> Result<()> {
        if self.in_flight.contains_key(&task) && self.status(task) == TaskStatus::Approved {
            return Err(refused(&format!("{verb} {}", self.run.name(task)), "it is about to be written"));
        }
        Ok(())
    }

    fn decide(&mut self, task: TaskId, selection: &Selection) -> Result<()> {
        self.in_status(task, "decide", &[TaskStatus::Review])?;
        let Some(made) = self.proposals.get(task) else {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("decide on {}", self.run.name(task)),
                "its plan is no longer in memory",
            )
            .next("open it again, then decide"));
        };
        let selection = selection.fitted_to(&made.proposal.plan);
        let digest = made.digest_with(&selection);
        let counts = made.proposal.plan.counts(&selection);
        self.record(Event::Decided { task, selection, digest, counts });
        Ok(())
    }

    /// `question`: as it was shown to whoever confirms it, for that is what goes on record.
    fn confirm(&mut self, task: TaskId, question: String, by: String) -> Result<()> {
        self.in_status(task, "confirm", &[TaskStatus::Ready])?;
        match self.work(task)? {
            Work::Ask(ask) if matches!(ask.how, Asking::Confirm { .. }) => {
                let how = Asking::Confirm { text: question };
                self.ask(task, Ask { how, ..ask }, Some(by));
                Ok(())
            }
            _ => Err(refused(&format!("confirm {}", self.run.name(task)), "it is not a confirmation")),
        }
    }

    /// From memory, or read afresh for what is in review, or without bodies for what was applied.
    fn give_proposal(&mut self, task: TaskId, answer: oneshot::Sender<Result<Arc<Proposal>>>) {
        if let Some(made) = self.proposals.get(task) {
            let _ = answer.send(Ok(made.proposal.clone()));
            return;
        }
        let state = self.run.tasks.get(task.index()).cloned().unwrap_or_default();
        let context = self.setting.context.clone();
        match (state.status, self.work(task)) {
            (TaskStatus::Review | TaskStatus::Approved, Ok(Work::Restore(restore))) => {
                let item = self.to_plan(task, restore);
                let mailbox = self.setting.mailbox.clone();
                tokio::spawn(async move {
                    let made = match state.pass {
                        Pass::Undo => plan_undo(&context, item).await,
                        Pass::Restore => plan_batch(&context.pinned, vec![item]).await.into_iter().next().map_or_else(
                            || Err(Error::new(ErrorKind::Bug, "plan it again", "no answer came")),
                            |(_, made)| made,
                        ),
                    };
                    let _ = mailbox.send(Done::ProposalRead { task, made, answer });
                });
            }
            // After a resume: it waits for a decision, and nobody has it in memory any more.
            (TaskStatus::Review | TaskStatus::Approved, Ok(Work::Run(line))) => {
                let made = Arc::new(self.made_of_command(task, &line));
                self.on_proposal_read(task, Ok(made), answer);
            }
            _ => {
                let name = self.run.name(task);
                let planned = self.run.planned_digest(task);
                tokio::task::spawn_blocking(move || {
                    let none =
                        || Error::new(ErrorKind::NotFound, format!("show the plan of {name}"), "there is none yet");
                    let plan = match planned {
                        Some(digest) => context.read().and_then(|journal| journal.plan(&digest)),
                        None => Ok(None),
                    };
                    let proposal = plan.and_then(|plan| plan.ok_or_else(none));
                    let _ = answer.send(proposal.map(|plan| Arc::new(Proposal::bodiless(plan))));
                });
            }
        }
    }

    pub fn on_proposal_read(
        &mut self,
        task: TaskId,
        made: Result<Arc<Made>>,
        answer: oneshot::Sender<Result<Arc<Proposal>>>,
    ) {
        let state = self.run.tasks.get(task.index()).cloned().unwrap_or_default();
        let made = made.and_then(|made| {
            let selection = self.run.selection(task);
            let of_former_pass = made.proposal.plan.pass != state.pass;
            if state.status == TaskStatus::Review && (state.digest().is_none() || of_former_pass) {
                let doing = format!("show the plan of {}", self.run.name(task));
                return Err(Error::new(ErrorKind::Conflict, doing, "it is being made; it comes in a moment"));
            }
            if state.status == TaskStatus::Review && state.digest() != Some(made.digest_with(&selection)) {
                // What was shown is no longer so: the operator decides on the new plan.
                match state.pass {
                    Pass::Restore => {
                        let why = "live or backup changed since it was planned".to_owned();
                        self.record(Event::Voided { task, why });
                    }
                    // To void an undo in review is to let it go, which nobody asked for.
                    Pass::Undo => self.queue_plan(task),
                }
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("show the plan of {}", self.run.name(task)),
                    "live or backup changed since; it is planned again",
                ));
            }
            self.proposals.put(task, made.clone());
            Ok(made.proposal.clone())
        });
        let _ = answer.send(made);
    }
}

fn refused(doing: &str, why: &str) -> Error {
    Error::new(ErrorKind::Refused, doing, why)
}
