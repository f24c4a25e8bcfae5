use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, ResolveFlags, flock, fstat};
use rustix::io::Errno;

use super::handle::open_beneath;
use super::{Beneath, refusal};
use crate::model::{Error, ErrorKind, Result, TreePath, visible};

/// The right to write below a root: of one process at a time, whatever state folders their runs are kept in. Taken at
/// the first write and kept until this is dropped; the kernel takes it back from a process that died. Reading needs
/// none.
///
/// It is a `flock(2)` of the root directory: it leaves nothing behind, and holds on one machine. A root inside
/// another one is another root.
#[derive(Default)]
pub struct WriteRight(Mutex<Option<Arc<Held>>>);

/// Device and inode number.
type Root = (u64, u64);

struct Held {
    root: Root,
    _fd: OwnedFd,
}

/// Two components of one process may write below the same root.
static HELD: Mutex<BTreeMap<Root, Weak<Held>>> = Mutex::new(BTreeMap::new());

/// A former holder in this process may be letting go at this moment.
const TRIES: u32 = 5;

impl WriteRight {
    /// Whether this process may write below `root` from now on. A file system that keeps no locks of directories
    /// gives no answer: that is told in the log, and the write goes on.
    pub fn claim(&self, root: &Beneath) -> Result<()> {
        let shown = root.shown(&TreePath::root());
        let doing = || format!("write below {shown}");
        let stat = fstat(root).map_err(|errno| refusal(doing(), errno))?;
        let id = (stat.st_dev, stat.st_ino);
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if own.as_ref().is_some_and(|held| held.root == id) {
            return Ok(());
        }
        let mut all = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = all.get(&id).and_then(Weak::upgrade) {
            *own = Some(held);
            return Ok(());
        }
        // Not a duplicate of the root's own handle, which others may hold: a lock goes with the last of those.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let fd = open_beneath(root.as_fd(), b".", flags, ResolveFlags::empty()).map_err(|e| refusal(doing(), e))?;
        for attempt in 0.. {
            match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK) if attempt < TRIES => std::thread::sleep(Duration::from_millis(10)),
                Err(Errno::WOULDBLOCK) => {
                    let why = format!("another run writes there: {}", holder(id.1));
                    return Err(Error::new(ErrorKind::Refused, doing(), why)
                        .next("wait until that process ends, or end it, then retry this task"));
                }
                Err(errno) => {
                    tracing::warn!("{shown} cannot be locked ({errno}): see to it that no other run writes there");
                    break;
                }
            }
        }
        let held = Arc::new(Held { root: id, _fd: fd });
        all.retain(|_, held| held.strong_count() > 0);
        all.insert(id, Arc::downgrade(&held));
        *own = Some(held);
        Ok(())
    }
}

/// As the kernel lists it: `1: FLOCK  ADVISORY  WRITE 4711 fe:00:6332417 0 EOF`. Processes of other containers have
/// no number here.
fn holder(inode: u64) -> String {
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let of_it = |line: &&str| line.contains("FLOCK") && line.contains(&format!(":{inode} "));
    let pid = locks.lines().find(of_it).and_then(|line| line.split_whitespace().nth(4)?.parse::<u32>().ok());
    match pid {
        None | Some(0) => "a process that cannot be seen from here".to_owned(),
        Some(pid) => match std::fs::read(format!("/proc/{pid}/comm")) {
            Ok(name) => format!("process {pid} ({})", visible(name.trim_ascii())),
            Err(_) => format!("process {pid}"),
        },
    }
}
