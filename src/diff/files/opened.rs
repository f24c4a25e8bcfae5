use std::io::Read;

use super::secret_file::is_secret_by_name;
use super::text_diff::TextDiff;
use super::{Bounds, Sight};
use crate::model::{Entry, Error, HunkAt, NodeKind, Proposal, Resource, Result, TreePath, visible};

/// Reads both sides of a file's hunk and compares them line by line. Shows what is there so far while it goes on, until
/// `show` answers that the reader has left. Blocks.
pub fn compare(
    proposal: &Proposal,
    (change, hunk): (u32, u32),
    bounds: Bounds,
    sight: Sight<'_>,
    show: &mut dyn FnMut(&TextDiff) -> bool,
) -> TextDiff {
    let compared = open_both(proposal, change, hunk).and_then(|both| match both {
        Some(both) if !sight.secret_files && is_secret_by_name(both.path) => Ok(TextDiff::withheld()),
        Some(both) => TextDiff::between(both.before, both.after, bounds, sight, show)
            .map_err(|error| Error::io("read a file for its diff", error)),
        None => Ok(TextDiff::note("there is no text to compare")),
    });
    compared.unwrap_or_else(|error| TextDiff::note(&visible(&error.chain())))
}

type Text<'t> = Box<dyn Read + 't>;

struct Both<'t> {
    path: &'t TreePath,
    before: Text<'t>,
    after: Text<'t>,
}

/// What is no file on either side has no text.
fn open_both(proposal: &Proposal, change: u32, hunk: u32) -> Result<Option<Both<'_>>> {
    let at = change as usize;
    let Some(hunk) = proposal.plan.changes.get(at).and_then(|change| change.hunks.get(hunk as usize)) else {
        return Ok(None);
    };
    let HunkAt::Node { path, before, after, .. } = &hunk.at else { return Ok(None) };
    let is_file =
        |entry: &Option<Box<Entry>>| entry.as_ref().is_none_or(|entry| matches!(entry.kind, NodeKind::File { .. }));
    if !is_file(before) || !is_file(after) {
        return Ok(None);
    }
    let side = |resources: &'_ [Option<Resource>], there: bool| -> Result<Text<'_>> {
        match resources.get(at).and_then(Option::as_ref).and_then(Resource::tree) {
            Some(tree) if there => Ok(tree.open(path)?),
            _ => Ok(Box::new(std::io::empty())),
        }
    };
    let before = side(&proposal.live, before.is_some())?;
    Ok(Some(Both { path, before, after: side(&proposal.desired, after.is_some())? }))
}
