use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::model::Result;

/// What was read of one part of the realm last, for all who may use it.
pub(super) struct Kept<T>(Mutex<Option<Seen<T>>>);

struct Seen<T> {
    /// When its reading began: what was written before is in it.
    begun: Instant,
    cost: Duration,
    what: Arc<T>,
}

/// What a reading must be to serve: begun after this moment, and not older than so long and so many times its cost.
#[derive(Clone, Copy)]
pub(super) struct Fresh {
    pub since: Option<Instant>,
    pub within: Duration,
    pub per_cost: u32,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Seen<T> {
    fn serves(&self, fresh: Fresh, asked: Instant) -> bool {
        let is_young = self.begun >= asked || self.begun.elapsed() <= fresh.within + self.cost * fresh.per_cost;
        fresh.since.is_none_or(|since| self.begun >= since) && is_young
    }
}

impl<T> Kept<T> {
    /// Waits for a reading that is under way.
    pub async fn get(&self, fresh: Fresh) -> Option<Arc<T>> {
        let asked = Instant::now();
        let held = self.0.lock().await;
        held.as_ref().filter(|seen| seen.serves(fresh, asked)).map(|seen| Arc::clone(&seen.what))
    }

    /// The same, and reads where none serves: one at a time, since it may hold everybody.
    pub async fn get_or(&self, fresh: Fresh, read: impl Future<Output = Result<T>>) -> Result<Arc<T>> {
        let asked = Instant::now();
        let mut held = self.0.lock().await;
        if let Some(seen) = held.as_ref().filter(|seen| seen.serves(fresh, asked)) {
            return Ok(Arc::clone(&seen.what));
        }
        *held = None;
        let begun = Instant::now();
        let what = Arc::new(read.await?);
        *held = Some(Seen { begun, cost: begun.elapsed(), what: Arc::clone(&what) });
        Ok(what)
    }

    /// The last one, however old, and when it began.
    pub async fn last(&self) -> Option<(Instant, Arc<T>)> {
        self.0.lock().await.as_ref().map(|seen| (seen.begun, Arc::clone(&seen.what)))
    }
}
