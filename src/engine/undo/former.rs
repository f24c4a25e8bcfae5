use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lost::{self, Recorded};
use super::{Context, PreImage};
use crate::component::UndoRecord;
use crate::journal::{KeptRecord, KeptRecords};
use crate::model::{Attempt, Document, DocumentPath, Error, ErrorKind, ResourceId, Result, TaskId};

#[derive(Default)]
pub(in crate::engine) struct FormerDocument {
    pub document: Option<Document>,
    /// What the last write left.
    pub after: Option<Document>,
    pub touched: Vec<DocumentPath>,
    pub lost: Vec<DocumentPath>,
}

/// All that a task's writes left for its undo, the earliest state of each thing first kept.
#[derive(Default)]
pub(in crate::engine) struct Former {
    pub documents: BTreeMap<ResourceId, FormerDocument>,
    /// As wanted by somebody else's doing before this task wrote: it left nothing of its own there.
    pub theirs: BTreeSet<ResourceId>,
    pub trees: BTreeMap<ResourceId, Vec<UndoRecord>>,
    /// What cannot be undone, for its record is lost, in words.
    pub stays: Vec<String>,
}

/// Of all attempts whose effects may stand.
pub(in crate::engine) fn former(context: &Context, task: TaskId, standing: &[Attempt]) -> Result<Former> {
    let KeptRecords { records, unreadable } = context.undo.records(task)?;
    let known = |attempt: &Attempt| attempt.kept.unwrap_or_default() as usize;
    let there = |attempt: &Attempt| records.iter().filter(|record| record.attempt == attempt.attempt).count();
    let lost: Vec<&Attempt> = standing.iter().filter(|attempt| there(attempt) < known(attempt)).collect();
    let Some(first) = lost.first() else {
        // A journal of an older version does not know how many there must be.
        return unreadable.map_or_else(|| Former::of(records, &numbers(standing), true), Err);
    };
    let (missing, known) = (known(first) - there(first), known(first));
    let why = format!("{missing} of the {known} undo records of attempt {} are lost", first.attempt);
    let (mut former, recorded) = Former::with_records(records, &numbers(standing), true)?;
    former.stays = lost::take_out(&mut former, &recorded, &lost, &context.read()?)?;
    if former.documents.is_empty() && former.trees.is_empty() {
        return Err(Error::new(ErrorKind::Corrupt, "read what was kept for its undo", why)
            .next("undo this task by hand, with 'rekindle report' at your side; the others can be undone"));
    }
    Ok(former)
}

fn numbers(attempts: &[Attempt]) -> Vec<u16> {
    attempts.iter().map(|attempt| attempt.attempt).collect()
}

/// What one attempt was planned from.
pub(in crate::engine) fn kept_by(context: &Context, task: TaskId, attempt: u16) -> Result<Former> {
    let KeptRecords { records, unreadable } = context.undo.records(task)?;
    unreadable.map_or_else(|| Former::of(records, &[attempt], false), Err)
}

impl Former {
    pub(super) fn of(kept: Vec<KeptRecord>, attempts: &[u16], as_written: bool) -> Result<Self> {
        Ok(Self::with_records(kept, attempts, as_written)?.0)
    }

    fn with_records(kept: Vec<KeptRecord>, attempts: &[u16], as_written: bool) -> Result<(Self, Recorded)> {
        let (mut former, mut recorded) = (Self::default(), Recorded::default());
        let mut found = BTreeMap::new();
        let read = |(value, text): (Arc<serde_json::Value>, Option<String>), file| {
            let source = text.map(|text| Arc::from(text.as_str()));
            Document { value, source, file }
        };
        let mut documents = BTreeMap::new();
        for kept in kept.into_iter().filter(|kept| attempts.contains(&kept.attempt)) {
            let pre_image: PreImage = serde_json::from_slice(&kept.bytes)
                .map_err(|error| Error::new(ErrorKind::Corrupt, "read an undo record", error.to_string()))?;
            match pre_image {
                PreImage::Document { id, before, after, touched, lost, file } => {
                    recorded.resources.insert((kept.attempt, id.clone()));
                    let document = before.map(|before| read(before, file));
                    // A process that died before its INTENT leaves a record under the number of the next attempt.
                    let after = after.map(|value| Document { value, source: None, file: None });
                    documents.insert((kept.attempt, id), (document, after, touched, lost));
                }
                PreImage::Found { id, before, touched } if as_written => {
                    found.insert((kept.attempt, id), (before, touched));
                }
                PreImage::Found { .. } => {}
                PreImage::Tree { id, records } => {
                    let paths = records.iter().map(|record| (kept.attempt, id.clone(), record.path.clone()));
                    recorded.paths.extend(paths);
                    former.trees.entry(id).or_default().extend(records);
                }
            }
        }
        for ((attempt, id), (mut document, after, mut touched, lost)) in documents {
            match found.remove(&(attempt, id.clone())) {
                Some((_, really)) if really.is_empty() => {
                    former.theirs.insert(id);
                    continue;
                }
                Some((before, really)) => {
                    let file = document.and_then(|document| document.file);
                    (document, touched) = (before.map(|before| read(before, file)), really);
                }
                None => {}
            }
            let first = || FormerDocument { document, ..FormerDocument::default() };
            let held = former.documents.entry(id).or_insert_with(first);
            held.after = after;
            held.touched.extend(touched);
            held.lost.extend(lost);
        }
        former.theirs.retain(|id| !former.documents.contains_key(id));
        for records in former.trees.values_mut() {
            let mut seen = std::collections::HashSet::new();
            records.retain(|record| seen.insert(record.path.clone()));
        }
        Ok((former, recorded))
    }

    /// Whether a tree came or went as a whole: then one record stands for all of it.
    pub(super) fn is_whole(&self, id: &ResourceId) -> bool {
        let records = self.trees.get(id).into_iter().flatten();
        records.filter(|record| record.path.is_root()).any(|record| record.before.is_none() || record.kept.is_some())
    }
}
