use std::collections::HashMap;

use super::database::open_to_read;
use super::undo_store::{NONCE_BYTES, Seal};
use super::{Finding, RunFolder};
use crate::model::{Run, RunState, TaskId, plural};

/// What is wrong with `undo.db`: records that the journal knows of and that are not there, records that are not what
/// was sealed. Without the run's key, as in a folder that was handed over, what is inside them is not looked at.
pub fn check_undo(folder: &RunFolder, run: &Run) -> Vec<Finding> {
    let expected: HashMap<(u32, u16), u32> = (0..)
        .zip(&run.tasks)
        .flat_map(|(task, _)| run.standing(TaskId(task)).iter().map(move |attempt| (task, attempt)))
        .filter_map(|(task, attempt)| Some(((task, attempt.attempt), attempt.kept.filter(|kept| *kept > 0)?)))
        .collect();
    if run.state == RunState::Closed {
        return Vec::new();
    }
    let path = folder.undo();
    if !path.exists() {
        let why = format!("undo.db is gone, and what {} had before with it", plural(expected.len() as u64, "write"));
        return if expected.is_empty() { Vec::new() } else { vec![Finding::UndoDamaged { why }] };
    }
    let seal = folder.keys().and_then(|keys| Seal::new(folder, &keys)).ok();
    let mut check = Check { run, seal, found: HashMap::new(), findings: Vec::new() };
    let read = open_to_read(&path)
        .map_err(|error| error.chain())
        .and_then(|connection| check.read(&connection).map_err(|error| error.to_string()));
    if let Err(why) = read {
        check.findings.push(Finding::UndoDamaged { why: format!("undo.db cannot be read to its end: {why}") });
        return check.findings;
    }
    let mut lost: Vec<(u32, u32, u32)> = expected
        .iter()
        .map(|((task, attempt), known)| (*task, check.found.get(&(*task, *attempt)).copied().unwrap_or(0), *known))
        .filter(|(_, kept, known)| kept < known)
        .collect();
    lost.sort_unstable();
    let named =
        lost.into_iter().map(|(task, kept, known)| Finding::UndoLost { task: run.name(TaskId(task)), kept, known });
    check.findings.extend(named);
    check.findings
}

struct Check<'a> {
    run: &'a Run,
    seal: Option<Seal>,
    found: HashMap<(u32, u16), u32>,
    findings: Vec<Finding>,
}

impl Check<'_> {
    /// In the order in which they were kept, so that a gap shows.
    fn read(&mut self, connection: &rusqlite::Connection) -> rusqlite::Result<()> {
        let mut select =
            connection.prepare("SELECT task, position, attempt, nonce, sealed FROM kept ORDER BY task, position")?;
        let mut rows = select.query([])?;
        let (mut of, mut next) = (None, 0);
        while let Some(row) = rows.next()? {
            let (task, position, attempt): (u32, u32, u16) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if of != Some(task) {
                (of, next) = (Some(task), 0);
            }
            if position != next {
                self.damaged(task, next, "it is missing");
            }
            next = position.saturating_add(1);
            let nonce: [u8; NONCE_BYTES] = row.get(3)?;
            let sealed = row.get_ref(4)?.as_blob()?;
            let is_sound = self
                .seal
                .as_ref()
                .is_none_or(|seal| seal.open(TaskId(task), attempt, position, nonce, sealed).is_some());
            match is_sound {
                true => *self.found.entry((task, attempt)).or_default() += 1,
                false => self.damaged(task, position, "it was altered, or the run's key is another"),
            }
        }
        Ok(())
    }

    fn damaged(&mut self, task: u32, position: u32, why: &str) {
        let why = format!("undo record {position} of {}: {why}", self.run.name(TaskId(task)));
        self.findings.push(Finding::UndoDamaged { why });
    }
}
