use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::sync::watch;

use super::answer::Failed;
use crate::model::ErrorKind;

/// Doubled with each try; tests do not wait.
const FIRST_WAIT: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 200 });
const TRIES: usize = 5;

/// How long a server is waited for: a few seconds in all, for what lasts longer is for the operator to know of. Once it
/// was waited for in vain each call tries once, until one gets through: thousands are not waited for one by one.
#[derive(Clone, Default)]
pub(super) struct Patience {
    in_vain: Arc<AtomicBool>,
    waiting: Arc<Waiting>,
}

/// Calls that wait for the server, and what for.
#[derive(Default)]
struct Waiting {
    calls: AtomicUsize,
    told: watch::Sender<Option<String>>,
}

/// One call's wait; ends with it, also where nobody waits for the call any more.
struct Wait<'w>(&'w Waiting);

impl<'w> Wait<'w> {
    fn begin(waiting: &'w Waiting) -> Self {
        waiting.calls.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if self.0.calls.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.told.send_replace(None);
        }
    }
}

impl Patience {
    /// Tries again what `may_be_tried` again, after what the server asks for or a while that grows.
    pub async fn ending<T, A: Future<Output = Result<T, Failed>>>(
        &self,
        attempt: impl FnMut() -> A,
        may_be_tried: fn(&Failed) -> bool,
    ) -> Result<T, Failed> {
        let tries = if self.in_vain.load(Ordering::Relaxed) { 0 } else { TRIES };
        let waits = ExponentialBuilder::default()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(Duration::from_secs(5))
            .with_max_times(tries)
            .with_jitter();
        let retried = attempt.retry(waits).when(may_be_tried);
        let mut wait = None;
        let tell = |failed: &Failed, pause: Duration| {
            wait.get_or_insert_with(|| Wait::begin(&self.waiting));
            self.waiting.told.send_replace(Some(failed.plea(pause)));
            tell(failed, pause);
        };
        retried.adjust(|failed: &Failed, planned| failed.wait(planned)).notify(tell).await
    }

    /// What is waited for now, in words; nothing while every call gets through.
    pub fn told(&self) -> watch::Receiver<Option<String>> {
        self.waiting.told.subscribe()
    }

    /// Of a call after its last try.
    pub fn learn<T>(&self, ended: &Result<T, Failed>) {
        let away = |failed: &Failed| failed.kind() == ErrorKind::Unreachable;
        match ended {
            Err(failed) if away(failed) => self.in_vain.store(true, Ordering::Relaxed),
            Err(failed) if failed.kind() == ErrorKind::TimedOut => {}
            _ => self.in_vain.store(false, Ordering::Relaxed),
        }
    }
}

/// An operator who wonders why nothing happens finds the reason in the log.
fn tell(failed: &Failed, wait: Duration) {
    tracing::warn!(target: "keycloak", "{}; tried again in {} ms", failed.words(), wait.as_millis());
}
