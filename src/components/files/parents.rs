use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, mkdirat, openat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::write::Write;
use crate::beneath::{Inode, NodeReader, refusal, remove_all, set_metadata};
use crate::model::{Entry, Meta, NodeKind, Result, Tree, TreePath};

/// A new directory's name in its stage.
pub(super) const NAME: &[u8] = b"directory";

/// Prepares a directory in the stage. Root gives it all its metadata there: once it is seen, somebody who may write
/// around it can put another in its place. Anybody else can only ever change what is theirs, and must be able to write
/// into it until all of it is there.
pub(super) fn prepared(write: &Write, stage: BorrowedFd, entry: &Entry) -> Result<Inode> {
    let made = (|| {
        remove_all(stage, NAME)?;
        mkdirat(stage, NAME, Mode::RWXU)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(stage, NAME, flags, Mode::empty())?;
        if rustix::process::geteuid().is_root() {
            set_metadata(fd.as_fd(), entry, &write.fresh(0o700), &mut |note| write.note(note))?;
        }
        Ok(NodeReader::new().read_open(fd.as_fd(), entry.path.clone())?.inode)
    })();
    made.map_err(|errno| refusal(format!("make {}", write.shown(&entry.path)), errno))
}

/// Directories above the tree at `key` that are not there, the outermost first, as they are to be made: as the source
/// has them at the same distance above the tree, else with a mode that does not depend on the operator's umask.
pub(super) fn missing(
    is_there: impl Fn(&TreePath) -> Result<bool>,
    key: &TreePath,
    desired: Option<&dyn Tree>,
) -> Result<Vec<Entry>> {
    let mut missing = Vec::new();
    for levels in 1.. {
        let Some(path) = key.above(levels).filter(|path| !path.is_root()) else { break };
        if is_there(&path)? {
            break;
        }
        let found = desired.map_or(Ok(None), |desired| desired.above(levels))?;
        // A backup of one directory knows nothing of those above it.
        let found = found.filter(|found| found.is_directory() && found.meta.mode & 0o100 != 0);
        let meta = found.map_or_else(|| Meta { mode: 0o755, ..super::staging::fresh(0o755) }, |found| found.meta);
        missing.push(Entry { path, kind: NodeKind::Directory, meta });
    }
    missing.reverse();
    Ok(missing)
}

/// Makes the directories above the tree that are not there, and marks each as this run's.
pub(super) fn make(write: &Write, stage: BorrowedFd) -> Result<()> {
    let is_there = |path: &TreePath| Ok(write.root.entry(path)?.is_some());
    let missing = missing(is_there, write.key, write.desired)?;
    if missing.is_empty() {
        return Ok(());
    }
    let marks = write.area.make(write.root, &write.area.made())?;
    for entry in &missing {
        let doing = || format!("make {}", write.root.shown(&entry.path));
        prepared(write, stage, entry)?;
        let mark = write.area.made_of(&entry.path);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let made = openat(&marks, mark.name().unwrap_or_default(), flags, Mode::RUSR | Mode::WUSR).and_then(|_| {
            let (parent, name) = write.root.place(&entry.path)?;
            renameat_with(stage, NAME, parent, name, RenameFlags::NOREPLACE)
        });
        match made {
            Ok(()) => write.note(format!("the directory {} was made", write.root.shown(&entry.path))),
            // Another task made it in this moment.
            Err(Errno::EXIST | Errno::NOTEMPTY) => {}
            Err(errno) => return Err(refusal(doing(), errno)),
        }
        // Without root's rights it is not given in the stage.
        if !rustix::process::geteuid().is_root() {
            let fd = write.root.directory(&entry.path).map_err(|errno| refusal(doing(), errno))?;
            set_metadata(fd.as_fd(), entry, &write.fresh(0o700), &mut |note| write.note(note))
                .map_err(|errno| refusal(doing(), errno))?;
        }
    }
    Ok(())
}

/// Takes the directories above the tree away again that this run made and that hold nothing any more.
pub(super) fn unmake(write: &Write) -> Result<()> {
    for path in (1..).map_while(|levels| write.key.above(levels)).filter(|path| !path.is_root()) {
        let mark = write.area.made_of(&path);
        if write.node(&mark)?.is_none() {
            break;
        }
        let removed = write.root.place(&path).and_then(|(parent, name)| unlinkat(parent, name, AtFlags::REMOVEDIR));
        match removed {
            Ok(()) => write.note(format!("the directory {} was removed again", write.root.shown(&path))),
            Err(Errno::NOENT) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) => break,
            Err(errno) => return Err(refusal(format!("remove {}", write.root.shown(&path)), errno)),
        }
        let unmarked = write.root.place(&mark).and_then(|(parent, name)| unlinkat(parent, name, AtFlags::empty()));
        unmarked.map_err(|errno| refusal(format!("remove {}", write.root.shown(&mark)), errno))?;
    }
    Ok(())
}
