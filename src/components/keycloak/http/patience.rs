use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

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
        retried.adjust(|failed: &Failed, planned| failed.wait(planned)).notify(tell).await
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
