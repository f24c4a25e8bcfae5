use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::private_file::open_private;
use crate::model::{Error, ErrorKind, Result, visible};

/// Who writes a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub host: String,
    pub pid: u32,
    pub user: String,
    /// Milliseconds since 1970.
    pub since: i64,
}

impl Holder {
    /// Of this process, in words for `by` fields too.
    pub fn this(now: i64) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
        Self {
            host: visible(host.trim()).into_owned(),
            pid: std::process::id(),
            user: user.unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw())),
            since: now,
        }
    }

    /// `ana on bastion, process 4711, for 12 min`.
    pub fn words(&self, now: i64) -> String {
        let seconds = now.saturating_sub(self.since).max(0) / 1000;
        let age = match seconds {
            0..=119 => format!("{seconds} s"),
            120..=7199 => format!("{} min", seconds / 60),
            _ => format!("{} h", seconds / 3600),
        };
        format!("{} on {}, process {}, for {age}", visible(&self.user), visible(&self.host), self.pid)
    }
}

/// The right to write a run, held by the kernel as long as this process lives, asleep or stopped
/// included: a holder that was paused for an hour is still the only one. Children do not inherit it.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

const MAX_HOLDER_BYTES: u64 = 4096;
/// A reader that looks whether the run is held holds it shared for a moment.
const TRIES: u32 = 5;

impl Lock {
    pub(super) fn take(path: &Path, now: i64) -> Result<Self> {
        let doing = || format!("take the run's lock {}", path.display());
        let mut file = open_private(path).map_err(|error| Error::io(doing(), error))?;
        for attempt in 0.. {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK) if attempt < TRIES => std::thread::sleep(Duration::from_millis(10)),
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(held(&mut file, now)),
                Err(error) => return Err(Error::io(doing(), error.into())),
            }
        }
        let text = serde_json::to_string(&Holder::this(now)).unwrap_or_default();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(|error| Error::io(doing(), error))?;
        Ok(Self { _file: file })
    }

    /// Who holds the run now, if anybody.
    pub(super) fn holder(path: &Path) -> Option<Holder> {
        let mut file = File::open(path).ok()?;
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Err(rustix::io::Errno::WOULDBLOCK) => Some(read_holder(&mut file).unwrap_or_else(nobody_known)),
            _ => None,
        }
    }
}

fn held(file: &mut File, now: i64) -> Error {
    let holder = read_holder(file).unwrap_or_else(nobody_known);
    Error::new(ErrorKind::Refused, "write this run", format!("it is held by {}", holder.words(now)))
        .next("follow it with 'rekindle watch', or end that process first")
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(MAX_HOLDER_BYTES).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn nobody_known() -> Holder {
    Holder { host: "an unknown host".to_owned(), pid: 0, user: "somebody".to_owned(), since: 0 }
}
