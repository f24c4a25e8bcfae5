use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;

use super::answer::Person;
use super::lines::Lines;
use super::prompt;
use super::waits::Waits;
use super::wording::shown_name;
use crate::engine::{Command, Engine, Notice};
use crate::model::{Digest, Problem, Run, RunState, StepKind, TaskId, TaskState, TaskStatus, plural, visible};
use crate::signals::Signals;
use crate::tui::{Canary, Stand};

/// Follows a run on a terminal or in a pipe, line by line, and asks where a person must decide.
pub struct Walk {
    pub engine: Engine,
    /// `name@host`.
    pub by: String,
    pub lines: Lines,
    /// Whether decisions are asked for, on a terminal or in a pipe.
    pub interactive: bool,
    /// Only these tasks are asked about.
    pub only: Option<HashSet<TaskId>>,
    pub signals: Signals,
}

/// By task, with the plan that was not decided on.
type PutOff = HashSet<(TaskId, Option<Digest>)>;

/// How a walk ended.
pub struct Ending {
    pub run: Arc<Run>,
    /// The engine stopped although nobody asked it to.
    pub problem: Option<Problem>,
}

/// Where a walk stands: the engine may still have something under way.
pub struct Halt {
    pub run: Arc<Run>,
    pub problem: Option<Problem>,
    /// A signal came, or the operator's "quit".
    pub is_left: bool,
    notices: UnboundedReceiver<Notice>,
}

impl Walk {
    /// Until nothing can go on without a decision that nobody is there to make, or the operator leaves.
    pub async fn go(&self) -> Halt {
        self.go_from(self.engine.subscribe()).await
    }

    /// The same from a subscription that was made before commands were given: what came of them is told too.
    pub async fn go_from(&self, mut notices: UnboundedReceiver<Notice>) -> Halt {
        let mut run = Run::default();
        let mut problem = None;
        let mut is_left = false;
        let mut is_idle = false;
        let mut waits = Waits::default();
        let mut canary: Option<Canary> = None;
        // Opened by the operator's "later": not asked again before something changes.
        let mut put_off = PutOff::default();
        loop {
            let notice = tokio::select! {
                notice = notices.recv() => notice,
                _ = self.signals.first() => {
                    is_left = true;
                    break;
                }
            };
            let Some(notice) = notice else { break };
            match notice {
                Notice::Snapshot(snapshot) => {
                    run = Arc::unwrap_or_clone(snapshot);
                    self.lines.introduce(&run);
                }
                Notice::Idle => is_idle = true,
                Notice::Stopped { problem: why } => {
                    problem = why;
                    break;
                }
                other => {
                    // Only an event is followed by another idle.
                    is_idle &= !matches!(other, Notice::Event(_));
                    waits.hear(&other);
                    self.lines.tell(&mut run, other);
                    canary = self.follow(&run, canary).await;
                }
            }
            if matches!(run.state, RunState::Closed) {
                break;
            }
            if !notices.is_empty() || !(is_idle || waits.are_all(&run)) {
                continue;
            }
            let Some(task) = self.next_to_ask(&run, &put_off, canary.as_ref()) else {
                if !is_idle {
                    continue;
                }
                let open = self.open_put_off(&run, &put_off);
                if open > 0 && prompt::ask_put_off(self, open).await {
                    is_idle = false;
                    put_off.clear();
                    notices = self.engine.subscribe();
                    continue;
                }
                self.tell_of_unplanned(&run);
                break;
            };
            is_idle = false;
            match prompt::ask(self, &run, task).await {
                prompt::Asked::Decided => {}
                prompt::Asked::Group(approved) => canary = Some(approved),
                // No event comes of it.
                prompt::Asked::Again => notices = self.engine.subscribe(),
                prompt::Asked::Later => {
                    put_off.insert((task, run.tasks.get(task.index()).and_then(|state| state.digest())));
                    // Nothing happened, so no notice comes: look for the next one ourselves.
                    notices = self.engine.subscribe();
                }
                prompt::Asked::Leave => {
                    is_left = true;
                    break;
                }
            }
        }
        Halt { run: Arc::new(run), problem, is_left, notices }
    }

