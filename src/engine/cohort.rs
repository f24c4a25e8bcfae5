use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use serde_json::Value;

use crate::model::{
    Digest, DigestBuilder, Entry, Hunk, HunkAt, NodeKind, PlannedCommand, Proposal, Resource, Shown, Tree, TreePath,
    without_owner,
};

/// Larger plans are each their own cohort: nobody approves a thousand files by their likeness.
const MOST_HUNKS: usize = 1000;
/// Files of one plan that are read to learn whether they are the same as another user's, and their bytes. A store that
/// knows without reading is not read.
const MOST_READ: u32 = 32;
const MOST_BYTES: u64 = 1024 * 1024;
/// Smaller ids are the system's and mean the same for everybody.
const FIRST_OWN_ID: u32 = 1000;

/// The same for plans that change the same: the owner's own name and ids are taken out, and so are the times of files
/// whose content is known to be equal. What is not known to be equal counts as different.
pub(super) fn cohort(proposal: &Proposal) -> Option<Digest> {
    let plan = &proposal.plan;
    if plan.changes.iter().map(|change| change.hunks.len()).sum::<usize>() > MOST_HUNKS {
        return None;
    }
    let (step, owner) = plan.task.split_once('/')?;
    let left = Left { files: Cell::new(MOST_READ), bytes: Cell::new(MOST_BYTES) };
    let mut builder = DigestBuilder::new("cohort");
    builder.part(step).number(plan.pass as u64).number(plan.preview as u64);
    for (at, change) in plan.changes.iter().enumerate() {
        builder.part(&*change.id.kind).number(change.op as u64).number(change.hunks.len() as u64);
        for warning in &change.warnings {
            builder.part(without(warning, owner));
        }
        if let Some(file) = change.file {
            builder.part(file.to_string());
        }
        let tree =
            |side: &'_ [Option<Resource>]| side.get(at).and_then(Option::as_ref).and_then(Resource::tree).cloned();
        let sides = [tree(&proposal.live), tree(&proposal.desired)].map(|tree| Side { tree, root: OnceCell::new() });
        for hunk in &change.hunks {
            hash_hunk(&mut builder, hunk, owner, &sides, &left);
        }
        let [live, desired] = &sides;
        if let (Some(Some(live)), Some(Some(desired))) = (live.root.get(), desired.root.get()) {
            builder.number(u64::from(live == desired));
        }
    }
    if let Some(command) = &plan.command {
        hash_command(&mut builder, command, owner);
    }
    Some(builder.finish())
}

/// What may still be read.
struct Left {
    files: Cell<u32>,
    bytes: Cell<u64>,
}

/// One side of a change that is a tree.
struct Side {
    tree: Option<Arc<dyn Tree>>,
    /// User and group of its root: the owner's own.
    root: OnceCell<Option<(u32, u32)>>,
}

impl Side {
    fn root(&self) -> Option<(u32, u32)> {
        let first = || {
            let entry = self.tree.as_ref()?.entries().ok()?.next()?.ok()?;
            Some((entry.meta.uid, entry.meta.gid))
        };
        *self.root.get_or_init(first)
    }

    /// Equal for equal bytes; `None` where that would take too much reading.
    fn content(&self, path: &TreePath, size: u64, left: &Left) -> Option<Digest> {
        let tree = self.tree.as_ref()?;
        if let Some(named) = tree.content_name(path) {
            return Some(named);
        }
        let (files, bytes) = (left.files.get().checked_sub(1)?, left.bytes.get().checked_sub(size)?);
        left.files.set(files);
        left.bytes.set(bytes);
        tree.digest(path).ok()
    }
}

fn hash_hunk(builder: &mut DigestBuilder, hunk: &Hunk, owner: &str, sides: &[Side; 2], left: &Left) {
    builder.number(hunk.op as u64).number(hunk.fidelity as u64).part(without(&hunk.place(), owner));
    match &hunk.at {
        HunkAt::Field { before, after, .. } => {
            for side in [before, after] {
                match side {
                    None => builder.number(0),
                    Some(Shown::Plain(value)) => builder.part(value_without(value, owner).to_string()),
                    // Two users' secrets are never the same change.
                    Some(Shown::Secret(digest)) => builder.digest(digest),
                    Some(Shown::Masked) => builder.number(1),
                };
            }
        }
        HunkAt::Node { path, before, after, content } => {
            builder.number(u64::from(*content));
            for (entry, side) in [before, after].into_iter().zip(sides) {
                match entry {
                    None => {
                        builder.number(0);
                    }
                    Some(entry) => hash_entry(builder, path, entry, *content, owner, side, left),
                }
            }
            if let (Some(before), Some(after), false) = (before, after, content) {
                builder.number(u64::from(before.meta.times == after.meta.times));
            }
        }
    }
}

