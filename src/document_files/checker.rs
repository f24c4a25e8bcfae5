use rustix::fs::{Access, AtFlags};

use crate::component::{Approved, Checked};
use crate::model::{Preview, Resource, Result};

use super::component::{Folders, Inner};
use super::folder::failed;
use super::new_file::NewFile;
use super::rewrite;

/// Whether each change can be written, and what becomes of the file's layout.
pub(super) fn check(inner: &Inner, changes: &[Approved]) -> Vec<Result<Checked>> {
    let mut folders = Folders::new(inner);
    changes.iter().map(|change| check_one(inner, &mut folders, change)).collect()
}

fn check_one(inner: &Inner, folders: &mut Folders<'_>, approved: &Approved) -> Result<Checked> {
    let key = &approved.change.id.key;
    let parent = key.parent().unwrap_or_default();
    let doing = || format!("write into the directory {parent}");
    let Some(folder) = folders.open(&parent)? else { return Err(failed(doing(), rustix::io::Errno::NOENT)) };
    rustix::fs::accessat(folder.as_fd(), ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
        .map_err(|error| failed(doing(), error))?;
    let passed_over = passed_over(inner, approved);
    let live = approved.live.as_ref().and_then(|live| live.document());
    let expected = approved.expected.as_ref().and_then(|resource| resource.document());
    let (live, expected) = match (live, expected) {
        (Some(live), Some(expected)) => (live, expected),
        (None, Some(_)) => {
            let new = NewFile::of(approved, &folder, &inner.config.schema)?;
            let warnings = std::iter::once(new.words()).chain(passed_over).collect();
            return Ok(Checked { warnings, file: Some(new.ownership), ..Checked::default() });
        }
        _ => return Ok(Checked::default()),
    };
    let name = key.name().map(|stem| folder.name_of(stem)).transpose()?.flatten().unwrap_or_default();
    let origin = approved.desired.as_ref().and_then(|desired| desired.document());
    let rewritten = rewrite(inner.config.syntax, &name, Some(live), expected, origin, &inner.config.schema);
    let mut checked = Checked {
        is_as_desired: rewritten.as_ref().map(|rewritten| rewritten.is_origin),
        warnings: passed_over,
        ..Checked::default()
    };
    if rewritten.is_some_and(|rewritten| rewritten.loses_layout) {
        checked.preview = Preview::Partial;
        checked
            .warnings
            .push(format!("{key}: this edit rewrites parts of the file; their comments and layout will be lost"));
    }
    if folder.stat(&name)?.is_some_and(|found| found.st_nlink > 1) {
        let why =
            "this file has other names (hard links): they keep the old content, and this name gets a file of its own";
        checked.warnings.push(format!("{key}: {why}"));
    }
    Ok(checked)
}

/// How many parts of a text that mean nothing are named; of the others, their number.
const MOST_NAMED: usize = 5;

/// What means nothing in the live text and in the backup's, in words.
fn passed_over(inner: &Inner, approved: &Approved) -> Vec<String> {
    let key = &approved.change.id.key;
    let said = |side: &Option<Resource>, where_it_is: &str, then: &str| {
        let text = side.as_ref().and_then(|side| side.document()?.source.as_deref())?;
        let parts = inner.config.syntax.not_understood(text);
        let more = parts.len().checked_sub(MOST_NAMED).filter(|more| *more > 0);
        let named = parts.get(..MOST_NAMED).unwrap_or(&parts).join(", ");
        let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
        (!parts.is_empty()).then(|| format!("{key}: {named}{more} {where_it_is} cannot be understood: {then}"))
    };
    let live = said(&approved.live, "of the live file", "what stands there stays as it is");
    let desired = said(&approved.desired, "of the backup's file", "what stands there is not restored");
    live.into_iter().chain(desired.filter(|_| approved.live.is_some())).collect()
}
