use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::diff::trees::Undecided;
use crate::model::{ContentSink, Error, Result, Tree, TreePath};

/// Which of these pairs of files differ in their bytes. Reads the desired side in the store's own order. A kept node that
/// is in its place again is itself.
pub(super) fn differ(live: &dyn Tree, desired: &dyn Tree, pairs: &[Undecided]) -> Result<Vec<bool>> {
    let is_back = |pair: &Undecided| desired.former().map_or(Ok(false), |former| former.is_back(&pair.desired.path));
    let mut read = Vec::with_capacity(pairs.len());
    for (position, pair) in pairs.iter().enumerate() {
        if !is_back(pair)? {
            read.push(position);
        }
    }
    let paths: Vec<TreePath> =
        read.iter().filter_map(|position| Some(pairs.get(*position)?.desired.path.clone())).collect();
    let sink = Comparing {
        live,
        paths: &paths,
        differs: paths.iter().map(|_| AtomicBool::new(false)).collect(),
        failed: Mutex::new(None),
    };
    desired.contents(&paths, 2, &sink)?;
    match sink.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => {
            let mut differs = vec![false; pairs.len()];
            for (position, found) in read.into_iter().zip(sink.differs) {
                if let Some(slot) = differs.get_mut(position) {
                    *slot = found.into_inner();
                }
            }
            Ok(differs)
        }
    }
}

struct Comparing<'a> {
    live: &'a dyn Tree,
    paths: &'a [TreePath],
    differs: Vec<AtomicBool>,
    failed: Mutex<Option<Error>>,
}

impl Comparing<'_> {
    fn compare(&self, path: &TreePath, desired: &mut dyn Read) -> Result<bool> {
        let mut live = self.live.open(path)?;
        let (mut one, mut other) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        loop {
            let wanted =
                fill(desired, &mut one).map_err(|error| Error::io(format!("read {path} in the backup"), error))?;
            let there = fill(&mut *live, &mut other).map_err(|error| Error::io(format!("read {path}"), error))?;
            if one.get(..wanted) != other.get(..there) {
                return Ok(true);
            }
            if wanted == 0 {
                return Ok(false);
            }
        }
    }
}

impl ContentSink for Comparing<'_> {
    fn content(&self, index: usize, content: Result<&mut (dyn Read + Send)>) -> bool {
        let Some(path) = self.paths.get(index) else { return false };
        match content.and_then(|reader| self.compare(path, reader)) {
            Ok(differs) => {
                if let Some(slot) = self.differs.get(index) {
                    slot.store(differs, Ordering::Relaxed);
                }
                true
            }
            Err(error) => {
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                false
            }
        }
    }
}

/// Reads until the buffer is full or the end.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
