//! The writing side of a live realm. A tour:
//!
//! - Pure: from what is there and what is wanted to the ordered [`call::Call`]s, one file for each kind or family:
//!   [`user`] and [`credential`] for people who are there, [`new_user`] for those who are not, [`realm`], [`role`],
//!   [`client`], [`provider`], [`flow`] for all else, and [`new_realm`] for a realm that is not there. What they refer
//!   to is looked up in a [`standing::Standing`], and refused by name if it is missing.
//! - Effects: [`users`] and [`resources`] read just before they write, and [`execute`] makes the calls.

mod attribute_order;
mod authorization;
mod call;
mod check;
mod claims;
mod client;
mod creation;
mod credential;
mod directory;
mod execute;
mod flow;
mod flow_providers;
mod give_back;
mod nesting;
mod new_realm;
mod new_user;
mod opening;
mod overlay;
mod permission;
mod pieces;
mod planned;
mod policies;
mod profile;
mod provider;
mod realm;
mod removal;
mod renamed;
mod resource;
mod resources;
mod role;
mod self_contained;
mod standing;
mod target;
#[cfg(test)]
mod tests;
mod user;
mod users;

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::watch;

use self::execute::{conflict, for_each};
use self::standing::Standing;
use self::target::text;
pub(super) use self::users::IMPORTS;
use super::config::Ids;
use super::fit::FittedSource;
use super::kinds::Kind;
use super::live::{Keycloak, is_user};
use crate::component::{Approved, Checked, Component, Effect, Found, Ledger, Limits, Maker, Unit};
use crate::model::{Document, Error, ErrorKind, Resource, ResourceId, Result, TargetHolder, TreePath, visible};
use crate::reader::Reader;

/// So many users in one write are a part of a long restore, whose batches look at the realm together.
const MANY: usize = 100;

#[async_trait]
impl Component for Keycloak {
    /// What was written side by side is read back from the same lists: of 10,000 people. More of them would hold more
    /// bodies, and fewer read the lists more often: all members of each group, of 20,000 people twice and not seven times.
    fn limits(&self) -> Limits {
        Limits { batch: 1000, parallel: 10, unit: Unit::Task, reads_beside: true }
    }

    fn back_off(&self) -> Option<watch::Receiver<Option<String>>> {
        Some(self.live.http.back_off())
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        self.checked(changes).await
    }

    async fn write(&self, changes: &[Approved], _ledger: &dyn Ledger) -> Vec<Result<Effect>> {
        let mut answers: Vec<Result<Effect>> = changes
            .iter()
            .map(|one| Err(Error::new(ErrorKind::Bug, format!("write {}", one.change.id), "it was passed over")))
            .collect();
        let _shared = self.live.writing.read().await;
        let is_of_many = changes.len() > MANY && changes.iter().all(|one| is_user(&one.change.id.key));
        let view = match self.live.http.still_held().await {
            Ok(()) if is_of_many => self.live.realm_for_users().await,
            Ok(()) => self.live.realm_now().await,
            Err(error) => Err(error),
        };
        let view = match view {
            Ok(view) => view,
            Err(error) => return changes.iter().map(|one| Err(for_each(&one.change.id, &error))).collect(),
        };
        let numbered: Vec<(usize, &Approved)> = changes.iter().enumerate().collect();
        let (users, resources): (Vec<_>, Vec<_>) =
            numbered.into_iter().partition(|(_, one)| is_user(&one.change.id.key));
        let mut standing = Standing::new(view);
        let mut written = Vec::new();
        if !resources.is_empty() {
            let (now, of_resources) = self.write_resources(standing, &resources).await;
            self.live.note_realm_written();
            (standing, written) = (now, of_resources);
        }
        if !users.is_empty() {
            match standing.is_there() {
                true => written.extend(self.write_users(&standing, &users).await),
                false => written.extend(users.iter().map(|(at, one)| (*at, Err(no_realm(one))))),
            }
            let made = |one: &Approved| one.live.is_none() && one.expected.is_some();
            self.live.note_users_written(users.iter().map(|(_, one)| (&one.change.id.key, made(one))));
        }
        for (at, answer) in written {
            if let Some(slot) = answers.get_mut(at) {
                *slot = answer;
            }
        }
        answers
    }

    async fn maker(&self, run: &str, made: &[&Resource]) -> Result<Maker> {
        let settings = made.iter().find(|one| one.id == Kind::RealmSettings.id::<&str>(&[]));
        let Some(settings) = settings.and_then(|one| one.document()) else { return Ok(Maker::Unsaid) };
        let keeps_ids = self.live.http.config.ids != Ids::New;
        let maker = self.live.http.maker(run, text(&settings.value, "id").filter(|_| keeps_ids)).await?;
        // What was read before it was there says nothing of it.
        if maker == Maker::ThisRun {
            self.live.note_realm_written();
        }
        Ok(maker)
    }

    async fn is_free(&self, holder: &TargetHolder) -> Result<()> {
        self.live.http.is_free(holder).await
    }

    async fn hold(&self, holder: &TargetHolder, takes_over: bool) -> Result<Option<String>> {
        self.live.http.hold(holder, takes_over).await
    }

    async fn let_go(&self) -> Result<()> {
        self.live.http.let_go().await
    }

    async fn release(&self, run: &str) -> Result<()> {
        self.live.http.release(run).await
    }

    fn id_at(&self, place: &TreePath) -> Result<ResourceId> {
        let (kind, names) = Kind::at(place)?;
        Ok(kind.id(&names))
    }

    fn fitted(self: Arc<Self>, source: Arc<dyn Reader>) -> Arc<dyn Reader> {
        Arc::new(FittedSource::new(source, self))
    }

    /// Without a realm there is nobody to be restored, and people may be what the next step is about. All else is asked
    /// for by name when a user is written: who has a role that is missing is refused, everybody else goes on.
    fn dependents_go_on(&self, failed: &[(ResourceId, bool)]) -> bool {
        failed.iter().all(|(id, is_there)| match Kind::of_id(id) {
            Ok((Kind::RealmSettings, _)) => *is_there,
            Ok((kind, _)) => kind != Kind::User,
            Err(_) => false,
        })
    }
}

fn no_realm(one: &Approved) -> Error {
    let doing = format!("write {}", one.change.id);
    Error::new(ErrorKind::NotFound, doing, "the realm is not there").next("restore what lies below 'realm' first")
}

/// Two accounts of one name: which of them is meant nobody but a person knows.
fn same_name(id: &crate::model::ResourceId, live: Option<&str>, backup: Option<&str>) -> Error {
    let shown = |id: Option<&str>| visible(id.unwrap_or("none")).into_owned();
    let why = format!("same name, different id: {} is live, the backup holds {}", shown(live), shown(backup));
    conflict(id, why).next(
        "if it is the same person, set 'ids: accept' at the component; else rename or remove the live account, then \
         retry, or leave this user out",
    )
}

fn document(side: &Option<Resource>) -> &Value {
    side.as_ref().and_then(Resource::document).map_or(empty(), |document| &document.value)
}

/// What is there now, beside what the change was planned from.
fn found(now: Option<&Value>, live: &Option<Resource>) -> Found {
    match (now, live) {
        (None, None) => Found::AsPlanned,
        (None, Some(_)) => Found::Nothing,
        (Some(now), Some(_)) if now == document(live) => Found::AsPlanned,
        (Some(now), _) => Found::Document(Document::new(now.clone())),
    }
}

fn empty() -> &'static Value {
    static EMPTY: LazyLock<Value> = LazyLock::new(|| json!({}));
    &EMPTY
}
