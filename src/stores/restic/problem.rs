use std::error::Error as StdError;

use rustic_core::RusticError;

use super::address::{Address, without_credentials};
use crate::model::{Error, ErrorKind, visible};

/// What was being done when rustic failed; decides what a missing file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum During {
    Opening,
    Snapshots,
    Index,
    Blob,
}

/// rustic's error as one of ours: what it says is many lines long, is made for its own command line
/// and may hold the URL with its password.
pub(super) fn explained(during: During, doing: String, address: &Address, error: Box<RusticError>) -> Error {
    let said = without_credentials(&one_line(&said(&error)));
    let (kind, why, next) = if error.is_incorrect_password() {
        (
            ErrorKind::Denied,
            "the password opens none of its keys".to_owned(),
            "check where the runbook takes the password from, then retry".to_owned(),
        )
    } else if said.contains("No repository config file found") {
        (
            ErrorKind::NotFound,
            "there is no restic repository".to_owned(),
            format!("check the address and its credentials: `restic -r {address} cat config` must answer"),
        )
    } else {
        match cause(&error, &said) {
            Cause::Missing if during == During::Opening => {
                (ErrorKind::NotFound, "a file of it is missing".to_owned(), check(during))
            }
            Cause::Missing => (ErrorKind::Corrupt, "a file of the repository is missing".to_owned(), check(during)),
            Cause::Short => {
                (ErrorKind::Corrupt, "a file of the repository is shorter than it was".to_owned(), check(during))
            }
            Cause::Damaged => (
                ErrorKind::Corrupt,
                "bytes of the repository do not match their own checksum".to_owned(),
                check(during),
            ),
            Cause::Other(kind, why, next) => (kind, why, next.to_owned()),
        }
    };
    Error::new(kind, doing, why).next(next).caused_by(Said(said))
}

/// opendal adds every header of the answer to what it says.
fn said(error: &RusticError) -> String {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(s3) = cause.downcast_ref::<opendal::Error>() {
            return format!("{}: {}", s3.kind(), s3.message());
        }
        source = cause.source();
    }
    error.display_log()
}

pub(super) fn check(during: During) -> String {
    match during {
        During::Opening => "run `restic check`; a copy of the repository may still have the file",
        During::Snapshots => "run `restic check`, then choose a snapshot by its id or restore from a copy",
        During::Index => "run `restic repair index` (`restic rebuild-index` before 0.15), then retry",
        During::Blob => {
            "run `restic check --read-data` to see what else is damaged; choose another snapshot, or put the file \
             back from a copy of the repository, then retry"
        }
    }
    .to_owned()
}

enum Cause {
    Missing,
    Short,
    Damaged,
    Other(ErrorKind, String, &'static str),
}

const REACH: &str = "check that the server runs and can be reached from here, then retry";
const RIGHTS: &str = "check the credentials and who may read the repository, then retry";

fn cause(error: &RusticError, said: &str) -> Cause {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && let Some(cause) = io_cause(io)
        {
            return cause;
        }
        if let Some(s3) = cause.downcast_ref::<opendal::Error>() {
            return s3_cause(s3);
        }
        if let Some(own) = cause.downcast_ref::<Error>() {
            return Cause::Other(own.kind(), own.to_string(), REACH);
        }
        source = cause.source();
    }
    // reqwest's errors come as texts: rustic_backend does not name the version that it uses.
    let has = |text: &str| said.contains(text);
    if has("404 Not Found") {
        Cause::Missing
    } else if has("416 Range") {
        Cause::Short
    } else if has("401 Unauthorized") || has("403 Forbidden") {
        Cause::Other(ErrorKind::Denied, "the server refuses these credentials".into(), RIGHTS)
    } else if has("429 Too Many") || has("503 Service") {
        Cause::Other(ErrorKind::Busy, "the server asks to wait".into(), REACH)
    } else if has("timed out") {
        Cause::Other(ErrorKind::TimedOut, "the server did not answer in time".into(), REACH)
    } else if has("error sending request") || has("error decoding response body") || has("Server Error") {
        Cause::Other(ErrorKind::Unreachable, "the server cannot be reached or hung up".into(), REACH)
    } else {
        Cause::Damaged
    }
}

fn io_cause(error: &std::io::Error) -> Option<Cause> {
    use std::io::ErrorKind as Os;
    Some(match error.kind() {
        Os::NotFound => Cause::Missing,
        Os::UnexpectedEof => Cause::Short,
        // What zstd says of bytes that are not its own.
        Os::Other | Os::InvalidData => return None,
        _ => {
            let kind = Error::io("", std::io::Error::from(error.kind())).kind();
            let next = if kind == ErrorKind::Denied { RIGHTS } else { REACH };
            Cause::Other(kind, visible(&error.to_string()).into_owned(), next)
        }
    })
}

fn s3_cause(error: &opendal::Error) -> Cause {
    use opendal::ErrorKind as S3;
    match error.kind() {
        S3::NotFound => Cause::Missing,
        S3::RangeNotSatisfied => Cause::Short,
        S3::PermissionDenied => {
            Cause::Other(ErrorKind::Denied, "the S3 server refuses these credentials".into(), RIGHTS)
        }
        S3::RateLimited => Cause::Other(ErrorKind::Busy, "the S3 server asks to wait".into(), REACH),
        S3::ConfigInvalid => Cause::Other(
            ErrorKind::Denied,
            "no usable S3 credentials were found".into(),
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then retry",
        ),
        _ => Cause::Other(ErrorKind::Unreachable, "the S3 server cannot be reached or hung up".into(), REACH),
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = visible(&words.join(" ")).into_owned();
    if line.len() > 600 {
        let cut = (0..=600).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
        line.truncate(cut);
        line.push('…');
    }
    line
}

/// rustic's own words, as a cause.
#[derive(Debug)]
struct Said(String);

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.strip_prefix("Error: ").unwrap_or(&self.0))
    }
}

impl StdError for Said {}
