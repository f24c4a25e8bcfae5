use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use super::stamps::stamp_now;
use crate::model::{Error, ErrorKind, Result};

/// A file that is read whole as it was when it was listed, or not to its end: whether it was touched is looked at
/// before the first byte and after the last.
pub(super) struct SteadyFile {
    file: File,
    stamp: u64,
    shown: String,
}

impl SteadyFile {
    /// `listed` is the stamp it had then; without one it must stay as it is now.
    pub fn new(fd: OwnedFd, listed: Option<u64>, shown: String) -> Result<Self> {
        let now = stamp_now(&fd).map_err(|errno| super::refusal(format!("look at {shown}"), errno))?;
        let steady = Self { file: fd.into(), stamp: listed.unwrap_or(now), shown };
        if steady.stamp == now { Ok(steady) } else { Err(steady.moved()) }
    }

    fn moved(&self) -> Error {
        Error::new(ErrorKind::Conflict, format!("read {}", self.shown), "it was changed since the plan was made")
            .next("review this task again: its plan was made from an older state of the source")
    }
}

impl Read for SteadyFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count == 0 && !buffer.is_empty() && stamp_now(&self.file)? != self.stamp {
            return Err(std::io::Error::other(self.moved()));
        }
        Ok(count)
    }
}
