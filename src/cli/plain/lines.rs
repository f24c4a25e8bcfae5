use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

use super::contents::Contents;
use super::progress_json::progress_object;
use super::wording::{event_json, event_line, shown_name};
use crate::cli::progress::Progress;
use crate::cli::waits;
use crate::cli::{Output, output};
use crate::engine::{Activity, Notice};
use crate::model::{Event, Problem, Run, RunHeader, TaskId, TaskStatus, visible};

/// What a run begins with: what its systems call themselves, and the owners that it cannot restore.
pub fn opening_lines(header: &RunHeader) -> Vec<String> {
    let systems = header.identities.iter().map(|(name, identity)| format!("  {}: {identity}", visible(name)));
    systems.chain(header.unusable_lines().iter().map(|line| format!("! {line}"))).collect()
}

/// What is told with `--quiet` too.
fn is_trouble(event: &Event) -> bool {
    matches!(
        event,
        Event::Failed { .. } | Event::Outcome { problem: Some(_), .. } | Event::Paused { .. } | Event::Aborted { .. }
    )
}

/// A run told line by line.
pub struct Lines {
    /// One JSON object an event instead of words.
    pub json: bool,
    /// What is in review is shown with all of its plan.
    pub asks: bool,
    pub color: bool,
    /// What the hunks of a plan change, for who is asked about it.
    pub contents: Contents,
    pub progress: Progress,
    /// Systems that are waited for, of which that is said.
    waiting: Mutex<HashSet<String>>,
    is_introduced: AtomicBool,
    /// When progress was told last, as JSON.
    told: Mutex<Instant>,
}

const EVERY: Duration = Duration::from_secs(1);

impl Lines {
    pub fn new(output: &Output, asks: bool, contents: Contents) -> Self {
        let Output { json, color, .. } = *output;
        Self {
            json,
            asks,
            color,
            contents,
            progress: Progress::new(json || output::is_quiet()),
            waiting: Mutex::default(),
            is_introduced: AtomicBool::new(false),
            told: Mutex::new(Instant::now()),
        }
    }

    /// Where no line is written over, it is said once.
    fn waits_for(&self, component: String, words: &str) {
        let line = waits::line(&component, words);
        if self.progress.is_shown() {
            return self.progress.show(|| line);
        }
        if self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(component) {
            crate::cli::remark(&line);
        }
    }

    /// What happened, to whoever looks on.
    pub fn tell(&self, run: &mut Run, notice: Notice) {
        match notice {
            Notice::Event(recorded) => match run.apply(&recorded) {
                Ok(_) => self.print_event(run, &recorded),
                Err(illegal) => tracing::error!(target: "plain", "{illegal}"),
            },
            Notice::Output { task, line } if !self.json && !output::is_quiet() => {
                self.print(&format!("{} | {line}", shown_name(run, task)))
            }
            Notice::BackOff { component, words: Some(words) } => {
                self.waits_for(component, &words);
            }
            Notice::BackOff { component, words: None } => {
                self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&component);
            }
            Notice::Activity { task, activity } => self.tell_activity(run, task, &activity),
            _ => {}
        }
    }

    fn tell_activity(&self, run: &Run, task: TaskId, activity: &Activity) {
        if self.json {
            return self.progress_json(run, task, activity);
        }
        let Some(doing) = activity.words() else { return };
        let doing = visible(&doing).into_owned();
        self.progress.show(|| {
            let settled: u32 =
                TaskStatus::ALL.iter().filter(|status| status.is_settled()).map(|status| run.count(*status)).sum();
            format!("{settled}/{} tasks  {}: {doing}", run.tasks.len(), shown_name(run, task))
        });
    }

    /// As an object beside the events, at most once a second and only of what takes longer.
    fn progress_json(&self, run: &Run, task: TaskId, activity: &Activity) {
        let mut last = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < EVERY {
            return;
        }
        if let Some(object) = progress_object(run, task, activity) {
            *last = Instant::now();
            self.print(&object.to_string());
        }
    }

    pub fn introduce(&self, run: &Run) {
        if self.json {
            if self.is_introduced.swap(true, Ordering::Relaxed) {
                return;
            }
            let header = &run.header;
            return self.print(
                &json!({
                    "event": "run", "run": header.id, "title": header.title, "by": header.by, "tasks": run.tasks.len(),
                })
                .to_string(),
            );
        }
        if output::is_quiet() || run.tasks.iter().any(|task| task.attempt > 0) {
            return;
        }
        opening_lines(&run.header).iter().for_each(|line| self.print(line));
    }

    /// The last line of a stream, so that a reader knows it for whole: how the run stands now.
    pub fn end(&self, run: &Run, problem: Option<&Problem>) {
        if !self.json {
            return;
        }
        let counts = TaskStatus::ALL.iter().map(|status| (status.word(), run.count(*status)));
        let by_status: BTreeMap<&str, u32> = counts.filter(|(_, count)| *count > 0).collect();
        let end = json!({ "event": "end", "run": run.header.id, "complete": run.is_complete(), "by_status": by_status,
            "problem": problem });
        self.print(&end.to_string());
    }

    fn print_event(&self, run: &Run, recorded: &crate::model::Recorded) {
        if self.json {
            return self.print(&event_json(run, recorded));
        }
        if output::is_quiet() && !is_trouble(&recorded.event) {
            return;
        }
        if let Event::Warned { task, .. } = recorded.event
            && self.asks
            && run.tasks.get(task.index()).is_some_and(|state| state.status == TaskStatus::Review)
        {
            return;
        }
        if let Some(line) = event_line(run, recorded) {
            self.print(&line);
        }
    }

    /// A reader that went away ends the output, not the run.
    pub fn print(&self, line: &str) {
        self.progress.clear();
        crate::cli::say(line);
    }
}
