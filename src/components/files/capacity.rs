use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::fs::{Mode, OFlags, XattrFlags, fremovexattr, fsetxattr, fstat, fstatvfs, futimens, openat};

use super::area::Area;
use crate::beneath::{Beneath, attribute_lost, attribute_words, kept_facts, modified_at};
use crate::model::{Acl, Capacity, Entry, Held, Lost, Meta, NodeKind, RecordedFacts, Times, TreePath};

/// What the file system of a component's root can hold, tried with a file that has no name: no other program sees
/// it, and a kill leaves nothing. Asked only where something may not fit, and each question once.
pub(super) struct RootCapacity {
    root: PathBuf,
    own: Own,
    facts: OnceLock<RecordedFacts>,
    longest_name: OnceLock<usize>,
    grain: OnceLock<u32>,
    answers: Mutex<Answers>,
}

/// Who this process is. None of it counts for root.
struct Own {
    is_root: bool,
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

#[derive(Default)]
struct Answers {
    attributes: HashMap<Shape, Vec<Option<String>>>,
    times: HashMap<Times, Option<Times>>,
}

/// What decides whether attributes fit: names and lengths, and of an access list what it says.
type Shape = Vec<(Box<str>, usize, Option<Box<[u8]>>)>;

/// Linux: of a name, and of what a symbolic link leads to, in bytes.
const LONGEST_NAME: usize = 255;
const LONGEST_TARGET: usize = 4095;

/// Beyond these, all are forgotten and asked again.
const MOST_ANSWERS: usize = 4096;

impl RootCapacity {
    pub(super) fn new(root: PathBuf) -> Self {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid().as_raw());
        let groups = rustix::process::getgroups().unwrap_or_default().into_iter().map(|group| group.as_raw()).collect();
        let own = Own { is_root: uid.is_root(), uid: uid.as_raw(), gid, groups };
        Self {
            root,
            own,
            facts: OnceLock::new(),
            longest_name: OnceLock::new(),
            grain: OnceLock::new(),
            answers: Mutex::default(),
        }
    }

    fn facts(&self) -> RecordedFacts {
        let look = || Beneath::open(&self.root).map_or(RecordedFacts::ALL, |root| kept_facts(&root, &TreePath::root()));
        *self.facts.get_or_init(look)
    }

    /// Bytes of a name. The kernel itself takes no longer ones.
    fn longest_name(&self) -> usize {
        *self.longest_name.get_or_init(|| {
            let stat = Beneath::open(&self.root).ok().and_then(|root| fstatvfs(&root).ok());
            let said = stat.and_then(|stat| usize::try_from(stat.f_namemax).ok()).filter(|longest| *longest > 0);
            said.map_or(LONGEST_NAME, |longest| longest.min(LONGEST_NAME))
        })
    }

