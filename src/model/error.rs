use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it was; decides the exit code, the hint and whether a retry can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The thing asked for is not there.
    NotFound,
    /// Several things match and none was named; the message lists them.
    Ambiguous,
    /// What was given (runbook, archive, document, answer) is not well formed or over a bound.
    Invalid,
    /// The live state is no longer what the plan was computed from.
    Conflict,
    /// No right to do it, or a wrong password.
    Denied,
    /// A system does not take the login that it took before, or never did: nothing else will go there either, and
    /// trying on can lock the account.
    LoggedOut,
    /// The target is mounted or configured read-only.
    ReadOnly,
    /// No space, inodes or quota left.
    NoSpace,
    /// Stored bytes do not match their own checksums, or parts of them are missing.
    Corrupt,
    /// The other side cannot be reached or closed the connection.
    Unreachable,
    /// The other side asks to wait.
    Busy,
    /// A deadline passed.
    TimedOut,
    /// A check, probe or command did not hold; the target is as it says.
    NotMet,
    /// Refused by a rule of rekindle: hostile name, foreign target identity, someone else holds the run.
    Refused,
    /// A session of another run, or of another machine, writes to the target now: nothing else will be taken there.
    Held,
    /// This system or file system cannot do what is asked.
    Unsupported,
    /// Stopped on request.
    Cancelled,
    /// Any other I/O failure.
    Io,
    /// A bug of rekindle or of a library under it (a caught panic).
    Bug,
}

/// What is known of the effect of the write that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    NotApplied,
    Applied,
    Unknown,
}

/// What was tried, on what, why it failed, what to do next.
///
/// `Display` says the first three of this error alone; the cause is in `source()`
/// and is never repeated, see [`Error::chain`].
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    known: Known,
    doing: String,
    why: String,
    next: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Too many open files, of this process and of the whole system.
const EMFILE: i32 = rustix::io::Errno::MFILE.raw_os_error();
const ENFILE: i32 = rustix::io::Errno::NFILE.raw_os_error();

impl Error {
    /// `doing`: what was tried and on what, as in "read the snapshot of /srv/repo"; `why`: the reason.
    /// The effect is taken as *not applied* until [`Error::known`] says otherwise.
    pub fn new(kind: ErrorKind, doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            known: Known::NotApplied,
            doing: doing.into(),
            why: why.into(),
            next: None,
            source: None,
        }))
    }

    /// An I/O failure, its kind read from the operating system's error number. A reader that could only
    /// answer with an `io::Error` may have put an [`Error`] into it: that one's kind and hint are kept.
    pub fn io(doing: impl Into<String>, error: std::io::Error) -> Self {
        use std::io::ErrorKind as Os;
        if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            let mut made = Self::new(inner.kind(), doing, inner.to_string());
            made.0.next = inner.hint().map(str::to_owned);
            return made;
        }
        let kind = match error.kind() {
            Os::NotFound | Os::NotADirectory => ErrorKind::NotFound,
            Os::PermissionDenied => ErrorKind::Denied,
            Os::StorageFull | Os::QuotaExceeded | Os::FileTooLarge => ErrorKind::NoSpace,
            Os::ReadOnlyFilesystem => ErrorKind::ReadOnly,
            Os::TimedOut => ErrorKind::TimedOut,
            Os::ConnectionRefused
            | Os::ConnectionReset
            | Os::ConnectionAborted
            | Os::NotConnected
            | Os::HostUnreachable
            | Os::NetworkUnreachable
            | Os::BrokenPipe => ErrorKind::Unreachable,
            Os::InvalidData | Os::UnexpectedEof | Os::InvalidInput => ErrorKind::Invalid,
            Os::Unsupported => ErrorKind::Unsupported,
            _ => ErrorKind::Io,
        };
        let is_out_of_files = matches!(error.raw_os_error(), Some(EMFILE | ENFILE));
        let next = match kind {
            _ if is_out_of_files => {
                Some("raise the limit of open files (ulimit -n) or close other programs, then retry")
            }
            ErrorKind::NoSpace => Some("free space or inodes on that file system, then retry this task"),
            ErrorKind::ReadOnly => Some("mount it writable, then retry this task"),
            ErrorKind::Io => Some("check that disk and the system's log, then try again"),
            ErrorKind::Denied => Some("run as a user who may do this, or mend the permissions, then retry"),
            _ => None,
        };
        let mut made = Self::new(kind, doing, error.to_string());
        made.0.next = next.map(str::to_owned);
        made
    }

    #[must_use]
    pub fn known(mut self, known: Known) -> Self {
        self.0.known = known;
        self
    }

    /// What the operator can do next, as one imperative sentence without a full stop.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.0.next = Some(next.into());
        self
    }

    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// With more of why it failed.
    #[must_use]
    pub fn and_also(mut self, more: &str) -> Self {
        self.0.why = format!("{}; {more}", self.0.why);
        self
    }

    /// Of another kind: what one call's failure is to its caller.
    #[must_use]
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    pub fn effect(&self) -> Known {
        self.0.known
    }

    pub fn hint(&self) -> Option<&str> {
        self.0.next.as_deref()
    }

    /// This error and its causes on one line, joined by ": ".
    pub fn chain(&self) -> String {
        with_causes(self.to_string(), self)
    }

    /// Once more, for the next of those that it holds for; its causes are in its words.
    #[must_use]
    pub fn again(&self) -> Self {
        let why = with_causes(self.0.why.clone(), self);
        let mut made = Self::new(self.0.kind, self.0.doing.clone(), why).known(self.0.known);
        made.0.next.clone_from(&self.0.next);
        made
    }

    /// The form that events and reports hold.
    pub fn problem(&self) -> Problem {
        Problem { kind: self.0.kind, known: self.0.known, what: self.chain(), next: self.0.next.clone() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.0.doing, self.0.why)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{:?} {}", self.0.kind, self.0.known, self.chain())
    }
}

