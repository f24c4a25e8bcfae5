use serde::Serialize;

use crate::model::{Event, Pass, Recorded, Run, TaskId, TaskStatus, Zone, span};

/// From the run's start to the last thing it restored or found restored. What was undone later does not count.
#[derive(Clone, Debug, Serialize)]
pub struct Took {
    pub milliseconds: u64,
    pub words: String,
    /// When that was.
    pub until: String,
}

impl Took {
    pub(super) fn of(events: &[Recorded], zone: &Zone) -> Option<Self> {
        let mut undoing = std::collections::HashSet::<TaskId>::new();
        let mut last = None;
        for recorded in events {
            match &recorded.event {
                Event::UndoAsked { task, .. } | Event::Planned { task, pass: Pass::Undo, .. } => {
                    undoing.insert(*task);
                }
                Event::Planned { task, pass: Pass::Restore, .. } => {
                    undoing.remove(task);
                }
                Event::Outcome { task, .. }
                | Event::Unchanged { task }
                | Event::Answered { task, .. }
                | Event::Settled { task, .. }
                    if !undoing.contains(task) =>
                {
                    last = Some(recorded.at);
                }
                _ => {}
            }
        }
        let (first, last) = (events.first()?.at, last?);
        // A clock that was set back makes no negative time.
        let milliseconds = u64::try_from(last.saturating_sub(first)).unwrap_or(0);
        Some(Self { milliseconds, words: span(milliseconds), until: zone.told(last) })
    }
}

/// Milliseconds from the run's start until every task was settled well for the first time, none of them undone.
pub(super) fn first_restored(events: &[Recorded]) -> Option<u64> {
    let mut run = Run::default();
    let first = events.first()?.at;
    let restored = events.iter().find(|recorded| {
        run.apply(recorded).is_ok() && !run.tasks.is_empty() && run.is_complete() && run.count(TaskStatus::Undone) == 0
    })?;
    Some(u64::try_from(restored.at.saturating_sub(first)).unwrap_or(0))
}

/// The time in which the runbook wants all of it restored.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    pub seconds: u64,
    pub words: String,
    /// None while it is not restored and the time is not over.
    pub met: Option<bool>,
    pub verdict: String,
}

impl Goal {
    /// `restored`: after how many milliseconds all was restored for the first time, for what was undone or tried again
    /// later says nothing of that. `now`: the last event's time since the start.
    pub(super) fn of(seconds: u64, restored: Option<u64>, is_undone: bool, now: u64) -> Self {
        let goal = seconds.saturating_mul(1_000);
        let since = if is_undone { "; undone since" } else { "" };
        let (met, verdict) = match restored {
            Some(took) if took <= goal => (Some(true), format!("met, {} to spare{since}", span(goal - took))),
            Some(took) => (Some(false), format!("missed by {}{since}", span(took - goal))),
            None if now > goal => (Some(false), "missed: not everything is restored".to_owned()),
            None => (None, "not everything is restored yet".to_owned()),
        };
        Self { seconds, words: span(goal), met, verdict }
    }
}