    /// Lets the engine go, and follows it until what was under way has ended, the journal is closed and the run's
    /// lock is free: only then it is known how the run stands.
    pub async fn leave(self, halt: Halt) -> Ending {
        self.count_under_way().await;
        let Halt { run, mut problem, mut notices, .. } = halt;
        let mut run = Arc::unwrap_or_clone(run);
        drop(self.engine);
        while let Some(notice) = notices.recv().await {
            if let Notice::Stopped { problem: why } = notice {
                problem = problem.or(why);
                break;
            }
            self.lines.tell(&mut run, notice);
        }
        self.lines.progress.clear();
        self.lines.end(&run, problem.as_ref());
        Ending { run: Arc::new(run), problem }
    }

    /// After a signal: how many tasks end first. The engine is asked, for a slow terminal is behind it.
    async fn count_under_way(&self) {
        if self.signals.has_come() {
            let tasks = match self.engine.subscribe().recv().await {
                Some(Notice::Snapshot(run)) => run.count(TaskStatus::Applying),
                _ => 0,
            };
            self.signals.under_way(tasks);
        }
    }

    /// Approves the rest of a group once the first of it was read back.
    async fn follow(&self, run: &Run, canary: Option<Canary>) -> Option<Canary> {
        let canary = canary?;
        match canary.stand(run) {
            Stand::Open => return Some(canary),
            Stand::Bad(task) => {
                let word = run.tasks.get(task.index()).map_or("gone", |state| state.status.word());
                let rest = plural(canary.rest.len() as u64, "other plan");
                self.print(&format!("{} is {word}: {rest} of its group not approved", shown_name(run, task)));
            }
            Stand::Proved { same, moved } => {
                let moved = if moved > 0 {
                    format!("; {moved} changed meanwhile and will be asked about")
                } else {
                    String::new()
                };
                let rest = plural(same.len() as u64, "other plan");
                self.print(&format!("the first of the group was read back equal: {rest} approved{moved}"));
                for (task, digest) in same {
                    if let Err(error) = self.engine.command(Command::Approve { task, digest }, &self.by).await {
                        self.print(&format!("{}: {}", shown_name(run, task), visible(&error.chain())));
                    }
                }
            }
        }
        None
    }

    /// The first task, in order, that waits for a person. Those that follow a canary are decided.
    fn next_to_ask(&self, run: &Run, put_off: &PutOff, canary: Option<&Canary>) -> Option<TaskId> {
        if !self.interactive {
            return None;
        }
        let count = u32::try_from(run.tasks.len()).unwrap_or(u32::MAX);
        (0..count).map(TaskId).find(|task| {
            let Some(state) = self.asks(run, *task) else { return false };
            let follows = || canary.is_some_and(|canary| canary.rest.iter().any(|(other, _)| other == task));
            !follows() && !put_off.contains(&(*task, state.digest()))
        })
    }

    /// The state of a task that waits for a person, if it is one of those that are asked about.
    fn asks<'r>(&self, run: &'r Run, task: TaskId) -> Option<&'r TaskState> {
        let state = run.tasks.get(task.index())?;
        let asks = match state.status {
            // An undo of a paused run: there is nothing to be shown.
            TaskStatus::Review if state.digest().is_none() => false,
            TaskStatus::Review | TaskStatus::Failed | TaskStatus::Unknown => true,
            TaskStatus::Ready => run.step(task).is_some_and(|step| step.kind == StepKind::Confirm),
            _ => false,
        };
        let meant = self.only.as_ref().is_none_or(|only| only.contains(&task));
        (asks && meant).then_some(state)
    }

    /// How many questions were put off and are still open.
    fn open_put_off(&self, run: &Run, put_off: &PutOff) -> usize {
        put_off
            .iter()
            .filter(|(task, digest)| self.asks(run, *task).is_some_and(|state| state.digest() == *digest))
            .count()
    }

    /// A restore is in review with its plan; the undos of a paused run have none, and nothing makes one.
    fn tell_of_unplanned(&self, run: &Run) {
        let is_unplanned = |state: &&TaskState| state.status == TaskStatus::Review && state.digest().is_none();
        let count = run.tasks.iter().filter(is_unplanned).count();
        if self.interactive && count > 0 {
            let undos = plural(count as u64, "undo");
            self.print(&format!("not asked about: {undos}, planned once the run is no longer paused"));
        }
    }

    pub fn person(&self) -> Person<'_> {
        Person { progress: Some(&self.lines.progress), signals: Some(&self.signals) }
    }

    pub fn print(&self, line: &str) {
        self.lines.print(line);
    }
}

/// How many tasks are in which state, as in "12 done, 3 unchanged, 1 failed".
pub fn totals(run: &Run) -> String {
    let counts = TaskStatus::ALL.iter().map(|status| (run.count(*status), status.word()));
    let words: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    words.join(", ")
}
