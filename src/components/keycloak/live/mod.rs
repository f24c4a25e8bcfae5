//! The live realm: read in bulk where many are asked for, one by one where few are.

mod one_user;
mod probe;
mod reader;
mod realm_view;
mod users_view;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Semaphore};

use crate::model::{Result, Schema, TreePath};

use super::config::Config;
use super::http::Http;
use super::schema::schema;
use super::write::IMPORTS;
pub(super) use one_user::Details;
pub(super) use realm_view::RealmView;
pub(super) use users_view::UsersView;

/// A bulk read serves a planning pass: so long, or several times as long as it took. What is written is read anew
/// just before, and a read of few is always of now.
const FRESH_FOR: Duration = Duration::from_secs(10);
const FRESH_PER_COST: u32 = 4;
/// The names of groups and roles, for a read of one user.
const NAMES_FRESH_FOR: Duration = Duration::from_secs(5);

/// A realm of a Keycloak server.
pub struct Keycloak {
    pub(super) live: Live,
    pub(super) schema: Schema,
}

impl Keycloak {
    pub fn new(config: Config) -> Result<Self> {
        let schema = schema(config.ids, &config.leave);
        Ok(Self { live: Live::new(Http::new(config)?), schema })
    }

    /// Calls made so far.
    pub fn calls(&self) -> u64 {
        self.live.http.calls()
    }
}

/// What is known of the realm, and how old that may be.
pub(super) struct Live {
    pub http: Http,
    /// Turns to create users in bulk, however many writes are under way: more at once are slower.
    pub imports: Semaphore,
    realm: Mutex<Option<Arc<RealmView>>>,
    users: Mutex<Option<Arc<UsersView>>>,
    /// When each resource was last written here: a view begun earlier says nothing of it.
    written: std::sync::Mutex<Written>,
}

#[derive(Default)]
struct Written {
    realm: Option<Instant>,
    users: HashMap<TreePath, Instant>,
    /// When many users were asked for last, and how many in one go, one batch after the other.
    asked: Option<(Instant, u64)>,
}

impl Live {
    fn new(http: Http) -> Self {
        Self {
            http,
            imports: Semaphore::new(IMPORTS),
            realm: Mutex::default(),
            users: Mutex::default(),
            written: std::sync::Mutex::default(),
        }
    }

    /// To be called when a write has ended, whatever became of it.
    pub fn note_written<'k>(&self, keys: impl IntoIterator<Item = &'k TreePath>) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        for key in keys {
            if is_user(key) {
                written.users.insert(key.clone(), now);
            } else {
                written.realm = Some(now);
            }
        }
    }

    fn realm_written(&self) -> Option<Instant> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).realm
    }

    fn users_written<'k>(&self, keys: impl IntoIterator<Item = &'k TreePath>) -> Option<Instant> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        keys.into_iter().filter_map(|key| written.users.get(key).copied()).max()
    }

    /// The realm as it is now.
    pub async fn realm_now(&self) -> Result<Arc<RealmView>> {
        self.realm_since(Some(Instant::now()), Duration::ZERO).await
    }

    /// The realm as far as names go.
    pub async fn realm_for_names(&self) -> Result<Arc<RealmView>> {
        self.realm_since(self.realm_written(), NAMES_FRESH_FOR).await
    }

    /// For a planning pass: nothing of ours was written since it was read.
    pub async fn realm_for_plan(&self) -> Result<Arc<RealmView>> {
        self.realm_since(self.realm_written(), FRESH_FOR).await
    }

    /// Who asks while it is read waits for that reading, if it began late enough.
    async fn realm_since(&self, since: Option<Instant>, fresh_for: Duration) -> Result<Arc<RealmView>> {
        let asked = Instant::now();
        let mut held = self.realm.lock().await;
        if let Some(view) = held.as_ref()
            && since.is_none_or(|since| view.begun >= since)
            && (view.begun >= asked || view.begun.elapsed() <= fresh_for + view.cost)
        {
            return Ok(Arc::clone(view));
        }
        let view = Arc::new(RealmView::take(&self.http).await?);
        *held = Some(Arc::clone(&view));
        Ok(view)
    }

    pub(super) async fn users_for_plan(&self, keys: &[&TreePath]) -> Result<Arc<UsersView>> {
        let realm = self.realm_for_names().await?;
        let mut held = self.users.lock().await;
        if let Some(view) = held.as_ref().filter(|view| self.is_fresh(view, keys)) {
            return Ok(Arc::clone(view));
        }
        // Not two at once: it holds everybody.
        *held = None;
        let view = Arc::new(UsersView::take(&self.http, &realm).await?);
        *held = Some(Arc::clone(&view));
        Ok(view)
    }

    /// Waits for a reading that is under way.
    pub(super) async fn has_fresh_users(&self, keys: &[&TreePath]) -> bool {
        self.users.lock().await.as_ref().is_some_and(|view| self.is_fresh(view, keys))
    }

    fn is_fresh(&self, view: &UsersView, keys: &[&TreePath]) -> bool {
        let since = self.users_written(keys.iter().copied()).max(self.realm_written());
        since.is_none_or(|since| view.begun >= since) && view.begun.elapsed() <= FRESH_FOR + view.cost * FRESH_PER_COST
    }

    /// How many users were asked for in the last moments, these included.
    pub(super) fn asked_lately(&self, more: u64) -> u64 {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let before = written.asked.filter(|(at, _)| now - *at <= FRESH_FOR).map_or(0, |(_, before)| before);
        written.asked = Some((now, before + more));
        before + more
    }
}

pub(super) fn is_user(key: &TreePath) -> bool {
    key.parts().next() == Some(b"users")
}
