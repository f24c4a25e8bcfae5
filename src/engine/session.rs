use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::actor::{Actor, Clock, Setting};
use super::context::{Context, Pinned};
use super::handle::Engine;
use super::lane::Lane;
use super::recovery::{Interrupted, Recovered, recover};
use super::script::{Script, Work};
use super::worker::Done;
use super::writer::tell_if_became;
use crate::component::{Limits, Unit};
use crate::journal::{Journal, RunFolder, UndoStore};
use crate::model::{
    ApprovalPolicy, DigestKey, Event, Known, Pass, Run, RunHeader, StepKind, TargetHolder, TaskId, TaskStatus,
};

/// Everything a run needs to go on; the caller opened and checked it.
pub struct Session {
    pub script: Arc<dyn Script>,
    pub folder: RunFolder,
    pub journal: Journal,
    pub undo: UndoStore,
    pub key: DigestKey,
    pub policy: ApprovalPolicy,
    pub clock: Clock,
    /// `name@host`.
    pub by: String,
    /// Targets that somebody else holds are taken from them: an operator's own decision, for this session.
    pub takes_over: bool,
}

/// What a run is taken up for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    #[default]
    GoOn,
    /// Only interrupted effects are settled and undos carried out; nothing else goes on.
    Undo,
}

/// Commands side by side: each may be long, none should starve the others.
const COMMANDS: Limits = Limits { batch: 1, parallel: 2, unit: Unit::Change, reads_beside: false };
const QUESTIONS: Limits = Limits { batch: 16, parallel: 4, unit: Unit::Change, reads_beside: false };

impl Session {
    /// Begins a new run; its first event is in the journal before anything is planned.
    pub fn begin(self, header: RunHeader) -> Engine {
        self.live(Run::default(), Some(header), Purpose::GoOn)
    }

    /// Goes on with a run whose events were folded into `run`. Effects that were interrupted are settled by
    /// reading the target before anything else of theirs happens.
    pub fn resume(self, run: Run, purpose: Purpose) -> Engine {
        self.live(run, None, purpose)
    }

    fn live(self, run: Run, header: Option<RunHeader>, purpose: Purpose) -> Engine {
        let (requests, requested) = mpsc::unbounded_channel();
        let (mailbox, done) = mpsc::unbounded_channel();
        let described = header.as_ref().unwrap_or(&run.header);
        let components = self.script.components();
        let holder = TargetHolder { run: described.id.clone(), by: self.by.clone(), since: (self.clock)() };
        let context = Arc::new(Context {
            holder,
            takes_over: self.takes_over,
            pinned: Arc::new(Pinned::of(described, self.key, &components)),
            folder: self.folder,
            journal: self.journal,
            undo: self.undo,
            cancelled: watch::Sender::new(false),
        });
        let mut lanes: Vec<Lane> =
            components.iter().map(|(name, component)| Lane::new(Some(name.clone()), component.limits())).collect();
        let commands = lanes.len();
        let wanted = described.steps.iter().filter(|step| step.kind == StepKind::Run);
        let wanted = wanted.filter_map(|step| step.policy.parallel).max().map_or(0, usize::from);
        lanes.push(Lane::new(None, Limits { parallel: COMMANDS.parallel.max(wanted), ..COMMANDS }));
        lanes.push(Lane::new(None, QUESTIONS));
        let lane_of = described.steps.iter().map(|step| match step.kind {
            StepKind::Restore | StepKind::Apply => {
                lanes.iter().position(|lane| lane.name.is_some() && lane.name == step.component).unwrap_or(commands)
            }
            StepKind::Run => commands,
            StepKind::Wait | StepKind::Check | StepKind::Confirm => commands + 1,
        });
        let lane_of = lane_of.collect();
        let (script, policy, clock) = (self.script, self.policy, self.clock);
        let mut actor = Actor::new(Setting { context, script, policy, clock, mailbox, lane_of }, run, lanes);
        match header {
            Some(header) => {
                actor.record(Event::Opened { run: Arc::new(header) });
            }
            None => actor.take_up(&self.by, purpose),
        }
        for (name, component) in &components {
            if let Some(told) = component.back_off() {
                tokio::spawn(pass_on(name.clone(), told, actor.setting.mailbox.clone()));
            }
        }
        tokio::spawn(actor.live(requested, done));
        Engine::new(requests)
    }
}

