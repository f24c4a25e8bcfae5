use std::cell::RefCell;
use std::io::Read;
use std::os::fd::BorrowedFd;

use rustix::fs::ftruncate;
use rustix::io::{Errno, pwrite};

use crate::model::Digest;

/// Runs of zeros this long, at multiples of it, become holes.
const HOLE: usize = 16 * 1024;
const BUFFER: usize = 256 * 1024;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Which side of a copy failed.
#[derive(Debug)]
pub enum CopyError {
    Read(std::io::Error),
    Write(Errno),
    /// More bytes came than were awaited.
    TooLong,
}

/// Copies all of `reader` into an empty file, leaving holes for long runs of zeros; answers size and blake3.
/// Stops when more than `at_most` bytes come.
pub fn copy_content(reader: &mut dyn Read, to: BorrowedFd, at_most: u64) -> Result<(u64, Digest), CopyError> {
    let mut buffer = SHARED.with_borrow_mut(std::mem::take);
    buffer.resize(BUFFER, 0);
    let copied = copy_through(&mut buffer, reader, to, at_most);
    SHARED.with_borrow_mut(|shared| *shared = buffer);
    copied
}

fn copy_through(
    buffer: &mut [u8],
    reader: &mut dyn Read,
    to: BorrowedFd,
    at_most: u64,
) -> Result<(u64, Digest), CopyError> {
    let mut hasher = blake3::Hasher::new();
    let mut at = 0u64;
    let mut written_to = 0u64;
    loop {
        let filled = fill(reader, buffer).map_err(CopyError::Read)?;
        let Some(bytes) = buffer.get(..filled).filter(|bytes| !bytes.is_empty()) else { break };
        if at + bytes.len() as u64 > at_most {
            return Err(CopyError::TooLong);
        }
        hasher.update(bytes);
        let mut run_at = 0;
        let mut blocks = bytes.chunks(HOLE).peekable();
        let mut position = 0;
        while let Some(block) = blocks.next() {
            let is_hole = block.len() == HOLE && is_zero(block);
            if is_hole {
                write_run(to, bytes.get(run_at..position).unwrap_or_default(), at + run_at as u64)?;
                run_at = position + block.len();
            } else if blocks.peek().is_none() {
                write_run(to, bytes.get(run_at..).unwrap_or_default(), at + run_at as u64)?;
                written_to = at + bytes.len() as u64;
            }
            position += block.len();
        }
        at += bytes.len() as u64;
        if filled < buffer.len() {
            break;
        }
    }
    if written_to < at {
        ftruncate(to, at).map_err(CopyError::Write)?;
    }
    Ok((at, Digest::from_bytes(*hasher.finalize().as_bytes())))
}

fn is_zero(block: &[u8]) -> bool {
    block.first() == Some(&0) && block.last() == Some(&0) && block.iter().all(|byte| *byte == 0)
}

/// Reads until the buffer is full or the content ends.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count.min(rest.len()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn write_run(to: BorrowedFd, mut bytes: &[u8], mut at: u64) -> Result<(), CopyError> {
    while !bytes.is_empty() {
        match pwrite(to, bytes, at) {
            Ok(0) => return Err(CopyError::Write(Errno::IO)),
            Ok(count) => {
                bytes = bytes.get(count..).unwrap_or_default();
                at += count as u64;
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(CopyError::Write(errno)),
        }
    }
    Ok(())
}
