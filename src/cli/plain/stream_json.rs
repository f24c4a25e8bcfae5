use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{Problem, Run, TaskStatus};

/// The first line of a followed run's stream.
pub fn run_object(run: &Run) -> Value {
    let header = &run.header;
    json!({
        "event": "run", "run": header.id, "title": header.title, "by": header.by, "tasks": run.tasks.len(),
    })
}

/// The last line, so that a reader knows the stream for whole: how the run stands now.
pub fn end_object(run: &Run, problem: Option<&Problem>) -> Value {
    let counts = TaskStatus::ALL.iter().map(|status| (status.word(), run.count(*status)));
    let by_status: BTreeMap<&str, u32> = counts.filter(|(_, count)| *count > 0).collect();
    json!({
        "event": "end", "run": run.header.id, "complete": run.is_complete(), "by_status": by_status, "problem": problem,
    })
}
