use std::io::Read;
use std::sync::{Mutex, PoisonError};

use super::write::Write;
use crate::beneath::refusal;
use crate::model::{ContentSink, Error, Result, TreePath};

/// Compares live files with the source's, byte by byte: what an earlier try has written already.
pub(super) struct Comparison<'a> {
    write: &'a Write<'a>,
    paths: &'a [TreePath],
    seen: Mutex<(usize, Option<Error>)>,
}

impl<'a> Comparison<'a> {
    /// An error names the first file that differs.
    pub(super) fn all_equal(write: &'a Write<'a>, paths: &'a [TreePath]) -> Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        let comparison = Self { write, paths, seen: Mutex::default() };
        let answer = write.desired()?.contents(paths, write.threads(), &comparison);
        let (count, failure) = comparison.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        match failure {
            Some(error) => Err(error),
            None if count < paths.len() => answer.and(Err(Error::new(
                crate::model::ErrorKind::Corrupt,
                "read all files of the source",
                "it handed over fewer than were asked for",
            ))),
            None => answer,
        }
    }

    fn equal(&self, index: usize, content: Result<&mut (dyn Read + Send)>) -> Result<()> {
        let Some(path) = self.paths.get(index) else { return Ok(()) };
        let source = content?;
        let failed = |errno| refusal(format!("read {}", self.write.shown(path)), errno);
        let mut live = std::fs::File::from(self.write.root.file(&self.write.full(path)).map_err(failed)?);
        let same = same_bytes(source, &mut live).map_err(|error| Error::io(format!("compare {path}"), error))?;
        let why = "it has the size and time that the plan wants, but other bytes";
        if same { Ok(()) } else { Err(self.write.conflict(path, why)) }
    }
}

impl ContentSink for Comparison<'_> {
    fn content(&self, index: usize, content: Result<&mut (dyn Read + Send)>) -> bool {
        let compared = self.equal(index, content);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.0 += 1;
        if let Err(error) = compared {
            seen.1.get_or_insert(error);
        }
        seen.1.is_none()
    }
}

fn same_bytes(one: &mut dyn Read, other: &mut dyn Read) -> std::io::Result<bool> {
    Ok(hash(one)? == hash(other)?)
}

fn hash(reader: &mut dyn Read) -> std::io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    std::io::copy(reader, &mut hasher)?;
    Ok(hasher.finalize())
}
