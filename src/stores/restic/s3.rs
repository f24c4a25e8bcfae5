use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use bytes::Bytes;
use opendal::Operator;
use opendal::services::S3;
use rustic_core::{BytesList, ErrorKind as Rustic, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend};

use super::S3Keys;
use super::address::Bucket;
use crate::model::{Error, ErrorKind, Result};

/// One request may take this long; a run of a pack is at most 16 MiB.
const DEADLINE: Duration = Duration::from_secs(120);

/// Reads a repository out of an S3 bucket: path-style addresses, so that self-hosted servers work.
///
/// rustic's own backend over opendal is not used: it pulls in 26 storage services.
pub(super) struct S3Backend {
    operator: Operator,
    runtime: Option<tokio::runtime::Runtime>,
    location: String,
}

impl S3Backend {
    pub(super) fn new(bucket: &Bucket, keys: Option<&S3Keys>) -> Result<Self> {
        let location = super::address::Address::S3(bucket.clone()).to_string();
        let doing = || format!("reach {location}");
        opendal::install_default();
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let mut builder = S3::default()
            .bucket(&bucket.name)
            .endpoint(&bucket.endpoint)
            .root(&format!("/{}", bucket.prefix))
            .region(region.as_deref().unwrap_or("us-east-1"))
            .disable_ec2_metadata();
        if let Some(keys) = keys {
            builder = builder.access_key_id(&keys.id).secret_access_key(keys.secret.expose());
        } else if let (Some(id), Some(key)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            builder = builder.access_key_id(&id).secret_access_key(&key);
            if let Some(token) = variable("AWS_SESSION_TOKEN") {
                builder = builder.session_token(&token);
            }
        }
        let operator = Operator::new(builder)
            .map_err(|error| Error::new(ErrorKind::Invalid, doing(), "the S3 settings do not fit").caused_by(error))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("restic-s3")
            .enable_all()
            .build()
            .map_err(|error| Error::io(doing(), error))?;
        Ok(Self { operator, runtime: Some(runtime), location })
    }

    /// Runs one request on our own runtime and waits for it, from whatever thread; tries again what may pass.
    fn ask<T, F, R>(&self, request: R) -> RusticResult<T>
    where
        T: Send + 'static,
        F: Future<Output = opendal::Result<T>> + Send + 'static,
        R: Fn(Operator) -> F,
    {
        let once = || -> Result<T, opendal::Error> {
            let (sender, receiver) = std::sync::mpsc::sync_channel(1);
            let future = request(self.operator.clone());
            if let Some(runtime) = &self.runtime {
                runtime.spawn(async move {
                    let late = || opendal::Error::new(opendal::ErrorKind::Unexpected, "the request timed out");
                    let answer = tokio::time::timeout(DEADLINE, future).await;
                    let _ = sender.send(answer.unwrap_or_else(|_| Err(late().set_temporary())));
                });
            }
            receiver.recv().unwrap_or_else(|_| {
                Err(opendal::Error::new(opendal::ErrorKind::Unexpected, "the request ended without an answer"))
            })
        };
        once.retry(
            ExponentialBuilder::default().with_min_delay(Duration::from_millis(200)).with_max_times(4).with_jitter(),
        )
        .when(opendal::Error::is_temporary)
        .call()
        .map_err(|error| {
            RusticError::with_source(Rustic::Backend, "The S3 server did not give what was asked for.", error)
        })
    }
}

fn path(kind: FileType, id: &Id) -> String {
    let hex = id.to_hex();
    let name = hex.as_str();
    match kind {
        FileType::Config => "config".to_owned(),
        FileType::Pack => format!("data/{}/{name}", name.get(..2).unwrap_or_default()),
        _ => format!("{}/{name}", kind.dirname()),
    }
}

impl ReadBackend for S3Backend {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        let size = |length: u64| u32::try_from(length).unwrap_or(u32::MAX);
        if kind == FileType::Config {
            let found = self.ask(|operator| async move {
                match operator.stat("config").await {
                    Ok(found) => Ok(Some(found.content_length())),
                    Err(error) if error.kind() == opendal::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                }
            })?;
            return Ok(found.map(|length| (Id::default(), size(length))).into_iter().collect());
        }
        let folder = format!("{}/", kind.dirname());
        let entries = self.ask(move |operator| {
            let folder = folder.clone();
            async move { operator.list_with(&folder).recursive(true).await }
        })?;
        Ok(entries
            .iter()
            .filter_map(|entry| {
                let id = Id::parse_some(entry.name(), kind)?;
                Some((id, size(entry.metadata().content_length())))
            })
            .collect())
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        let path = path(kind, id);
        let buffer = self.ask(move |operator| {
            let path = path.clone();
            async move { operator.read(&path).await }
        })?;
        Ok(buffer.to_bytes())
    }

    fn read_partial(&self, kind: FileType, id: &Id, _: bool, offset: u32, length: u32) -> RusticResult<Bytes> {
        let path = path(kind, id);
        let range = u64::from(offset)..u64::from(offset) + u64::from(length);
        let buffer = self.ask(move |operator| {
            let (path, range) = (path.clone(), range.clone());
            async move { operator.read_with(&path).range(range).await }
        })?;
        Ok(buffer.to_bytes())
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        path(kind, id)
    }
}

fn read_only() -> Box<RusticError> {
    RusticError::new(Rustic::AppendOnly, "A backup is only read.")
}

impl WriteBackend for S3Backend {
    fn write_bytes(&self, _: FileType, _: &Id, _: bool, _: BytesList) -> RusticResult<()> {
        Err(read_only())
    }

    fn remove(&self, _: FileType, _: &Id, _: bool) -> RusticResult<()> {
        Err(read_only())
    }
}

impl Drop for S3Backend {
    /// A runtime may not wait for its threads inside another one.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for S3Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.location)
    }
}
