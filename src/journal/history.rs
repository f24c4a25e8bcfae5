use super::ReadJournal;
use super::database::failed;
use crate::model::{Digest, Event, Known, Pass, Recorded, Result, Selection, TaskId};

impl ReadJournal {
    /// The events of one task, or of the run itself, in order; not checked against the chain.
    pub fn history(&self, task: Option<TaskId>) -> Result<Vec<Recorded>> {
        let (condition, pattern) = match task {
            // A cheap first sieve in the database: most rows are never parsed.
            Some(task) => ("instr(body, ?1)", format!("\"task\":{}", task.0)),
            None => ("not instr(body, ?1)", "\"task\":".to_owned()),
        };
        let fail = |error| failed("read", self.path(), error);
        let mut select = self
            .connection()
            .prepare_cached(&format!("SELECT seq, at, body FROM events WHERE {condition} ORDER BY seq"))
            .map_err(fail)?;
        let mut rows = select.query([&pattern]).map_err(fail)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            let body = row.get_ref(2).and_then(|body| Ok(body.as_str()?)).map_err(fail)?;
            let Ok(event) = serde_json::from_str::<Event>(body) else { continue };
            if event.task() == task {
                let seq: i64 = row.get(0).map_err(fail)?;
                found.push(Recorded { seq: seq.unsigned_abs(), at: row.get(1).map_err(fail)?, event });
            }
        }
        Ok(found)
    }

    /// The attempts of a task's restore whose effects, all or some, may stand: none before an undo that was
    /// completed, and none that is known to have changed nothing.
    pub fn standing_attempts(&self, task: TaskId) -> Result<Vec<Attempt>> {
        let mut pass = Pass::Restore;
        let mut planned = None;
        let mut selection = Selection::all();
        let mut standing: Vec<Attempt> = Vec::new();
        for recorded in self.history(Some(task))? {
            match recorded.event {
                Event::Planned { digest, pass: of, .. } => {
                    (planned, pass) = (Some(digest), of);
                    selection = Selection::all();
                }
                Event::Decided { selection: chosen, .. } => selection = chosen,
                Event::UndoAsked { .. } => pass = Pass::Undo,
                Event::Intent { attempt, .. } if pass == Pass::Restore => {
                    standing.extend(planned.map(|planned| Attempt { attempt, planned, selection: selection.clone() }));
                }
                Event::Outcome { known: Known::NotApplied, partial: false, .. } if pass == Pass::Restore => {
                    standing.pop();
                }
                Event::Outcome { known: Known::Applied, problem: None, .. }
                | Event::Settled { known: Known::Applied, .. }
                | Event::Unchanged { .. }
                    if pass == Pass::Undo =>
                {
                    standing.clear();
                    pass = Pass::Restore;
                }
                _ => {}
            }
        }
        Ok(standing)
    }
}

/// One INTENT of a task's restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub attempt: u16,
    /// The digest that its plan is kept under.
    pub planned: Digest,
    pub selection: Selection,
}
