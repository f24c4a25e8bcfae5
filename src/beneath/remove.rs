use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, OFlags, ResolveFlags, unlinkat};
use rustix::io::Errno;

use super::handle::open_beneath;
use super::walk::list;

/// Removes `name` in `directory` and all below it, following no link; nothing there is success.
/// Works by its own stack, so no depth of hostile directories exhausts the thread's.
pub fn remove_all(directory: BorrowedFd, name: &[u8]) -> rustix::io::Result<()> {
    match unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(errno),
    }
    let mut buffer = Vec::new();
    let mut levels = vec![open_level(directory, name, &mut buffer)?];
    loop {
        let Some((fd, names, own_name)) = levels.last_mut() else { return Ok(()) };
        let Some(child) = names.pop_front() else {
            let own_name = std::mem::take(own_name);
            levels.pop();
            let parent = levels.last().map_or(directory, |(fd, _, _)| fd.as_fd());
            unlinkat(parent, &*own_name, AtFlags::REMOVEDIR)?;
            continue;
        };
        match unlinkat(fd.as_fd(), &*child, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR | Errno::PERM) => {
                let level = open_level(fd.as_fd(), &child, &mut buffer)?;
                levels.push(level);
            }
            Err(errno) => return Err(errno),
        }
    }
}

type Level = (OwnedFd, std::collections::VecDeque<Box<[u8]>>, Box<[u8]>);

fn open_level(parent: BorrowedFd, name: &[u8], buffer: &mut Vec<u8>) -> rustix::io::Result<Level> {
    let fd = open_beneath(parent, name, OFlags::RDONLY | OFlags::DIRECTORY, ResolveFlags::empty())?;
    let names = list(&fd, buffer, false)?;
    Ok((fd, names, name.into()))
}