fn hash_entry(
    builder: &mut DigestBuilder,
    path: &TreePath,
    entry: &Entry,
    content: bool,
    owner: &str,
    side: &Side,
    left: &Left,
) {
    let meta = &entry.meta;
    match &entry.kind {
        NodeKind::Directory => builder.number(1),
        // Only metadata changes: what is in the file does not matter.
        NodeKind::File { .. } if !content => builder.number(2),
        NodeKind::File { size, .. } => {
            builder.number(3).number(*size);
            match side.content(path, *size, left) {
                Some(digest) => builder.number(1).digest(&digest),
                None => builder.number(2).number(meta.times.mtime_s.cast_unsigned()).number(meta.times.mtime_ns.into()),
            }
        }
        NodeKind::Symlink { target } => match std::str::from_utf8(target) {
            Ok(target) => builder.number(4).part(without(target, owner)),
            Err(_) => builder.number(5).part(target),
        },
        NodeKind::Special { special } => builder.number(6).number(*special as u64),
    };
    builder.number(u64::from(meta.mode));
    for (id, own) in [(meta.uid, true), (meta.gid, false)] {
        let is_own = id >= FIRST_OWN_ID && side.root().is_some_and(|(uid, gid)| id == if own { uid } else { gid });
        builder.number(if is_own { u64::MAX } else { u64::from(id) });
    }
    for (name, value) in &meta.xattrs {
        builder.part(&**name).part(value);
    }
}

fn hash_command(builder: &mut DigestBuilder, command: &PlannedCommand, owner: &str) {
    for word in command.argv.iter().chain(&command.directory) {
        builder.part(without(word, owner));
    }
    for (name, value) in &command.environment {
        builder.part(name);
        match value {
            Shown::Plain(value) => builder.part(value_without(value, owner).to_string()),
            Shown::Secret(digest) => builder.digest(digest),
            Shown::Masked => builder.number(1),
        };
    }
}

fn without(text: &str, owner: &str) -> String {
    without_owner(text, owner, "\u{0}owner\u{0}")
}

