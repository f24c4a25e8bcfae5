use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;

use super::prompt;
use super::signals::{Signals, next_of};
use super::wording::event_line;
use crate::cli::progress::Progress;
use crate::engine::{Activity, Engine, Notice};
use crate::model::{Problem, Run, RunState, StepKind, TaskId, TaskStatus, plural, size};

/// Follows a run on a terminal or in a pipe, line by line, and asks where a person must decide.
pub struct Walk {
    pub engine: Engine,
    /// `name@host`.
    pub by: String,
    /// One JSON object an event instead of words.
    pub json: bool,
    /// Whether decisions are asked for, on a terminal or in a pipe.
    pub interactive: bool,
    /// Only these tasks are asked about.
    pub only: Option<HashSet<TaskId>>,
    pub progress: Progress,
}

/// How a walk ended.
pub struct Ending {
    pub run: Arc<Run>,
    /// The engine stopped although nobody asked it to.
    pub problem: Option<Problem>,
}

impl Walk {
    /// Until nothing can go on without a decision that nobody is there to make, or the operator leaves.
    pub async fn go(&self) -> Ending {
        let mut notices = self.engine.subscribe();
        let mut run = Run::default();
        let mut problem = None;
        // Opened by the operator's "later": not asked again before something changes.
        let mut put_off: HashSet<(TaskId, Option<crate::model::Digest>)> = Default::default();
        // A prompt ends with its terminal, and holds nothing that would have to end first.
        let mut signals = if self.interactive { None } else { Signals::listen().ok() };
        loop {
            let notice = tokio::select! {
                notice = notices.recv() => notice,
                name = next_of(&mut signals) => {
                    let told = "what is under way ends, then the run is left; a second one ends it at once";
                    let _ = writeln!(std::io::stderr().lock(), "{name}: {told}");
                    break;
                }
            };
            let Some(notice) = notice else { break };
            match notice {
                Notice::Snapshot(snapshot) => {
                    run = Arc::unwrap_or_clone(snapshot);
                    self.introduce(&run);
                }
                Notice::Event(recorded) => {
                    if let Err(illegal) = run.apply(&recorded) {
                        tracing::error!(target: "plain", "{illegal}");
                        continue;
                    }
                    self.print_event(&run, &recorded);
                }
                Notice::Output { task, line } if !self.json => self.print(&format!("{} | {line}", run.name(task))),
                // More has happened since: a later one follows it.
                Notice::Idle if !notices.is_empty() => {}
                Notice::Idle => match self.next_to_ask(&run, &put_off) {
                    Some(task) => match prompt::ask(self, &run, task).await {
                        prompt::Asked::Decided => {}
                        prompt::Asked::Later => {
                            put_off.insert((task, run.tasks.get(task.index()).and_then(|state| state.digest)));
                            // Nothing happened, so no notice comes: look for the next one ourselves.
                            notices = self.engine.subscribe();
                        }
                        prompt::Asked::Leave => break,
                    },
                    None => break,
                },
                Notice::Stopped { problem: why } => {
                    problem = why;
                    break;
                }
                Notice::Activity { task, activity } => self.tell_activity(&run, task, &activity),
                Notice::Output { .. } => {}
            }
            if matches!(run.state, RunState::Closed) {
                break;
            }
        }
        if let Some(signals) = signals {
            signals.end_at_the_next();
        }
        Ending { run: Arc::new(run), problem }
    }

    /// Lets the engine go, and waits until the journal is closed and the run's lock is free.
    pub async fn leave(self) {
        let mut notices = self.engine.subscribe();
        drop(self.engine);
        while let Some(notice) = notices.recv().await {
            if matches!(notice, Notice::Stopped { .. }) {
                break;
            }
        }
    }

    fn tell_activity(&self, run: &Run, task: TaskId, activity: &Activity) {
        let doing = match activity {
            Activity::Planning => "planning".to_owned(),
            Activity::Writing { files, bytes, .. } => format!("{}, {}", plural(*files, "file"), size(*bytes)),
            Activity::ReadingBack => "reading back".to_owned(),
            Activity::Waiting(why) => why.clone(),
            Activity::Idle => return,
        };
        self.progress.show(|| {
            let settled: u32 =
                TaskStatus::ALL.iter().filter(|status| status.is_settled()).map(|status| run.count(*status)).sum();
            format!("{settled}/{} tasks  {}: {doing}", run.tasks.len(), run.name(task))
        });
    }

    fn introduce(&self, run: &Run) {
        if self.json || run.tasks.iter().any(|task| task.attempt > 0) {
            return;
        }
        for (name, identity) in &run.header.identities {
            self.print(&format!("  {name}: {identity}"));
        }
    }

    /// The first task, in order, that waits for a person.
    fn next_to_ask(&self, run: &Run, put_off: &HashSet<(TaskId, Option<crate::model::Digest>)>) -> Option<TaskId> {
        if !self.interactive {
            return None;
        }
        let count = u32::try_from(run.tasks.len()).unwrap_or(u32::MAX);
        (0..count).map(TaskId).find(|task| {
            let Some(state) = run.tasks.get(task.index()) else { return false };
            let asks = match state.status {
                TaskStatus::Review | TaskStatus::Failed | TaskStatus::Unknown => true,
                TaskStatus::Ready => run.step(*task).is_some_and(|step| step.kind == StepKind::Confirm),
                _ => false,
            };
            let meant = self.only.as_ref().is_none_or(|only| only.contains(task));
            asks && meant && !put_off.contains(&(*task, state.digest))
        })
    }

    fn print_event(&self, run: &Run, recorded: &crate::model::Recorded) {
        if self.json {
            if let Ok(line) = serde_json::to_string(recorded) {
                self.print(&line);
            }
            return;
        }
        if let Some(line) = event_line(run, recorded) {
            self.print(&line);
        }
    }

    /// A reader that went away ends the output, not the run.
    pub fn print(&self, line: &str) {
        self.progress.clear();
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

/// How many tasks are in which state, as in "12 done, 3 unchanged, 1 failed".
pub fn totals(run: &Run) -> String {
    let counts = TaskStatus::ALL.iter().map(|status| (run.count(*status), status.word()));
    let words: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    words.join(", ")
}
