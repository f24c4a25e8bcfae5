use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::contents;
use super::context::Pinned;
use super::read_back::ReadBack;
use crate::component::{Approved, Effect, Refusal};
use crate::diff::documents;
use crate::diff::trees::Undecided;
use crate::model::{
    Digest, DigestBuilder, Document, DocumentPath, Entry, Error, ErrorKind, Fingerprint, Hunk, HunkAt, KindSchema,
    Meta, Mode, NodeKind, Op, Resource, ResourceId, Result, Tree, TreePath, visible,
};

/// Where the live side stands, read back, with regard to one approved change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// As it was before: nothing was applied.
    Former,
    /// As approved, every chosen hunk of it.
    Approved { post: Fingerprint },
    /// Every hunk provably in its former or its approved state, or a directory that has not got its metadata yet.
    Between { done: u64, of: u64, begun: u64 },
    /// Something else is there.
    Other { what: String },
}

/// Whether what is there of a document that was to be made is as approved, beside what may be the system's own
/// addition to it.
pub(super) fn is_begun(pinned: &Pinned, schema: &KindSchema, approved: &Approved, now: Option<&Resource>) -> bool {
    let expected = approved.expected.as_ref().and_then(Resource::document);
    let now = now.and_then(Resource::document);
    let (None, Some(expected), Some(now)) = (&approved.live, expected, now) else { return false };
    let id = &approved.change.id;
    let left = documents::changes(id, Some(now), Some(expected), schema, Mode::Merge, &pinned.key);
    let comes_last = |hunk: &Hunk| {
        let HunkAt::Field { path, .. } = &hunk.at else { return false };
        schema.fields.iter().any(|rule| rule.written_last && rule.path == path.to_string())
    };
    left.is_none_or(|change| change.hunks.iter().all(|hunk| hunk.op == Op::Create || comes_last(hunk)))
}

/// How much of `id` is there, for [`Standing::Between`].
pub(super) fn between(id: &ResourceId, done: u64, of: u64, begun: u64) -> String {
    let begun = match begun {
        0 => String::new(),
        1 => ", 1 directory is begun".to_owned(),
        _ => format!(", {begun} directories are begun"),
    };
    format!("{done} of {of} changes of {id} are there{begun}")
}

/// What a writer said of the contents it wrote; nothing, if it failed.
#[derive(Clone, Copy, Default)]
pub(super) struct Told<'a> {
    contents: &'a [(TreePath, Digest)],
    read_back: bool,
    held: &'a [(TreePath, Meta)],
}

impl<'a> Told<'a> {
    pub(super) fn by(effect: Option<&'a Effect>) -> Self {
        effect.map_or_else(Self::default, |effect| Self {
            contents: &effect.contents,
            read_back: effect.read_back,
            held: &effect.held,
        })
    }
}

/// Compares what is live now with the former and the approved state. Contents of which nothing was `told` are compared
/// with the source, byte by byte. It is `None` where the writer did not live to answer: then a directory's time counts
/// too, for that is the last thing it gets.
pub(super) fn standing(
    pinned: &Pinned,
    schema: &KindSchema,
    approved: &Approved,
    now: Option<&Resource>,
    told: Option<Told>,
    reading: &ReadBack,
) -> Result<Standing> {
    let is_tree = [now, approved.live.as_ref(), approved.desired.as_ref()]
        .into_iter()
        .flatten()
        .any(|resource| resource.tree().is_some());
    if is_tree {
        let now = now.and_then(Resource::tree);
        return of_tree(approved, now, told, reading);
    }
    of_document(pinned, schema, approved, now)
}

/// Whether what is there is as approved but for what the system refused.
pub(super) fn is_all_but(
    pinned: &Pinned,
    schema: &KindSchema,
    approved: &Approved,
    now: Option<&Resource>,
    refused: &[Refusal],
) -> bool {
    let expected = approved.expected.as_ref().and_then(Resource::document);
    let (Some(expected), Some(now)) = (expected, now.and_then(Resource::document)) else { return false };
    let before = approved.live.as_ref().and_then(Resource::document);
    let left = documents::unproven(&approved.change.id, before, now, expected, schema, &pinned.key);
    let is_refused = |path: &DocumentPath| {
        refused.iter().any(|one| path.0.starts_with(&one.place.0) || one.place.0.starts_with(&path.0))
    };
    left.iter().flat_map(|change| &change.hunks).all(|hunk| match &hunk.at {
        HunkAt::Field { path, .. } => is_refused(path),
        HunkAt::Node { .. } => false,
    })
}

