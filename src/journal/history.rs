use super::ReadJournal;
use super::database::failed;
use crate::model::{Event, Recorded, Result, TaskId};

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
}
