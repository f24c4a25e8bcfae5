//! Opens files that a runbook or an operator names, without waiting: a pipe that nothing is written to would hold the
//! program for ever, and a device is no file to read.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// A regular file that a runbook names.
pub(crate) fn open(path: &Path) -> Result<File> {
    // Looked at before it is opened: opening some devices does something.
    is_regular(&std::fs::metadata(path)?)?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = File::options().read(true).custom_flags(i32::try_from(flags).unwrap_or_default()).open(path)?;
    is_regular(&file.metadata()?)?;
    Ok(file)
}

/// What an operator names on the command line: a regular file, or a pipe that this process was started with, as in
/// `--inputs <(pass show inputs)`.
pub(crate) fn open_given(path: &Path) -> Result<File> {
    let is_own = path == Path::new("/dev/stdin") || path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    if is_own && std::fs::metadata(path)?.file_type().is_fifo() { File::open(path) } else { open(path) }
}

/// All of a file that a runbook names. One that is longer than `most` bytes comes back one byte longer than that.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_regular(found: &Metadata) -> Result<()> {
    let kind = found.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(Error::new(ErrorKind::InvalidInput, format!("it is {what}, not a regular file")))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for (path, what) in [
            (&*pipe, "a pipe"),
            (&*link, "a pipe"),
            (folder.path(), "a directory"),
            (Path::new("/dev/zero"), "a device"),
        ] {
            for opened in [open(path), open_given(path)] {
                let error = opened.unwrap_err();
                assert!(error.to_string().contains(what), "{}: {error}", path.display());
            }
        }
        assert_eq!(open(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_regular_file_is_read_as_far_as_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read(&path, 10).unwrap(), b"0123456789");
        assert_eq!(read(&path, 4).unwrap(), b"01234");
    }

    #[test]
    fn an_operator_may_hand_over_a_pipe_and_a_runbook_may_not() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"name: value").unwrap();
        drop(writer);
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        assert!(open(Path::new(&path)).is_err());
        let mut text = String::new();
        open_given(Path::new(&path)).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "name: value");
    }
}