fn of_document(pinned: &Pinned, schema: &KindSchema, approved: &Approved, now: Option<&Resource>) -> Result<Standing> {
    let expected = approved.expected.as_ref().and_then(Resource::document);
    let now_document = now.and_then(Resource::document);
    let post = Document::keyed_fingerprint(now_document, &pinned.key);
    let id = &approved.change.id;
    let before = approved.live.as_ref().and_then(Resource::document);
    let rest = match (now_document, expected) {
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => Some(1),
        (Some(now), Some(expected)) => {
            documents::unproven(id, before, now, expected, schema, &pinned.key).map(|change| change.hunks.len())
        }
    };
    if rest.is_none() {
        let is = now_document.and_then(|document| document.file);
        return Ok(match (approved.change.file, is) {
            (Some(wanted), Some(is)) if wanted != is => {
                Standing::Other { what: format!("the file of {id} is {is}, and {wanted} was approved") }
            }
            _ => Standing::Approved { post },
        });
    }
    if post == approved.change.before {
        return Ok(Standing::Former);
    }
    let mut strayed = None;
    if let (Some(now), Some(expected)) = (now_document, expected) {
        strayed = documents::off_the_way(before.map(|before| &*before.value), &now.value, &expected.value, schema);
        if strayed.is_none() {
            let of = (approved.change.hunks.len() - approved.left_out.len()) as u64;
            let is_former = before.is_some_and(|before| {
                documents::changes(id, Some(before), Some(now), schema, Mode::Exact, &pinned.key).is_none()
            });
            let left = rest.unwrap_or_default() as u64;
            return Ok(match is_former {
                true => Standing::Former,
                false => Standing::Between { done: of.saturating_sub(left), of, begun: 0 },
            });
        }
    }
    let place = strayed.filter(|place| !place.is_empty()).map(|place| format!(": {}", visible(&place)));
    Ok(Standing::Other { what: format!("{id} is neither as it was nor as approved{}", place.unwrap_or_default()) })
}

fn of_tree(
    approved: &Approved,
    now: Option<&Arc<dyn Tree>>,
    told: Option<Told>,
    reading: &ReadBack,
) -> Result<Standing> {
    let mut touched: BTreeMap<&TreePath, (Option<&Entry>, Option<&Entry>, bool)> = BTreeMap::new();
    for (at, hunk) in approved.change.hunks.iter().enumerate() {
        if let HunkAt::Node { path, before, after, content } = &hunk.at
            && approved.takes(at)
        {
            touched.insert(path, (before.as_deref(), after.as_deref(), *content));
        }
    }
    let interrupted = told.is_none();
    let Told { contents, read_back, held } = told.unwrap_or_default();
    let held: HashMap<&TreePath, &Meta> = held.iter().map(|(path, meta)| (path, meta)).collect();
    let known: HashMap<&TreePath, &Digest> = contents.iter().map(|(path, digest)| (path, digest)).collect();
    let of = touched.len() as u64;
    let mut found: HashMap<TreePath, Entry> = HashMap::with_capacity(touched.len());
    if let Some(now) = now {
        for entry in now.entries()? {
            let entry = entry?;
            if touched.contains_key(&entry.path) {
                found.insert(entry.path.clone(), entry);
            }
        }
    }
    let mut post = DigestBuilder::new("tree");
    let (mut done, mut former, mut begun) = (0_u64, 0_u64, 0_u64);
    let mut to_read = Vec::new();
    for (path, (before, after, content)) in &touched {
        let is = found.get(*path);
        // What the target could not hold is on record; all else must be as approved.
        let held = after.zip(held.get(*path)).map(|(after, meta)| Entry { meta: (*meta).clone(), ..after.clone() });
        let after = &held.as_ref().or(*after);
        let as_after = same(is, *after) && !(interrupted && is_untimed_directory(is, *after));
        if as_after {
            done += 1;
            if let (Some(is), Some(after)) = (is, after)
                && *content
                && matches!(after.kind, NodeKind::File { .. })
                && !(read_back && known.contains_key(path))
            {
                to_read.push(((*is).clone(), (*after).clone()));
            }
            if let Some(is) = is {
                post.digest(&is.fingerprint());
            }
        }
        if same(is, *before) {
            former += 1;
        } else if !as_after && is_unfinished_directory(is, *after) {
            begun += 1;
        } else if !as_after && !is_making_room(is, *before, *after) {
            return Ok(Standing::Other { what: format!("{path} is neither as it was nor as approved") });
        }
    }
    if former == of && done < of {
        return Ok(Standing::Former);
    }
    if let Some(now) = now
        && let Some(path) = differing(approved, now, to_read, &known, reading)?
    {
        return Ok(Standing::Other { what: format!("{path} has the approved metadata and other bytes") });
    }
    Ok(if done == of { Standing::Approved { post: post.finish() } } else { Standing::Between { done, of, begun } })
}

/// Of what is restored and can be read back: link numbers differ between trees, a directory's time moves
/// with what is in it, and a symbolic link's mode means nothing.
fn same(is: Option<&Entry>, wanted: Option<&Entry>) -> bool {
    let (is, wanted) = match (is, wanted) {
        (None, None) => return true,
        (Some(is), Some(wanted)) => (is, wanted),
        _ => return false,
    };
    let mut meta = is.meta.clone();
    let same_kind = match (&is.kind, &wanted.kind) {
        (NodeKind::File { size: one, .. }, NodeKind::File { size: other, .. }) => one == other,
        (NodeKind::Directory, NodeKind::Directory) => {
            meta.times = wanted.meta.times;
            true
        }
        (NodeKind::Symlink { target: one }, NodeKind::Symlink { target: other }) => {
            meta.mode = wanted.meta.mode;
            one == other
        }
        (one, other) => one == other,
    };
    same_kind && meta.is_same(&wanted.meta)
}