    /// A file on that file system that has no name. None where it has no such files, and no run has its area there.
    fn file(&self) -> Option<OwnedFd> {
        let root = Beneath::open(&self.root).ok()?;
        let (flags, mode) = (OFlags::RDWR | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
        let unnamed = openat(&root, ".", flags | OFlags::TMPFILE, mode).ok();
        #[cfg(test)]
        let unnamed = unnamed.filter(|_| !super::tests::UNNAMED_NOT.get());
        let file = match unnamed {
            Some(file) => file,
            None => Area::probe(&root)?,
        };
        // What the directory hands down takes room.
        for acl in [Acl::ACCESS, Acl::DEFAULT] {
            let _ = fremovexattr(&file, acl);
        }
        Some(file)
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a time; None where nothing can be tried.
    fn tried(&self, wanted: Times) -> Option<Times> {
        if let Some(known) = self.answers().times.get(&wanted) {
            return *known;
        }
        let tried = self.file().and_then(|file| {
            futimens(&file, &modified_at(wanted)).ok()?;
            let stat = fstat(&file).ok()?;
            Some(Times { mtime_s: stat.st_mtime, mtime_ns: u32::try_from(stat.st_mtime_nsec).ok()? })
        });
        let times = &mut self.answers().times;
        if times.len() >= MOST_ANSWERS {
            times.clear();
        }
        times.insert(wanted, tried);
        tried
    }

    /// Nanoseconds that times are cut to.
    fn grain(&self) -> u32 {
        *self.grain.get_or_init(|| {
            let odd = Times { mtime_s: 1_000_000_001, mtime_ns: 999_999_999 };
            match self.tried(odd) {
                None => self.facts().time_grain,
                Some(kept) if kept.mtime_s != odd.mtime_s => 2 * RecordedFacts::SECOND,
                Some(kept) => {
                    let grains = (0..9).map(|power| 10_u32.pow(power));
                    let is_cut_to = |grain: &u32| odd.mtime_ns - odd.mtime_ns % grain == kept.mtime_ns;
                    grains.into_iter().find(is_cut_to).unwrap_or(RecordedFacts::SECOND)
                }
            }
        })
    }

    /// What the file system makes of a time that is to be written over `live`.
    fn kept_time(&self, wanted: Times, live: Option<Times>) -> Times {
        if wanted.is_far() {
            let kept = || live.filter(|live| is_bound(*live, wanted)).unwrap_or(wanted);
            return self.tried(wanted).unwrap_or_else(kept);
        }
        let grain = i64::from(self.grain());
        let nanoseconds = i64::from(wanted.mtime_ns) - i64::from(wanted.mtime_ns) % grain.min(1_000_000_000);
        let seconds = wanted.mtime_s - wanted.mtime_s.rem_euclid((grain / 1_000_000_000).max(1));
        Times { mtime_s: seconds, mtime_ns: u32::try_from(nanoseconds).unwrap_or_default() }
    }

    /// For each attribute, in order, why it is not taken.
    fn refused(&self, wanted: &Entry) -> Vec<Option<String>> {
        let attributes = &wanted.meta.xattrs;
        if matches!(wanted.kind, NodeKind::Symlink { .. }) {
            let is_lost = |name: &str| name.starts_with("user.") || Meta::is_acl(name);
            let why = |name: &str| attribute_words(name, "symbolic links have none of that kind");
            return attributes.iter().map(|(name, _)| is_lost(name).then(|| why(name))).collect();
        }
        let asked = |(name, value): &(Box<str>, Box<[u8]>)| {
            (name.clone(), value.len(), (!name.starts_with("user.")).then(|| value.clone()))
        };
        let shape: Shape = attributes.iter().map(asked).collect();
        if let Some(known) = self.answers().attributes.get(&shape) {
            return known.clone();
        }
        let refused: Vec<Option<String>> = match self.file() {
            Some(file) => attributes.iter().map(|(name, value)| refused(&file, name, value)).collect(),
            None if self.facts().attributes => vec![None; attributes.len()],
            None => {
                let none = rustix::io::Errno::OPNOTSUPP;
                let root = Beneath::open(&self.root);
                let why = |name: &str, length| attribute_lost(none, name, length, root.as_ref().ok()?.as_fd());
                attributes.iter().map(|(name, value)| why(name, value.len())).collect()
            }
        };
        let known = &mut self.answers().attributes;
        if known.len() >= MOST_ANSWERS {
            known.clear();
        }
        known.insert(shape, refused.clone());
        refused
    }

    fn lose_owner(&self, held: &mut Held, live: Option<&Meta>) {
        let (uid, gid) = live.map_or((self.own.uid, self.own.gid), |live| (live.uid, live.gid));
        let meta = &mut held.meta;
        let is_own_group = meta.gid == self.own.gid || self.own.groups.contains(&meta.gid);
        let kept = (uid, if is_own_group && uid == self.own.uid { meta.gid } else { gid });
        if (meta.uid, meta.gid) != kept {
            (meta.uid, meta.gid) = kept;
            // A setuid file of the wrong owner would lend that one's rights.
            meta.mode &= 0o1777;
            held.lost.push(Lost::Common("the owner is not restored: only root can give files away".to_owned()));
        }
    }

    /// The backup does not say whose it is.
    fn lose_no_owner(&self, held: &mut Held, live: Option<&Meta>) {
        let meta = &mut held.meta;
        if meta.uid != Meta::NO_OWNER && meta.gid != Meta::NO_OWNER {
            return;
        }
        let (uid, gid) = live.map_or((self.own.uid, self.own.gid), |live| (live.uid, live.gid));
        let given = |asked: u32, own: u32| if asked == Meta::NO_OWNER { own } else { asked };
        (meta.uid, meta.gid) = (given(meta.uid, uid), given(meta.gid, gid));
        meta.mode &= 0o1777;
        let words =
            format!("the owner is not restored: the backup has the number {}, which no file can have", u32::MAX);
        held.lost.push(Lost::Common(words));
    }

    fn lose_attributes(&self, held: &mut Held, wanted: &Entry) {
        let refused = self.refused(wanted);
        let mut refused = refused.into_iter();
        let meta = &mut held.meta;
        let lists = std::mem::take(&mut meta.xattrs);
        for (name, value) in lists {
            let Some(words) = refused.next().flatten() else {
                meta.xattrs.push((name, value));
                continue;
            };
            if *name == *Acl::ACCESS
                && let Some(acl) = Acl::from_bytes(&value)
            {
                meta.mode = acl.mode_without(meta.mode);
            }
            held.lost.push(Lost::Said(words));
        }
    }
}

impl Capacity for RootCapacity {
    fn refused(&self, wanted: &Entry) -> Option<String> {
        let (name, longest) = (wanted.path.name().map_or(0, <[u8]>::len), self.longest_name());
        if name > longest {
            return Some(format!("not restored: its name has {name} bytes, and this file system takes {longest}"));
        }
        match &wanted.kind {
            NodeKind::Symlink { target } if target.is_empty() => {
                Some("not restored: a symbolic link that leads nowhere, its target is empty".to_owned())
            }
            NodeKind::Symlink { target } if target.len() > LONGEST_TARGET => {
                Some(format!("not restored: its target has {} bytes, and a link takes {LONGEST_TARGET}", target.len()))
            }
            _ => None,
        }
    }

    fn held(&self, wanted: &Entry, live: Option<&Entry>) -> Option<Held> {
        let is_same_kind = |live: &&Entry| std::mem::discriminant(&live.kind) == std::mem::discriminant(&wanted.kind);
        let live = live.filter(is_same_kind);
        let mut held = Held { meta: wanted.meta.clone(), lost: Vec::new() };
        if !self.own.is_root {
            // A new file belongs to the user who writes it.
            let stays = live.filter(|live| wanted.is_directory() || live.meta.times == wanted.meta.times);
            self.lose_owner(&mut held, stays.map(|live| &live.meta));
        }
        self.lose_no_owner(&mut held, live.map(|live| &live.meta));
        if !wanted.meta.xattrs.is_empty() && live.is_none_or(|live| !live.meta.has_same_attributes(&wanted.meta)) {
            self.lose_attributes(&mut held, wanted);
        }
        let times = live.map(|live| live.meta.times);
        if !wanted.is_directory() && times != Some(wanted.meta.times) {
            held.meta.times = self.kept_time(wanted.meta.times, times);
            if held.meta.times != wanted.meta.times {
                held.lost.push(match wanted.meta.times.is_far() {
                    true => Lost::Said(crate::beneath::time_lost(wanted.meta.times, held.meta.times)),
                    false => Lost::Common("the time is kept as exactly as this file system can".to_owned()),
                });
            }
        }
        (!held.lost.is_empty()).then_some(held)
    }
}

fn refused(file: &OwnedFd, name: &str, value: &[u8]) -> Option<String> {
    // A file has no default list, and takes the same as its own list.
    let asked = if name == Acl::DEFAULT { Acl::ACCESS } else { name };
    let errno = fsetxattr(file, asked, value, XattrFlags::empty()).err()?;
    attribute_lost(errno, name, value.len(), file.as_fd())
}

/// Times at which file systems end: where nothing can be tried, one of these stands for all beyond it.
const BOUNDS: [i64; 7] = [
    i32::MIN as i64,
    0,
    // FAT, from 1980 on.
    315_532_800,
    i32::MAX as i64,
    u32::MAX as i64,
    // ext4 and XFS.
    15_032_385_535,
    16_299_260_424,
];

fn is_bound(live: Times, wanted: Times) -> bool {
    BOUNDS.contains(&live.mtime_s) && (live.mtime_s < 1_000_000_000) == (wanted.mtime_s < live.mtime_s)
}
