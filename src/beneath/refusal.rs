use rustix::io::Errno;

use crate::model::{Error, ErrorKind};

/// A failed system call beneath a handle as an error: what `openat2` refused is told apart from what failed.
pub fn refusal(doing: impl Into<String>, errno: Errno) -> Error {
    match errno {
        Errno::LOOP => Error::new(ErrorKind::Refused, doing, "a symbolic link stands where a directory is expected")
            .next("find out who put it there, remove it, then retry this task"),
        Errno::XDEV => Error::new(ErrorKind::Refused, doing, "another file system is mounted there, or a subvolume begins")
            .next("give that directory a component of its own"),
        Errno::NOTDIR => Error::io(doing, errno.into())
            .next("a file stands where a directory is expected: move it away or remove it, then retry this task"),
        Errno::NAMETOOLONG => Error::io(doing, errno.into()).next("give it a shorter name, or leave it out"),
        Errno::AGAIN => Error::new(ErrorKind::Busy, doing, "another program holds it by a lease, and does not let go")
            .next("file servers do that for their clients: wait until it is closed there, then retry this task"),
        Errno::NOSYS => {
            Error::new(ErrorKind::Unsupported, doing, "this kernel has no openat2; Linux 5.6 and later have it")
        }
        Errno::PERM if rustix::process::geteuid().is_root() => Error::io(doing, errno.into()).next(
            "look with `lsattr` whether it or its directory is immutable or append-only, and end that with `chattr -i -a`",
        ),
        _ => Error::io(doing, errno.into()),
    }
}