/// A directory gets its metadata after all that is in it, so an interrupted write leaves some bare ones: they hold
/// nothing of their own that could be wrong.
fn is_unfinished_directory(is: Option<&Entry>, after: Option<&Entry>) -> bool {
    is.is_some_and(Entry::is_directory) && after.is_some_and(Entry::is_directory)
}

fn is_untimed_directory(is: Option<&Entry>, after: Option<&Entry>) -> bool {
    is.zip(after).is_some_and(|(is, after)| is.is_directory() && is.meta.times != after.meta.times)
}

/// Where a directory takes the place of something else, or the other way round, the former goes before the new comes.
/// The component finds out whether it was this run that moved it away.
fn is_making_room(is: Option<&Entry>, before: Option<&Entry>, after: Option<&Entry>) -> bool {
    let kinds = before.map(|before| &before.kind).zip(after.map(|after| &after.kind));
    let turns = |(one, other): (&NodeKind, &NodeKind)| std::mem::discriminant(one) != std::mem::discriminant(other);
    is.is_none() && kinds.is_some_and(turns)
}

/// The first file whose bytes are not those that were approved.
fn differing(
    approved: &Approved,
    now: &Arc<dyn Tree>,
    files: Vec<(Entry, Entry)>,
    known: &HashMap<&TreePath, &Digest>,
    reading: &ReadBack,
) -> Result<Option<TreePath>> {
    let mut unhashed = Vec::new();
    let mut hashed = Vec::new();
    for (live, desired) in files {
        match known.get(&live.path) {
            Some(digest) => hashed.push((live.path, **digest)),
            None => unhashed.push(Undecided { live, desired }),
        }
    }
    if let Some(path) = differing_hash(now, &hashed, reading)? {
        return Ok(Some(path));
    }
    if unhashed.is_empty() {
        return Ok(None);
    }
    let Some(desired) = approved.desired.as_ref().and_then(Resource::tree) else {
        return Err(Error::new(
            ErrorKind::Bug,
            format!("read back {}", approved.change.id),
            "files were approved without a source",
        ));
    };
    let differs = contents::differ(&**now, &**desired, &unhashed)?;
    Ok(unhashed.into_iter().zip(differs).find(|(_, differs)| *differs).map(|(pair, _)| pair.live.path))
}

/// Two threads, since hashing and the page cache both have room for it.
fn differing_hash(now: &Arc<dyn Tree>, files: &[(TreePath, Digest)], reading: &ReadBack) -> Result<Option<TreePath>> {
    let half = files.len() / 2;
    let (one, other) = files.split_at_checked(half).unwrap_or((files, &[]));
    let check = |part: &[(TreePath, Digest)]| -> Result<Option<TreePath>> {
        for (path, digest) in part {
            if reading.digest(now, path)? != *digest {
                return Ok(Some(path.clone()));
            }
        }
        Ok(None)
    };
    std::thread::scope(|scope| {
        let second = scope.spawn(|| check(other));
        let first = check(one)?;
        let second = second
            .join()
            .map_err(|_| Error::new(ErrorKind::Bug, "read files back", "a reading thread ended unexpectedly"))??;
        Ok(first.or(second))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, DigestKey, FileOwnership, ResourceId, TargetIdentity};

    fn resource(mode: u32) -> Resource {
        let id = ResourceId { kind: "document".into(), key: TreePath::new("ana").unwrap() };
        let file = Some(FileOwnership::new(mode, 0, 0));
        let document = Document { file, ..Document::new(serde_json::json!({ "password": "x" })) };
        Resource { id, body: Body::Document(document) }
    }

    #[test]
    fn a_new_file_that_others_may_read_is_not_as_approved() {
        let identities: BTreeMap<String, TargetIdentity> = BTreeMap::new();
        let key = DigestKey::new([1; 32]);
        let (run, runbook) = ("run".into(), Digest::of("runbook"));
        let pinned = Pinned { run, runbook, identities, key, host: "here".into(), calls: Default::default() };
        let wanted = resource(0o600);
        let schema = KindSchema::default();
        let change =
            documents::changes(&wanted.id, None, wanted.document(), &schema, Mode::Merge, &pinned.key).unwrap();
        let file = Some(FileOwnership::new(0o600, 0, 0));
        let approved = Approved {
            run: "run".into(),
            change: Arc::new(crate::model::Change { file, ..change }),
            left_out: Default::default(),
            live: None,
            desired: Some(wanted.clone()),
            expected: Some(wanted),
        };
        let stands =
            |mode| standing(&pinned, &schema, &approved, Some(&resource(mode)), None, &ReadBack::untold()).unwrap();
        assert!(matches!(stands(0o600), Standing::Approved { .. }));
        assert!(matches!(stands(0o666), Standing::Other { what } if what.contains("mode 0666")));
    }
}
