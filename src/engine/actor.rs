use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::context::Context;
use super::failure::Tries;
use super::handle::Request;
use super::lane::Lane;
use super::notice::Notice;
use super::proposals::Proposals;
use super::script::{Asking, Script, Work, outputs};
use super::windows::Outside;
use super::worker::Done;
use crate::journal::Present;
use crate::model::{
    ApprovalPolicy, Error, ErrorKind, Event, Problem, Recorded, Result, Run, RunState, TaskId, TaskStatus,
};

/// Log lines that only repeat what an event says.
pub const EVENTS: &str = "engine::event";

/// Milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Owns the fold. Everything that happens to a run goes through here, one message after the other.
pub(super) struct Actor {
    pub setting: Setting,
    pub run: Run,
    pub lanes: Vec<Lane>,
    pub proposals: Proposals,
    /// Tasks that a worker holds and has not answered for.
    pub in_flight: HashMap<TaskId, u64>,
    /// The number of the last batch: a task may be in another one when the word of its first comes.
    pub batch_number: u64,
    pub probing: HashSet<TaskId>,
    pub voided: HashMap<TaskId, u8>,
    /// Tasks whose condition holds.
    pub wanted: HashSet<TaskId>,
    /// Tasks that the runbook has tried again.
    pub tries: HashMap<TaskId, Tries>,
    /// Tasks that the runbook tries again in a moment.
    pub due: HashSet<TaskId>,
    pub outside: Outside,
    pub stopping: Option<Option<Problem>>,
    /// Every handle is gone: what is under way ends, nothing is begun.
    pub leaving: bool,
    /// The targets are asked who holds them: nothing is begun before it is known.
    pub looking: bool,
    pub waits: Present,
    pub progress: Present,
    pub purpose: super::session::Purpose,
    batch: Vec<Recorded>,
    unpublished: VecDeque<Arc<Recorded>>,
    gated: VecDeque<(u64, oneshot::Sender<()>)>,
    answers: VecDeque<(u64, oneshot::Sender<Result<()>>)>,
    subscribers: Vec<(u64, mpsc::UnboundedSender<Notice>)>,
    durable: u64,
    told_idle: bool,
}

/// What an actor is given for its whole life.
pub(super) struct Setting {
    pub context: Arc<Context>,
    pub script: Arc<dyn Script>,
    pub policy: ApprovalPolicy,
    pub clock: Clock,
    pub mailbox: mpsc::UnboundedSender<Done>,
    /// Per step, its lane.
    pub lane_of: Vec<usize>,
}

impl Actor {
    pub fn new(setting: Setting, run: Run, lanes: Vec<Lane>) -> Self {
        Self {
            durable: run.seq,
            waits: Present::waits(&setting.context.folder),
            progress: Present::progress(&setting.context.folder),
            setting,
            run,
            lanes,
            proposals: Proposals::default(),
            in_flight: HashMap::new(),
            batch_number: 0,
            probing: HashSet::new(),
            voided: HashMap::new(),
            wanted: HashSet::new(),
            tries: HashMap::new(),
            due: HashSet::new(),
            outside: Outside::new(),
            stopping: None,
            leaving: false,
            looking: false,
            purpose: Default::default(),
            batch: Vec::new(),
            unpublished: VecDeque::new(),
            gated: VecDeque::new(),
            answers: VecDeque::new(),
            subscribers: Vec::new(),
            told_idle: false,
        }
    }

    pub async fn live(
        mut self,
        mut requests: mpsc::UnboundedReceiver<Request>,
        mut done: mpsc::UnboundedReceiver<Done>,
    ) {
        // Nothing happens before somebody looks on: no event is missed by the first subscriber.
        let mut open = match requests.recv().await {
            Some(request) => {
                self.on_request(request);
                true
            }
            None => {
                self.leave();
                false
            }
        };
        self.look_at_targets();
        loop {
            self.pump();
            self.flush();
            if self.has_ended(open) {
                break;
            }
            self.tell_if_idle();
            tokio::select! {
                biased;
                request = requests.recv(), if open => match request {
                    Some(request) => self.on_request(request),
                    None => {
                        open = false;
                        self.leave();
                    }
                },
                message = done.recv() => if let Some(message) = message { self.on_done(message) },
            }
            // One commit for all that has come in meanwhile.
            while let Ok(message) = done.try_recv() {
                self.on_done(message);
            }
            while let Ok(request) = requests.try_recv() {
                self.on_request(request);
            }
        }
        self.let_go().await;
        let problem = self.stopping.take().flatten();
        if self.run.state == RunState::Closed && problem.is_none() {
            self.release().await;
        }
        let subscribers = std::mem::take(&mut self.subscribers);
        let closed = self.run.state == RunState::Closed;
        // Whoever hears of the end may open the run at once: journal and lock are let go first.
        let context = self.setting.context.clone();
        drop(self);
        let ended = tokio::task::spawn_blocking(move || end(context, closed)).await;
        let problem = problem.or_else(|| ended.ok().flatten());
        for (_, subscriber) in subscribers {
            let _ = subscriber.send(Notice::Stopped { problem: problem.clone() });
        }
    }