/// Tells whoever follows the run that a component's server is waited for, until the run or the component ends.
async fn pass_on(component: String, mut told: watch::Receiver<Option<String>>, mailbox: mpsc::UnboundedSender<Done>) {
    loop {
        tokio::select! {
            changed = told.changed() => if changed.is_err() { return },
            () = mailbox.closed() => return,
        }
        let words = told.borrow_and_update().clone();
        if mailbox.send(Done::BackOff { component: component.clone(), words }).is_err() {
            return;
        }
    }
}

impl Actor {
    /// Puts every task of a resumed run back where it belongs.
    fn take_up(&mut self, by: &str, purpose: Purpose) {
        self.purpose = purpose;
        self.record(Event::Resumed { by: by.to_owned() });
        for index in 0..self.run.tasks.len() {
            let Ok(index) = u32::try_from(index) else { break };
            let task = TaskId(index);
            let Some(state) = self.run.tasks.get(task.index()).cloned() else { continue };
            match (state.status, state.pass) {
                (TaskStatus::Applying, pass) => self.settle_interrupted(task, pass),
                (TaskStatus::Review, Pass::Undo) => self.queue_plan(task),
                (TaskStatus::Approved, Pass::Undo) => self.queue_write(task),
                _ if purpose == Purpose::Undo => {}
                (TaskStatus::Ready, _) => self.on_ready(task),
                // What stood in the way of reading the target may have passed. Of a command nothing can be read.
                (TaskStatus::Unknown, pass) if matches!(self.work(task), Ok(Work::Restore(_))) => {
                    self.settle_interrupted(task, pass);
                }
                // Nobody is there to be asked: who resumes has mended what made it fail, or finds out at once.
                (TaskStatus::Failed, Pass::Restore) if self.setting.policy != ApprovalPolicy::Ask => {
                    self.record(Event::Retried { task, by: by.to_owned() });
                }
                (TaskStatus::Approved, _) => self.queue_write(task),
                // A policy decides on what is there now; a person's review is read afresh when it is opened.
                (TaskStatus::Review, Pass::Restore) if self.setting.policy != ApprovalPolicy::Ask => {
                    self.record(Event::Voided { task, why: "the run was resumed; it is planned again".to_owned() });
                }
                _ => {}
            }
        }
    }

    pub fn settle_interrupted(&mut self, task: TaskId, pass: Pass) {
        let state = self.run.tasks.get(task.index()).cloned().unwrap_or_default();
        self.hold(&[task]);
        let mailbox = self.setting.mailbox.clone();
        match (self.work(task), state.digest()) {
            (Ok(Work::Restore(restore)), Some(digest)) => {
                let interrupted = Interrupted {
                    task,
                    restore,
                    pass,
                    attempt: state.attempt,
                    digest,
                    planned: self.run.planned_digest(task).unwrap_or(digest),
                    selection: self.run.selection(task),
                    standing: self.run.standing(task).to_vec(),
                };
                let context = self.setting.context.clone();
                tokio::spawn(async move {
                    let restore = interrupted.restore.clone();
                    let recovered = recover(context.clone(), interrupted).await;
                    // Of what nobody knows it is not said that this run has made it.
                    if recovered.known != Known::Unknown {
                        tell_if_became(&context, &restore, &mailbox).await;
                    }
                    let _ = mailbox.send(Done::Recovered { recovered });
                });
            }
            _ => {
                let how = "a command was interrupted; what it did cannot be read back".to_owned();
                let recovered = Recovered { task, known: Known::Unknown, how, made: None };
                let _ = mailbox.send(Done::Recovered { recovered });
            }
        }
    }
}
