use super::ReadJournal;
use super::database::failed;
use crate::model::{Event, Recorded, Result, TaskId};

/// Of one task, found by the index: a journal of millions of events answers at once, or not at all.
const OF_TASK: &str = "SELECT seq, at, body FROM events INDEXED BY history \
                       WHERE json_extract(body, '$.task') = ?1 AND seq > 1 ORDER BY seq";
/// The same in a journal of format 1: a cheap sieve in the database, so that most rows are never parsed.
const OF_TASK_BY_SIEVE: &str = "SELECT seq, at, body FROM events WHERE instr(body, '\"task\":' || ?1) ORDER BY seq";
const OF_RUN: &str = "SELECT seq, at, body FROM events WHERE ?1 IS NULL AND NOT instr(body, '\"task\":') ORDER BY seq";

impl ReadJournal {
    /// The events of one task, or of the run itself, in order; not checked against the chain.
    pub fn history(&self, task: Option<TaskId>) -> Result<Vec<Recorded>> {
        let fail = |error| failed("read", self.path(), error);
        let mut select = self.select_history(task).map_err(fail)?;
        let mut rows = select.query([task.map(|task| task.0)]).map_err(fail)?;
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

    fn select_history(&self, task: Option<TaskId>) -> rusqlite::Result<rusqlite::CachedStatement<'_>> {
        let connection = self.connection();
        let is_indexed = || connection.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'history'")?.exists([]);
        connection.prepare_cached(match task {
            None => OF_RUN,
            Some(_) if is_indexed()? => OF_TASK,
            Some(_) => OF_TASK_BY_SIEVE,
        })
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::load::{EVENTS_TABLE, FORMAT, HISTORY_INDEX, PLANS_TABLE};
    use super::super::{Journal, RunFolder, StateFolder};
    use super::*;
    use crate::model::RunHeader;

    fn seqs(read: &ReadJournal, task: Option<u32>) -> Vec<u64> {
        read.history(task.map(TaskId)).unwrap().iter().map(|recorded| recorded.seq).collect()
    }

    /// Events 2 to 31: three of each of ten tasks.
    fn events() -> Vec<Recorded> {
        let opened = Event::Opened { run: std::sync::Arc::new(RunHeader { id: "one".into(), ..RunHeader::default() }) };
        let retried = |at: u32| Event::Retried { task: TaskId(at % 10), by: "\"task\":4".to_owned() };
        let events = std::iter::once(opened).chain((0..30).map(retried)).chain([Event::Resumed { by: "op".into() }]);
        (1..).zip(events).map(|(seq, event)| Recorded { seq, at: 0, event }).collect()
    }

    #[test]
    fn of_one_task_no_other_event_is_looked_at() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("{EVENTS_TABLE}; {HISTORY_INDEX}; {PLANS_TABLE}")).unwrap();
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {OF_TASK}")).unwrap();
        let steps: Vec<String> = plan.query_map([5], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        let [step] = steps.as_slice() else { panic!("neither a scan nor a sort: {steps:?}") };
        assert!(step.starts_with("SEARCH events USING INDEX history (<expr>=?"), "{step}");
    }

    #[test]
    fn a_journal_of_the_former_format_is_read_and_gone_on_with() {
        let root = tempfile::tempdir().unwrap();
        let (folder, _) = RunFolder::create(&StateFolder::at(root.path()), "one").unwrap();
        let journal = Journal::create(&folder, 0).unwrap();
        journal.append_and_wait(events()).unwrap();
        journal.close().unwrap();
        let now = ReadJournal::open(&folder).unwrap();
        let (of_task, of_run) = (seqs(&now, Some(4)), seqs(&now, None));
        assert_eq!((of_task.as_slice(), of_run.as_slice()), (&[6, 16, 26][..], &[1, 32][..]));
        drop(now);
        Connection::open(folder.journal()).unwrap().execute_batch("DROP INDEX history; PRAGMA user_version=1").unwrap();
        let mut former = ReadJournal::open(&folder).unwrap();
        assert_eq!((seqs(&former, Some(4)), seqs(&former, None)), (of_task, of_run));
        assert_eq!((former.load().unwrap().len(), former.findings()), (32, &[][..]));
        drop(former);
        let again = Journal::open_writer(&folder, 0).unwrap();
        again.journal.append_and_wait(vec![Recorded { seq: 33, at: 0, ..events().remove(5) }]).unwrap();
        again.journal.close().unwrap();
        let (format, seen) = (FORMAT - 1, ReadJournal::open(&folder).unwrap());
        let kept: i64 = seen.connection().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!((seqs(&seen, Some(4)), kept), (vec![6, 16, 26, 33], format));
    }

    #[test]
    fn an_index_that_lacks_an_event_is_damage_to_who_proves_the_journal() {
        let root = tempfile::tempdir().unwrap();
        let (folder, _) = RunFolder::create(&StateFolder::at(root.path()), "one").unwrap();
        let journal = Journal::create(&folder, 0).unwrap();
        journal.append_and_wait(events()).unwrap();
        journal.close().unwrap();
        let database = Connection::open(folder.journal()).unwrap();
        // Filled while it is another index, and then called what it should be.
        let forged = HISTORY_INDEX.replace("$.task", "$.nothing");
        database.execute_batch(&format!("DROP INDEX history; {forged}; PRAGMA writable_schema=ON")).unwrap();
        database.execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = 'history'", [HISTORY_INDEX]).unwrap();
        drop(database);
        let mut read = ReadJournal::open(&folder).unwrap();
        read.prove().unwrap();
        assert!(matches!(read.findings(), [super::super::Finding::Damaged { .. }]), "{:?}", read.findings());
        drop(read);
        assert!(Journal::open_writer(&folder, 0).is_err());
    }
}