/// Of texts only: a number is nobody's name.
fn value_without(value: &Value, owner: &str) -> Value {
    match value {
        Value::String(text) => Value::String(without(text, owner)),
        Value::Array(items) => Value::Array(items.iter().map(|item| value_without(item, owner)).collect()),
        Value::Object(fields) => {
            let each = |(name, field): (&String, &Value)| (without(name, owner), value_without(field, owner));
            Value::Object(fields.iter().map(each).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use super::*;
    use crate::model::{
        Body, Change, Digest, Fidelity, Meta, Mode, Op, Pass, Plan, Preview, ResourceId, Result, TargetIdentity, Times,
    };

    /// Files with their texts; the root belongs to `uid`.
    struct Files {
        uid: u32,
        files: BTreeMap<TreePath, Vec<u8>>,
    }

    impl Tree for Files {
        fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
            let meta = Meta { uid: self.uid, gid: self.uid, mode: 0o755, ..Meta::default() };
            let root = Entry { path: TreePath::root(), kind: NodeKind::Directory, meta };
            Ok(Box::new(std::iter::once(Ok(root))))
        }

        fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>> {
            Ok(Box::new(std::io::Cursor::new(self.files.get(path).cloned().unwrap_or_default())))
        }
    }

    /// A file that somebody lacks.
    struct Lacks<'t> {
        owner: &'t str,
        uid: u32,
        file: &'t str,
        text: &'t [u8],
        of: u32,
        time: i64,
    }

    const ANA: Lacks<'static> = Lacks { owner: "ana", uid: 1001, file: "notes", text: b"text", of: 1001, time: 7 };
    const BOB: Lacks<'static> = Lacks { owner: "bob", uid: 1002, of: 1002, time: 9, ..ANA };

    fn identity() -> TargetIdentity {
        TargetIdentity { system: "t".into(), address: "t".into(), id: "t".into() }
    }

    fn plan(owner: &str, hunks: Vec<Hunk>, tree: Option<Files>) -> Proposal {
        let id = ResourceId { kind: "tree".into(), key: TreePath::new(owner).unwrap() };
        let change = Change {
            id: id.clone(),
            op: Op::Update,
            before: Digest::of_absence(),
            after: Digest::of(owner),
            hunks,
            warnings: Vec::new(),
            unreadable: Vec::new(),
            file: None,
            is_foretold: false,
        };
        let plan = Plan {
            task: format!("home/{owner}"),
            pass: Pass::Restore,
            runbook: Digest::of("runbook"),
            target: identity(),
            source: identity(),
            mode: Mode::Merge,
            preview: Preview::Exact,
            changes: vec![Arc::new(change)],
            command: None,
            warnings: Vec::new(),
        };
        let desired = tree.map(|tree| Resource { id, body: Body::Tree(Arc::new(tree)) });
        Proposal { desired: vec![desired], live: vec![None], ..Proposal::bodiless(plan) }
    }

    fn lacking(who: &Lacks<'_>) -> Option<Digest> {
        let path = TreePath::new(who.file).unwrap();
        let times = Times { mtime_s: who.time, mtime_ns: 0 };
        let meta = Meta { uid: who.of, gid: who.of, mode: 0o644, times, ..Meta::default() };
        let kind = NodeKind::File { size: who.text.len() as u64, link: None };
        let after = Some(Box::new(Entry { path: path.clone(), kind, meta }));
        let at = HunkAt::Node { path: path.clone(), before: None, after, content: true };
        let hunk = Hunk { op: Op::Create, at, fidelity: Fidelity::Exact, needs: Vec::new(), said: None };
        let files = [(path, who.text.to_vec())].into();
        cohort(&plan(who.owner, vec![hunk], Some(Files { uid: who.uid, files })))
    }

    fn field(owner: &str, value: Value) -> Option<Digest> {
        let path = crate::model::DocumentPath::default();
        let at = HunkAt::Field { path, before: None, after: Some(Shown::Plain(value)) };
        cohort(&plan(
            owner,
            vec![Hunk { op: Op::Create, at, fidelity: Fidelity::Exact, needs: Vec::new(), said: None }],
            None,
        ))
    }

    #[test]
    fn who_lacks_the_same_file_lacks_it_at_whatever_time_and_with_whatever_id() {
        assert_eq!(lacking(&ANA), lacking(&BOB));
        assert_eq!(lacking(&ANA), lacking(&Lacks { file: "notes", ..BOB }));
        let named = |who: Lacks<'static>, file| lacking(&Lacks { file, ..who });
        assert_eq!(named(ANA, "mail/ana.box"), named(BOB, "mail/bob.box"));
    }

    #[test]
    fn another_text_another_name_or_another_ones_file_is_another_change() {
        let others = [
            Lacks { text: b"tex!", ..BOB },
            Lacks { file: "nodes", ..BOB },
            Lacks { of: 0, ..BOB },
            Lacks { of: 1001, ..BOB },
        ];
        for other in &others {
            assert_ne!(lacking(&ANA), lacking(other));
        }
        // Nobody reads so much: then equal times are what says that they are equal.
        let large = vec![0; 2 * 1024 * 1024];
        assert_ne!(lacking(&Lacks { text: &large, ..ANA }), lacking(&Lacks { text: &large, ..BOB }));
        assert_eq!(lacking(&Lacks { text: &large, ..ANA }), lacking(&Lacks { text: &large, time: 7, ..BOB }));
    }

    #[test]
    fn an_owners_name_is_a_word_and_no_part_of_a_number() {
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(
            field("ana", json(r#"{"mail": "ana@x", "home": "/home/ana"}"#)),
            field("bob", json(r#"{"mail": "bob@x", "home": "/home/bob"}"#))
        );
        assert_ne!(field("1", json("10")), field("2", json("20")));
        assert_ne!(field("1", json("\"10G\"")), field("2", json("\"20G\"")));
        assert_ne!(field("a", json("\"banana\"")), field("o", json("\"bonono\"")));
    }
}
