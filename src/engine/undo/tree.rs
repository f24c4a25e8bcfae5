use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::contents;
use super::super::context::Context;
use super::super::script::Restore;
use super::taken_away;
use crate::component::UndoRecord;
use crate::diff::trees;
use crate::model::{
    Attempt, Change, ComparePrecision, Entry, HunkAt, KEPT_LOST, Mode, NodeKind, Op, Resource, ResourceId, Result,
    Tree, TreePath, some_of,
};

/// More names than a person reads are counted instead.
const MOST_NAMED: usize = 20;

/// One tree on its way back.
pub(super) struct TreeWayBack {
    pub change: Option<Change>,
    /// What was there before; None, if nothing was.
    pub former: Option<Arc<dyn Tree>>,
    /// What is not brought back, in words.
    pub stays: Vec<String>,
    /// What somebody did since to what this task wrote, if this undo takes it away.
    pub later: Option<String>,
}

/// What a task left at each path of a tree; None where it removed what was there.
#[derive(Default)]
pub(super) struct Written {
    paths: BTreeMap<TreePath, Option<Entry>>,
    /// Those of a tree that was absent.
    created: Vec<TreePath>,
}

impl Written {
    pub(super) fn by(context: &Context, standing: &[Attempt], id: &ResourceId) -> Result<Self> {
        let mut written = Self::default();
        let journal = context.read()?;
        for attempt in standing {
            let Some(plan) = journal.plan(&attempt.planned)? else { continue };
            for (at, change) in plan.changes.iter().enumerate().filter(|(_, change)| change.id == *id) {
                let taken = change.hunks.iter().enumerate().filter(|(hunk, _)| attempt.selection.takes(at, *hunk));
                for (_, hunk) in taken {
                    let HunkAt::Node { path, after, .. } = &hunk.at else { continue };
                    if change.op == Op::Create {
                        written.created.push(path.clone());
                    }
                    written.paths.insert(path.clone(), after.as_deref().cloned());
                }
            }
        }
        Ok(written)
    }

    /// Whether what is live is not what the task left there.
    fn is_changed(&self, live: &Entry) -> bool {
        let Some(left) = self.paths.get(&live.path) else { return false };
        left.as_ref().is_none_or(|left| match (&left.kind, &live.kind) {
            (NodeKind::File { size: one, .. }, NodeKind::File { size: other, .. }) => {
                one != other || left.meta.times != live.meta.times
            }
            (one, other) => one != other,
        })
    }
}

impl TreeWayBack {
    pub(super) fn plan(
        restore: &Restore,
        id: &ResourceId,
        live: Option<&Resource>,
        mut records: Vec<UndoRecord>,
        written: &Written,
    ) -> Result<Self> {
        let mut stays = take_out_lost(restore, id, &mut records)?;
        let was_absent = records.iter().any(|record| record.path.is_root() && record.before.is_none());
        let mut touched: Vec<TreePath> = records.iter().map(|record| record.path.clone()).collect();
        if was_absent {
            // Each path that this task created goes, and nothing that came later.
            touched.extend(written.created.iter().cloned());
        }
        let former = match was_absent && records.len() == 1 {
            true => None,
            false => Some(restore.component.former(id, records)?),
        };
        let schema = restore.component.schema().kind(&id.kind);
        let live = live.and_then(Resource::tree).map(|live| &**live);
        let rules = trees::TreeRules::new(schema, Mode::Exact, ComparePrecision::Content)?
            .sparing(restore.component.mounted_in(id), live)
            .bringing_back(touched);
        let mut diff = trees::compare(
            id,
            live.map(Tree::entries).transpose()?,
            former.as_ref().map(|tree| tree.entries()).transpose()?,
            &rules,
        )?;
        let parted = former.iter().flat_map(|former| former.said()).take(MOST_NAMED);
        stays.extend(parted.map(|line| format!("{id}: {line}")));
        let left = std::mem::take(&mut diff.stays);
        let mut change = match (live, &former) {
            (Some(live), Some(former)) => {
                let mut differs = contents::differ(live, &**former, &diff.undecided)?;
                // With the same bytes, another file may stand there: one with other names.
                for (pair, differs) in diff.undecided.iter().zip(&mut differs) {
                    *differs |= former.former().map_or(Ok(false), |kept| kept.is_replaced(&pair.live.path))?;
                }
                keep_later_times(&mut diff.undecided, &differs, written);
                trees::with_content(id, diff, &differs, &rules)
            }
            _ => diff.change,
        };
        let mut later = None;
        if let Some(change) = &mut change {
            // They are told with what else stays.
            change.warnings.retain(|line| !left.contains(line));
            later = later_work(change, written);
            if let Some(live) = live {
                trees::replace_shared(change, live);
            }
        }
        stays.extend(left.into_iter().map(|line| format!("{id}: {line}")));
        Ok(Self { change, former, stays, later })
    }
}

/// What was kept and cannot come back holds nothing else up. With it stays what lies in its place.
fn take_out_lost(restore: &Restore, id: &ResourceId, records: &mut Vec<UndoRecord>) -> Result<Vec<String>> {
    if records.iter().all(|record| record.kept.is_none()) {
        return Ok(Vec::new());
    }
    let tree = restore.component.former(id, records.clone())?;
    let lost = tree.former().map_or(Ok(Vec::new()), |former| former.lost())?;
    records.retain(|record| !lost.iter().any(|(path, _)| record.path.lies_in(path)));
    let lines = lost.iter().take(MOST_NAMED).map(|(path, why)| format!("{id}: {path}: {why}, {KEPT_LOST}"));
    let more = lost.len().checked_sub(MOST_NAMED).filter(|more| *more > 0);
    let more = more.map(|more| format!("{id}: what was kept of {more} more is gone or was changed, {KEPT_LOST}"));
    Ok(lines.chain(more).collect())
}

/// A file of which only the mode, say, was restored has the bytes that it has now, and the time at which those were written.
fn keep_later_times(undecided: &mut [trees::Undecided], differs: &[bool], written: &Written) {
    for (pair, _) in undecided.iter_mut().zip(differs).filter(|(_, differs)| !**differs) {
        if written.is_changed(&pair.live) {
            pair.desired.meta.times = pair.live.meta.times;
        }
    }
}

fn later_work(change: &Change, written: &Written) -> Option<String> {
    let lost = change.hunks.iter().filter_map(|hunk| match &hunk.at {
        HunkAt::Node { path, before: Some(live), after, content } if *content || after.is_none() => {
            written.is_changed(live).then(|| path.to_string())
        }
        _ => None,
    });
    let places = some_of(lost, MOST_NAMED, ", ");
    (!places.is_empty()).then(|| taken_away(&change.id, &places))
}
