use std::path::PathBuf;

use crate::model::Secret;
use crate::stores::OwnersBy;

/// How a restic repository is reached and which of its snapshots is meant.
#[derive(Clone, Debug)]
pub struct Config {
    /// As restic writes it: a local path, `rest:http://host:8000/name`, `s3:https://host/bucket/prefix`.
    /// The region of S3 comes from `AWS_REGION` or `AWS_DEFAULT_REGION`.
    pub repository: String,
    pub password: Secret,
    /// For S3; `None` takes `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`,
    /// or what the AWS configuration files say.
    pub keys: Option<S3Keys>,
    pub snapshot: SnapshotChoice,
    pub owners: OwnersBy,
    /// Where copies of index and snapshot files are kept between runs; `None`: nowhere.
    pub cache: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct S3Keys {
    pub id: String,
    pub secret: Secret,
}

/// Which snapshot: every part that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotChoice {
    /// An id or its beginning, or `latest`; `None` is `latest`.
    pub id: Option<String>,
    pub host: Option<String>,
    /// One of the paths that the snapshot was made of.
    pub path: Option<String>,
    pub tag: Option<String>,
    /// Not younger than this.
    pub before: Option<jiff::Timestamp>,
}

impl SnapshotChoice {
    pub(super) fn wants_latest(&self) -> bool {
        self.id.as_deref().is_none_or(|id| id == "latest")
    }

    /// Whether a snapshot of which nothing but its id is known could be the one.
    pub(super) fn may_mean(&self, snapshot: &str) -> bool {
        self.wants_latest() || self.id.as_deref().is_some_and(|id| snapshot.starts_with(&id.to_ascii_lowercase()))
    }
}
