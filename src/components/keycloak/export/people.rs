use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::again;
use super::index::{self, Place};
use crate::components::keycloak::canonical::Names;
use crate::model::{Error, ErrorKind, Resource, Result, Tree, TreePath};

/// Reads people from where they lie in the export's files.
pub(super) struct People {
    tree: Arc<dyn Tree>,
    files: Vec<TreePath>,
    ends: HashMap<u32, u64>,
    /// Files that were left in the middle: who comes next is mostly asked for next.
    left: Mutex<Vec<Opened>>,
}

/// As many files as are kept open in their middle.
const LEFT_OPEN: usize = 4;

struct Opened {
    file: u32,
    at: u64,
    from: BufReader<Box<dyn Read + Send>>,
}

impl People {
    pub fn new(tree: Arc<dyn Tree>, files: Vec<TreePath>, ends: HashMap<u32, u64>) -> Self {
        Self { tree, files, ends, left: Mutex::default() }
    }

    /// Everybody that is asked for, each for itself; a file is read once for all of them.
    pub fn read(&self, wanted: &BTreeMap<&TreePath, &Place>, names: &Names) -> HashMap<TreePath, Result<Resource>> {
        let mut order: Vec<(&TreePath, &Place)> = wanted.iter().map(|(key, place)| (*key, *place)).collect();
        order.sort_by_key(|(_, place)| (place.file, place.offset));
        let mut answers = HashMap::new();
        for some in order.chunk_by(|one, other| one.1.file == other.1.file) {
            self.read_from_one(some, names, &mut answers);
        }
        answers
    }

    fn read_from_one(
        &self,
        wanted: &[(&TreePath, &Place)],
        names: &Names,
        answers: &mut HashMap<TreePath, Result<Resource>>,
    ) {
        let Some((_, first)) = wanted.first() else { return };
        let mut opened = self.opened(first.file, first.offset);
        for (key, place) in wanted {
            let read = match &mut opened {
                Ok(opened) => self.one(opened, key, place, names),
                Err(error) => Err(again("read the export", error)),
            };
            // Where a file cannot be read on, the rest of it cannot be read.
            if let (Err(error), true) = (&read, opened.is_ok()) {
                opened = Err(again("read the export", error));
            }
            answers.insert((*key).clone(), read);
        }
        if let Ok(opened) = opened
            && self.ends.get(&opened.file).is_some_and(|end| opened.at < *end)
        {
            let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            left.push(opened);
            if left.len() > LEFT_OPEN {
                left.remove(0);
            }
        }
    }

    fn shown(&self, file: u32) -> TreePath {
        self.files.get(file as usize).cloned().unwrap_or_default()
    }

    fn opened(&self, file: u32, offset: u64) -> Result<Opened> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = left.iter().position(|opened| opened.file == file && opened.at <= offset) {
            return Ok(left.remove(found));
        }
        drop(left);
        let from = self.tree.open(&self.shown(file))?;
        Ok(Opened { file, at: 0, from: BufReader::with_capacity(64 * 1024, from) })
    }

    fn one(&self, opened: &mut Opened, key: &TreePath, place: &Place, names: &Names) -> Result<Resource> {
        let doing = format!("read {key} in {}", self.shown(place.file));
        skip(opened, place.offset, &doing)?;
        let mut bytes = Vec::new();
        let length = u64::from(place.length);
        let read = (&mut opened.from).take(length).read_to_end(&mut bytes);
        opened.at += read.map_err(|error| Error::io(&doing, error))? as u64;
        let made = index::person(&bytes, &doing, names);
        match made {
            Ok(made) if made.id.key == *key => Ok(made.resource()),
            _ => Err(changed(doing)),
        }
    }
}

fn skip(opened: &mut Opened, to: u64, doing: &str) -> Result<()> {
    let count = to.saturating_sub(opened.at);
    let passed = std::io::copy(&mut (&mut opened.from).take(count), &mut std::io::sink());
    opened.at += passed.map_err(|error| Error::io(doing, error))?;
    if opened.at == to { Ok(()) } else { Err(changed(doing)) }
}

fn changed(doing: impl Into<String>) -> Error {
    Error::new(ErrorKind::Conflict, doing, "the export is no longer what it was when it was opened")
        .next("let nobody write to it, and start again")
}
