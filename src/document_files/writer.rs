use std::collections::HashSet;
use std::sync::Arc;

use rustix::fs::Stat;
use rustix::io::Errno;

use crate::component::{Approved, Effect, Found};
use crate::crash::crash_point;
use crate::diff::documents::alike;
use crate::model::{Digest, Document, Error, ErrorKind, Known, Result, TreePath};

use super::component::{Folders, Inner};
use super::folder::{AsOf, Folder, failed, sync};
use super::new_file::ownership;
use super::{Syntax, rewrite};

/// A change on its way: all new files of a batch are written, then made durable at once, then renamed.
struct Staged {
    folder: Arc<Folder>,
    name: Vec<u8>,
    /// `None`: the document goes.
    temporary: Option<Vec<u8>>,
    /// Of the file that is there now.
    seen: Option<Stat>,
    bytes: u64,
}

enum Prepared {
    /// It is as it should be already.
    Done(Found),
    Staged(Box<Staged>),
}

pub(super) fn write(inner: &Inner, changes: &[Approved]) -> Vec<Result<Effect>> {
    let mut folders = Folders::new(inner);
    let mut seen = HashSet::new();
    let prepared: Vec<Result<Prepared>> = changes
        .iter()
        .map(|change| match seen.insert(&change.change.id) {
            true => prepare(inner, &mut folders, change),
            false => Err(twice(change)),
        })
        .collect();
    let is_any = prepared.iter().any(Result::is_ok);
    let touched: Vec<Arc<Folder>> = folders.opened().filter(|_| is_any).collect();
    let durable = sync_all(&touched);
    let mut answers: Vec<Result<Effect>> = prepared
        .into_iter()
        .map(|prepared| match (prepared?, &durable) {
            (Prepared::Done(found), Ok(())) => Ok(Effect { found, ..Effect::default() }),
            (Prepared::Done(_), Err(error)) => Err(again("write a document", error).known(Known::Unknown)),
            (Prepared::Staged(staged), Ok(())) => publish(&staged),
            (Prepared::Staged(staged), Err(error)) => {
                staged.discard();
                Err(again(&format!("write {}", staged.place()), error))
            }
        })
        .collect();
    let renamed = match touched.as_slice() {
        [only] => rustix::fs::fsync(only.as_fd()).map_err(|error| failed("make the renamed documents durable", error)),
        many => sync_all(many),
    };
    if let Err(error) = &renamed {
        for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
            *answer = Err(again("write a document", error).known(Known::Unknown));
        }
    }
    answers
}

/// One call for each file system, however many directories a batch touched.
fn sync_all(folders: &[Arc<Folder>]) -> Result<()> {
    let mut synced = HashSet::new();
    for folder in folders {
        let stat = rustix::fs::fstat(folder.as_fd()).map_err(|error| failed("look at a directory", error))?;
        if synced.insert(stat.st_dev) {
            sync(folder.as_fd())?;
        }
    }
    Ok(())
}

fn again(doing: &str, error: &Error) -> Error {
    Error::new(error.kind(), doing, error.chain())
}

fn twice(approved: &Approved) -> Error {
    let doing = format!("write the document {}", approved.change.id.key);
    Error::new(ErrorKind::Conflict, doing, "another change of the same document is in this batch")
        .next("plan this task again")
}