/// `said`, and behind it each cause of `error`, joined by ": ".
pub(crate) fn with_causes(mut said: String, error: &dyn StdError) -> String {
    let mut cause = error.source();
    while let Some(error) = cause {
        said.push_str(": ");
        said.push_str(&error.to_string());
        cause = error.source();
    }
    said
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// An [`Error`] as data: what the journal keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub kind: ErrorKind,
    pub known: Known,
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_names_each_cause_once() {
        let inner = Error::new(ErrorKind::Denied, "open /r/config", "permission denied");
        let outer = Error::new(ErrorKind::Unreachable, "open the repository", "its configuration cannot be read")
            .caused_by(inner);
        assert_eq!(
            outer.chain(),
            "cannot open the repository: its configuration cannot be read: cannot open /r/config: permission denied"
        );
    }

    #[test]
    fn an_error_told_again_says_the_same() {
        let inner = Error::new(ErrorKind::Denied, "open /r/config", "permission denied");
        let error = Error::new(ErrorKind::Refused, "write below /r", "it is held").caused_by(inner);
        let error = error.known(Known::Unknown).next("wait");
        assert_eq!(error.again().problem(), error.problem());
    }

    #[test]
    fn the_operating_systems_number_decides_the_kind() {
        let full = Error::io("write /home/ana/x", std::io::Error::from_raw_os_error(28));
        assert_eq!(full.kind(), ErrorKind::NoSpace);
        assert!(full.hint().is_some());
        for out_of_files in [EMFILE, ENFILE] {
            let error = Error::io("open /home/ana/x", std::io::Error::from_raw_os_error(out_of_files));
            assert!(error.hint().unwrap().contains("open files"), "{:?}", error.hint());
        }
    }

    #[test]
    fn an_error_that_travelled_through_a_reader_keeps_its_kind_and_hint() {
        let damaged = Error::new(ErrorKind::Corrupt, "read blob 1f", "its checksum differs").next("run `restic check`");
        let read = Error::io("read home/ana/x", std::io::Error::other(damaged));
        assert_eq!(read.kind(), ErrorKind::Corrupt);
        assert_eq!(read.hint(), Some("run `restic check`"));
    }
}
