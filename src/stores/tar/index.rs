use std::collections::HashMap;
use std::ops::Range;

use super::attributes::Attributes;
use super::member::{Content, Member, MemberKind, Members};
use super::source::Source;
use crate::model::{Entry, Error, ErrorKind, Meta, NodeKind, RecordedFacts, Result, TreePath, visible};
use crate::stores::{BackedUpOwners, Told};

/// Bounds on what an archive may make us remember.
const MOST_ENTRIES: usize = 5_000_000;
const LONGEST_NAME: usize = 64 * 1024;
const MOST_TEXT: usize = 1024 * 1024 * 1024;

/// One node of the archive's tree.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub entry: Entry,
    /// For files.
    pub content: Option<Content>,
    pub told: Told,
    pub recorded: RecordedFacts,
    /// Its access lists name users and groups by their numbers in the archive: all names there are known at the end.
    lists_by_number: bool,
    lists_in_text: Vec<(&'static str, Box<str>)>,
}

/// What an archive holds when all of it is unpacked, sorted by path: where a path comes twice, the last wins.
#[derive(Debug)]
pub(super) struct Index {
    items: Vec<Item>,
    /// What a plan says of the archive as a whole.
    pub said: Option<String>,
    /// What of a member cannot be restored here, in words; sorted.
    remarks: Vec<(TreePath, String)>,
}

impl Index {
    pub(super) fn read(source: &Source, owners: &BackedUpOwners) -> Result<Self> {
        let mut members = Members::new(source, owners)?;
        let mut found = Found {
            source,
            owners,
            items: Vec::new(),
            latest: HashMap::new(),
            text: 0,
            has_attributes: false,
            has_acls: false,
            remarks: Vec::new(),
        };
        while let Some(member) = members.next()? {
            found.add(member)?;
        }
        let index = found.into_index()?;
        Ok(Self { said: members.passed_over(), ..index })
    }

    pub(super) fn find(&self, path: &TreePath) -> Option<&Item> {
        let at = self.items.binary_search_by(|item| item.entry.path.cmp(path)).ok()?;
        self.items.get(at)
    }

    /// A node with all that lies below it.
    pub(super) fn below(&self, path: &TreePath) -> &[Item] {
        self.items.get(self.range(path)).unwrap_or_default()
    }

    pub(super) fn children(&self, path: &TreePath) -> Vec<Entry> {
        let range = self.range(path);
        let mut children = Vec::new();
        let mut at = range.start + 1;
        while at < range.end
            && let Some(item) = self.items.get(at)
        {
            children.push(item.entry.clone());
            at = self.range(&item.entry.path).end.max(at + 1);
        }
        children
    }

    pub(super) fn remarks(&self, below: &TreePath) -> Vec<String> {
        let of = |(path, remark): &(TreePath, String)| Some(format!("{}: {remark}", path.relative_to(below)?));
        self.remarks.iter().filter_map(of).collect()
    }

    fn range(&self, path: &TreePath) -> Range<usize> {
        let start = self.items.partition_point(|item| item.entry.path < *path);
        let length = self
            .items
            .get(start..)
            .unwrap_or_default()
            .partition_point(|item| item.entry.path.relative_to(path).is_some());
        start..start + length
    }
}

struct Found<'a> {
    source: &'a Source,
    owners: &'a BackedUpOwners,
    items: Vec<Item>,
    /// Where in `items` each path was last met.
    latest: HashMap<TreePath, usize>,
    text: usize,
    /// Of any member.
    has_attributes: bool,
    has_acls: bool,
    remarks: Vec<(TreePath, String)>,
}

/// More are of no use to a person.
const MOST_REMARKS: usize = 1_000;