fn prepare(inner: &Inner, folders: &mut Folders<'_>, approved: &Approved) -> Result<Prepared> {
    let key = &approved.change.id.key;
    let doing = || format!("write the document {key}");
    let parent = key.parent().unwrap_or_default();
    let stem = key.name().ok_or_else(|| Error::new(ErrorKind::Invalid, doing(), "it has no name"))?;
    let folder = folders.open(&parent)?.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, doing(), format!("the directory {parent} is not there"))
            .next("make it, then retry")
    })?;
    let name = folder.name_of(stem)?;
    let opened = match &name {
        Some(name) => folder.read(name)?,
        None => None,
    };
    let name = match (name, &opened) {
        (Some(name), Some(_)) => name,
        _ => new_name(inner.config.syntax, stem, approved),
    };
    let expected = approved.expected.as_ref().and_then(|resource| resource.document());
    let now = match &opened {
        None => None,
        Some(opened) => Some(current(&folder, &name, &opened.bytes, approved)?),
    };
    let schema = &inner.config.schema;
    let is_done = match (&now, expected) {
        (None, None) => true,
        (Some(now), Some(expected)) => alike(&now.value, &expected.value, schema),
        _ => false,
    };
    if is_done {
        return match (&opened, approved.change.file) {
            (Some(opened), Some(file)) if ownership(&opened.stat) != file => {
                let why = format!("it is there already, {}, and {file} was approved", ownership(&opened.stat));
                Err(Error::new(ErrorKind::Conflict, doing(), why).next("plan this task again"))
            }
            _ => Ok(Prepared::Done(now.map_or(Found::Nothing, Found::Document))),
        };
    }
    let planned_from = approved.live.as_ref().and_then(crate::model::Resource::document);
    if now.as_ref().map(Document::fingerprint) != planned_from.map(Document::fingerprint) {
        return Err(Error::new(ErrorKind::Conflict, doing(), "it is no longer what the plan was computed from")
            .next("plan this task again"));
    }
    let seen = opened.as_ref().map(|opened| opened.stat);
    let Some(expected) = expected else {
        return Ok(Prepared::Staged(Box::new(Staged { folder, name, temporary: None, seen, bytes: 0 })));
    };
    let origin = approved.desired.as_ref().and_then(crate::model::Resource::document);
    let text = rewrite(inner.config.syntax, &name, now.as_ref(), expected, origin, schema)
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, doing(), "it cannot be written as text that means the same"))?
        .text;
    let temporary = format!(".rekindle-{}.tmp", Digest::of(&name).short()).into_bytes();
    let as_of = match &opened {
        Some(opened) => AsOf::File(opened),
        None => AsOf::New(approved.change.file),
    };
    folder.write_new(&temporary, text.as_bytes(), as_of)?;
    Ok(Prepared::Staged(Box::new(Staged { folder, name, temporary: Some(temporary), seen, bytes: text.len() as u64 })))
}

/// The live document. Its text is mostly what was read for the plan; then it need not be parsed again.
fn current(folder: &Folder, name: &[u8], bytes: &[u8], approved: &Approved) -> Result<Document> {
    let planned = approved.live.as_ref().and_then(|live| live.document());
    match planned {
        Some(planned) if planned.source.as_ref().is_some_and(|text| text.as_bytes() == bytes) => Ok(planned.clone()),
        _ => folder.parse(name, bytes),
    }
}

fn new_name(syntax: &dyn Syntax, stem: &[u8], approved: &Approved) -> Vec<u8> {
    syntax.new_name(stem, approved.desired.as_ref().and_then(|desired| desired.document()?.source.as_deref()))
}

fn publish(staged: &Staged) -> Result<Effect> {
    crash_point("documents::before_rename");
    let moved = || {
        Error::new(ErrorKind::Conflict, format!("write {}", staged.place()), "it was changed at this very moment")
            .next("plan this task again")
    };
    let now = staged.folder.stat(&staged.name);
    if !matches!(&now, Ok(now) if same(now.as_ref(), staged.seen.as_ref())) {
        staged.discard();
        return Err(now.err().unwrap_or_else(moved));
    }
    match &staged.temporary {
        None => staged.folder.remove(&staged.name)?,
        Some(temporary) => {
            if let Err(error) = staged.folder.rename(temporary, &staged.name, staged.seen.is_some()) {
                staged.discard();
                return Err(match error {
                    Errno::EXIST => moved(),
                    error => failed(format!("put {} in place", staged.place()), error),
                });
            }
        }
    }
    crash_point("documents::after_rename");
    Ok(Effect { bytes: staged.bytes, ..Effect::default() })
}

fn same(now: Option<&Stat>, seen: Option<&Stat>) -> bool {
    let stamp = |stat: &Stat| (stat.st_ino, stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_mode);
    now.map(stamp) == seen.map(stamp)
}

impl Staged {
    fn place(&self) -> TreePath {
        self.folder.place(&self.name)
    }

    /// The old file stays; a leftover that cannot be removed is replaced by the next write.
    fn discard(&self) {
        if let Some(temporary) = &self.temporary {
            let _ = self.folder.remove(temporary);
        }
    }
}
