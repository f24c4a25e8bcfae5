use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, OFlags, RenameFlags, ResolveFlags, renameat_with, unlinkat};
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
    let mut raised = 0;
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
                if levels.len() < OPEN_LEVELS {
                    let level = levels.last().map(|(fd, ..)| open_level(fd.as_fd(), &child, &mut buffer));
                    levels.extend(level.transpose()?);
                } else {
                    raise(&mut levels, &child, &mut raised)?;
                }
            }
            Err(errno) => return Err(errno),
        }
    }
}

/// A directory too deep to be reached with so few open files is moved up first.
fn raise(levels: &mut [Level], child: &[u8], raised: &mut u64) -> rustix::io::Result<()> {
    let [(top, names, _), .., (deep, ..)] = levels else { return Err(Errno::MFILE) };
    loop {
        *raised += 1;
        let name = format!("deep-{raised}").into_bytes();
        match renameat_with(&*deep, child, &*top, &*name, RenameFlags::NOREPLACE) {
            Ok(()) => {
                names.push_back(name.into());
                return Ok(());
            }
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Far from the usual 1,024 open files of a process.
const OPEN_LEVELS: usize = 64;

type Level = (OwnedFd, std::collections::VecDeque<Box<[u8]>>, Box<[u8]>);

fn open_level(parent: BorrowedFd, name: &[u8], buffer: &mut Vec<u8>) -> rustix::io::Result<Level> {
    let fd = open_beneath(parent, name, OFlags::RDONLY | OFlags::DIRECTORY, ResolveFlags::empty())?;
    let names = list(&fd, buffer, false)?;
    Ok((fd, names, name.into()))
}
