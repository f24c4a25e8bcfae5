use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::model::{Error, ErrorKind, Result};

/// With fewer even the handling of signals cannot begin.
const FEWEST: u64 = 16;
/// What many connections and many files side by side want.
const WANTED: u64 = 8_192;

/// Asks for more open files where the system lets a process have them. Errors: it may have too few to begin.
pub fn suffice() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(WANTED).min(WANTED);
    let now = limit.current.unwrap_or(u64::MAX);
    let raised = now < most && setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit }).is_ok();
    let now = if raised { most } else { now };
    if now >= FEWEST {
        return Ok(());
    }
    let why = format!("this process may open only {now} files at once, and it needs {FEWEST}");
    Err(Error::new(ErrorKind::Refused, "begin", why).next("raise the limit ('ulimit -n 1024'), then start it again"))
}
