use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::model::{Error, ErrorKind, FoundOwners, Result, TreePath, UnusableOwner, visible};

use super::Syntax;
use super::folder::Folder;

/// Who owns which document by a declared field. A file is read again only when its time, size or inode
/// is another; the directory is looked through again only when that was long ago for what it costs, so that
/// asking for each of 80,000 owners does not look at 80,000 files each time. A document that came meanwhile
/// is found at the latest when it is written: the write's precondition sees it.
#[derive(Default)]
pub(super) struct OwnerIndex(Mutex<HashMap<TreePath, Indexed>>);

#[derive(Default)]
struct Indexed {
    files: HashMap<Vec<u8>, (Stamp, String)>,
    by_owner: BTreeMap<String, Vec<Vec<u8>>>,
    unusable: Vec<UnusableOwner>,
    fresh_until: Option<Instant>,
}

type Stamp = (i64, u64, u64, u64);

const FRESH_FOR_AT_LEAST: Duration = Duration::from_millis(500);
/// A look through the directory is good for so many times as long as it took.
const FRESH_PER_COST: u32 = 20;

impl OwnerIndex {
    pub fn owners(&self, folder: &Folder, field: &str) -> Result<FoundOwners> {
        self.with(folder, field, true, |indexed| {
            let names = indexed.by_owner.keys().cloned().collect();
            FoundOwners { names, unusable: indexed.unusable.clone() }.sorted()
        })
    }

    /// The names of an owner's files, sorted.
    pub fn of_owner(&self, folder: &Folder, field: &str, owner: &str) -> Result<Vec<Vec<u8>>> {
        self.with(folder, field, false, |indexed| indexed.by_owner.get(owner).cloned().unwrap_or_default())
    }

    fn with<T>(&self, folder: &Folder, field: &str, now: bool, answer: impl FnOnce(&Indexed) -> T) -> Result<T> {
        let mut indexes = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let indexed = indexes.entry(folder.place(b"")).or_default();
        let started = Instant::now();
        if now || indexed.fresh_until.is_none_or(|until| started >= until) {
            indexed.refresh(folder, field)?;
            indexed.fresh_until = Some(Instant::now() + FRESH_FOR_AT_LEAST.max(started.elapsed() * FRESH_PER_COST));
        }
        Ok(answer(indexed))
    }
}

impl Indexed {
    fn refresh(&mut self, folder: &Folder, field: &str) -> Result<()> {
        self.fresh_until = None;
        let mut former = std::mem::take(&mut self.files);
        self.by_owner.clear();
        self.unusable.clear();
        for name in folder.names()? {
            let Some(stat) = folder.stat(&name)? else { continue };
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            let stamp = (stat.st_mtime, stat.st_mtime_nsec, size, stat.st_ino);
            let owner = match former.remove(&name) {
                Some((known, owner)) if known == stamp => owner,
                _ => match named_owner(folder, &name, field) {
                    Ok(Some(owner)) => owner,
                    Ok(None) => continue,
                    // One that cannot be told does not keep the others from being found.
                    Err(error) => {
                        self.unusable.push(cannot_be_walked(&folder.place(&name), &error));
                        continue;
                    }
                },
            };
            self.by_owner.entry(owner.clone()).or_default().push(name.clone());
            self.files.insert(name, (stamp, owner));
        }
        Ok(())
    }
}

fn named_owner(folder: &Folder, name: &[u8], field: &str) -> Result<Option<String>> {
    let Some(opened) = folder.read(name)? else { return Ok(None) };
    owner_in(folder.syntax(), &folder.place(name), &folder.parse(name, &opened.bytes)?.value, field).map(Some)
}

/// A document of which it cannot be told whose it is.
pub(super) fn cannot_be_walked(place: &TreePath, error: &Error) -> UnusableOwner {
    let next = error.hint().map(|next| format!("; {next}")).unwrap_or_default();
    UnusableOwner::new(place.name().unwrap_or_default(), format!("{}{next}", visible(&error.chain())))
}

/// The owner that a document's field names.
pub(super) fn owner_in(syntax: &dyn Syntax, place: &TreePath, value: &Value, field: &str) -> Result<String> {
    let owner = field.split('.').try_fold(value, |value, name| value.get(name));
    owner.and_then(|owner| syntax.text(owner)).map(str::to_owned).ok_or_else(|| {
        let why = format!("its field '{field}' is not there or is not text");
        Error::new(ErrorKind::Invalid, format!("tell the owner of {place}"), why)
            .next("mend that document, or name another owner field in the runbook")
    })
}

/// The owner that a document's file name gives.
pub(super) fn owner_of(syntax: &dyn Syntax, place: &TreePath) -> Result<String> {
    let stem = place.name().and_then(|name| syntax.stem(name)).map(<[u8]>::to_vec).unwrap_or_default();
    String::from_utf8(stem).map_err(|_| {
        Error::new(ErrorKind::Invalid, format!("tell the owner of {place}"), "its name is not UTF-8")
            .next("rename that file, or declare an owner field in the runbook")
    })
}