impl Found<'_> {
    fn add(&mut self, member: Member) -> Result<()> {
        let path = self.path(&member.path)?;
        self.text +=
            member.path.len() + member.meta.xattrs.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if self.items.len() >= MOST_ENTRIES || self.text > MOST_TEXT {
            let why = format!("it holds more than {MOST_ENTRIES} members or 1 GiB of names and attributes");
            return Err(self.refuse(ErrorKind::Refused, why).next("split the archive"));
        }
        let known = member.recorded;
        self.has_attributes |= known.has_attributes;
        self.has_acls |= known.has_acls;
        // What the others have is known at the end.
        let mut recorded =
            RecordedFacts { acls: !known.unread_acls, time_grain: known.time_grain, ..RecordedFacts::ALL };
        let room = MOST_REMARKS.saturating_sub(self.remarks.len());
        self.remarks.extend(member.remarks.into_iter().take(room).map(|remark| (path.clone(), remark)));
        let (mut meta, [user, group]) = (member.meta, member.owners);
        let mut told: Told = self.owners.settle(&mut meta, &user, &group)?.into_iter().chain(member.told).collect();
        let (mut lists_by_number, mut lists_in_text) = (member.lists_by_number, member.lists_in_text);
        self.text += lists_in_text.iter().map(|(_, text)| text.len()).sum::<usize>();
        let (kind, meta, content) = match member.kind {
            MemberKind::Directory => (NodeKind::Directory, meta, None),
            MemberKind::File(content) => (NodeKind::File { size: content.size, link: None }, meta, Some(content)),
            MemberKind::Symlink(target) => (NodeKind::Symlink { target: target.into() }, meta, None),
            MemberKind::Special(special) => (NodeKind::Special { special }, meta, None),
            MemberKind::HardLink(target) => {
                let linked = self.linked(&path, &target)?;
                (recorded, told) = (linked.recorded, linked.told);
                (lists_by_number, lists_in_text) = (linked.lists_by_number, linked.lists_in_text);
                (linked.entry.kind, linked.entry.meta, linked.content)
            }
        };
        self.latest.insert(path.clone(), self.items.len());
        self.items.push(Item {
            entry: Entry { path, kind, meta },
            content,
            recorded,
            told,
            lists_by_number,
            lists_in_text,
        });
        Ok(())
    }

    /// A hard link is the same file under another name: it has that one's content and metadata.
    fn linked(&mut self, path: &TreePath, target: &[u8]) -> Result<Item> {
        let target = self.path(target)?;
        let at = self.latest.get(&target).copied();
        let Some((at, item)) = at.and_then(|at| Some((at, self.items.get_mut(at)?))) else {
            let why = format!("'{path}' is a hard link to '{target}', which is not in the archive before it");
            return Err(self.refuse(ErrorKind::Invalid, why).next("use an archive that holds both"));
        };
        match &mut item.entry.kind {
            NodeKind::File { link, .. } => {
                link.get_or_insert(at as u64);
            }
            NodeKind::Directory => {
                let why = format!("'{path}' is a hard link to the directory '{target}'");
                return Err(self.refuse(ErrorKind::Refused, why));
            }
            NodeKind::Symlink { .. } | NodeKind::Special { .. } => {}
        }
        Ok(item.clone())
    }

    /// `/a`, `./a` and `a//b` are what tar makes of them: `a` and `a/b`. `..` is refused.
    fn path(&self, raw: &[u8]) -> Result<TreePath> {
        let shown = || visible(raw.get(..200).unwrap_or(raw)).into_owned();
        if raw.len() > LONGEST_NAME {
            return Err(self.refuse(ErrorKind::Refused, format!("the name '{}…' is too long", shown())));
        }
        let parts: Vec<&[u8]> =
            raw.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
        if parts.contains(&&b".."[..]) {
            let why = format!("'{}' leads out of the archive", shown());
            return Err(self
                .refuse(ErrorKind::Refused, why)
                .next("do not trust this archive: tar writes no such names"));
        }
        TreePath::new(parts.join(&b'/'))
    }

    fn into_index(mut self) -> Result<Index> {
        self.latest = HashMap::new();
        self.settle_texts()?;
        for item in self.items.iter_mut().filter(|item| item.lists_by_number) {
            let name_of = |account, number| Ok(self.owners.name_so_far(account, number));
            let told = self.owners.settle_lists(&mut item.entry.meta, &name_of)?;
            item.told = item.told.iter().cloned().chain(told).collect();
        }
        // Stable: of equal paths the last one stays last.
        self.items.sort_by(|one, other| one.entry.path.cmp(&other.entry.path));
        let mut items: Vec<Item> = Vec::with_capacity(self.items.len() + 1);
        for item in std::mem::take(&mut self.items) {
            if items.last().is_some_and(|last| last.entry.path == item.entry.path) {
                items.pop();
            } else {
                self.add_parents(&mut items, &item.entry.path)?;
            }
            items.push(item);
        }
        if items.is_empty() {
            items.push(implied(TreePath::root()));
        }
        match items.first() {
            Some(root) if !root.entry.is_directory() => {
                Err(self.refuse(ErrorKind::Refused, "its root is not a directory".to_owned()))
            }
            _ => {
                for item in &mut items {
                    item.recorded.attributes &= self.has_attributes;
                    item.recorded.acls &= self.has_acls;
                }
                self.remarks.sort();
                Ok(Index { items, remarks: self.remarks, said: None })
            }
        }
    }

    fn settle_texts(&mut self) -> Result<()> {
        if self.items.iter().all(|item| item.lists_in_text.is_empty()) {
            return Ok(());
        }
        let numbers = self.owners.numbers_so_far();
        for item in self.items.iter_mut().filter(|item| !item.lists_in_text.is_empty()) {
            let settled = Attributes::settled(&std::mem::take(&mut item.lists_in_text), self.owners, &numbers)?;
            let mut meta = std::mem::take(&mut item.entry.meta);
            meta.xattrs.extend(settled.xattrs);
            meta.xattrs.sort();
            item.entry.meta = meta.agreeing();
            item.told = item.told.iter().cloned().chain(settled.told).collect();
            item.recorded.acls &= !settled.recorded.unread_acls;
            let room = MOST_REMARKS.saturating_sub(self.remarks.len());
            let path = &item.entry.path;
            self.remarks.extend(settled.remarks.into_iter().take(room).map(|remark| (path.clone(), remark)));
        }
        Ok(())
    }

    /// Directories that the archive only implies. What lies below something else is an attack:
    /// a symbolic link first, then a file behind it.
    fn add_parents(&self, items: &mut Vec<Item>, path: &TreePath) -> Result<()> {
        let Some(parent) = path.parent() else { return Ok(()) };
        let mut missing = Vec::new();
        let mut above = Some(parent);
        while let Some(parent) = above {
            match items.binary_search_by(|item| item.entry.path.cmp(&parent)).ok().and_then(|at| items.get(at)) {
                Some(item) if item.entry.is_directory() => break,
                Some(_) => {
                    let why = format!("'{path}' lies below '{parent}', which is not a directory");
                    return Err(self.refuse(ErrorKind::Refused, why).next("do not trust this archive"));
                }
                None => {
                    above = parent.parent();
                    missing.push(parent);
                }
            }
        }
        items.extend(missing.into_iter().rev().map(implied));
        Ok(())
    }

    fn refuse(&self, kind: ErrorKind, why: String) -> Error {
        Error::new(kind, format!("read {}", self.source.shown), why)
    }
}

fn implied(path: TreePath) -> Item {
    let meta = Meta { mode: 0o755, ..Meta::default() };
    Item {
        entry: Entry { path, kind: NodeKind::Directory, meta },
        content: None,
        recorded: RecordedFacts::NONE,
        told: Told::default(),
        lists_by_number: false,
        lists_in_text: Vec::new(),
    }
}
