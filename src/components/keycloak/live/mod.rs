//! The live realm: read in bulk where many are asked for, one by one where few are.

mod kept;
mod memberships;
mod one_user;
mod probe;
mod reader;
mod realm_view;
mod roster;
mod user;
mod users;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{RwLock, Semaphore};

use crate::model::{Error, ErrorKind, Result, Schema, TreePath, visible};

use super::config::Config;
use super::http::Http;
use super::schema::schema;
use super::write::IMPORTS;
use kept::{Fresh, Kept};
use memberships::Memberships;
pub(super) use one_user::Details;
pub(super) use realm_view::RealmView;
use roster::Roster;

/// A bulk read serves a planning pass: so long, or several times as long as it took. What is written is read anew
/// just before, and a read of few is always of now.
const FRESH_FOR: Duration = Duration::from_secs(10);
const FRESH_PER_COST: u32 = 4;
/// Who was made here so lately is read back, and not planned anew.
const JUST: Duration = Duration::from_secs(60);
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
    /// Shared by writes, and had alone by who reads everybody: lists move while they are written, and what is read
    /// after several writes proves them all.
    pub writing: RwLock<()>,
    /// Had by who changes the people that a client's policies name: each policy's list is written whole.
    pub policies: tokio::sync::Mutex<()>,
    realm: Kept<RealmView>,
    roster: Kept<Roster>,
    memberships: Kept<Memberships>,
    /// The same of people who were made here, read on from where the last reading ended.
    newcomers: Kept<Memberships>,
    /// When each resource was last written here: a view begun earlier says nothing of it.
    written: std::sync::Mutex<Written>,
}

#[derive(Default)]
struct Written {
    realm: Option<Instant>,
    users: HashMap<TreePath, UserWritten>,
    /// When anybody was written who was there before.
    others: Option<Instant>,
    /// When the realm was read last for a write of users.
    looked: Option<Instant>,
    /// When many users were asked for last, and how many in one go, one batch after the other.
    asked: Option<(Instant, u64)>,
}

struct UserWritten {
    at: Instant,
    /// There was no such user before.
    is_made: bool,
}

impl Live {
    fn new(http: Http) -> Self {
        Self {
            http,
            imports: Semaphore::new(IMPORTS),
            writing: RwLock::default(),
            policies: tokio::sync::Mutex::default(),
            realm: Kept::default(),
            roster: Kept::default(),
            memberships: Kept::default(),
            newcomers: Kept::default(),
            written: std::sync::Mutex::default(),
        }
    }

    /// To be called when a write of the realm's own parts has ended, whatever became of it.
    pub fn note_realm_written(&self) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).realm = Some(Instant::now());
    }

    /// To be called when a write of users has ended, whatever became of it, with who was not there before.
    pub fn note_users_written<'k>(&self, users: impl IntoIterator<Item = (&'k TreePath, bool)>) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let at = Instant::now();
        for (key, is_made) in users {
            written.users.insert(key.clone(), UserWritten { at, is_made });
            if !is_made {
                written.others = Some(at);
            }
        }
    }

    /// When anything was written here but a new user.
    fn last_change(&self) -> Option<Instant> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.realm.max(written.others)
    }

    fn were_just_made(&self, keys: &[&TreePath]) -> bool {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |one: &UserWritten| one.is_made && one.at.elapsed() <= JUST;
        keys.iter().all(|key| written.users.get(*key).is_some_and(is_new))
    }

    fn realm_written(&self) -> Option<Instant> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).realm
    }

    fn users_written<'k>(&self, keys: impl IntoIterator<Item = &'k TreePath>) -> Option<Instant> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        keys.into_iter().filter_map(|key| Some(written.users.get(key)?.at)).max()
    }

    /// The realm as it is now.
    pub async fn realm_now(&self) -> Result<Arc<RealmView>> {
        self.realm_since(Some(Instant::now()), Duration::ZERO).await
    }

    /// A realm that is not there has nobody who could be asked for.
    pub async fn is_there(&self) -> Result<()> {
        let realm = self.realm_for_names().await?;
        let config = &self.http.config;
        match &realm.realm {
            Some(_) => Ok(()),
            None => Err(Error::new(
                ErrorKind::NotFound,
                format!("look who is in the realm {}", visible(&config.realm)),
                format!("there is no such realm at {}", visible(&config.url)),
            )
            .next("check the realm's name and the server's address, in the runbook or its inputs")),
        }
    }

    /// For a large write of users: several in a row look once, since each would read the whole realm.
    pub async fn realm_for_users(&self) -> Result<Arc<RealmView>> {
        let now = Instant::now();
        let looked = {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            let looked = written.looked.filter(|at| now - *at <= NAMES_FRESH_FOR).unwrap_or(now);
            written.looked = Some(looked);
            looked
        };
        self.realm_since(self.realm_written().max(Some(looked)), NAMES_FRESH_FOR).await
    }

    /// The realm as far as names go.
    pub async fn realm_for_names(&self) -> Result<Arc<RealmView>> {
        self.realm_since(self.realm_written(), NAMES_FRESH_FOR).await
    }

    /// For a planning pass: nothing of ours was written since it was read.
    pub async fn realm_for_plan(&self) -> Result<Arc<RealmView>> {
        self.realm_since(self.realm_written(), FRESH_FOR).await
    }

    async fn realm_since(&self, since: Option<Instant>, within: Duration) -> Result<Arc<RealmView>> {
        self.realm.get_or(Fresh { since, within, per_cost: 1 }, RealmView::take(&self.http)).await
    }

    async fn roster(&self, realm: &RealmView, fresh: Fresh) -> Result<Arc<Roster>> {
        self.everybody(&self.roster, fresh, Roster::take(&self.http, realm)).await
    }

    async fn memberships(&self, realm: &RealmView, keys: &[&TreePath]) -> Result<Arc<Memberships>> {
        let fresh = self.fresh(keys.iter().copied());
        if !self.were_just_made(keys) {
            return self.everybody(&self.memberships, fresh, Memberships::take(&self.http, realm, None)).await;
        }
        let former = self.newcomers.last().await;
        let read = async {
            // Where somebody was changed or removed since, the places in its lists mean nothing.
            let changed = self.last_change();
            let former = former.filter(|(begun, _)| changed.is_none_or(|at| at < *begun));
            Memberships::take(&self.http, realm, former.as_ref().map(|(_, former)| &**former)).await
        };
        self.everybody(&self.newcomers, fresh, read).await
    }

    async fn everybody<T>(
        &self,
        kept: &Kept<T>,
        fresh: Fresh,
        read: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        if let Some(serves) = kept.get(fresh).await {
            return Ok(serves);
        }
        let _alone = self.writing.write().await;
        kept.get_or(fresh, read).await
    }

    /// With these users as they are since they were written here.
    fn fresh<'k>(&self, keys: impl IntoIterator<Item = &'k TreePath>) -> Fresh {
        let since = self.users_written(keys).max(self.realm_written());
        Fresh { since, within: FRESH_FOR, per_cost: FRESH_PER_COST }
    }

    fn fresh_of_all(&self) -> Fresh {
        let of_any = self.written.lock().unwrap_or_else(PoisonError::into_inner).users.values().map(|one| one.at).max();
        let fresh = self.fresh([]);
        Fresh { since: fresh.since.max(of_any), ..fresh }
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