    fn leave(&mut self) {
        self.leaving = true;
        self.setting.context.leaving.send_replace(true);
    }

    /// What was kept for undo goes. The run is closed either way: what cannot be removed is told and left.
    async fn release(&self) {
        for (name, component) in self.setting.script.components() {
            if let Err(error) = component.release(&self.setting.context.pinned.run).await {
                tracing::warn!(target: "engine", "{name}: {}", error.chain());
            }
        }
    }

    /// A broken journal stops at once; a close, or the last handle's end, once nothing is under way.
    fn has_ended(&self, open: bool) -> bool {
        let settled = self.in_flight.is_empty() && self.durable == self.run.seq;
        match &self.stopping {
            Some(Some(_)) => true,
            Some(None) => settled,
            None => !open && settled,
        }
    }

    /// Folds an event and hands it to the journal with this turn's others.
    pub fn record(&mut self, event: Event) {
        if matches!(self.stopping, Some(Some(_))) {
            return;
        }
        let recorded = Recorded { seq: self.run.seq + 1, at: (self.setting.clock)(), event };
        let may_have_failed = match &recorded.event {
            Event::Failed { task, .. } => Some((*task, false)),
            Event::Outcome { task, problem: Some(_), .. } => Some((*task, true)),
            _ => None,
        };
        match self.run.apply(&recorded) {
            Ok(ready) => {
                self.log(&recorded);
                self.batch.push(recorded);
                for task in ready {
                    self.on_ready(task);
                }
                if let Some((task, was_approved)) = may_have_failed {
                    self.after_failure(task, was_approved);
                }
            }
            Err(illegal) => {
                let error = Error::new(ErrorKind::Bug, "record what happened", illegal.to_string())
                    .next("keep the run's folder and report this; `rekindle resume` goes on from the journal");
                tracing::error!(target: "engine", "{}", error.chain());
                self.stopping = Some(Some(error.problem()));
            }
        }
    }

    /// For people who look at the log: what went wrong always, everything else with `-vv`. Under a target of its
    /// own, for whoever follows the events is told already.
    fn log(&self, recorded: &Recorded) {
        let word = recorded.event.word();
        let name = || recorded.event.task().map(|task| self.run.name(task)).unwrap_or_default();
        match &recorded.event {
            Event::Failed { problem, .. } | Event::Outcome { problem: Some(problem), .. } => {
                tracing::warn!(target: EVENTS, "{} {word}: {}", name(), crate::model::visible(&problem.what));
            }
            Event::Paused { why: Some(why), .. } => {
                tracing::warn!(target: EVENTS, "{word}: {}", crate::model::visible(why));
            }
            Event::Voided { why, .. } => {
                tracing::info!(target: EVENTS, "{} {word}: {}", name(), crate::model::visible(why));
            }
            _ if tracing::enabled!(target: EVENTS, tracing::Level::DEBUG) => {
                tracing::debug!(target: EVENTS, "{} {word}", name());
            }
            _ => {}
        }
    }

    /// The answer goes out when everything recorded so far is durable.
    pub fn answer_when_durable(&mut self, answer: oneshot::Sender<Result<()>>) {
        self.answers.push_back((self.run.seq, answer));
        self.release_durable();
    }

    pub fn gate(&mut self, go: oneshot::Sender<()>) {
        self.gated.push_back((self.run.seq, go));
    }

    fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let batch = std::mem::take(&mut self.batch);
        let seq = self.run.seq;
        self.unpublished.extend(batch.iter().cloned().map(Arc::new));
        let mailbox = self.setting.mailbox.clone();
        self.setting.context.journal.append(
            batch,
            Box::new(move |result| {
                let _ = mailbox.send(match result {
                    Ok(()) => Done::Durable { seq },
                    Err(error) => Done::JournalLost { problem: error.problem() },
                });
            }),
        );
    }

    pub fn on_durable(&mut self, seq: u64) {
        self.durable = self.durable.max(seq);
        while self.unpublished.front().is_some_and(|recorded| recorded.seq <= self.durable) {
            if let Some(recorded) = self.unpublished.pop_front() {
                self.subscribers.retain(|(after, subscriber)| {
                    recorded.seq <= *after || subscriber.send(Notice::Event(recorded.clone())).is_ok()
                });
            }
        }
        self.release_durable();
    }

    fn release_durable(&mut self) {
        while self.gated.front().is_some_and(|(seq, _)| *seq <= self.durable) {
            if let Some((_, go)) = self.gated.pop_front() {
                let _ = go.send(());
            }
        }
        while self.answers.front().is_some_and(|(seq, _)| *seq <= self.durable) {
            if let Some((_, answer)) = self.answers.pop_front() {
                let _ = answer.send(Ok(()));
            }
        }
    }

    /// Nothing more is begun, and what waited for its INTENT to be durable is never done.
    pub fn on_journal_lost(&mut self, problem: Problem) {
        tracing::error!(target: "journal", "{}", problem.what);
        self.gated.clear();
        self.answers.clear();
        self.stopping = Some(Some(problem));
    }

    pub fn publish(&mut self, notice: Notice) {
        self.subscribers.retain(|(_, subscriber)| subscriber.send(notice.clone()).is_ok());
    }

    /// A subscriber gets the fold as it is, and every later event.
    pub fn subscribe(&mut self, notices: mpsc::UnboundedSender<Notice>) {
        if notices.send(Notice::Snapshot(Arc::new(self.run.clone()))).is_ok() {
            self.subscribers.push((self.run.seq, notices));
            self.told_idle = false;
        }
    }

    fn tell_if_idle(&mut self) {
        let idle = self.durable == self.run.seq
            && self.in_flight.is_empty()
            && self.probing.is_empty()
            && !self.looking
            && ((self.due.is_empty() && self.outside.is_empty()) || self.run.state != RunState::Going)
            && (self.run.state != RunState::Going || self.lanes.iter().all(Lane::is_idle));
        if idle && !self.told_idle {
            self.publish(Notice::Idle);
        }
        self.told_idle = idle;
    }

    pub fn work(&self, task: TaskId) -> Result<Work> {
        let owner = self.run.owner(task);
        self.setting.script.work(self.run.step_of(task), owner.as_ref(), &outputs(&self.run, task))
    }

    pub fn status(&self, task: TaskId) -> TaskStatus {
        self.run.tasks.get(task.index()).map_or(TaskStatus::Waiting, |task| task.status)
    }

    pub fn lane_index(&self, task: TaskId) -> usize {
        self.setting.lane_of.get(self.run.step_of(task)).copied().unwrap_or(0)
    }

    /// Holds tasks for one worker; answers the batch's number.
    pub fn hold(&mut self, tasks: &[TaskId]) -> u64 {
        self.batch_number += 1;
        self.in_flight.extend(tasks.iter().map(|task| (*task, self.batch_number)));
        self.batch_number
    }

    /// A task can go on: it is planned, or asked, in its turn.
    pub fn on_ready(&mut self, task: TaskId) {
        if self.purpose == super::session::Purpose::Undo {
            return;
        }
        self.queue_plan(task);
    }

    /// `--yes` stands in for the person where a probe can tell.
    pub fn waits_for_a_person(&self, ask: &super::script::Ask) -> bool {
        let stands_in = matches!(self.setting.policy, ApprovalPolicy::Yes { .. }) && ask.probe.is_some();
        matches!(ask.how, Asking::Confirm { .. }) && !stands_in
    }
}

/// Lets the journal go, and what a closed run kept for its undo.
fn end(context: Arc<Context>, closed: bool) -> Option<Problem> {
    let Some(context) = Arc::into_inner(context) else {
        tracing::warn!(target: "engine", "a worker still holds the journal; it is let go when that ends");
        return None;
    };
    if closed && let Err(error) = context.undo.release() {
        tracing::warn!(target: "engine", "{}", error.chain());
    }
    context.journal.close().err().map(|error| error.problem())
}
