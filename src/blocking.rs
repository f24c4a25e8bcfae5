use crate::model::{Error, ErrorKind, Result};

/// Gives `work` a thread of its own. Errors: those of `work`, and [`ErrorKind::Bug`] where it panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    doing: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| Error::new(ErrorKind::Bug, doing, format!("the thread that did it stopped: {error}")))?
}
