use std::io::Write as _;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::{lgetxattr, llistxattr};
use rustix::io::Errno;

use crate::model::Meta;

/// Linux: neither the list of names nor a value is longer.
const MAX_BYTES: usize = 64 * 1024;

pub(super) type Xattrs = Vec<(Box<str>, Box<[u8]>)>;

/// Reads extended attributes; holds the buffers that many reads share.
pub(super) struct XattrReader {
    path: Vec<u8>,
    list: Vec<u8>,
    value: Vec<u8>,
}

impl XattrReader {
    pub(super) fn new() -> Self {
        Self { path: Vec::with_capacity(128), list: vec![0; 1024], value: Vec::new() }
    }

    /// Of `name` in `directory`, not followed, sorted by name; without those that belong to the system. `name` empty: of
    /// the handle itself.
    pub(super) fn read(&mut self, directory: BorrowedFd, name: &[u8]) -> rustix::io::Result<Xattrs> {
        self.path.clear();
        // Writing to memory does not fail.
        let _ = write!(self.path, "/proc/self/fd/{}", directory.as_raw_fd());
        if !name.is_empty() {
            self.path.push(b'/');
            self.path.extend_from_slice(name);
        }
        let used = loop {
            let listed = if name.is_empty() {
                rustix::fs::listxattr(&*self.path, &mut *self.list)
            } else {
                llistxattr(&*self.path, &mut *self.list)
            };
            match listed {
                Ok(used) => break used,
                Err(Errno::RANGE) if self.list.len() < MAX_BYTES => self.list.resize(MAX_BYTES, 0),
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Vec::new()),
                Err(errno) => return Err(errno),
            }
        };
        let mut found = Vec::new();
        if used == 0 {
            return Ok(found);
        }
        self.value.resize(MAX_BYTES, 0);
        for raw in self.list.get(..used).unwrap_or_default().split(|byte| *byte == 0).filter(|raw| !raw.is_empty()) {
            let Ok(attribute) = std::str::from_utf8(raw) else { continue };
            if !Meta::keeps_attribute(attribute) {
                continue;
            }
            let got = if name.is_empty() {
                rustix::fs::getxattr(&*self.path, attribute, &mut *self.value)
            } else {
                lgetxattr(&*self.path, attribute, &mut *self.value)
            };
            match got {
                Ok(length) => found.push((attribute.into(), self.value.get(..length).unwrap_or_default().into())),
                // Gone since it was listed, or listed and not for us: `trusted.*`, a label of another module.
                Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::PERM) => {}
                Err(errno) => return Err(errno),
            }
        }
        found.sort();
        Ok(found)
    }
}
